// Requests counted and timed by group, on both databases.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseQuestion, type FilterOptions, type Grouping } from '../../sidecar/report/filter.ts';
import { group } from '../../sidecar/report/group.ts';
import type { AuditReader } from '../../sidecar/audit/reader.ts';
import type { RequestRow } from '../../sidecar/audit/row.ts';
import { askedKinds, openAsked, type Asked } from '../fixtures/asked.ts';
import { anEvent, aRow, STARTED_AT_US } from '../fixtures/rows.ts';

const DAY_US = 86_400_000_000;
const NOW_US = STARTED_AT_US + DAY_US;
const ALICE = aRow().identity as NonNullable<RequestRow['identity']>;
const BOB = { ...ALICE, user: 'bob', team: 'search', type: 'service' as const };

describe.each(askedKinds())('%s', (name, kind) => {
  if (kind.missing !== undefined) {
    test.skip(`not tried here: ${kind.missing}`, () => {});
    return;
  }

  let asked: Asked;
  let made = 0;
  beforeAll(() => kind.start());
  afterAll(() => kind.stop());
  beforeEach(async () => {
    made = 0;
    asked = await openAsked(kind);
  });
  afterEach(() => asked.close());

  const request = (overrides: Partial<RequestRow>) => aRow(overrides, ++made);
  const nobodys = (overrides: Partial<RequestRow>) => {
    const { identity: _identity, ...row } = request(overrides);
    return row;
  };
  const grouped = (by: Grouping, options: FilterOptions = {}) =>
    group(asked.reader, parseQuestion(options, NOW_US), by);

  const refused = { status: 403, decision: 'deny', reason: 'team-not-allowed' } as const;

  test('requests, errors and refusals are counted, the largest group first', async () => {
    await asked.commit(
      request({ identity: BOB, status: 502 }),
      request({ identity: BOB, ...refused }),
      request({ identity: BOB, status: 404 }),
      request({ status: 500 }),
      nobodys({ decision: 'login', reason: 'no-credentials', status: 302 }),
      nobodys({ decision: 'login', reason: 'no-credentials', status: 302 }),
    );
    const counts = (await grouped('user')).map((each) => [
      each.name,
      each.requests,
      each.errors,
      each.denied,
    ]);
    expect(counts).toEqual([
      ['bob', 3, 1, 1],
      [undefined, 2, 0, 0],
      ['alice', 1, 1, 0],
    ]);
  });

  test.each<[Grouping, (string | undefined)[]]>([
    ['user', ['alice', 'bob']],
    ['team', ['payments', 'search']],
    ['route', ['orders', 'admin']],
    ['type', ['human', 'service']],
    ['decision', ['allow', 'deny']],
  ])('by %s', async (by, names) => {
    const other = request({ identity: BOB, route: 'admin', ...refused });
    await asked.commit(request({}), request({}), other);
    expect((await grouped(by)).map((each) => each.name)).toEqual(names);
  });

  test('a client that left is no error, and events are no requests', async () => {
    await asked.commit(request({ status: 0 }), anEvent({}, 50), anEvent({ kind: 'lost' }, 51));
    expect(await grouped('user')).toMatchObject([{ name: 'alice', requests: 1, errors: 0 }]);
  });

  test('percentiles are exact, by the nearest rank', async () => {
    const durations = Array.from({ length: 200 }, (_, at) => (at + 1) * 1000);
    await asked.commit(...durations.toReversed().map((durationUs) => request({ durationUs })));
    expect(await grouped('team')).toMatchObject([
      { p50Us: 100_000, p95Us: 190_000, p99Us: 198_000 },
    ]);
  });

  test('percentiles of one request are its own duration, be it nothing or a day', async () => {
    await asked.commit(request({ durationUs: 0 }), request({ durationUs: DAY_US, identity: BOB }));
    expect(await grouped('user')).toMatchObject([
      { name: 'alice', p50Us: 0, p99Us: 0 },
      { name: 'bob', p50Us: DAY_US, p99Us: DAY_US },
    ]);
  });

  test('nothing that fits is no group', async () => {
    await asked.commit(request({}));
    expect(await grouped('team', { user: ['nobody'] })).toEqual([]);
  });

  test('the groups of a question are those of its rows, whatever the filter and the time', async () => {
    const rows = Array.from({ length: 300 }, (_, number) =>
      request({
        identity: number % 3 === 0 ? ALICE : BOB,
        route: `route-${number % 4}`,
        startedAtUs: STARTED_AT_US + number * 100_000_000,
        durationUs: (number * 7919) % 5000,
        ...(number % 10 === 0 && { status: 503 }),
        ...(number % 7 === 0 && refused),
      }),
    );
    await asked.commit(...rows);
    const property = fc.asyncProperty(someOptions, someGrouping, async (options, by) => {
      const question = parseQuestion(options, NOW_US);
      const { user, decision, status, sinceUs = 0, untilUs = Infinity } = question;
      const fitting = rows.filter(
        (row) =>
          (user?.includes(row.identity?.user ?? '') ?? true) &&
          (decision?.includes(row.decision) ?? true) &&
          (status?.some(({ from, to }) => row.status >= from && row.status <= to) ?? true) &&
          row.startedAtUs >= sinceUs &&
          row.startedAtUs < untilUs,
      );
      const found = await group(asked.reader, question, by);
      expect(new Map(found.map((each) => [each.name, each]))).toEqual(counted(fitting, by));
    });
    await fc.assert(property, { numRuns: 100 });
  });

  if (name === 'PostgreSQL') return;

  test.each<[Grouping, string]>([
    ['user', 'user'],
    ['team', 'team'],
    ['route', 'route'],
  ])('by %s over everything reads nothing but an index', async (by, index) => {
    await asked.commit(request({}));
    expect(await planOf(asked, {}, by)).toEqual([
      `SCAN audit_rows USING COVERING INDEX audit_rows_by_${index}`,
    ]);
  });

  test('over a short time it reads the rows of that time', async () => {
    await asked.commit(
      request({ startedAtUs: STARTED_AT_US - 20 * DAY_US }),
      request({ startedAtUs: NOW_US - 1 }),
    );
    const [search] = await planOf(asked, { since: '1h' }, 'team');
    expect(search).toMatch(/^SEARCH audit_rows USING INDEX audit_rows_by_time \(/);
  });

  test('of one user it reads that user’s rows', async () => {
    await asked.commit(request({}));
    const [search] = await planOf(asked, { user: ['alice', 'bob'] }, 'team');
    expect(search).toMatch(/^SEARCH audit_rows USING INDEX audit_rows_by_user \(user=\?/);
  });
});

/** Returns SQLite's plan for counting. */
async function planOf({ reader }: Asked, options: FilterOptions, by: Grouping): Promise<string[]> {
  const plans: string[][] = [];
  const explained: AuditReader = {
    ...reader,
    all: async (sql, values) => {
      const plan = await reader.all(`EXPLAIN QUERY PLAN ${sql}`, values);
      if (sql.includes('GROUP BY')) plans.push(plan.map(({ detail }) => String(detail)));
      return reader.all(sql, values);
    },
  };
  await group(explained, parseQuestion(options, NOW_US), by);
  return plans.flat();
}

const someGrouping = fc.constantFrom<Grouping[]>('user', 'team', 'route', 'type', 'decision');

const someOptions: fc.Arbitrary<FilterOptions> = fc.record(
  {
    user: fc.subarray(['alice', 'bob'], { minLength: 1 }),
    decision: fc.subarray(['allow', 'deny'], { minLength: 1 }),
    status: fc.constantFrom(['5xx'], ['4xx', '503']),
    since: fc.constantFrom('23h', '60000s', '57000s'),
    until: fc.constantFrom('56700s', '56500s'),
  },
  { requiredKeys: [] },
);

const VALUE_OF: Record<Grouping, (row: RequestRow) => string | undefined> = {
  user: (row) => row.identity?.user,
  team: (row) => row.identity?.team,
  route: (row) => row.route,
  type: (row) => row.identity?.type,
  decision: (row) => row.decision,
};

/** The same, without SQL. */
function counted(rows: readonly RequestRow[], by: Grouping) {
  const names = new Set(rows.map(VALUE_OF[by]));
  return new Map(
    [...names].map((name) => {
      const own = rows.filter((row) => VALUE_OF[by](row) === name);
      const sorted = own.map(({ durationUs }) => durationUs).toSorted((a, b) => a - b);
      const atMost = (percent: number) =>
        sorted.find((_, at) => (at + 1) * 100 >= percent * sorted.length);
      const requests = own.length;
      const errors = own.filter(({ status }) => status >= 500).length;
      const denied = own.filter(({ decision }) => decision === 'deny').length;
      const percentiles = { p50Us: atMost(50), p95Us: atMost(95), p99Us: atMost(99) };
      return [name, { name, requests, errors, denied, ...percentiles }];
    }),
  );
}
