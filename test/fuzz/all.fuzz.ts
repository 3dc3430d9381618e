// Fuzzes all that reads a text of somebody else's: node test/fuzz/all.fuzz.ts [count] [seed] [parser]
// A million inputs unless told otherwise: half of them log lines and stamps, the others shared among the parsers; with
// the name of one parser all for that one. Exits with 1 and the smallest failing input.
import { randomInt } from 'node:crypto';
import { fuzz } from './fuzz.ts';
import type { Slowest } from './linear-time.ts';
import { checkLinearParsers, fuzzParsers, SUBJECTS } from './parsers.ts';
import type { Tally } from './properties.ts';

const PROGRESS_MS = 2000;

const count = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? randomInt(2 ** 31));
const only = process.argv[4];
const subjects = SUBJECTS.filter(({ name }) => only === undefined || name === only);
if (!Number.isSafeInteger(count) || !Number.isSafeInteger(seed) || subjects.length === 0) {
  const names = SUBJECTS.map(({ name }) => JSON.stringify(name)).join(', ');
  console.error('usage: node test/fuzz/all.fuzz.ts [count] [seed] [parser]');
  console.error(`parsers: ${names}; without one all of them, and log lines and stamps`);
  process.exit(64);
}

console.log(`seed ${seed}, ${count} inputs`);
const began = performance.now();
let told = began;
try {
  const ofLines = only === undefined ? Math.floor(count / 2) : 0;
  if (ofLines > 0) tell(fuzz({ count: ofLines, seed, onProgress }));
  const countOfEach = Math.ceil((count - ofLines) / subjects.length);
  const parsers = { countOfEach, seed, subjects };
  const onTexts = (inputs: number) => onProgress(ofLines + inputs);
  const found = await fuzzParsers({ ...parsers, onProgress: onTexts });
  tell({ ...found, slowest: checkLinearParsers(subjects) });
} catch (error) {
  console.error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

function tell(found: { inputs: number; tally: Tally; slowest: Slowest }): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${found.inputs} inputs, ${seconds} s from the start: every property held`);
  for (const [name, times] of Object.entries(found.tally)) console.log(`  ${name}: ${times}`);
  const { ratio, what } = found.slowest;
  const times = ratio.toFixed(1);
  console.log(`  ten times as much took at most ${times} times as long as linear: ${what}`);
}

function onProgress(inputs: number): void {
  if (performance.now() < told + PROGRESS_MS) return;
  told = performance.now();
  console.error(`${inputs} of ${count}`);
}
