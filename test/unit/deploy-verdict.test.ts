// When a deployment is said to have made something worse, and when not.
import { describe, expect, test } from '@jest/globals';
import type { Side } from '../../sidecar/deployment/judge-route.ts';
import { verdictOf, type Compared } from '../../sidecar/deployment/verdict.ts';
import { windowsOf } from '../../sidecar/deployment/windows.ts';
import { createRandom, type Random } from '../fixtures/random.ts';

const OPTIONS = { alpha: 0.01, minRequests: 100, errorIncrease: 0.005 };

/** Returns a side whose times are spread evenly around a median. */
function side({
  requests = 1000,
  errors = 0,
  cut = 0,
  left = 0,
  medianMs = 20,
  slowest = 1,
} = {}): Side {
  const timed = requests - errors;
  const times = Float64Array.from({ length: timed }, (_, at) => {
    const share = (at + 0.5) / timed;
    return medianMs * 1000 * (0.5 + share) * (share > 0.9 ? slowest : 1);
  });
  return { requests, errors, cut, left, timed, times };
}

const route = (before: Side, after: Side, name = 'orders'): Compared => ({
  route: name,
  before,
  after,
});

const kindsOf = (compared: Compared, options = OPTIONS) =>
  verdictOf([compared], options).routes.flatMap(({ tests }) =>
    tests.filter(({ isRegression }) => isRegression).map(({ kind }) => kind),
  );

describe('a verdict', () => {
  test('is fine when nothing changed', () => {
    expect(verdictOf([route(side(), side())], OPTIONS).verdict).toBe('fine');
  });

  test('is regressed when errors rose', () => {
    expect(kindsOf(route(side({ errors: 2 }), side({ errors: 30 })))).toEqual(['errors']);
  });

  test('is not regressed by a rise of errors that is sure, but too small to matter', () => {
    const before = side({ requests: 200_000, errors: 100 });
    const after = side({ requests: 200_000, errors: 400 });
    const [judged] = verdictOf([route(before, after)], OPTIONS).routes;
    expect(judged?.tests[0]).toMatchObject({ kind: 'errors', matters: false });
    expect(judged?.tests[0]?.adjustedP).toBeLessThan(0.001);
    expect(judged?.status).toBe('fine');
  });

  test('is not regressed by a rise of errors that may be chance', () => {
    const [judged] = verdictOf([route(side({ errors: 3 }), side({ errors: 9 }))], OPTIONS).routes;
    expect(judged?.tests[0]).toMatchObject({ matters: true, isRegression: false });
  });

  test('is regressed when requests take longer', () => {
    expect(kindsOf(route(side(), side({ medianMs: 26 })))).toContain('latency');
  });

  test('is not regressed when they take longer by less than a tenth', () => {
    expect(kindsOf(route(side(), side({ medianMs: 21.5 })))).toEqual([]);
  });

  test('is not regressed by parts of a millisecond', () => {
    expect(kindsOf(route(side({ medianMs: 0.4 }), side({ medianMs: 0.8 })))).toEqual([]);
  });

  test('is regressed when only the slowest became slower', () => {
    expect(kindsOf(route(side(), side({ slowest: 4 })))).toEqual(['tail']);
  });

  test('is fine when everything became better', () => {
    const better = route(side({ errors: 50, medianMs: 40 }), side());
    expect(verdictOf([better], OPTIONS).verdict).toBe('fine');
  });

  test('is none when no route has enough requests on both sides', () => {
    const few = route(side({ requests: 99 }), side());
    expect(verdictOf([few], OPTIONS)).toMatchObject({ verdict: 'not-enough-traffic', tests: 0 });
  });

  test('tests errors however few requests there are', () => {
    const few = route(side({ requests: 5000 }), side({ requests: 99, errors: 99 }));
    const rare = route(side({ requests: 20 }), side({ requests: 20, errors: 20 }), 'rare');
    expect(kindsOf(few)).toEqual(['errors']);
    expect(kindsOf(rare)).toEqual(['errors']);
  });

  test('leaves routes with too few requests, new ones and those that are gone untested', () => {
    const none = side({ requests: 0 });
    const { verdict, routes } = verdictOf(
      [
        route(side(), side(), 'orders'),
        route(side({ requests: 20 }), side({ requests: 20, errors: 4 }), 'rare'),
        route(none, side({ errors: 400 }), 'new'),
        route(side({ requests: 99 }), none, 'gone'),
      ],
      OPTIONS,
    );
    expect(verdict).toBe('fine');
    const statuses = Object.fromEntries(routes.map(({ route: name, status }) => [name, status]));
    expect(statuses).toEqual({ orders: 'fine', rare: 'too-few', new: 'new', gone: 'gone' });
  });

  test('wants more of each route the more routes have errors', () => {
    const suspicious = route(side({ errors: 2 }), side({ errors: 15 }));
    const others = (errors: number) =>
      Array.from({ length: 30 }, (_, at) => route(side({ errors }), side({ errors }), `${at}`));
    expect(verdictOf([suspicious], OPTIONS).verdict).toBe('regressed');
    expect(verdictOf([suspicious, ...others(0)], OPTIONS).verdict).toBe('regressed');
    expect(verdictOf([suspicious, ...others(5)], OPTIONS).verdict).toBe('fine');
  });

  test('finds 8 % of errors in one of 300 routes that have none', () => {
    const few = side({ requests: 100 });
    const fine = Array.from({ length: 299 }, (_, at) => route(few, few, `${at}`));
    const bad = route(few, side({ requests: 100, errors: 8 }));
    expect(verdictOf([...fine, bad], OPTIONS)).toMatchObject({
      verdict: 'regressed',
      routes: [{ route: 'orders', status: 'regressed' }, ...fine.map(() => ({ status: 'fine' }))],
    });
  });

  test('finds a rise that is small in each route, and there in all', () => {
    const routes = Array.from({ length: 100 }, (_, at) =>
      route(side({ requests: 99 }), side({ requests: 99, errors: 1 }), `${at}`),
    );
    expect(verdictOf(routes, OPTIONS)).toMatchObject({
      verdict: 'regressed',
      overall: { isRegression: true, matters: true },
    });
  });

  test('takes traffic that moves to a route with more errors for no rise', () => {
    const good = route(side({ requests: 9000 }), side({ requests: 1000 }), 'good');
    const bad = route(
      side({ requests: 1000, errors: 100 }),
      side({ requests: 9000, errors: 900 }),
      'bad',
    );
    const allowQuiet = ['good'];
    expect(verdictOf([good, bad], { ...OPTIONS, allowQuiet })).toMatchObject({ verdict: 'fine' });
  });

  test('tests no times where nearly all requests failed', () => {
    const [judged] = verdictOf([route(side(), side({ errors: 950 }))], OPTIONS).routes;
    expect(judged?.tests.map(({ kind }) => kind)).toEqual(['errors']);
  });
});

describe('what is neither fine nor proven', () => {
  const fine = route(side(), side(), 'fine');
  const none = side({ requests: 0 });
  const judged = (compared: Compared, options = {}) => {
    const { verdict, routes } = verdictOf([fine, compared], { ...OPTIONS, ...options });
    return [verdict, routes.find((each) => each.route === compared.route)?.status];
  };

  test.each([
    ['a route that nothing has come of any more', side(), none, 'quiet'],
    [
      'one of which every client gave up waiting',
      side(),
      side({ requests: 0, left: 900 }),
      'quiet',
    ],
    ['one with less than half of what it had', side(), side({ requests: 499 }), 'quiet'],
    ['answers that all break off', side(), side({ cut: 1000 }), 'unclear'],
    ['many more clients that leave', side({ left: 10 }), side({ left: 100 }), 'unclear'],
    ['a new route that fails', none, side({ errors: 500 }), 'unclear'],
  ])('%s', (_name, before, after, status) => {
    expect(judged(route(before, after))).toEqual(['unclear', status]);
  });

  test.each([
    ['half of what it had', side(), side({ requests: 500 })],
    ['a stream, whose clients always leave', side({ cut: 990 }), side({ cut: 991 })],
    ['some clients that leave', side({ left: 0 }), side({ left: 40 })],
    ['answers of which a few break off', side(), side({ cut: 4 })],
  ])('is not %s', (_name, before, after) => {
    expect(judged(route(before, after))).toEqual(['fine', 'fine']);
  });

  test('goes by the lengths of both sides', () => {
    const less = route(side({ requests: 3000 }), side({ requests: 1000 }));
    expect(judged(less)).toEqual(['unclear', 'quiet']);
    expect(judged(less, { afterShare: 0.25 })).toEqual(['fine', 'fine']);
  });

  test('is not a route that may go quiet', () => {
    expect(judged(route(side(), none), { allowQuiet: ['orders'] })).toEqual(['fine', 'gone']);
  });

  test('gives way to what is proven', () => {
    const failing = route(side(), side({ requests: 100, errors: 100 }));
    expect(judged(failing)).toEqual(['regressed', 'regressed']);
  });
});

describe('by chance', () => {
  const uniform = (random: Random) => (random.below(2 ** 32) + 0.5) / 2 ** 32;
  const normal = (random: Random) =>
    Math.sqrt(-2 * Math.log(uniform(random))) * Math.cos(2 * Math.PI * uniform(random));

  function drawn(random: Random, requests: number, errorRate: number, medianMs: number): Side {
    const isError = Array.from({ length: requests }, () => uniform(random) < errorRate);
    const errors = isError.filter(Boolean).length;
    const times = Float64Array.from(
      { length: requests - errors },
      () =>
        // Whole milliseconds: ties, as Caddy's own answers have them.
        1000 * Math.round(medianMs * Math.exp(normal(random))),
    ).sort();
    return { requests, errors, cut: 0, left: 0, timed: times.length, times };
  }

  /** Returns how often any test of three routes is significant, whether it matters or not. */
  function significant(times: number, alpha: number, worse: number): number {
    const random = createRandom(20261120);
    let found = 0;
    for (let run = 0; run < times; run++) {
      const routes = [0, 1, 2].map((at) =>
        route(drawn(random, 300, 0.1, 20), drawn(random, 200, 0.1 * worse, 20 * worse), `${at}`),
      );
      const tests = verdictOf(routes, { ...OPTIONS, alpha }).routes.flatMap((each) => each.tests);
      if (tests.some(({ adjustedP }) => adjustedP <= alpha)) found += 1;
    }
    return found / times;
  }

  test('of 1,000 deployments that changed nothing no more than alpha are significant', () => {
    const alpha = 0.05;
    const rate = significant(1000, alpha, 1);
    const threeSigma = 3 * Math.sqrt((alpha * (1 - alpha)) / 1000);
    expect(rate).toBeLessThan(alpha + threeSigma);
    // Nine tests that are hardly ever significant would find nothing either.
    expect(rate).toBeGreaterThan(alpha / 4);
  });

  test('of 200 deployments that made everything half as slow again nearly all are found', () => {
    expect(significant(200, 0.01, 1.5)).toBeGreaterThan(0.95);
  });
});

describe('the windows of a mark', () => {
  const marks = [
    { id: 'a', atUs: 1000 },
    { id: 'b', atUs: 2000 },
    { id: 'c', atUs: 5000 },
  ] as const;

  test('reach as far back as the time since the mark', () => {
    expect(windowsOf(marks[2], marks, { untilUs: 5700 })).toEqual({
      before: { fromUs: 4300, toUs: 5000 },
      after: { fromUs: 5000, toUs: 5700 },
    });
  });

  test('end at the next mark, and begin at the previous one', () => {
    expect(windowsOf(marks[1], marks, { untilUs: 9000 })).toEqual({
      before: { fromUs: 1000, toUs: 2000 },
      after: { fromUs: 2000, toUs: 5000 },
      previous: marks[0],
      next: marks[2],
    });
  });

  test('reach back as far as is asked for', () => {
    const { before } = windowsOf(marks[2], marks, { untilUs: 5700, beforeUs: 2000 });
    expect(before).toEqual({ fromUs: 3000, toUs: 5000 });
  });

  test('end at marks of the same routes only', () => {
    const [a, b, c] = [
      { id: 'a', routes: ['pay'], atUs: 1000 },
      { id: 'b', routes: ['orders', 'pay'], atUs: 2000 },
      { id: 'c', routes: ['admin'], atUs: 2500 },
    ] as const;
    const all = { id: 'd', atUs: 9000 };
    const found = windowsOf(b, [a, b, c, all], { untilUs: 9500, routes: b.routes });
    expect(found).toMatchObject({ before: { fromUs: 1000 }, after: { toUs: 9000 } });
    expect(found).toMatchObject({ previous: a, next: all });
  });

  test('are empty after a mark that nothing has followed', () => {
    const { after } = windowsOf(marks[2], marks, { untilUs: 4000 });
    expect(after).toEqual({ fromUs: 5000, toUs: 5000 });
  });
});
