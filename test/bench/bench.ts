// The benchmark, as one command: how fast Signet is beside what it is compared with.
//	npm run bench -- [--short] [--rounds N] [--seconds S] [--only NAME,…] [--json FILE]
// The table goes to stdout, progress to stderr. Exits with 1 when a variant is broken, 2 on wrong usage,
// 69 when a program is missing. BENCH_BREAK=NAME gives that variant's client a wrong credential.
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { explain, Fault } from '../../sidecar/fault.ts';
import { runEdge } from './edge.ts';
import { findMissing } from './edge-machine.ts';
import { MEASUREMENTS, type Settings } from './edge-settings.ts';
import { edgeTable } from './edge-table.ts';
import { targetsOf } from './edge-targets.ts';
import { isGuarded, VARIANTS } from './edge-variants.ts';
import { exitUsage, optionsOrExit } from './usage.ts';

const EXIT = { broken: 1, missing: 69 };

const SHORT = { rounds: 1, seconds: 0.4 };
const LONG = { rounds: 5, seconds: 4 };

const PARTS = 'parts';
const NAMES: readonly string[] = [...VARIANTS.map(({ name }) => name), ...MEASUREMENTS, PARTS];
/** A million requests are not for the short form. */
const NOT_SHORT = 'memory';

const HELP = `npm run bench -- [--short] [--rounds N] [--seconds S] [--only NAME,…] [--json FILE]

Signet beside what it is compared with, behind a real Caddy: a table on stdout, progress on stderr.

  --short       whether all works, in a minute or two; the figures say little
  --rounds N    rounds of all variants in turns (default 5)
  --seconds S   of load for each variant in a round (default 4)
  --only NAMES  of ${NAMES.join(', ')}
  --json FILE   every figure of every round

Exits with 1 when a variant is broken, 2 on wrong usage, 69 when a program is missing.
BENCH_BREAK=NAME gives that variant's client a wrong credential, to see it fail.`;

/** Returns what was asked for; throws an error that says what is wrong. */
function readSettings(env: NodeJS.ProcessEnv): Settings & { json?: string } {
  const values = optionsOrExit(
    {
      short: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string' },
      json: { type: 'string' },
    },
    HELP,
  );
  const { short, rounds, seconds, only, json } = values;
  const preset = short ? SHORT : LONG;
  const names = only === undefined ? defaultNames(short) : only.split(',');
  const unknown = names.filter((name) => !NAMES.includes(name));
  if (unknown.length > 0) {
    throw new TypeError(`there is no ${unknown.join(', ')}; there is ${NAMES.join(', ')}`);
  }
  const broken = env['BENCH_BREAK'] ?? '';
  if (broken !== '' && !canBreak(broken, names)) {
    throw new TypeError(`BENCH_BREAK is "${broken}": no variant of this run that asks who calls`);
  }
  // Now, and not after half an hour.
  if (json !== undefined) closeSync(openSync(json, 'a'));
  return {
    short,
    rounds: positive('--rounds', rounds, preset.rounds),
    seconds: positive('--seconds', seconds, preset.seconds),
    names,
    ...(json !== undefined && { json }),
    ...(broken !== '' && { broken }),
  };
}

function defaultNames(short: boolean): readonly string[] {
  if (!short) return NAMES;
  const long = VARIANTS.filter(({ isShort }) => !isShort).map(({ name }) => name);
  return NAMES.filter((name) => name !== NOT_SHORT && !long.includes(name));
}

function canBreak(broken: string, names: readonly string[]): boolean {
  const variant = VARIANTS.find(({ name }) => name === broken);
  return variant !== undefined && names.includes(broken) && isGuarded(variant);
}

function positive(option: string, text: string | undefined, preset: number): number {
  const value = text === undefined ? preset : Number(text);
  if (!(value > 0)) throw new TypeError(`${option} is "${text}" and not a number above 0`);
  return value;
}

async function run({ json, ...settings }: Settings & { json?: string }): Promise<number> {
  const say = (text: string) => console.error(text);
  const startedMs = Date.now();
  const report = await runEdge(settings, say);
  // Loaded late: they load all of Signet into this process.
  const { measureParts, partsTable } = await import('./parts.ts');
  const partsOptions = { short: settings.short, onProgress: say };
  const yardstick = await measureParts({ ...partsOptions, short: false, only: ['yardstick'] });
  const targets = targetsOf(report, yardstick[0]?.value ?? Number.NaN);
  console.log(edgeTable(report, targets, settings));
  const parts = settings.names.includes(PARTS) ? await measureParts(partsOptions) : [];
  if (parts.length > 0) console.log(`\n${partsTable(parts)}`);
  if (json !== undefined) {
    const date = new Date(startedMs).toISOString();
    const all = { date, settings, ...report, yardstick: yardstick[0], targets, parts };
    writeFileSync(json, `${JSON.stringify(all, null, 2)}\n`);
  }
  say(`took ${Math.round((Date.now() - startedMs) / 1000)} s`);
  for (const { variant, what } of report.faults) say(`broken: ${variant}: ${what}`);
  return report.faults.length === 0 ? 0 : EXIT.broken;
}

async function command(): Promise<number> {
  let settings;
  try {
    settings = readSettings(process.env);
  } catch (error) {
    return exitUsage(explain(error), HELP);
  }
  const missing = findMissing();
  for (const what of missing) console.error(`The benchmark needs ${what}.`);
  if (missing.length > 0) return EXIT.missing;
  try {
    return await run(settings);
  } catch (error) {
    if (!(error instanceof Fault && error.code === 'ERR_CADDY')) throw error;
    console.error(error.message);
    return EXIT.missing;
  }
}

process.exitCode = await command();
