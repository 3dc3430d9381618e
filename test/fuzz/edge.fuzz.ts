// Fuzzes the edge with whole requests: node test/fuzz/edge.fuzz.ts [--minutes 10] [--seed N]
// Goes on when a rule is broken, and shows the smallest request for each rule at the end; exits with 1 then. A seed repeats
// what was drawn; what runs beside what is the machine's.
import { parseArgs } from 'node:util';
import { residentMiB } from '../fixtures/flood-process.ts';
import { createRandom, testSeeds } from '../fixtures/random.ts';
import { startFuzzEdge, type Found, type FuzzEdge } from './edge-run.ts';
import { drawTrial, fixedTrials, type Trial } from './request-grammar.ts';
import { shrinkTrial } from './shrink-request.ts';

const DEFAULT_MINUTES = 10;
const BATCH = 200;
const PROGRESS_MS = 5000;
/** What the sidecar may have more after the first minute; an hour's growth at this rate would be seen. */
const MAX_GROWTH_MIB = 200;

const { values } = parseArgs({
  options: { minutes: { type: 'string' }, seed: { type: 'string' } },
});
const minutes = Number(values.minutes ?? DEFAULT_MINUTES);
const seed = Number(values.seed ?? testSeeds(1)[0]);
if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
  throw new Error('usage: edge.fuzz.ts [--minutes NUMBER] [--seed NUMBER]');
}

console.log(`${minutes} minutes; --seed ${seed} repeats what is drawn`);
const startedMs = Date.now();
const served = new Map<string, number>();
const statuses = new Map<number, number>();
const found = new Map<string, Found & { times: number }>();
let requests = 0;
const site = await startFuzzEdge();
try {
  await fuzzFor(site);
  for (const one of found.values()) await show(site, one);
} finally {
  await site.stop();
}
console.log(tallied('served', served));
console.log(tallied('answered', statuses));
console.log(
  `${elapsed()} ${requests} requests, ${found.size === 0 ? 'every rule held' : 'rules were broken'}`,
);
if (found.size > 0) process.exitCode = 1;

async function fuzzFor({ edge, run }: FuzzEdge): Promise<void> {
  const random = createRandom(seed);
  let told = startedMs;
  let firstMiB = 0;
  const memory = () => residentMiB(edge.sidecar().pid());
  for (let trials = fixedTrials(); Date.now() < startedMs + minutes * 60_000;) {
    note(await run(trials), trials);
    trials = Array.from({ length: BATCH }, () => drawTrial(random));
    if (firstMiB === 0 && Date.now() > startedMs + 60_000) firstMiB = memory();
    if (Date.now() < told + PROGRESS_MS) continue;
    told = Date.now();
    console.log(
      `${elapsed()} ${requests} requests, sidecar ${memory().toFixed(0)} MiB, ${found.size} rules broken`,
    );
  }
  if (firstMiB > 0 && memory() > firstMiB + MAX_GROWTH_MIB) {
    const detail = `${firstMiB} to ${memory()} MiB`;
    found.set('memory', {
      rule: 'the sidecar grows',
      detail,
      trial: { by: 'h1', text: '' },
      times: 1,
    });
  }
}

function note(batch: Awaited<ReturnType<FuzzEdge['run']>>, trials: readonly Trial[]): void {
  requests += trials.length;
  for (const one of batch.served) served.set(one, (served.get(one) ?? 0) + 1);
  for (const one of batch.statuses) statuses.set(one, (statuses.get(one) ?? 0) + 1);
  for (const one of batch.found) {
    const before = found.get(one.rule);
    if (before === undefined)
      console.log(
        `${elapsed()} broken: ${one.rule}\n  ${JSON.stringify(one.trial.text).slice(0, 800)}\n  ${one.detail.slice(0, 500)}`,
      );
    found.set(one.rule, { ...(before ?? one), times: (before?.times ?? 0) + 1 });
  }
}

async function show({ run }: FuzzEdge, { rule, detail, trial, times }: Found & { times: number }) {
  const isFailing = async (smaller: Trial) =>
    (await run([smaller])).found.some((one) => one.rule === rule);
  const smallest = trial.text === '' ? trial : await shrinkTrial(trial, isFailing);
  console.log(`\n${rule}: ${times} times\n  ${smallest.by} ${JSON.stringify(smallest.text)}`);
  console.log(`  drawn as ${JSON.stringify(trial.text)}\n  ${detail.slice(0, 1500)}`);
}

function tallied(what: string, counts: ReadonlyMap<unknown, number>): string {
  const sorted = [...counts].toSorted(([, a], [, b]) => b - a);
  return `${what}: ${sorted.map(([name, times]) => `${String(name)} ${times}`).join(', ')}`;
}

function elapsed(): string {
  return `${((Date.now() - startedMs) / 1000).toFixed(0).padStart(4)} s`;
}
