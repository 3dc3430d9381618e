// Fuzzes the log reader and the stamp: node test/fuzz/log-and-stamp.fuzz.ts [count] [seed]
// A million inputs unless told otherwise. Exits with 1 and the smallest failing input.
import { randomInt } from 'node:crypto';
import { fuzz } from './fuzz.ts';

const PROGRESS_MS = 2000;

const count = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? randomInt(2 ** 31));
if (!Number.isSafeInteger(count) || !Number.isSafeInteger(seed)) {
  console.error('usage: node test/fuzz/log-and-stamp.fuzz.ts [count] [seed]');
  process.exit(64);
}

console.log(`seed ${seed}, ${count} inputs`);
const began = performance.now();
let told = began;
try {
  const { inputs, tally, slowest } = fuzz({ count, seed, onProgress });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${inputs} inputs in ${seconds} s: no crash, no forged row, no byte unaccounted for`);
  for (const [name, times] of Object.entries(tally)) console.log(`  ${name}: ${times}`);
  const { ratio, what } = slowest;
  console.log(
    `  ten times as much took at most ${ratio.toFixed(1)} times as long as linear: ${what}`,
  );
} catch (error) {
  console.error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

function onProgress(inputs: number): void {
  if (performance.now() < told + PROGRESS_MS) return;
  told = performance.now();
  console.error(`${inputs} of ${count}`);
}
