// Why a verdict fell as it did, in sentences: with the sizes of the samples, and the tests by name. Pure.
import { isoTime } from '../audit/format-text.ts';
import { visible } from '../visible.ts';
import { UNKNOWN } from '../report/format.ts';
import { pText, percent, timeText, type Reported } from './format-verdict.ts';
import { TEST_NAMES, type Side } from './judge-route.ts';
import { MAX_TIMES } from './traffic.ts';
import { DOUBT_TESTS, expectedAfter } from './doubts.ts';
import { OVERALL_TEST } from './overall.ts';
import type { Outcome, Overall, RouteStatus, RouteVerdict } from './verdict.ts';

/** Returns the sentences, the verdict first. */
export function reasonsOf(reported: Reported): string[] {
  const { routes, windows, mark, options } = reported;
  const regressions = routes.flatMap((route) =>
    route.tests.filter(({ isRegression }) => isRegression).map((test) => because(route, test)),
  );
  return [
    headline(reported),
    ...regressions,
    ...overallText(reported.overall),
    ...routes.flatMap((route) => route.doubts.map((doubt) => doubtText(route, doubt, options))),
    ...others(
      routes,
      'too-few',
      `less than ${options.minRequests} requests on a side (but for errors)`,
    ),
    ...others(routes, 'new', 'only after the mark, nothing to compare with'),
    ...others(routes, 'gone', 'only before the mark'),
    `Before: ${span(windows.before)}${windows.previous ? `, since the mark ${windows.previous.id}` : ''}.`,
    `After: ${span(windows.after)}${windows.next ? `, until the mark ${windows.next.id}` : ''}.`,
    ...(mark.note === undefined ? [] : [`Note of the mark: ${visible(mark.note)}`]),
    ...sampledText(routes),
    ...leftText(routes),
    'What is still under way counts nowhere: `signet audit open` shows it.',
  ];
}

function headline({ verdict, mark, tests, options }: Reported): string {
  const tested = `${tests} tests, Holm–Bonferroni, alpha ${options.alpha}`;
  if (verdict === 'regressed') return `Regressed since ${mark.id} (${tested}):`;
  if (verdict === 'fine') return `Fine: nothing became worse since ${mark.id} (${tested}).`;
  if (verdict === 'unclear') {
    return `Not known: nothing is proven to be worse since ${mark.id} (${tested}), but not all is fine:`;
  }
  return `Not enough traffic to tell whether anything became worse since ${mark.id}.`;
}

function because({ route, before, after, superiority = 0.5 }: RouteVerdict, test: Outcome): string {
  const name = visible(route ?? UNKNOWN);
  return `  ${name}: ${found(test)}; ${TEST_NAMES[test.kind]}, p = ${pText(test.adjustedP)}`;

  function found({ kind }: Outcome): string {
    if (kind === 'errors') return `errors ${errorText(before)} → ${errorText(after)}`;
    if (kind === 'tail') return `95th percentile ${slower(0.95)}`;
    const chance = `a request takes longer than one before with probability ${superiority.toFixed(2)}`;
    return `median ${slower(0.5)}, ${chance}`;
  }

  function slower(share: number): string {
    const [was, is] = [before, after].map((side) => timeText(side, share));
    return `${was} → ${is} ms (of ${before.times.length} and ${after.times.length} times)`;
  }
}

function overallText(overall: Overall | undefined): string[] {
  if (!overall?.isRegression) return [];
  const points = (100 * overall.increase).toFixed(2);
  return [
    `  all routes together: errors up by ${points} points; ${OVERALL_TEST}, p = ${pText(overall.adjustedP)}`,
  ];
}

type Doubtful = RouteVerdict['doubts'][number];

function doubtText(
  { route, before, after }: RouteVerdict,
  { kind, adjustedP }: Doubtful,
  { afterShare = 0.5 }: Reported['options'],
): string {
  const name = visible(route ?? UNKNOWN);
  if (kind === 'failing') return `  ${name}: new, and errors ${errorText(after)}`;
  return `  ${name}: ${found()}; ${DOUBT_TESTS[kind]}, p = ${pText(adjustedP)}`;

  function found(): string {
    const expected = Math.round(expectedAfter(before, afterShare));
    if (kind === 'quiet') return `quiet: ${after.requests} requests, ${expected} were expected`;
    if (kind === 'left')
      return `clients that left ${share(before, 'left')} → ${share(after, 'left')}`;
    return `answers that broke off ${share(before, 'cut')} → ${share(after, 'cut')}`;
  }
}

function share(side: Side, kind: 'cut' | 'left'): string {
  const requests = side.requests + (kind === 'left' ? side.left : 0);
  return errorText({ errors: side[kind], requests });
}

function leftText(routes: readonly RouteVerdict[]): string[] {
  const [was, is] = [
    routes.reduce((sum, { before }) => sum + before.left, 0),
    routes.reduce((sum, { after }) => sum + after.left, 0),
  ];
  return was + is === 0
    ? []
    : [`Left out, as their clients left before an answer: ${was} → ${is}.`];
}

function errorText({ errors, requests }: Pick<Side, 'errors' | 'requests'>): string {
  return `${percent({ errors, requests })} (${errors} of ${requests})`;
}

function others(routes: readonly RouteVerdict[], status: RouteStatus, why: string): string[] {
  const named = routes.filter((each) => each.status === status);
  const texts = named.map(
    ({ route, before, after }) =>
      `${visible(route ?? UNKNOWN)} (${before.requests} → ${after.requests})`,
  );
  return texts.length === 0 ? [] : [`Not tested, ${why}: ${texts.join(', ')}`];
}

function sampledText(routes: readonly RouteVerdict[]): string[] {
  const isSampled = ({ times, timed }: Side) => times.length > 0 && times.length < timed;
  if (!routes.some(({ before, after }) => [before, after].some(isSampled))) return [];
  return [`Times are of a uniform sample of about ${MAX_TIMES} for a route and a side.`];
}

function span({ fromUs, toUs }: { readonly fromUs: number; readonly toUs: number }): string {
  return `${isoTime(fromUs)} to ${isoTime(toUs)} (${Math.round((toUs - fromUs) / 1_000_000)} s)`;
}
