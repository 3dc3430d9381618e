// What is no proof of a regression, because clients can cause it as well, and is not fine either: a route
// that has gone quiet, answers that break off, clients that leave. Somebody must look. Pure.
import { binomialLess } from './binomial.ts';
import { fisherGreater, type Share } from './fisher.ts';
import { MIN_ERRORS, type Side } from './judge-route.ts';

/** `failing`: a route that is new, of which half or more of the requests fail. */
export type DoubtKind = 'quiet' | 'cut' | 'left' | 'failing';

/** The tests by their names in statistics. */
export const DOUBT_TESTS: Readonly<Record<Exclude<DoubtKind, 'failing'>, string>> = {
  quiet: 'binomial test, one-sided',
  cut: 'Fisher’s exact test, one-sided',
  left: 'Fisher’s exact test, one-sided',
};

export type Doubt = {
  readonly kind: DoubtKind;
  /** 0 where there is nothing to compare with. */
  readonly p: number;
};

export type DoubtOptions = {
  readonly minRequests: number;
  /** By how much the share of answers that broke off must have risen. */
  readonly errorIncrease: number;
  /** The length of the time after the mark, as a share of the time on both sides. */
  readonly afterShare: number;
  readonly isQuietAllowed: boolean;
};

/** A route with less of what it should have by its rate before is quiet: all else is the time of day. */
export const QUIET_BELOW = 0.5;
/** By how much the share of clients that left must have risen. */
export const MIN_LEFT_INCREASE = 0.05;

/** Returns what is as large as the limits say; what is significant is known only with all routes. */
export function doubtsOf(before: Side, after: Side, options: DoubtOptions): Doubt[] {
  const isNewAndFails =
    before.requests === 0 && after.errors >= MIN_ERRORS && after.errors * 2 >= after.requests;
  return [
    ...(isNewAndFails ? [{ kind: 'failing', p: 0 } as const] : []),
    ...quiet(before, after, options),
    ...risen('cut', cutOf(before), cutOf(after), options.errorIncrease),
    ...risen('left', leftOf(before), leftOf(after), MIN_LEFT_INCREASE),
  ];
}

/** Returns how many requests a route should have after the mark, by its rate before. */
export function expectedAfter({ requests }: Side, afterShare: number): number {
  return (requests * afterShare) / (1 - afterShare);
}

// Answered ones: those whose clients gave up waiting are no sign of life.
function quiet(before: Side, after: Side, options: DoubtOptions): Doubt[] {
  const { afterShare, minRequests, isQuietAllowed } = options;
  if (isQuietAllowed || afterShare <= 0 || afterShare >= 1) return [];
  const expected = expectedAfter(before, afterShare);
  if (expected < minRequests || after.requests >= expected * QUIET_BELOW) return [];
  const all = before.requests + after.requests;
  return [{ kind: 'quiet', p: binomialLess(after.requests, all, afterShare) }];
}

function risen(kind: 'cut' | 'left', was: Share, is: Share, least: number): Doubt[] {
  if (was.of === 0 || is.of === 0 || was.count + is.count < MIN_ERRORS) return [];
  if (is.count / is.of - was.count / was.of < least) return [];
  return [{ kind, p: fisherGreater(was, is) }];
}

function cutOf({ cut, requests }: Side): Share {
  return { count: cut, of: requests };
}

function leftOf({ left, requests }: Side): Share {
  return { count: left, of: left + requests };
}
