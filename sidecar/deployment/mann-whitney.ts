// The Mann–Whitney U test, one-sided: are values of the second sample greater than those of the first? By
// the normal approximation with ties and continuity corrected, which wants 20 values on each side. Pure.
import { normalTail } from './normal.ts';

export type RankTest = {
  readonly p: number;
  /** How likely a value of the second exceeds one of the first, ties by half: 0.5 is no difference. */
  readonly superiority: number;
};

/** Returns the test of two samples in ascending order, neither of which is empty. */
export function mannWhitneyGreater(before: Float64Array, after: Float64Array): RankTest {
  const { wins, tieSum } = compare(before, after);
  const pairs = before.length * after.length;
  const all = before.length + after.length;
  const variance = (pairs / 12) * (all + 1 - tieSum / (all * (all - 1)));
  const superiority = wins / pairs;
  // All values are the same.
  if (variance <= 0) return { p: 1, superiority };
  return { p: normalTail((wins - pairs / 2 - 0.5) / Math.sqrt(variance)), superiority };
}

// Value by value, upwards; `tieSum` is the sum of t³ - t over groups of t equal values.
function compare(before: Float64Array, after: Float64Array): { wins: number; tieSum: number } {
  let wins = 0;
  let tieSum = 0;
  let below = 0;
  let at = 0;
  while (below < before.length || at < after.length) {
    const value = Math.min(before[below] ?? Infinity, after[at] ?? Infinity);
    const inBefore = runOf(before, below, value);
    const inAfter = runOf(after, at, value);
    wins += inAfter * (below + inBefore / 2);
    const tied = inBefore + inAfter;
    tieSum += tied ** 3 - tied;
    below += inBefore;
    at += inAfter;
  }
  return { wins, tieSum };
}

function runOf(values: Float64Array, from: number, value: number): number {
  let end = from;
  while (end < values.length && values[end] === value) end += 1;
  return end - from;
}
