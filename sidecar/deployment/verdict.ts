// Whether a deployment made anything worse: all routes together, and the correction for how many tests
// that were. It only says worse or not: whether a rise has come from the deployment, it can't know. Pure.
import { doubtsOf, type Doubt } from './doubts.ts';
import { holmAdjusted } from './holm.ts';
import {
  judgeErrors,
  judgeTimes,
  MIN_ERRORS,
  type Limits,
  type Side,
  type Tested,
} from './judge-route.ts';
import { overallGreater } from './overall.ts';

export type VerdictOptions = Limits & {
  /** The probability of calling any route regressed when nothing has changed. */
  readonly alpha: number;
  /** Requests that a route must have on each side for its times to be tested. */
  readonly minRequests: number;
  /** The length of the time after the mark, as a share of the time on both sides; by default a half. */
  readonly afterShare?: number;
  /** Routes that may go quiet. */
  readonly allowQuiet?: readonly string[];
};

/**
 * `quiet`: much less than before, or nothing. `unclear`: what clients can cause as well. `too-few`: not
 * enough to tell. `new`: none before. `gone`: none after, and few before.
 */
export type RouteStatus = 'regressed' | 'quiet' | 'unclear' | 'fine' | 'too-few' | 'new' | 'gone';

/** Holm–Bonferroni within each kind of tests, divided by the kind's part of alpha. */
type Adjusted = { readonly adjustedP: number };

export type Outcome = Tested & Adjusted & { readonly isRegression: boolean };

/** All routes together, each compared with itself. */
export type Overall = Adjusted & {
  readonly p: number;
  readonly increase: number;
  readonly matters: boolean;
  readonly isRegression: boolean;
};

export type RouteVerdict = {
  readonly route?: string;
  readonly status: RouteStatus;
  readonly before: Side;
  readonly after: Side;
  readonly superiority?: number;
  /** None where the route was not tested. */
  readonly tests: readonly Outcome[];
  /** Only significant ones. */
  readonly doubts: readonly (Doubt & Adjusted)[];
};

export type Verdict = {
  /** `unclear`: nothing is proven, but something has happened that is not fine. */
  readonly verdict: 'fine' | 'regressed' | 'unclear' | 'not-enough-traffic';
  /** How many tests were made that can find a regression. */
  readonly tests: number;
  /** Absent where it would be the test of the one route. */
  readonly overall?: Overall;
  /** Regressed ones first, then doubtful ones, then by requests. */
  readonly routes: readonly RouteVerdict[];
};

/** A route on both sides; a side without requests is empty. */
export type Compared = { readonly route?: string; readonly before: Side; readonly after: Side };

/**
 * The parts of alpha that the kinds of tests have. Errors of one route among many must not drown in tests
 * of times, which prove themselves by themselves.
 */
const PARTS = { errors: 0.5, times: 0.25, overall: 0.25 } as const;

/** Returns whether a route has enough requests for its times to be tested. */
export function isEnough({ before, after }: Compared, minRequests: number): boolean {
  return Math.min(before.requests, after.requests) >= minRequests;
}

/** Returns the verdict over all routes. */
export function verdictOf(routes: readonly Compared[], options: VerdictOptions): Verdict {
  const { alpha, minRequests } = options;
  const judged = routes.map((compared) => judge(compared, options));
  const errors = takeAdjusted(
    judged.flatMap((each) => each.errors),
    PARTS.errors,
  );
  const times = takeAdjusted(
    judged.flatMap(({ times: { tests } }) => tests),
    PARTS.times,
  );
  const doubts = takeAdjusted(
    judged.flatMap((each) => each.doubts),
    1,
  );
  const verdicts = judged.map((each): RouteVerdict => {
    const { superiority, tests } = each.times;
    const outcomes = [...each.errors.map(errors), ...tests.map(times)].map((test) => ({
      ...test,
      isRegression: test.matters && test.adjustedP <= alpha,
    }));
    const doubtful = each.doubts.map(doubts).filter(({ adjustedP }) => adjustedP <= alpha);
    const status = statusOf(each.compared, outcomes, doubtful, minRequests);
    const found = { status, tests: outcomes, doubts: doubtful };
    return { ...each.compared, ...(superiority !== undefined && { superiority }), ...found };
  });
  const overall = overallOf(routes, options);
  return {
    verdict: overall?.isRegression ? 'regressed' : wordOf(verdicts),
    tests: verdicts.reduce((sum, { tests }) => sum + tests.length, overall === undefined ? 0 : 1),
    ...(overall && { overall }),
    routes: verdicts.toSorted(byImportance),
  };
}

function judge(compared: Compared, options: VerdictOptions) {
  const { route = '', before, after } = compared;
  const { minRequests, errorIncrease, afterShare = 0.5, allowQuiet = [] } = options;
  const isQuietAllowed = allowQuiet.includes(route);
  return {
    compared,
    errors: judgeErrors(before, after, options),
    times: isEnough(compared, minRequests) ? judgeTimes(before, after, minRequests) : { tests: [] },
    doubts: doubtsOf(before, after, { minRequests, errorIncrease, afterShare, isQuietAllowed }),
  };
}

// Returns what finds each again, with its adjusted p.
function takeAdjusted<T extends { readonly p: number }>(all: readonly T[], part: number) {
  const adjusted = holmAdjusted(all.map(({ p }) => p));
  const byTest = new Map(all.map((each, at) => [each, Math.min(1, (adjusted[at] ?? 1) / part)]));
  return (each: T): T & Adjusted => ({ ...each, adjustedP: byTest.get(each) ?? 1 });
}

function overallOf(routes: readonly Compared[], options: VerdictOptions): Overall | undefined {
  const onBoth = routes.filter(({ before, after }) => before.requests > 0 && after.requests > 0);
  const errors = onBoth.reduce((sum, { before, after }) => sum + before.errors + after.errors, 0);
  if (onBoth.length < 2 || errors < MIN_ERRORS) return undefined;
  const shareOf = (side: Side) => ({ count: side.errors, of: side.requests });
  const strata = onBoth.map(({ before, after }) => ({
    before: shareOf(before),
    after: shareOf(after),
  }));
  const { p, increase } = overallGreater(strata);
  const adjustedP = Math.min(1, p / PARTS.overall);
  const matters = increase >= options.errorIncrease;
  return { p, increase, matters, adjustedP, isRegression: matters && adjustedP <= options.alpha };
}

function statusOf(
  compared: Compared,
  tests: readonly Outcome[],
  doubts: readonly Doubt[],
  minRequests: number,
): RouteStatus {
  if (tests.some(({ isRegression }) => isRegression)) return 'regressed';
  if (doubts.some(({ kind }) => kind === 'quiet')) return 'quiet';
  if (doubts.length > 0) return 'unclear';
  if (isEnough(compared, minRequests)) return 'fine';
  if (compared.before.requests === 0) return 'new';
  return compared.after.requests === 0 ? 'gone' : 'too-few';
}

function wordOf(routes: readonly RouteVerdict[]): Verdict['verdict'] {
  const has = (...statuses: RouteStatus[]) =>
    routes.some(({ status }) => statuses.includes(status));
  if (has('regressed')) return 'regressed';
  if (has('quiet', 'unclear')) return 'unclear';
  return has('fine') ? 'fine' : 'not-enough-traffic';
}

const WEIGHTS: Partial<Record<RouteStatus, number>> = { regressed: 0, quiet: 1, unclear: 1 };

function byImportance(one: RouteVerdict, other: RouteVerdict): number {
  const weight = ({ status }: RouteVerdict) => WEIGHTS[status] ?? 2;
  const requests = ({ before, after }: RouteVerdict) => before.requests + after.requests;
  return weight(one) - weight(other) || requests(other) - requests(one);
}
