// `signet deploy` as a pipeline meets it: a process of its own, its output, its exit code.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { RequestRow } from '../../sidecar/audit/row.ts';
import { jsonOf } from '../fixtures/audit-command.ts';
import { openOwnCommand, type OwnCommand } from '../fixtures/own-command.ts';
import { aRow, STARTED_AT_US } from '../fixtures/rows.ts';
import { storedRows } from '../fixtures/stored.ts';

const SECOND = 1_000_000;
const MARKED_AT = '2026-11-20T10:40:00Z';
const MARKED_AT_US = Date.parse(MARKED_AT) * 1000;

let deploy: OwnCommand;
beforeEach(async () => {
  deploy = await openOwnCommand('sidecar/commands/deploy.ts', 'deployCommand');
});
afterEach(() => deploy.stop());

const marks = () => storedRows(`${deploy.folder}/audit.db`).filter(({ kind }) => kind === 'event');

let made = 0;

/** Commits so many requests, one each tenth of a second, on one side of the mark. */
async function traffic(
  where: 'before' | 'after',
  count: number,
  row: (at: number) => Partial<RequestRow> = () => ({}),
): Promise<void> {
  const fromUs = where === 'after' ? MARKED_AT_US : MARKED_AT_US - 100 * SECOND;
  const rows = Array.from({ length: count }, (_, at) => {
    const startedAtUs = fromUs + at * 100_000;
    return aRow({ startedAtUs, durationUs: 20_000 + (at % 10) * 1000, ...row(at) }, (made += 1));
  });
  await deploy.commit(rows);
}

const failing = (every: number) => (at: number) => (at % every === 0 ? { status: 502 } : {});

const verdict = (...args: string[]) => deploy.run('verdict', '--since-mark', ...args);

describe('signet deploy mark', () => {
  test('puts an event with id, note and time into the chain', async () => {
    const { code, out } = await deploy.run('mark', 'v1.2', '--note', 'orders', '--at', MARKED_AT);
    expect({ code, out }).toEqual({
      code: 0,
      out: 'Marked v1.2 at 2026-11-20T10:40:00.000000Z: orders\n',
    });
    expect(marks()).toMatchObject([
      {
        event: 'deployment-marked',
        requestId: 'deployment-marked:v1.2',
        startedAtUs: MARKED_AT_US,
        details: { id: 'v1.2', note: 'orders' },
      },
    ]);
  });

  test('says when it was recorded, where that is another time', async () => {
    await deploy.run('mark', 'v1', '--at', MARKED_AT);
    expect(marks()[0]).toMatchObject({ details: { recordedAt: expect.stringMatching(/Z$/) } });
  });

  test('marks once, however often a pipeline tries, and ends with 0', async () => {
    await deploy.run('mark', 'v1');
    const { code, out } = await deploy.run('mark', 'v1');
    expect(code).toBe(0);
    expect(out).toMatch(/^Marked already: v1 at /);
    expect(marks()).toHaveLength(1);
  });

  test('marks once also when another mark has followed meanwhile', async () => {
    await deploy.run('mark', 'v1', '--at', '1m');
    await deploy.run('mark', 'v2');
    const { code, out } = await deploy.run('mark', 'v1');
    expect(code).toBe(0);
    expect(out).toMatch(/^Marked already: v1 at .*; v2 at .* followed it\n/);
    expect(marks()).toHaveLength(2);
  });

  test('refuses the id of an old deployment, and says what followed that', async () => {
    await deploy.run('mark', 'v1', '--at', '2h');
    await deploy.run('mark', 'v2');
    const { code, err } = await deploy.run('mark', 'v1');
    expect(code).toBe(1);
    expect(err).toMatch(/v1 names the deployment of .*; v2 at .* followed it/);
    expect(marks()).toHaveLength(2);
  });

  test('is followed by marks of the same routes only', async () => {
    await deploy.run('mark', 'v1', '--route', 'orders,carts', '--at', '2h');
    await deploy.run('mark', 'v2', '--route', 'pay');
    const { code, out } = await deploy.run('mark', 'v1', '--route', 'carts', '--route', 'orders');
    expect(code).toBe(0);
    expect(out).toMatch(/^Marked already: v1 \(carts, orders\) at [^;]*$/);
  });

  test('refuses the id of a mark of other routes', async () => {
    await deploy.run('mark', 'v1', '--route', 'orders');
    const { code, err } = await deploy.run('mark', 'v1', '--route', 'pay');
    expect(code).toBe(1);
    expect(err).toMatch(/v1 \(orders\) names the deployment of .*, of these routes\. /);
  });

  test.each([
    [['two words']],
    [['x'.repeat(129)]],
    [['bell\u0007']],
    [['v1', '--note', 'two\nlines']],
    [['v1', '--at', '2099-01-01']],
    [['v1', '--route', 'orders,']],
    [[]],
    [['v1', 'extra']],
  ])('with %j says 64, and marks nothing', async (args) => {
    expect(await deploy.run('mark', ...args)).toMatchObject({ code: 64, out: '' });
    expect(marks()).toEqual([]);
  });

  test('without a store says 66', async () => {
    expect(await deploy.run('mark', 'v1', '--state', '/nonexistent')).toMatchObject({ code: 66 });
  });
});

describe('signet deploy verdict', () => {
  beforeEach(async () => void (await deploy.run('mark', 'v1', '--at', MARKED_AT)));

  test('says 0, and fine, when nothing became worse', async () => {
    await traffic('before', 300);
    await traffic('after', 300);
    const { code, out, err } = await verdict('--before', '2m');
    expect(code).toBe(0);
    expect(jsonOf(out)[0]).toMatchObject({ verdict: 'fine', mark: { id: 'v1' }, tests: 2 });
    expect(err).toMatch(/^Fine: nothing became worse since v1 \(2 tests, Holm–Bonferroni/);
  });

  test('says 1 when errors rose: how many of how many, by which test, how sure', async () => {
    await traffic('before', 300, failing(150));
    await traffic('after', 300, failing(10));
    const { code, err } = await verdict('--before', '2m');
    expect(code).toBe(1);
    expect(err).toMatch(
      /orders: errors 0\.67 % \(2 of 300\) → 10\.00 % \(30 of 300\); Fisher’s exact test, one-sided, p = \de-\d+/,
    );
  });

  test('prints sample sizes, rates, times, p-values and effects as JSON', async () => {
    await traffic('before', 300);
    await traffic('after', 300, failing(10));
    const [found] = jsonOf((await verdict('--before', '2m', '--json')).out);
    expect(found?.['routes']).toMatchObject([
      {
        route: 'orders',
        status: 'regressed',
        before: { requests: 300, errors: 0, errorRate: 0, timed: 300, sampled: 300, p50Ms: 24 },
        after: { requests: 300, errors: 30, errorRate: 0.1, timed: 270 },
        tests: [
          { kind: 'errors', test: 'Fisher’s exact test, one-sided', regressed: true },
          { kind: 'latency', regressed: false },
          { kind: 'tail', regressed: false },
        ],
      },
    ]);
  });

  test('prints a table when asked', async () => {
    await traffic('before', 300);
    await traffic('after', 300, failing(10));
    const { out } = await verdict('--before', '2m', '--format', 'table');
    expect(out).toMatch(/^ROUTE +VERDICT +REQUESTS .*\norders +regressed +300 → 300 +0\.00 % →/);
    expect(out).toContain('Regressed since v1');
  });

  test('says 2 where no route has enough requests, and lists them', async () => {
    await traffic('before', 300);
    await traffic('after', 50);
    const { code, err } = await verdict('--before', '2m');
    expect(code).toBe(2);
    expect(err).toContain('less than 100 requests on a side (but for errors): orders (300 → 50)');
  });

  test('says 1 also where nobody reads its output', async () => {
    await traffic('before', 300);
    await traffic('after', 300, failing(10));
    const args = ['verdict', '--since-mark', '--before', '2m'];
    expect(await deploy.runUnread(...args)).toMatchObject({ code: 1, out: '' });
  });

  test('counts refusals as no errors, and not as requests', async () => {
    await traffic('before', 300);
    await traffic('after', 300);
    const denied = { decision: 'deny', reason: 'team-not-allowed', status: 503 } as const;
    await traffic('after', 300, () => denied);
    const [found] = jsonOf((await verdict('--before', '2m')).out);
    expect(found).toMatchObject({ verdict: 'fine', routes: [{ after: { requests: 300 } }] });
  });

  test('counts what was under way when the mark was set on neither side', async () => {
    await traffic('before', 300);
    await traffic('before', 200, () => ({ durationUs: 3600 * SECOND }));
    await traffic('after', 300);
    const [found] = jsonOf((await verdict('--before', '2m')).out);
    expect(found?.['routes']).toMatchObject([{ before: { requests: 300 } }]);
  });

  test('leaves out requests whose clients left, and says how many', async () => {
    await traffic('before', 300);
    await traffic('after', 300);
    await traffic('after', 10, () => ({ status: 0 }));
    const { code, out, err } = await verdict('--before', '2m');
    expect(code).toBe(0);
    expect(jsonOf(out)[0]).toMatchObject({ routes: [{ after: { requests: 300, left: 10 } }] });
    expect(err).toContain('Left out, as their clients left before an answer: 0 → 10.');
  });

  test('says 2 when answers break off: by the app, or by the client, that can’t be told', async () => {
    const upstream = { startedAtUs: STARTED_AT_US, durationUs: 10, retries: 0 };
    await traffic('before', 300, () => ({ upstream: { ...upstream, latencyUs: 5 } }));
    await traffic('after', 300, () => ({ upstream }));
    const { code, out, err } = await verdict('--before', '2m');
    expect(code).toBe(2);
    expect(jsonOf(out)[0]).toMatchObject({
      verdict: 'unclear',
      routes: [{ status: 'unclear', doubts: [{ kind: 'cut' }] }],
    });
    expect(err).toMatch(
      /orders: answers that broke off 0\.00 % \(0 of 300\) → 100\.00 % \(300 of 300\)/,
    );
  });

  test('says 2 when a route has gone quiet, unless it may', async () => {
    await traffic('before', 300);
    await traffic('before', 600, () => ({ route: 'batch' }));
    await traffic('after', 300);
    const { code, err } = await verdict('--before', '2m');
    expect(code).toBe(2);
    expect(await verdict('--before', '2m', '--allow-quiet', 'batch')).toMatchObject({ code: 0 });
    expect(err).toMatch(/batch: quiet: 0 requests, \d+ were expected; binomial test/);
  });

  test('looks at the routes of the mark', async () => {
    await traffic('before', 300, () => ({ route: 'admin' }));
    await traffic('after', 300, failing(2));
    await traffic('after', 300, () => ({ route: 'admin' }));
    await deploy.run('mark', 'a1', '--route', 'admin', '--at', MARKED_AT);
    await deploy.run('mark', 'p1', '--route', 'pay', '--at', '2026-11-20T10:40:05Z');
    const { code, out } = await verdict('a1', '--before', '2m');
    expect(code).toBe(0);
    const [found] = jsonOf(out);
    expect(found).toMatchObject({ mark: { routes: ['admin'] }, routes: [{ route: 'admin' }] });
    expect(found?.['after']).not.toHaveProperty('until');
  });

  test('ends with what is recorded, also where one clock is a year ahead', async () => {
    await traffic('before', 300);
    await traffic('after', 300);
    await traffic('after', 1, () => ({ startedAtUs: Date.now() * 1000 + 365 * 86_400 * SECOND }));
    const [found] = jsonOf((await verdict()).out);
    expect(found?.['after']).toMatchObject({ to: expect.stringMatching(/^2026-11-20T10:40:29/) });
  });

  test('of a mark in the future says 64, and takes none for the newest', async () => {
    const { store } = deploy;
    const event = { kind: 'event', event: 'deployment-marked' } as const;
    const startedAtUs = Date.now() * 1000 + 3600 * SECOND;
    const future = { ...event, requestId: 'deployment-marked:v9', details: { id: 'v9' } };
    await store.commit({ rows: [{ ...future, startedAtUs }] });
    const { code, err } = await verdict('v9');
    expect(code).toBe(64);
    expect(err).toMatch(/the mark v9 lies in the future/);
    expect(jsonOf((await verdict()).out)[0]).toMatchObject({ mark: { id: 'v1' } });
  });

  test('takes of a stream the time until its headers', async () => {
    const stream = (durationUs: number, latencyUs: number) => () => ({
      durationUs,
      upstream: { startedAtUs: STARTED_AT_US, durationUs, latencyUs, retries: 0 },
    });
    await traffic('before', 300, stream(SECOND, 5000));
    await traffic('after', 300, stream(20 * SECOND, 5000));
    const { code, out } = await verdict('--before', '2m');
    expect(code).toBe(0);
    expect(jsonOf(out)[0]).toMatchObject({ routes: [{ after: { p50Ms: 5 } }] });
  });

  test('takes no time of a WebSocket without one', async () => {
    await traffic('before', 300, () => ({ status: 101 }));
    await traffic('after', 300, () => ({ status: 101, durationUs: SECOND }));
    const [found] = jsonOf((await verdict('--before', '2m')).out);
    expect(found).toMatchObject({
      verdict: 'fine',
      tests: 0,
      routes: [{ after: { requests: 300, timed: 0 } }],
    });
  });

  test('looks at the named routes only', async () => {
    await traffic('before', 300);
    await traffic('after', 300, failing(2));
    await traffic('before', 300, () => ({ route: 'admin' }));
    await traffic('after', 300, () => ({ route: 'admin' }));
    expect(await verdict('--before', '2m', '--route', 'admin')).toMatchObject({ code: 0 });
    expect(await verdict('--before', '2m', '--route', 'admin,orders')).toMatchObject({ code: 1 });
  });

  test('compares with the mark before, and no further back', async () => {
    await deploy.run('mark', 'v0', '--at', '2026-11-20T10:39:50Z');
    await traffic('before', 900);
    await traffic('after', 300);
    const [found] = jsonOf((await verdict('v1', '--before', '2m', '--min-requests', '20')).out);
    expect(found?.['before']).toMatchObject({
      from: '2026-11-20T10:39:50.000000Z',
      since: 'v0',
    });
    expect(found).toMatchObject({ mark: { id: 'v1' }, verdict: 'not-enough-traffic' });
  });

  test.each([
    [['v9']],
    [['--min-requests', '5']],
    [['--min-error-increase', 'x']],
    [['--alpha', '1']],
    [['--before', '2026-11-20']],
    [['--format', 'xml']],
  ])('with %j says 64', async (args) => {
    expect(await verdict(...args)).toMatchObject({ code: 64, out: '' });
  });
});

test('without any mark the verdict says 64', async () => {
  const { code, err } = await verdict();
  expect(code).toBe(64);
  expect(err).toContain('there is no mark yet');
});

test.each([[[]], [['mark']], [['verdict']]])('%j --help has examples', async (args) => {
  const { code, out } = await deploy.run(...args, '--help');
  expect(code).toBe(0);
  expect(out).toContain('Examples:\n  $ signet deploy');
});
