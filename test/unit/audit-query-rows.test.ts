// That the right rows answer a question, on both databases; and that the way to them is an index.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseQuestion, type FilterOptions, type Question } from '../../sidecar/report/filter.ts';
import { find, parseId } from '../../sidecar/report/find.ts';
import { follow } from '../../sidecar/report/follow.ts';
import { formatPageKey } from '../../sidecar/report/page-key.ts';
import { query } from '../../sidecar/report/query.ts';
import type { AuditReader, ReadRow } from '../../sidecar/audit/reader.ts';
import { isRequest, type RequestRow, type Row } from '../../sidecar/audit/row.ts';
import { askedKinds, openAsked, type Asked } from '../fixtures/asked.ts';
import { aFullRow, anEvent, aRow, requestId, STARTED_AT_US } from '../fixtures/rows.ts';

const HOUR_US = 3_600_000_000;
const NOW_US = STARTED_AT_US + HOUR_US;
const ANOTHER_CHAIN = '0b1f7a52-6a0e-4a3f-9c75-1d1f6f1f0002';
const ALICE = aRow().identity as NonNullable<RequestRow['identity']>;
const BOB = { ...ALICE, user: 'bob', team: 'search', type: 'agent' as const };

const nameOf = (row: ReadRow) => (isRequest(row) ? row.path : row.event);

describe.each(askedKinds())('%s', (name, kind) => {
  if (kind.missing !== undefined) {
    test.skip(`not tried here: ${kind.missing}`, () => {});
    return;
  }

  let asked: Asked;
  beforeAll(() => kind.start());
  afterAll(() => kind.stop());
  beforeEach(async () => void (asked = await openAsked(kind)));
  afterEach(() => asked.close());

  const rowsOf = async (question: Question): Promise<ReadRow[]> => {
    const rows: ReadRow[] = [];
    for await (const row of query(asked.reader, question)) rows.push(row);
    return rows;
  };
  const answer = async (options: FilterOptions) =>
    (await rowsOf(parseQuestion(options, NOW_US))).map(nameOf);

  async function commitSome(): Promise<void> {
    const { identity: _identity, ...nobody } = aRow({}, 3);
    const refused = { status: 403, decision: 'deny', reason: 'team-not-allowed' } as const;
    const sent = { status: 302, decision: 'login', reason: 'no-credentials' } as const;
    await asked.commit(
      aRow({ path: '/1' }, 1),
      aRow({ path: '/2', identity: BOB, method: 'POST', ...refused }, 2),
      { ...nobody, path: '/3', route: 'admin', host: 'Admin.example.com', ...sent },
      aRow({ path: '/4', startedAtUs: STARTED_AT_US - HOUR_US, status: 502 }, 4),
      anEvent({ startedAtUs: STARTED_AT_US + 1 }, 5),
      { ...nobody, kind: 'unexplained', requestId: requestId(6), path: '/6', decision: 'none' },
      anEvent({ kind: 'lost', event: 'decision-lost', startedAtUs: STARTED_AT_US + 2 }, 7),
    );
  }

  test.each<[FilterOptions, string[]]>([
    [{}, ['/4', '/1', '/2', '/3', '/6', 'sign-in', 'decision-lost']],
    [{ user: ['alice'] }, ['/4', '/1', 'sign-in', 'decision-lost']],
    [{ user: ['alice', 'bob'] }, ['/4', '/1', '/2', 'sign-in', 'decision-lost']],
    [{ team: ['search'] }, ['/2']],
    [{ type: ['agent,service'] }, ['/2']],
    [{ route: ['admin'] }, ['/3']],
    [{ host: ['ADMIN.example.com'] }, ['/3']],
    [{ method: ['post'] }, ['/2']],
    [{ decision: ['deny,login'] }, ['/2', '/3']],
    [{ decision: ['allow,deny'] }, ['/4', '/1', '/2']],
    [{ reason: ['no-credentials'] }, ['/3']],
    [{ reason: ['requirement-met,no-credentials'] }, ['/4', '/1', '/3', '/6']],
    [{ kind: ['event'] }, ['sign-in']],
    [{ kind: ['lost,unexplained'] }, ['/6', 'decision-lost']],
    [{ kind: ['request'] }, ['/4', '/1', '/2', '/3']],
    [{ event: ['sign-in,decision-lost'] }, ['sign-in', 'decision-lost']],
    [{ event: ['sign-in'], kind: ['request'] }, []],
    [{ status: ['4xx'] }, ['/2']],
    [{ status: ['200,302'] }, ['/1', '/3', '/6']],
    [{ status: ['5xx'] }, ['/4']],
    [{ status: ['500'] }, []],
    [{ status: ['502,200'] }, ['/4', '/1', '/6']],
    [{ user: ['alice'], status: ['5xx'] }, ['/4']],
    [{ since: '2026-11-20T10:00Z', user: ['alice'] }, ['/1', 'sign-in', 'decision-lost']],
    [{ until: '2026-11-20T10:00Z' }, ['/4']],
    [{ limit: '2' }, ['sign-in', 'decision-lost']],
    [{ user: ['alice', 'bob'], limit: '3' }, ['/2', 'sign-in', 'decision-lost']],
    [{ user: ['alice', 'bob'], limit: '3', until: '2026-11-20T10:00Z' }, ['/4']],
    [{ limit: '99' }, ['/4', '/1', '/2', '/3', '/6', 'sign-in', 'decision-lost']],
    [{ after: 'start', limit: '2' }, ['/4', '/1']],
    [{ after: 'start', since: '2026-11-20T10:00Z', limit: '2' }, ['/1', '/2']],
    [{ user: ["' OR 1=1 --"] }, []],
  ])('for %j', async (options, names) => {
    await commitSome();
    // Requests of the same microsecond stand in the order of their ids.
    expect(await answer(options)).toEqual(names);
  });

  test('reads page after page, each row once, also when many began at the same time', async () => {
    const rows = Array.from({ length: 2345 }, (_, number) =>
      aRow({ path: `/${number}`, startedAtUs: STARTED_AT_US + Math.floor(number / 700) }, number),
    );
    await asked.commit(...rows);
    expect(await answer({})).toEqual(rows.map(({ path }) => path));
    expect(await answer({ limit: '2100' })).toEqual(rows.slice(-2100).map(({ path }) => path));
  });

  test('is of the rows that are there when it begins', async () => {
    const rows = Array.from({ length: 1200 }, (_, number) => aRow({}, number));
    await asked.commit(...rows);
    const found = query(asked.reader, {});
    await found.next();
    await asked.commit(aRow({ startedAtUs: STARTED_AT_US + 5 }, 1200));
    let others = 0;
    for await (const _row of found) others += 1;
    expect(others).toBe(1199);
  });

  test('pages by key end where the rows end, and have each of them once', async () => {
    await asked.commit(...someRows(57));
    for (const options of [{}, { user: ['alice', 'bob'] }, { decision: ['deny', 'login'] }]) {
      const paged: string[] = [];
      for (let after: string | undefined = 'start'; after !== undefined;) {
        const page: ReadRow[] = await rowsOf(
          parseQuestion({ ...options, after, limit: '5' }, NOW_US),
        );
        paged.push(...page.map((row) => row.requestId));
        const last: ReadRow | undefined = page.at(-1);
        after = last && formatPageKey(last);
      }
      const all = await rowsOf(parseQuestion(options, NOW_US));
      expect(paged).toEqual(all.map((row) => row.requestId));
    }
  });

  test('any question is answered as by looking at every row', async () => {
    const rows = someRows(200);
    await asked.commit(...rows);
    const property = fc.asyncProperty(someOptions, async (options) => {
      const question = parseQuestion(options, NOW_US);
      const found = (await rowsOf(question)).map((row) => row.requestId);
      expect(found).toEqual(lookedThrough(rows, question).map((row) => row.requestId));
    });
    await fc.assert(property, { numRuns: 200 });
  });

  test('of a request finds it by its id, with dashes and without', async () => {
    await commitSome();
    for (const text of [requestId(2), requestId(2).replaceAll('-', '')]) {
      expect(await find(asked.reader, parseId(text) ?? '')).toMatchObject([{ path: '/2' }]);
    }
    expect(await find(asked.reader, parseId(requestId(99)) ?? '')).toEqual([]);
  });

  test('of a trace finds every request and every event in it', async () => {
    const { traceId } = aFullRow();
    const later = { traceId, startedAtUs: STARTED_AT_US + 1 };
    await asked.commit(aFullRow(), aRow(later, 2), aRow({}, 3), anEvent({ ...later }, 4));
    const found = await find(asked.reader, traceId);
    expect(found.map(({ sequence }) => sequence)).toEqual([1, 2, 4]);
  });

  test('of a request finds the events of its trace, and not the trace’s other requests', async () => {
    const { traceId } = aFullRow();
    await asked.commit(aFullRow(), aRow({ traceId }, 2), anEvent({ traceId }, 3), anEvent({}, 4));
    const found = await find(asked.reader, parseId(requestId(1)) ?? '');
    expect(found.map(({ sequence }) => sequence)).toEqual([1, 3]);
  });

  test.each(['decision-lost:Boot-1:17-20', `sign-in:${requestId(9)}`])(
    'of the event %s finds it by its own id',
    async (id) => {
      await asked.commit(anEvent({ requestId: id }), anEvent({}, 2));
      expect(await find(asked.reader, parseId(id) ?? '')).toMatchObject([{ requestId: id }]);
    },
  );

  test('of a line without a request id finds it by the hash that stands for it', async () => {
    const id = `line-${'0a'.repeat(32)}`;
    await asked.commit(aRow({ requestId: id, traceId: 'ab'.repeat(16) }));
    expect(await find(asked.reader, parseId(id) ?? '')).toHaveLength(1);
    expect(await find(asked.reader, 'ab'.repeat(16))).toHaveLength(1);
  });

  test('that follows gives each new row that the filter lets through, in the order of commit', async () => {
    await commitSome();
    const stop = new AbortController();
    const after = new Map([[asked.store.chain, 2]]);
    const rows = follow(asked.reader, { user: ['alice'], kind: ['request'] }, after, stop.signal);
    expect((await rows.next()).value).toMatchObject({ path: '/4' });
    const next = rows.next();
    await asked.commit(aRow({ path: '/8', startedAtUs: 1 }, 8), aRow({ path: '/9' }, 9));
    expect((await next).value).toMatchObject({ path: '/8' });
    expect((await rows.next()).value).toMatchObject({ path: '/9' });
    stop.abort();
    expect(await rows.next()).toEqual({ done: true, value: undefined });
  });

  if (name === 'PostgreSQL') {
    test('several chains are one list in the order of time, and each row names its own', async () => {
      const other = await asked.another(ANOTHER_CHAIN);
      await asked.commit(aRow({ startedAtUs: 1 }, 1), aRow({ startedAtUs: 3 }, 3));
      await other.commit({ rows: [aRow({ startedAtUs: 2 }, 2), aRow({ startedAtUs: 4 }, 4)] });
      const chains = (await rowsOf({})).map(({ chain, sequence }) => [chain, sequence]);
      expect(chains).toEqual([
        [asked.store.chain, 1],
        [ANOTHER_CHAIN, 1],
        [asked.store.chain, 2],
        [ANOTHER_CHAIN, 2],
      ]);
    });

    test('following hears of every chain, also of one that begins meanwhile', async () => {
      const stop = new AbortController();
      await asked.commit(aRow({ path: '/old' }, 1));
      const rows = follow(asked.reader, {}, await asked.reader.places(), stop.signal);
      const next = rows.next();
      const other = await asked.another(ANOTHER_CHAIN);
      await other.commit({ rows: [aRow({ path: '/2' }, 2)] });
      expect((await next).value).toMatchObject({ path: '/2', chain: ANOTHER_CHAIN });
      stop.abort();
      await rows.next();
    });
  } else {
    const indexed = /^SEARCH audit_rows USING (COVERING )?INDEX audit_rows_by_(\w+) \(/;

    test.each<[FilterOptions, string]>([
      [{}, 'time'],
      [{ user: ['alice'], team: ['payments'], since: '1h' }, 'user'],
      [{ user: ['alice'], status: ['5xx'], decision: ['deny'] }, 'user'],
      [{ user: ['alice', 'bob'], kind: ['lost'] }, 'user'],
      [{ team: ['payments'], route: ['orders'] }, 'team'],
      [{ route: ['orders'], type: ['human'], until: '1m' }, 'route'],
      [{ decision: ['deny'], team: ['payments'] }, 'decision'],
      [{ decision: ['allow'] }, 'time'],
      [{ reason: ['token-expired'] }, 'reason'],
      [{ reason: ['public'] }, 'time'],
      [{ kind: ['lost'] }, 'kind'],
      [{ kind: ['request'] }, 'time'],
      [{ event: ['sign-in'] }, 'event'],
      [{ status: ['5xx'], team: ['payments'] }, 'error'],
      [{ status: ['4xx'] }, 'time'],
    ])('%j goes through the index by %s, in its order, page after page', async (options, index) => {
      for (const paging of [{}, { limit: '3' }, { after: 'start' }]) {
        const plans = await plansOf(asked, parseQuestion({ ...options, ...paging }, NOW_US));
        for (const [search, sort, ...more] of plans) {
          expect(indexed.exec(search ?? '')?.[2]).toBe(index);
          // Only rows of the same microsecond are put in order.
          expect(sort).toBe('USE TEMP B-TREE FOR LAST TERM OF ORDER BY');
          expect(more).toEqual([]);
        }
        expect(plans.length).toBeGreaterThan(0);
      }
    });
  }
});

/** Returns SQLite's plans for every page that a question reads. */
async function plansOf({ reader }: Asked, question: Question): Promise<string[][]> {
  const plans: string[][] = [];
  const explained: AuditReader = {
    ...reader,
    rows: async (sql, values) => {
      plans.push(await planOf(sql, values));
      return reader.rows(sql, values);
    },
    all: async (sql, values) => {
      plans.push(await planOf(sql, values));
      return reader.all(sql, values);
    },
  };
  const planOf = async (...[sql, values]: Parameters<AuditReader['all']>) =>
    (await reader.all(`EXPLAIN QUERY PLAN ${sql}`, values)).map(({ detail }) => String(detail));
  for await (const _row of query(explained, question));
  return plans;
}

/** Returns rows of every sort, some of the same microsecond. */
function someRows(count: number): Row[] {
  return Array.from({ length: count }, (_, number) => {
    const startedAtUs = STARTED_AT_US + Math.floor(number / 3) * 1_000_000;
    const identity = number % 2 === 0 ? ALICE : BOB;
    if (number % 7 === 6) return anEvent({ startedAtUs, identity }, number);
    if (number % 11 === 10)
      return anEvent({ kind: 'lost', event: 'decision-lost', startedAtUs }, number);
    const refused = { status: 403, decision: 'deny', reason: 'team-not-allowed' } as const;
    const sent = { status: 302, decision: 'login', reason: 'no-credentials' } as const;
    return aRow(
      {
        startedAtUs,
        identity,
        durationUs: number * 1000,
        route: number % 4 === 0 ? 'admin' : 'orders',
        method: number % 9 === 0 ? 'POST' : 'GET',
        ...(number % 5 === 0 && { status: 502 }),
        ...(number % 5 === 1 && refused),
        ...(number % 5 === 2 && sent),
      },
      number,
    );
  });
}

const some = (...values: string[]) => fc.subarray(values, { minLength: 1 });

const EACH: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  user: some('alice', 'bob', 'nobody'),
  team: some('payments', 'search'),
  route: some('orders', 'admin', 'signet'),
  type: some('human', 'agent'),
  method: some('get', 'POST'),
  decision: some('allow', 'deny', 'login'),
  reason: some('requirement-met', 'team-not-allowed', 'no-credentials'),
  kind: some('request', 'event', 'lost'),
  event: some('sign-in', 'decision-lost'),
  status: some('5xx', '502', '4xx', '200'),
  slowerThan: fc.constantFrom('0ms', '20ms', '50ms', '5s'),
  since: fc.constantFrom('3600s', '3580s', '3550s'),
  until: fc.constantFrom('3545s', '3540s'),
  limit: fc.constantFrom('1', '7', '1000'),
  after: fc.constantFrom('start', `${STARTED_AT_US + 20_000_000}-${requestId(60)}`),
};

/** Few at a time: no row fits all of them. */
const someOptions: fc.Arbitrary<FilterOptions> = fc
  .subarray(Object.entries(EACH), { maxLength: 4 })
  .chain((entries) => fc.record(Object.fromEntries(entries)) as fc.Arbitrary<FilterOptions>);

/** The same, without SQL. */
function lookedThrough(rows: readonly Row[], question: Question): Row[] {
  const { user, team, type, route, method, decision, reason, kind, event, status } = question;
  const { slowerThanUs = -1 } = question;
  const { sinceUs = 0, untilUs = Infinity, after, limit } = question;
  const isIn = (values: readonly string[] | undefined, value: string | undefined) =>
    values === undefined || (value !== undefined && values.includes(value));
  const fitting = rows.filter((row) => {
    const request = isRequest(row) ? row : undefined;
    return (
      isIn(user, row.identity?.user) &&
      isIn(team, row.identity?.team) &&
      isIn(type, row.identity?.type) &&
      isIn(route, row.route) &&
      isIn(method, request?.method) &&
      isIn(decision, request?.decision) &&
      isIn(reason, request?.reason) &&
      isIn(kind, row.kind) &&
      isIn(event, isRequest(row) ? undefined : row.event) &&
      (status?.some(({ from, to }) => request && request.status >= from && request.status <= to) ??
        true) &&
      (slowerThanUs < 0 || (request !== undefined && request.durationUs > slowerThanUs)) &&
      row.startedAtUs >= sinceUs &&
      row.startedAtUs < untilUs &&
      (after === undefined || inOrder(after, row) < 0)
    );
  });
  const sorted = fitting.toSorted(inOrder);
  return after === undefined ? sorted.slice(-(limit ?? Infinity)) : sorted.slice(0, limit);
}

type Place = { readonly startedAtUs: number; readonly requestId: string };

function inOrder(one: Place, other: Place): number {
  const byTime = one.startedAtUs - other.startedAtUs;
  return byTime || (one.requestId < other.requestId ? -1 : Number(one.requestId > other.requestId));
}
