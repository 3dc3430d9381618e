// A verdict as a table for people and as one JSON object for programs. Why it fell so is in reasons.ts. Pure.
import { styleText } from 'node:util';
import { isoTime, milliseconds } from '../audit/format-text.ts';
import { column, cut, visible, visibleJson } from '../visible.ts';
import { UNKNOWN } from '../report/format.ts';
import { quantile, TEST_NAMES, type Side, type TestKind } from './judge-route.ts';
import type { Mark } from './mark.ts';
import { OVERALL_TEST } from './overall.ts';
import type { Overall, RouteStatus, RouteVerdict, Verdict, VerdictOptions } from './verdict.ts';
import type { Window, Windows } from './windows.ts';

/** A verdict, and what it was made of. */
export type Reported = Verdict & {
  readonly mark: Mark;
  readonly windows: Windows;
  readonly options: VerdictOptions;
};

const COLUMNS: readonly [string, number][] = [
  ['ROUTE', 20],
  ['VERDICT', 10],
  ['REQUESTS', 17],
  ['ERRORS', 17],
  ['P', 7],
  ['CUT', 7],
  ['LEFT', 7],
  ['P50 MS', 17],
  ['P95 MS', 17],
  ['SLOWER', 7],
  ['P', 7],
  ['P TAIL', 7],
];

const STYLES: Partial<Record<RouteStatus, Parameters<typeof styleText>[0]>> = {
  regressed: 'red',
  quiet: 'yellow',
  unclear: 'yellow',
  fine: 'green',
};

/** Returns the table, before → after; p-values are the adjusted ones. */
export function verdictTable({ routes }: Pick<Verdict, 'routes'>, isColoured = false): string {
  const header = lineOf(COLUMNS.map(([name]) => name));
  const lines = routes.map((route) => painted(route.status, tableLine(route), isColoured));
  return [header, ...lines, ''].join('\n');
}

/** Returns the whole of it as JSON in one line. */
export function verdictJson(reported: Reported): string {
  const { verdict, tests, overall, routes, mark, windows, options } = reported;
  return visibleJson(
    JSON.stringify({
      verdict,
      mark: markFields(mark),
      before: { ...windowFields(windows.before), since: windows.previous?.id },
      after: { ...windowFields(windows.after), until: windows.next?.id },
      alpha: options.alpha,
      minRequests: options.minRequests,
      minErrorIncrease: options.errorIncrease,
      tests,
      correction: 'Holm–Bonferroni',
      overall: overall && overallFields(overall),
      routes: routes.map(routeFields),
    }),
  );
}

/** Returns a p-value as people read it. */
export function pText(p: number): string {
  if (p >= 0.001) return p.toFixed(3);
  return p === 0 ? '<1e-300' : p.toExponential(0);
}

/** Returns how many of a hundred. */
export function percent({ errors, requests }: Pick<Side, 'errors' | 'requests'>): string {
  return requests === 0 ? UNKNOWN : `${((100 * errors) / requests).toFixed(2)} %`;
}

/** Returns the time that so large a share does not exceed, in milliseconds. */
export function timeText({ times }: Side, share: number): string {
  return times.length === 0 ? UNKNOWN : milliseconds(quantile(times, share));
}

function tableLine({ route, status, before, after, superiority, tests }: RouteVerdict): string {
  const both = (text: (side: Side) => string) => `${text(before)} → ${text(after)}`;
  const p = (kind: TestKind) => {
    const found = tests.find((test) => test.kind === kind);
    return found === undefined ? UNKNOWN : pText(found.adjustedP);
  };
  return lineOf([
    cut(visible(route ?? UNKNOWN), 20),
    status,
    both(({ requests }) => String(requests)),
    both(percent),
    p('errors'),
    both(({ cut }) => String(cut)),
    both(({ left }) => String(left)),
    both((side) => timeText(side, 0.5)),
    both((side) => timeText(side, 0.95)),
    superiority === undefined ? UNKNOWN : superiority.toFixed(2),
    p('latency'),
    p('tail'),
  ]);
}

function lineOf(cells: readonly string[]): string {
  // What doesn't fit pushes the rest aside, and is not cut: they are figures.
  const padded = cells.map((text, at) => {
    const [, width] = COLUMNS[at] ?? ['', 0];
    return column(text, Math.max(width, Array.from(text).length));
  });
  return padded.join('  ').trimEnd();
}

function painted(status: RouteStatus, line: string, isColoured: boolean): string {
  const style = STYLES[status];
  return isColoured && style !== undefined
    ? styleText(style, line, { validateStream: false })
    : line;
}

function overallFields({ isRegression, ...rest }: Overall) {
  return { test: OVERALL_TEST, ...rest, regressed: isRegression };
}

function routeFields(verdict: RouteVerdict) {
  const { route, status, before, after, superiority, tests, doubts } = verdict;
  return {
    route,
    status,
    before: sideFields(before),
    after: sideFields(after),
    superiority,
    tests: tests.map(({ kind, p, adjustedP, matters, isRegression }) => ({
      kind,
      test: TEST_NAMES[kind],
      ...{ p, adjustedP, matters, regressed: isRegression },
    })),
    doubts,
  };
}

function sideFields({ requests, errors, cut, left, timed, times }: Side) {
  const hasTimes = times.length > 0;
  return {
    requests,
    errors,
    cut,
    left,
    errorRate: requests === 0 ? undefined : errors / requests,
    timed,
    sampled: times.length,
    p50Ms: hasTimes ? quantile(times, 0.5) / 1000 : undefined,
    p95Ms: hasTimes ? quantile(times, 0.95) / 1000 : undefined,
  };
}

function markFields({ id, note, routes, atUs }: Mark) {
  return { id, note, routes, time: isoTime(atUs) };
}

function windowFields({ fromUs, toUs }: Window) {
  return { from: isoTime(fromUs), to: isoTime(toUs) };
}
