// What a request takes longer for Signet at a light, steady load, and whether a destination that is
// down makes the gate slower. Each compares two loads in turns, within a round.
import { join } from 'node:path';
import { openAuditReader } from '../../sidecar/audit/open.ts';
import { median } from '../fixtures/figures.ts';
import { makeFolder } from '../fixtures/sidecar.ts';
import type { Evidence } from './edge-evidence.ts';
import { loadOf } from './edge-run.ts';
import { variantNamed } from './edge-variants.ts';
import type { World } from './edge-world.ts';
import { readLatencies, type Latencies } from './load-latencies.ts';

export const PER_SECOND = 500;

/** Few, so that none sends more than 50 a second: h2load's clocks are no finer. */
const CLIENTS = 10;

export type Pace = { readonly world: World; readonly evidence: Evidence; readonly seconds: number };

export type AddedLatency = { readonly none: Latencies; readonly signet: Latencies };

/** Returns a round of both, in milliseconds; which one begins depends on the round. */
export async function measureLatency(pace: Pace, round: number): Promise<AddedLatency> {
  const first = round % 2 === 0;
  const before = first ? await steady(pace, 'none') : undefined;
  const signet = await steady(pace, 'signet-on');
  return { none: before ?? (await steady(pace, 'none')), signet };
}

/** Of the gate by its own clock (median, in microseconds), and of whole requests. */
export type GateLatency = { readonly gateUs: number; readonly request: Latencies };
export type OutageRound = { readonly up: GateLatency; readonly down: GateLatency };

/** Returns a round with the receiver up and one with it dead; it is up again afterwards. */
export async function measureOutage(pace: Pace, round: number): Promise<OutageRound> {
  const { world, evidence } = pace;
  const isUpFirst = round % 2 === 0;
  const before = isUpFirst ? await gateLatency(pace) : undefined;
  await world.setReceiver(false);
  const down = await gateLatency(pace);
  await world.setReceiver(true);
  await evidence.begin();
  return { up: before ?? (await gateLatency(pace)), down };
}

async function gateLatency(pace: Pace): Promise<GateLatency> {
  const reader = await openAuditReader({ path: pace.world.on.auditStore });
  try {
    const sequence = Math.max(0, ...(await reader.places()).values());
    const request = await steady(pace, 'signet-on');
    await pace.evidence.recorded();
    const sql = `SELECT gate_duration_us AS us FROM audit_rows WHERE sequence > ? AND decision = 'allow'`;
    const rows = await reader.all(sql, [sequence]);
    return { gateUs: median(rows.map(({ us }) => Number(us))), request };
  } finally {
    await reader.close();
  }
}

async function steady({ world, seconds }: Pace, name: string): Promise<Latencies> {
  const variant = variantNamed(name);
  const { folder, remove } = makeFolder();
  const logFile = join(folder, 'latencies.tsv');
  try {
    const credential = (await world.signIn())(variant.edge, variant.credential);
    const more = { perSecond: PER_SECOND, clients: CLIENTS, streams: 1, logFile };
    await loadOf(variant, world, credential, undefined, more).send(PER_SECOND * seconds);
    return readLatencies(logFile);
  } finally {
    remove();
  }
}
