// The flood at length: node test/long/flood.ts 180 [--postgres] [--seed N]. So many seconds of garbage at every entrance,
// and a table of what it did; with --postgres the sessions are in a database, as where several sidecars share them.
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { startFloodEdge } from '../fixtures/flood-edge.ts';
import { floodProblems } from '../fixtures/flood-problems.ts';
import { floodTable } from '../fixtures/flood-report.ts';
import { runFlood } from '../fixtures/flood-run.ts';
import { startPostgres } from '../fixtures/postgres.ts';

const DEFAULT_SECONDS = 180;
const WARM_UP_S = 10;
/** The quiet stretch is a tenth of the flood, but at least this. */
const SHORTEST_QUIET_S = 10;

const { values, positionals } = parseArgs({
  options: { postgres: { type: 'boolean', default: false }, seed: { type: 'string' } },
  allowPositionals: true,
});
const floodS = Number(positionals[0] ?? DEFAULT_SECONDS);
const seed = Number(values.seed ?? randomInt(2 ** 31));
if (!(floodS > 0) || !Number.isInteger(seed)) {
  throw new Error('usage: flood.ts [SECONDS] [--postgres] [--seed N]');
}
const quietS = Math.max(SHORTEST_QUIET_S, floodS / 10);

console.log(`${WARM_UP_S} s of warm-up, ${quietS} s of quiet, ${floodS} s of flood; seed ${seed}`);
const startedMs = Date.now();
const postgres = values.postgres ? await startPostgres() : undefined;
try {
  const sessionStore = await postgres?.url('flood');
  const flooded = await startFloodEdge(sessionStore);
  try {
    const report = await runFlood(flooded, {
      ...{ warmUpS: WARM_UP_S, quietS, floodS, seed },
      onProgress: (text) => console.log(`${elapsed()} ${text}`),
    });
    console.log(floodTable(report));
    const problems = floodProblems(report);
    for (const problem of problems) console.log(`NOT AS IT SHOULD BE: ${problem}`);
    process.exitCode = problems.length === 0 ? 0 : 1;
  } finally {
    await flooded.stop();
  }
} finally {
  await postgres?.stop();
}

function elapsed(): string {
  return `${((Date.now() - startedMs) / 1000).toFixed(0).padStart(4)} s`;
}
