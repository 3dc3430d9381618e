// Marks and the traffic beside them, on every kind of database that can hold the store.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Database } from '../../sidecar/audit/database.ts';
import { createAuditReader, type AuditReader } from '../../sidecar/audit/reader.ts';
import type { RequestRow } from '../../sidecar/audit/row.ts';
import type { AuditStore } from '../../sidecar/audit/store.ts';
import { compareTraffic } from '../../sidecar/deployment/compare-traffic.ts';
import { marksIn, recordMark } from '../../sidecar/deployment/mark.ts';
import {
  countTraffic,
  MAX_TIMES,
  recordedUpTo,
  timesOf,
} from '../../sidecar/deployment/traffic.ts';
import { databaseKinds, openAt } from '../fixtures/databases.ts';
import { aRow, requestId, STARTED_AT_US } from '../fixtures/rows.ts';
import { openStore } from '../fixtures/stores.ts';

const WINDOW = { fromUs: STARTED_AT_US, toUs: STARTED_AT_US + 1_000_000 };

describe.each(Object.entries(databaseKinds()))('%s', (_name, kind) => {
  const maybe = kind.missing === undefined ? test : test.skip;
  let store: AuditStore;
  let database: Database;
  let reader: AuditReader;
  let made = 0;

  beforeAll(async () => {
    if (kind.missing !== undefined) return;
    await kind.start();
    const place = await kind.make();
    store = await openStore(place);
    database = await openAt(place);
    reader = createAuditReader(database);
  });
  afterAll(async () => {
    await reader?.close();
    await store?.close();
    await kind.stop();
  });

  async function commit(count: number, row: Partial<RequestRow>): Promise<void> {
    const rows = Array.from({ length: count }, () => aRow(row, (made += 1)));
    await store.commit({ rows });
  }

  maybe('a mark is recorded once, and found again', async () => {
    const mark = { id: 'v1', note: 'first', atUs: STARTED_AT_US };
    expect((await recordMark(database, store.chain, mark, STARTED_AT_US)).kind).toBe('marked');
    expect((await recordMark(database, store.chain, mark, STARTED_AT_US)).kind).toBe('known');
    expect(await marksIn(reader)).toEqual([mark]);
  });

  maybe('marks are in the order of their times, whenever they were recorded', async () => {
    const earlier = { id: 'v0', atUs: STARTED_AT_US - 1000 };
    await recordMark(database, store.chain, earlier, STARTED_AT_US + 1000);
    expect((await marksIn(reader)).map(({ id }) => id)).toEqual(['v0', 'v1']);
  });

  maybe('requests are counted by route, with errors and times', async () => {
    await commit(3, { route: 'counted' });
    await commit(2, { route: 'counted', status: 502 });
    await commit(1, { route: 'counted', status: 0 });
    await commit(1, { route: 'counted', decision: 'deny', reason: 'team-not-allowed' });
    await commit(1, { route: 'counted', durationUs: 2_000_000 });
    const counted = { route: 'counted', requests: 5, errors: 2, cut: 0, left: 1, timed: 3 };
    expect(await countTraffic(reader, WINDOW, ['counted'])).toEqual([counted]);
  });

  maybe('unprotected requests have no route, and count', async () => {
    const { route: _route, ...row } = aRow({ decision: 'none', reason: 'unprotected' }, 1_000_000);
    await store.commit({ rows: [row] });
    const found = (await countTraffic(reader, WINDOW)).filter(({ route }) => route === undefined);
    expect(found).toEqual([{ requests: 1, errors: 0, cut: 0, left: 0, timed: 1 }]);
    expect(await timesOf(reader, WINDOW, found[0]!)).toEqual(Float64Array.of(12_345));
  });

  maybe('times are those until the app’s headers, where it was asked', async () => {
    const upstream = { startedAtUs: STARTED_AT_US, durationUs: 9000, latencyUs: 700, retries: 0 };
    await commit(1, { route: 'timed', upstream });
    await commit(1, { route: 'timed', durationUs: 500 });
    const { latencyUs: _latency, ...left } = upstream;
    await commit(1, { route: 'timed', upstream: left });
    const counted = { route: 'timed', requests: 3, errors: 0, cut: 1, left: 0, timed: 2 };
    expect(await countTraffic(reader, WINDOW, ['timed'])).toEqual([counted]);
    expect(await timesOf(reader, WINDOW, counted)).toEqual(Float64Array.of(500, 700));
  });

  maybe(
    'an answer that broke off is cut; a WebSocket, and what Caddy answered, is not',
    async () => {
      const upstream = { startedAtUs: STARTED_AT_US, durationUs: 9000, retries: 0 };
      await commit(2, { route: 'cut', upstream });
      await commit(1, { route: 'cut', upstream: { ...upstream, latencyUs: 1 } });
      await commit(1, { route: 'cut', upstream, status: 101 });
      await commit(1, { route: 'cut', upstream, status: 0 });
      await commit(1, { route: 'cut' });
      const [counted] = await countTraffic(reader, WINDOW, ['cut']);
      expect(counted).toMatchObject({ requests: 5, errors: 0, cut: 2, left: 1 });
    },
  );

  maybe('what was uploaded has no time: the client made it', async () => {
    await commit(1, { route: 'uploads', requestBytes: 8192 });
    await commit(1, { route: 'uploads', requestBytes: 8193 });
    const [counted] = await countTraffic(reader, WINDOW, ['uploads']);
    expect(counted).toMatchObject({ requests: 2, timed: 1 });
  });

  maybe('a mark keeps its routes', async () => {
    const mark = { id: 'r1', routes: ['orders', 'pay'], atUs: STARTED_AT_US + 5 };
    await recordMark(database, store.chain, { ...mark, routes: ['pay', 'orders'] }, mark.atUs);
    expect((await marksIn(reader)).at(-1)).toEqual(mark);
  });

  maybe('of very many times about so many are taken, and always the same', async () => {
    // Every sixteenth of the ends that an id can have.
    const ids = Array.from({ length: 4096 }, (_, at) => requestId(2 ** 32 + 16 * at));
    await store.commit({ rows: ids.map((id) => aRow({ requestId: id, route: 'sampled' })) });
    const counted = {
      ...{ route: 'sampled', requests: 0, errors: 0, cut: 0, left: 0 },
      timed: 4 * MAX_TIMES,
    };
    const once = await timesOf(reader, WINDOW, counted);
    expect(once).toHaveLength(1024);
    expect(await timesOf(reader, WINDOW, counted)).toEqual(once);
  });

  maybe('a route that only one side has is empty on the other', async () => {
    const before = { fromUs: 0, toUs: STARTED_AT_US };
    const [only] = await compareTraffic(reader, { before, after: WINDOW }, 20, ['counted']);
    expect(only).toMatchObject({ before: { requests: 0 }, after: { requests: 5 } });
  });

  maybe(
    'requests are recorded up to the latest end, also where older ones came later',
    async () => {
      await commit(1, { startedAtUs: STARTED_AT_US + 5_000_000, durationUs: 10 });
      await commit(1, { startedAtUs: STARTED_AT_US });
      expect(await recordedUpTo(reader, STARTED_AT_US + 6_000_000)).toBe(STARTED_AT_US + 5_000_010);
    },
  );

  maybe('what ended later than a minute from now says nothing of what is recorded', async () => {
    const nowUs = STARTED_AT_US + 6_000_000;
    await commit(1, { startedAtUs: nowUs + 61_000_000, durationUs: 0 });
    expect(await recordedUpTo(reader, nowUs)).toBe(STARTED_AT_US + 5_000_010);
  });
});
