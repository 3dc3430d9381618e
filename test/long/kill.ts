// The kill test at length: node test/long/kill.ts 500 [--seed 1]. Kills the sidecar so many times at
// random moments under load, and Caddy once in the middle, and balances all books every fifty kills.
// A seed repeats what was drawn; the moments are the machine's.
import { parseArgs } from 'node:util';
import { startEdge } from '../fixtures/edge.ts';
import { killSummary } from '../fixtures/kill-report.ts';
import { createKillRun, type KillRun } from '../fixtures/kill-run.ts';
import { createRandom, testSeeds } from '../fixtures/random.ts';
import { SITE } from '../fixtures/site.ts';

const DEFAULT_KILLS = 500;
const BALANCE_EVERY = 50;
const PROGRESS_MS = 2000;

const { values, positionals } = parseArgs({
  options: { seed: { type: 'string' } },
  allowPositionals: true,
});
const kills = Number(positionals[0] ?? DEFAULT_KILLS);
const seed = Number(values.seed ?? testSeeds(1)[0]);
if (!Number.isSafeInteger(kills) || kills < 1 || !Number.isSafeInteger(seed)) {
  throw new Error('usage: kill.ts [KILLS] [--seed NUMBER]');
}

console.log(`${kills} kills of the sidecar; --seed ${seed} repeats what is drawn`);
const startedMs = Date.now();
const edge = await startEdge(SITE);
try {
  const run = await createKillRun(edge, await edge.signIn('alice'), createRandom(seed));
  const progress = setInterval(() => console.log(`${elapsed()} ${progressOf(run)}`), PROGRESS_MS);
  try {
    await killAll(run);
  } finally {
    clearInterval(progress);
    await run.close();
  }
} finally {
  await edge.stop();
}
console.log(`${elapsed()} every answer, line, row, span and number is accounted for`);

async function killAll(run: KillRun): Promise<void> {
  const caddyAfter = Math.ceil(kills / 2);
  run.load();
  while (run.kills() < kills) {
    await run.killSidecar();
    if (run.kills() === caddyAfter) await run.killCaddy();
    if (run.kills() % BALANCE_EVERY !== 0 && run.kills() < kills) continue;
    console.log(`${elapsed()} ${killSummary(await run.balance())}`);
    run.load();
  }
}

function progressOf(run: KillRun): string {
  return `${run.kills()} of ${kills} kills, ${run.requests()} requests`;
}

function elapsed(): string {
  return `${((Date.now() - startedMs) / 1000).toFixed(0).padStart(4)} s`;
}
