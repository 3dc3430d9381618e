// The outage test at length: node test/long/outage.ts 600 [--silent]. So many seconds of a dead
// destination under load; with --silent one that accepts connections and never answers.
import { parseArgs } from 'node:util';
import { startEdge } from '../fixtures/edge.ts';
import { outageSummary, ratio, type OutageReport } from '../fixtures/outage-report.ts';
import { runOutage } from '../fixtures/outage-run.ts';
import { SITE } from '../fixtures/site.ts';

const DEFAULT_SECONDS = 600;
const REQUESTS_PER_SECOND = 250;
const WARM_UP_S = 20;
/** The time before is a fifth of the outage, but at least this. */
const SHORTEST_BEFORE_S = 20;
const LIMITS = { memory: 1.15, gate: 1.2, request: 1.2, p99: 3 };

const { values, positionals } = parseArgs({
  options: { silent: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const outageS = Number(positionals[0] ?? DEFAULT_SECONDS);
if (!(outageS > 0)) throw new Error('usage: outage.ts [SECONDS] [--silent]');
const beforeS = Math.max(SHORTEST_BEFORE_S, outageS / 5);

console.log(`${WARM_UP_S} s of warm-up, ${beforeS} s before, ${outageS} s of a dead destination`);
const startedMs = Date.now();
const edge = await startEdge(SITE);
try {
  const report = await runOutage(edge, await edge.signIn('alice'), {
    warmUpS: WARM_UP_S,
    beforeS,
    outageS,
    requestsPerSecond: REQUESTS_PER_SECOND,
    dead: values.silent ? 'silent' : 'refused',
    onProgress: (text) => console.log(`${elapsed()} ${text}`),
  });
  console.log(outageSummary(report));
  const excesses = excessesOf(report);
  for (const excess of excesses) console.log(`NOT WITHIN THE LIMIT: ${excess}`);
  process.exitCode = excesses.length === 0 ? 0 : 1;
} finally {
  await edge.stop();
}

function excessesOf({ memoryMiB, gateUs, requestMs, failed }: OutageReport): string[] {
  const p99 = ({ before, during }: typeof gateUs) => during.p99 / before.p99;
  const measured: [string, number, number][] = [
    ['memory', memoryMiB.last / memoryMiB.first, LIMITS.memory],
    ['the gate’s median', ratio(gateUs), LIMITS.gate],
    ['the request’s median', ratio(requestMs), LIMITS.request],
    ['the gate’s p99', p99(gateUs), LIMITS.p99],
    ['the request’s p99', p99(requestMs), LIMITS.p99],
    ['failed requests', failed, 0],
  ];
  return measured
    .filter(([, value, limit]) => !(value <= limit))
    .map(([name, value, limit]) => `${name}: ${value.toFixed(2)}, at most ${limit}`);
}

function elapsed(): string {
  return `${((Date.now() - startedMs) / 1000).toFixed(0).padStart(4)} s`;
}
