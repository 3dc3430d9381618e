// Whether a deployment made anything worse: all routes together, and the correction for how many tests
// that were. It only says worse or not: whether a rise has come from the deployment, it can't know. Pure.
import { holmAdjusted } from './holm.ts';
import { judgeRoute, type Limits, type Side, type Tested } from './judge-route.ts';

export type VerdictOptions = Limits & {
  /** The probability of calling any route regressed when nothing has changed. */
  readonly alpha: number;
  /** Requests that a route must have on each side. */
  readonly minRequests: number;
};

/** `too-few`: not enough to tell. `new`: none before. `gone`: none after. */
export type RouteStatus = 'regressed' | 'fine' | 'too-few' | 'new' | 'gone';

export type Outcome = Tested & {
  /** Holm–Bonferroni over all tests of the verdict. */
  readonly adjustedP: number;
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
};

export type Verdict = {
  readonly verdict: 'fine' | 'regressed' | 'not-enough-traffic';
  /** How many tests were made: what the correction is for. */
  readonly tests: number;
  /** Regressed ones first, then by requests. */
  readonly routes: readonly RouteVerdict[];
};

/** A route on both sides; a side without requests is empty. */
export type Compared = { readonly route?: string; readonly before: Side; readonly after: Side };

/** Returns whether a route has enough requests to be tested. */
export function isEnough({ before, after }: Compared, minRequests: number): boolean {
  return Math.min(before.requests, after.requests) >= minRequests;
}

/** Returns the verdict over all routes. */
export function verdictOf(routes: readonly Compared[], options: VerdictOptions): Verdict {
  const { alpha, minRequests } = options;
  const judged = routes.map((compared) => ({
    compared,
    ...(isEnough(compared, minRequests)
      ? judgeRoute(compared.before, compared.after, options, minRequests)
      : { tests: [] }),
  }));
  const adjusted = holmAdjusted(judged.flatMap(({ tests }) => tests.map(({ p }) => p)));
  let at = 0;
  const verdicts = judged.map(({ compared, tests, ...rest }): RouteVerdict => {
    const outcomes = tests.map((test) => outcomeOf(test, adjusted[at++] ?? 1, alpha));
    return { ...compared, ...rest, tests: outcomes, status: statusOf(compared, outcomes) };
  });
  return { verdict: wordOf(verdicts), tests: at, routes: verdicts.toSorted(byImportance) };
}

function outcomeOf(test: Tested, adjustedP: number, alpha: number): Outcome {
  return { ...test, adjustedP, isRegression: test.matters && adjustedP <= alpha };
}

function statusOf({ before, after }: Compared, tests: readonly Outcome[]): RouteStatus {
  if (tests.some(({ isRegression }) => isRegression)) return 'regressed';
  if (tests.length > 0) return 'fine';
  if (before.requests === 0) return 'new';
  return after.requests === 0 ? 'gone' : 'too-few';
}

function wordOf(routes: readonly RouteVerdict[]): Verdict['verdict'] {
  if (routes.some(({ status }) => status === 'regressed')) return 'regressed';
  return routes.some(({ status }) => status === 'fine') ? 'fine' : 'not-enough-traffic';
}

function byImportance(one: RouteVerdict, other: RouteVerdict): number {
  const weight = ({ status }: RouteVerdict) => (status === 'regressed' ? 0 : 1);
  const requests = ({ before, after }: RouteVerdict) => before.requests + after.requests;
  return weight(one) - weight(other) || requests(other) - requests(one);
}
