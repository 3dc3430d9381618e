// Fisher's exact test, one-sided: are there more marked among the second than chance would put there?
// Exact for any counts: the hypergeometric probabilities are summed, and nothing is approximated. Pure.

/** So many of so many. */
export type Share = { readonly count: number; readonly of: number };

/** Below this Stirling's series would be less exact than adding up. */
const STIRLING_FROM = 32;
/** A term that changes nothing any more. */
const NEGLIGIBLE = 1e-18;

/**
 * Returns the probability of as many in `after` as there are, or more, when all that are counted had
 * fallen on both sides by chance: 1 where there are none at all.
 */
export function fisherGreater(before: Share, after: Share): number {
  const table = { marked: before.count + after.count, before: before.of, after: after.of };
  const expected = (table.marked * after.of) / Math.max(1, before.of + after.of);
  // The smaller tail is summed, from its largest term on.
  if (after.count > expected) return Math.min(1, sumFrom(table, after.count, 1));
  return Math.max(0, 1 - sumFrom(table, after.count - 1, -1));
}

/** All that are marked, and how many each side has of everything. */
export type Table = { readonly marked: number; readonly before: number; readonly after: number };

function sumFrom(table: Table, from: number, step: 1 | -1): number {
  const least = Math.max(0, table.marked - table.before);
  const most = Math.min(table.marked, table.after);
  if (from < least || from > most) return 0;
  let term = probability(table, from);
  let sum = 0;
  for (let count = from; term > sum * NEGLIGIBLE; count += step) {
    sum += term;
    term *= step === 1 ? ratio(table, count) : 1 / ratio(table, count - 1);
  }
  return sum;
}

/** How much likelier `count + 1` is than `count`: 0 behind the last that there can be. */
function ratio({ marked, before, after }: Table, count: number): number {
  const up = (marked - count) * (after - count);
  const down = (count + 1) * (before - marked + count + 1);
  return down <= 0 ? Infinity : up / down;
}

/** Returns how likely chance puts so many of the marked on the second side. */
export function probability({ marked, before, after }: Table, count: number): number {
  return Math.exp(
    logChoose(after, count) + logChoose(before, marked - count) - logChoose(before + after, marked),
  );
}

/** Returns the logarithm of how many ways there are to take some of all. */
export function logChoose(all: number, some: number): number {
  return logFactorial(all) - logFactorial(some) - logFactorial(all - some);
}

// Abramowitz and Stegun 6.1.41.
function logFactorial(number: number): number {
  if (number < STIRLING_FROM) return logProduct(number);
  const inverse = 1 / number;
  const square = inverse * inverse;
  const correction = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260)));
  return number * Math.log(number) - number + Math.log(2 * Math.PI * number) / 2 + correction;
}

function logProduct(number: number): number {
  let product = 1;
  for (let factor = 2; factor <= number; factor++) product *= factor;
  return Math.log(product);
}
