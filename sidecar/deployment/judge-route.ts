// One route before and after: up to three tests, what each found, and whether it matters. What is significant
// is known only when all routes are tested, see verdict.ts. Pure.
import { fisherGreater, type Share } from './fisher.ts';
import { mannWhitneyGreater } from './mann-whitney.ts';
import type { Counted } from './traffic.ts';

/** A route on one side, with its times in ascending order, in microseconds. */
export type Side = Counted & { readonly times: Float64Array };

export type TestKind = 'errors' | 'latency' | 'tail';

/** The tests by their names in statistics; all are one-sided: only what became worse is looked for. */
export const TEST_NAMES: Readonly<Record<TestKind, string>> = {
  errors: 'Fisher’s exact test, one-sided',
  latency: 'Mann–Whitney U test, one-sided, ties corrected',
  tail: 'Fisher’s exact test of the times above the 95th percentile of both sides, one-sided',
};

export type Tested = {
  readonly kind: TestKind;
  readonly p: number;
  /** The difference is as large as the limits say. */
  readonly matters: boolean;
};

/** What a difference must come to, significant or not. */
export type Limits = {
  /** By how much the share of errors must have risen: 0.005 is half a percentage point. */
  readonly errorIncrease: number;
};

/** Probability that a request after the mark takes longer than one before; 0.56 is a small effect. */
export const MIN_SUPERIORITY = 0.56;
/** How much slower the median, and the 95th percentile, must be. */
export const MIN_MEDIAN_RATIO = 1.1;
export const MIN_P95_RATIO = 1.25;
/** Below this nobody waits for it. */
export const MIN_SLOWER_US = 1000;

export type Judged = {
  readonly tests: readonly Tested[];
  /** Of the latency test; absent where there were too few times. */
  readonly superiority?: number;
};

/**
 * Errors that a route must have on both sides together to be tested: fewer prove nothing, and the more
 * tests there are, the more each must prove. Chosen by what Fisher's test takes for given anyway, so that
 * the choice prefers no outcome (Tarone 1990).
 */
export const MIN_ERRORS = 5;

/** Returns the test of errors, however few requests there are: it is exact. */
export function judgeErrors(before: Side, after: Side, limits: Limits): readonly Tested[] {
  const isOnBoth = before.requests > 0 && after.requests > 0;
  if (!isOnBoth || before.errors + after.errors < MIN_ERRORS) return [];
  return [testErrors(before, after, limits)];
}

/** Returns the tests of times, where there are enough of them on both sides. */
export function judgeTimes(before: Side, after: Side, minTimes: number): Judged {
  if (Math.min(before.times.length, after.times.length) < minTimes) return { tests: [] };
  const { p, superiority } = mannWhitneyGreater(before.times, after.times);
  const isSlower = isMuchSlower(before, after, 0.5, MIN_MEDIAN_RATIO);
  const latency: Tested = {
    kind: 'latency',
    p,
    matters: superiority >= MIN_SUPERIORITY && isSlower,
  };
  return { tests: [latency, testTail(before, after)], superiority };
}

/** Returns the time that so large a share does not exceed, by the nearest rank; 0 where there is none. */
export function quantile(times: Float64Array, share: number): number {
  return times[Math.ceil(share * times.length) - 1] ?? 0;
}

function testErrors(before: Side, after: Side, { errorIncrease }: Limits): Tested {
  const [was, is] = [before, after].map(({ errors, requests }): Share => ({
    count: errors,
    of: requests,
  })) as [Share, Share];
  const increase = is.count / is.of - was.count / was.of;
  return { kind: 'errors', p: fisherGreater(was, is), matters: increase >= errorIncrease };
}

// Mood's test at another place than the median: given how many lie above, chance alone divides them.
function testTail(before: Side, after: Side): Tested {
  const cut = quantile(Float64Array.from([...before.times, ...after.times]).sort(), 0.95);
  const above = ({ times }: Side): Share => ({
    count: times.length - firstAbove(times, cut),
    of: times.length,
  });
  const matters = isMuchSlower(before, after, 0.95, MIN_P95_RATIO);
  return { kind: 'tail', p: fisherGreater(above(before), above(after)), matters };
}

function firstAbove(times: Float64Array, limit: number): number {
  const at = times.findIndex((time) => time > limit);
  return at === -1 ? times.length : at;
}

function isMuchSlower(before: Side, after: Side, share: number, ratio: number): boolean {
  const was = quantile(before.times, share);
  const is = quantile(after.times, share);
  return is >= was * ratio && is - was >= MIN_SLOWER_US;
}
