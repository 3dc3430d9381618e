// How far the recorder is behind when a full load ends, and what the sidecar's memory does in a million
// requests.
import { median } from '../fixtures/figures.ts';
import { createEvidence, wrongIn, type Evidence } from './edge-evidence.ts';
import { residentMiB } from './edge-processes.ts';
import { loadOf } from './edge-run.ts';
import { variantNamed } from './edge-variants.ts';
import { PERSON, startWorld, type World } from './edge-world.ts';
import type { Say } from './oauth2-proxy.ts';

export type Lag = {
  readonly requests: number;
  readonly perSecond: number;
  /** From the last answer until the last row, and the last span. */
  readonly rowsMs: number;
  readonly spansMs: number;
};

export type Memory = { readonly requests: number; readonly residentMiB: number };

const ON = variantNamed('signet-on');
const PROBE_REQUESTS = 3200;
const CHUNK = 10_000;
/** Resident memory goes up and down with the collector: the median after so many chunks. */
const SAMPLES = 3;

/** Loads Signet for so many seconds, as much as it takes; throws when evidence is missing. */
export async function measureLag(world: World, evidence: Evidence, seconds: number): Promise<Lag> {
  const credential = (await world.signIn())(ON.edge, ON.credential);
  const { send } = loadOf(ON, world, credential);
  const { perSecond: rate } = await send(PROBE_REQUESTS);
  const requests = Math.round(rate * seconds);
  await evidence.begin();
  const { perSecond } = await send(requests);
  const arrived = await evidence.arrived(requests, PERSON);
  const wrong = wrongIn(arrived, requests);
  if (wrong !== undefined) throw new Error(wrong);
  const { rowsMs, spansMs } = arrived;
  return { requests, perSecond, rowsMs, spansMs };
}

/** Returns the resident memory of a fresh sidecar when it has answered each of these counts of requests. */
export async function measureMemory(counts: readonly number[], say: Say): Promise<Memory[]> {
  const world = await startWorld({ proxy: 'none', say });
  try {
    const evidence = await createEvidence(world);
    const { send } = loadOf(ON, world, (await world.signIn())(ON.edge, ON.credential));
    const measured: Memory[] = [];
    const samples: number[] = [];
    while (measured.length < counts.length) {
      await send(CHUNK);
      await evidence.begin();
      samples.push(residentMiB(world.on.pid));
      const requests = samples.length * CHUNK;
      if (requests % 100_000 === 0) say(`memory: ${requests} requests, ${samples.at(-1)} MiB`);
      if (requests < (counts[measured.length] ?? 0)) continue;
      measured.push({ requests, residentMiB: median(samples.slice(-SAMPLES)) });
    }
    await evidence.close();
    return measured;
  } finally {
    await world.stop();
  }
}
