// What can be asked of the audit, from the words of the command line to the rows that answer.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseFilter, type FilterOptions } from '../../sidecar/audit/filter.ts';
import { find, follow, parseId, query } from '../../sidecar/audit/query.ts';
import type { Row } from '../../sidecar/audit/row.ts';
import { openAuditReader, openAuditStore } from '../../sidecar/audit/store.ts';
import type { AuditReader, AuditStore } from '../../sidecar/audit/store.ts';
import { aFullRow, aRow, CHECKPOINT, requestId, STARTED_AT_US } from '../fixtures/rows.ts';

const NOW_US = STARTED_AT_US;
const HOUR_US = 3_600_000_000;

describe('times', () => {
  const since = (text: string) => parseFilter({ since: text }, NOW_US).sinceUs;

  test.each([
    ['90s', 90_000_000],
    ['15m', 900_000_000],
    ['1h', HOUR_US],
    ['7d', 7 * 24 * HOUR_US],
  ])('%s is so long before now', (text, backUs) => {
    expect(since(text)).toBe(NOW_US - backUs);
  });

  test.each([
    ['2026-11-20T10:35:14Z', 1_795_170_914_000_000],
    ['2026-11-20T11:35:14.5+01:00', 1_795_170_914_500_000],
    ['2026-11-20 10:35Z', 1_795_170_900_000_000],
  ])('%s is what it says', (text, us) => {
    expect(since(text)).toBe(us);
  });

  test('a date, and a time without a zone, are local', () => {
    expect(since('2026-11-20')).toBe(new Date(2026, 10, 20).getTime() * 1000);
    expect(since('2026-11-20T08:30')).toBe(new Date(2026, 10, 20, 8, 30).getTime() * 1000);
  });
});

describe('options', () => {
  test('take their values several times, with commas, or both', () => {
    const options = { user: ['alice,bob', 'carol'], decision: ['deny', 'login'] };
    expect(parseFilter(options, NOW_US)).toEqual({
      user: ['alice', 'bob', 'carol'],
      decision: ['deny', 'login'],
    });
  });

  test('know a status by its number and by its class', () => {
    expect(parseFilter({ status: ['404,5XX', '0'] }, NOW_US).status).toEqual([
      { from: 404, to: 404 },
      { from: 500, to: 599 },
      { from: 0, to: 0 },
    ]);
  });

  test('that are wrong are told all at once: what was read, what is allowed', () => {
    const wrong: FilterOptions = {
      type: ['robot'],
      decision: ['allow,perhaps'],
      status: ['6xx', '20'],
      since: 'yesterday',
      limit: '0',
      user: ['alice,'],
    };
    expect(linesOf(wrong)).toEqual([
      '--user: read ""; allowed is a name',
      '--type: read "robot"; allowed is human, service, agent',
      '--decision: read "perhaps"; allowed is allow, login, deny, none',
      '--status: read "6xx"; allowed is a number (404) or a class (4xx)',
      '--status: read "20"; allowed is a number (404) or a class (4xx)',
      expect.stringMatching(/^--since: read "yesterday"; allowed is a time like/),
      '--limit: read "0"; allowed is a number from 1',
    ]);
  });

  test.each(['2026-13-40', '1795170914', '1w', '-1h', ''])('refuse %j as a time', (until) => {
    expect(linesOf({ until })).toHaveLength(1);
  });

  test('refuse a span of time that ends before it begins', () => {
    expect(linesOf({ since: '1h', until: '2h' })).toEqual([
      '--until: read "2h"; allowed is a time after --since 1h',
    ]);
  });
});

describe('a query', () => {
  let folder: string;
  let store: AuditStore;
  let reader: AuditReader;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'signet-query-'));
    store = openAuditStore(join(folder, 'audit.db'));
    reader = openAuditReader(join(folder, 'audit.db'));
  });

  afterEach(() => {
    reader.close();
    store.close();
    rmSync(folder, { recursive: true });
  });

  const commit = (...rows: Row[]) => store.commit({ rows, setAside: [], checkpoint: CHECKPOINT });
  const asked = (options: FilterOptions) =>
    [...query(reader, parseFilter(options, NOW_US + HOUR_US))].map(({ path }) => path);

  function commitFour(): void {
    const { identity, ...nobody } = aRow({}, 3);
    const alice = identity as NonNullable<Row['identity']>;
    const bob = { ...alice, user: 'bob', team: 'search', type: 'agent' as const };
    commit(
      aRow({ path: '/1' }, 1),
      aRow(
        { path: '/2', identity: bob, status: 403, decision: 'deny', reason: 'team-not-allowed' },
        2,
      ),
      {
        ...nobody,
        path: '/3',
        status: 302,
        decision: 'login',
        reason: 'no-credentials',
        route: 'admin',
      },
      aRow({ path: '/4', startedAtUs: STARTED_AT_US - HOUR_US, status: 404 }, 4),
    );
  }

  test.each<[FilterOptions, string[]]>([
    [{}, ['/4', '/1', '/2', '/3']],
    [{ user: ['alice'] }, ['/4', '/1']],
    [{ user: ['alice', 'bob'] }, ['/4', '/1', '/2']],
    [{ team: ['search'] }, ['/2']],
    [{ type: ['agent,service'] }, ['/2']],
    [{ route: ['admin'] }, ['/3']],
    [{ decision: ['deny,login'] }, ['/2', '/3']],
    [{ status: ['4xx'] }, ['/4', '/2']],
    [{ status: ['200,302'] }, ['/1', '/3']],
    [{ user: ['alice'], status: ['4xx'] }, ['/4']],
    [{ since: '2026-11-20T10:00Z' }, ['/1', '/2', '/3']],
    [{ until: '2026-11-20T10:00Z' }, ['/4']],
    [{ limit: '2' }, ['/2', '/3']],
    [{ user: ['alice'], limit: '1' }, ['/1']],
    [{ limit: '9' }, ['/4', '/1', '/2', '/3']],
    [{ user: ["' OR 1=1 --"] }, []],
  ])('for %j', (options, paths) => {
    commitFour();
    expect(asked(options)).toEqual(paths);
  });

  test('reads page after page, each row once, also when many began at the same time', () => {
    const rows = Array.from({ length: 2345 }, (_, number) =>
      aRow({ path: `/${number}`, startedAtUs: STARTED_AT_US + Math.floor(number / 700) }, number),
    );
    commit(...rows);
    expect(asked({})).toEqual(rows.map(({ path }) => path));
    expect(asked({ limit: '2100' })).toEqual(rows.slice(-2100).map(({ path }) => path));
  });

  test('is of the rows that are there when it begins', () => {
    commitFour();
    const rows = query(reader, {});
    rows.next();
    commit(aRow({ startedAtUs: STARTED_AT_US + 5 }, 9));
    expect([...rows]).toHaveLength(3);
  });

  test('by user or by time goes through an index', () => {
    const plan = (where: string) => {
      const select = `SELECT * FROM audit_rows WHERE ${where} ORDER BY started_at_us, sequence`;
      return [...reader.select(`EXPLAIN QUERY PLAN ${select}`, [])].length;
    };
    expect(plan("user = 'alice' AND (started_at_us, sequence) > (0, 0)")).toBe(1);
    expect(plan('(started_at_us, sequence) > (0, 0)')).toBe(1);
  });

  test('of a request finds it by its id, with dashes, without, and in upper case', () => {
    commitFour();
    const id = requestId(2);
    for (const text of [id, id.toUpperCase(), id.replaceAll('-', ''), ` ${id}\n`]) {
      expect(find(reader, parseId(text) ?? '')).toMatchObject([{ path: '/2' }]);
    }
    expect(find(reader, parseId(requestId(99)) ?? '')).toEqual([]);
  });

  test('of a trace finds every request in it', () => {
    const { traceId } = aFullRow();
    commit(aFullRow(), aRow({ traceId, startedAtUs: STARTED_AT_US + 1 }, 2), aRow({}, 3));
    expect(find(reader, traceId).map(({ sequence }) => sequence)).toEqual([1, 2]);
  });

  test('of a line without a request id finds it by the hash that stands for it', () => {
    const id = `line-${'0a'.repeat(32)}`;
    commit(aRow({ requestId: id, traceId: 'ab'.repeat(16) }));
    expect(find(reader, parseId(id) ?? '')).toHaveLength(1);
    expect(find(reader, 'ab'.repeat(16))).toHaveLength(1);
  });

  test.each(['', 'alice', '4d032074', `${requestId(1)}0`, 'line-xyz', '%'])(
    'for %j is not asked: it is no id',
    (text) => {
      expect(parseId(text)).toBeUndefined();
    },
  );

  test('that follows gives each new row that the filter lets through, in the order of commit', async () => {
    commitFour();
    const stop = new AbortController();
    const rows = follow(reader, { user: ['alice'] }, 2, stop.signal);
    expect((await rows.next()).value).toMatchObject({ path: '/4' });
    const next = rows.next();
    commit(aRow({ path: '/5', startedAtUs: 1 }, 5), aRow({ path: '/6' }, 6));
    expect((await next).value).toMatchObject({ path: '/5' });
    expect((await rows.next()).value).toMatchObject({ path: '/6' });
    stop.abort();
    expect(await rows.next()).toEqual({ done: true, value: undefined });
  });
});

function linesOf(options: FilterOptions): string[] {
  try {
    parseFilter(options, NOW_US);
  } catch (error) {
    return (error as Error).message.split('\n');
  }
  return [];
}
