// How long asking the record takes: `npm run bench:audit -- [rows…] [--json FILE] [--folder FOLDER]`.
// Builds a store of so many rows (a million) by the store's own commits, in a temporary folder that is
// taken away again, or in a named one that is left and used again; then asks it, each question several
// times with a fresh reader, and prints the medians. With several sizes (1000000 10000000) it compares
// them. Exits with 1 when a target is missed.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AUDIT_STORE_FILE, openAuditReader, openAuditStore } from '../../sidecar/audit/open.ts';
import { VERSION } from '../../sidecar/version.ts';
import { MAX_GROWTH, questionsOf, SAME_ANSWER, type BenchQuestion } from './questions.ts';
import { benchRows, DAYS, ROUTES, TEAMS, USERS } from './rows.ts';

const SEED = 1;
const BATCH_ROWS = 1000;
const REPORT_EVERY_MS = 5000;

/** How often a question is asked: quick ones for a second, slow ones until it is long enough. */
const MIN_ROUNDS = 3;
const ROUNDS = 9;
const MAX_ROUNDS = 301;
const QUICK_MS = 1000;
const SLOW_MS = 15_000;

type Measured = {
  readonly name: string;
  readonly medianMs: number;
  readonly fastestMs: number;
  readonly slowestMs: number;
  readonly rounds: number;
  /** Rows or groups that were answered. */
  readonly rows: number;
  readonly targetMs?: number;
};

type Report = {
  readonly store: ReturnType<typeof storeFacts>;
  /** `signet audit` for a user's day, with the start of its process. */
  readonly commandMs: number;
  readonly measured: readonly Measured[];
};

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'string' }, folder: { type: 'string' } },
});
const counts = positionals.length === 0 ? [1_000_000] : positionals.map(Number);
const missed: string[] = [];
const reports: Report[] = [];
for (const count of counts) reports.push(await benchmark(count));
const growth = growthOf(reports);
if (growth !== undefined) console.log(`\n${growth.text}`);
console.log(`\n${JSON.stringify(machine())}`);
if (options.json !== undefined) {
  const report = { machine: machine(), reports, growth: growth?.factors };
  writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
}
for (const what of missed) console.log(`missed: ${what}`);
process.exitCode = missed.length === 0 ? 0 : 1;

async function benchmark(count: number): Promise<Report> {
  const temporary = options.folder ?? mkdtempSync(join(tmpdir(), 'signet-bench-'));
  const folder = join(temporary, String(count));
  const path = join(folder, AUDIT_STORE_FILE);
  try {
    const store = storeFacts(path, count, await build(path, count));
    console.log(`\n${JSON.stringify(store)}`);
    const measured: Measured[] = [];
    for (const question of await questionsOf(path, count)) {
      measured.push(await measure(path, question, count));
    }
    const commandMs = wholeCommandMs(folder);
    console.log(`the whole command, one user's day: ${commandMs.toFixed(0)} ms`);
    return { store, commandMs, measured };
  } finally {
    if (options.folder === undefined) rmSync(temporary, { recursive: true });
  }
}

// Returns what a row took; undefined when they were there already.
async function build(path: string, count: number): Promise<number | undefined> {
  const store = await openAuditStore({ path });
  const { rows: there } = await store.counts();
  const startedMs = performance.now();
  let reportedMs = startedMs;
  let batch = [];
  let made = 0;
  for (const row of there === 0 ? benchRows(count, SEED) : []) {
    batch.push(row);
    made += 1;
    if (batch.length < BATCH_ROWS && made < count) continue;
    await store.commit({ rows: batch });
    batch = [];
    if (performance.now() - reportedMs < REPORT_EVERY_MS) continue;
    reportedMs = performance.now();
    const rate = made / ((reportedMs - startedMs) / 1000);
    console.error(`${made} of ${count} rows, ${rate.toFixed(0)} a second`);
  }
  await store.close();
  return made === 0 ? undefined : ((performance.now() - startedMs) * 1000) / made;
}

async function measure(
  path: string,
  { name, ask, targetMs }: BenchQuestion,
  count: number,
): Promise<Measured> {
  const times: number[] = [];
  let rows = 0;
  let spentMs = 0;
  const isEnough = () =>
    times.length >= MAX_ROUNDS ||
    (times.length >= ROUNDS && spentMs >= QUICK_MS) ||
    (times.length >= MIN_ROUNDS && spentMs >= SLOW_MS);
  for (let isWarm = false; !isEnough(); isWarm = true) {
    const startedMs = performance.now();
    const reader = await openAuditReader({ path });
    rows = await ask(reader);
    await reader.close();
    const tookMs = performance.now() - startedMs;
    if (isWarm) times.push(tookMs);
    spentMs += tookMs;
  }
  times.sort((one, other) => one - other);
  const measured = {
    name,
    medianMs: times[Math.floor(times.length / 2)] ?? 0,
    fastestMs: times[0] ?? 0,
    slowestMs: times.at(-1) ?? 0,
    rounds: times.length,
    rows,
    ...(targetMs !== undefined && { targetMs: targetMs(count) }),
  };
  print(measured);
  return measured;
}

function print({ name, medianMs, fastestMs, slowestMs, rows, targetMs }: Measured): void {
  const ms = (value: number) => value.toFixed(value < 10 ? 2 : 0);
  const target = targetMs === undefined ? '' : `, target ${targetMs} ms`;
  const range = `(${ms(fastestMs)} to ${ms(slowestMs)})`;
  console.log(
    `${name.padEnd(42)} ${ms(medianMs).padStart(7)} ms ${range.padEnd(16)} ${rows} rows${target}`,
  );
  if (medianMs > (targetMs ?? Number.POSITIVE_INFINITY)) missed.push(name);
}

// The cost shall follow the answer, and not the store.
function growthOf([small, ...others]: readonly Report[]) {
  const large = others.at(-1);
  if (small === undefined || large === undefined) return undefined;
  const factors = small.measured.map(({ name, medianMs }, at) => {
    const factor = (large.measured[at]?.medianMs ?? 0) / medianMs;
    if (name === SAME_ANSWER && factor > MAX_GROWTH) missed.push(`growth of ${name}`);
    return { name, factor };
  });
  const lines = factors.map(({ name, factor }) => `${name.padEnd(42)} x ${factor.toFixed(2)}`);
  const head = `from ${small.store.rows} to ${large.store.rows} rows:`;
  return { factors, text: [head, ...lines].join('\n') };
}

function wholeCommandMs(folder: string): number {
  const cli = new URL('../../bin/signet.js', import.meta.url).pathname;
  const day = ['--since', '2026-10-05', '--until', '2026-10-06'];
  const startedMs = performance.now();
  const { status, stderr } = spawnSync(
    process.execPath,
    [cli, 'audit', '--state', folder, '--user', 'user-7', ...day],
    { encoding: 'utf8' },
  );
  if (status !== 0) console.error(`signet audit ended with ${status}: ${stderr}`);
  return performance.now() - startedMs;
}

function machine() {
  return {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    sqlite: process.versions.sqlite,
    signet: VERSION,
  };
}

function storeFacts(path: string, count: number, usPerRow: number | undefined) {
  return {
    rows: count,
    days: DAYS,
    users: USERS,
    teams: TEAMS,
    routes: ROUTES,
    megabytes: Math.round(statSync(path).size / 1e6),
    ...(usPerRow !== undefined && { usPerRow: Number(usPerRow.toFixed(1)) }),
  };
}
