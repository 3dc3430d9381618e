// Destinations read what was stored last without the database: they get what it would give them, whatever
// the rows are and whoever changes them there.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Database } from '../../sidecar/audit/database.ts';
import { forget } from '../../sidecar/audit/forget.ts';
import { planRemoval } from '../../sidecar/audit/removal-plan.ts';
import { remove } from '../../sidecar/audit/remove.ts';
import type { Row, StoredRow } from '../../sidecar/audit/row.ts';
import type { AuditStore } from '../../sidecar/audit/store.ts';
import { databaseKinds, openAt } from '../fixtures/databases.ts';
import { KEY, NOW_US } from '../fixtures/records.ts';
import { aFullRow, anEvent, aRow, requestId } from '../fixtures/rows.ts';
import { aLostRow, aRowOf, batchOf, CHECKPOINT, openStore } from '../fixtures/stores.ts';

describe.each(Object.entries(databaseKinds()))('%s', (_name, kind) => {
  if (kind.missing !== undefined) {
    test.skip(`not tried here: ${kind.missing}`, () => {});
    return;
  }

  let store: AuditStore;
  /** Of another process: it has stored nothing, and reads what is there. */
  let reading: AuditStore;
  /** Of another process, for what is done behind the store's back. */
  let database: Database;

  beforeAll(() => kind.start());
  afterAll(() => kind.stop());
  beforeEach(async () => {
    const place = await kind.make();
    store = await openStore(place);
    reading = await openStore(place);
    database = await openAt(place);
    await store.rowsAfter(0, 1); // as a destination does when it begins
  });
  afterEach(async () => {
    for (const each of [store, reading, database]) await each.close();
  });

  const commit = (...rows: Row[]) => store.commit({ rows });

  /** Returns what destinations get, which must be what is there. */
  async function rowsAfter(sequence: number, limit = 1000): Promise<StoredRow[]> {
    const rows = await store.rowsAfter(sequence, limit);
    expect(rows).toEqual(await reading.rowsAfter(sequence, limit));
    return rows;
  }

  test('what was stored last is not read back', async () => {
    await commit(aRow({}, 1), aRow({}, 2));
    await commit(aRow({}, 3));
    await database.run('DELETE FROM audit_rows WHERE chain = ?', [store.chain]);
    expect(await store.rowsAfter(1, 9)).toMatchObject([{ sequence: 2 }, { sequence: 3 }]);
    expect(await store.rowsAfter(3, 9)).toEqual([]);
  });

  test('nothing is remembered for nobody', async () => {
    await reading.commit({ rows: [aRow({}, 1)] });
    await database.run('DELETE FROM audit_rows WHERE chain = ?', [store.chain]);
    expect(await reading.rowsAfter(0, 9)).toEqual([]);
  });

  test('every kind of row is as it is there', async () => {
    await commit(aFullRow(), anEvent({}, 2), aLostRow(3, { user: 'alice' }));
    await commit(aRow({ kind: 'unexplained' }, 4), aRow({ requestId: 'line-00' }, 5));
    expect(await rowsAfter(0)).toHaveLength(5);
  });

  test('any row is as it is there, in batches of any size', async () => {
    let number = 0;
    const batches = fc.array(fc.array(anyChanges, { maxLength: 4 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(batches, fc.nat(6), fc.nat(6), async (all, back, limit) => {
        for (const changes of all) {
          await commit(...changes.map((each) => aRow(each as object, ++number)));
        }
        const { lastSequence } = await store.counts();
        await rowsAfter(Math.max(0, lastSequence - back), limit);
      }),
      { numRuns: 60 },
    );
  });

  test('a person whom another process has forgotten is gone', async () => {
    await commit(aRowOf('alice', 1), aRowOf('bob', 2));
    await forget(database, store.chain, { user: 'alice' }, NOW_US, KEY);
    expect(await rowsAfter(0)).toMatchObject([
      { isForgotten: true },
      { identity: { user: 'bob' } },
      { event: 'person-forgotten' },
    ]);
  });

  test('a person whom another process has forgotten is gone after the next batch, too', async () => {
    await commit(aRowOf('alice', 1), aRowOf('bob', 2));
    await forget(database, store.chain, { user: 'alice' }, NOW_US, KEY);
    await commit(aRowOf('alice', 3));
    const rows = await rowsAfter(0);
    expect(rows.map(({ isForgotten = false }) => isForgotten)).toEqual([true, false, false, false]);
  });

  test('rows that another process has removed are gone', async () => {
    await commit(aRow({}, 1), aRow({}, 2));
    await store.sign(KEY, NOW_US);
    await commit(aRow({}, 3));
    const plan = await planRemoval(database, store.chain, { beforeUs: NOW_US });
    await remove(database, store.chain, plan, { key: KEY, nowUs: NOW_US });
    expect((await rowsAfter(0)).map(({ sequence }) => sequence)).toEqual([3, 4]);
  });

  test('rows that another process has stored in between are there', async () => {
    await store.commit(batchOf(1));
    await reading.commit(batchOf(2));
    await store.commit(batchOf(3));
    await reading.commit(batchOf(4));
    expect((await store.rowsAfter(0, 9)).map((row) => row.requestId)).toEqual(
      [1, 2, 3, 4].map(requestId),
    );
    expect(await store.rowsAfter(2, 9)).toMatchObject([{ sequence: 3 }, { sequence: 4 }]);
    expect(await store.rowsAfter(3, 9)).toMatchObject([{ requestId: requestId(4) }]);
  });

  test('rows of a batch that was undone are not there', async () => {
    await store.commit(batchOf(1));
    const unstorable = { ...CHECKPOINT, offset: 1n as unknown as number };
    await expect(store.commit({ ...batchOf(2, 3), checkpoint: unstorable })).rejects.toThrow();
    expect(await rowsAfter(0)).toHaveLength(1);
    await store.commit(batchOf(4, 5));
    expect((await rowsAfter(0)).map((row) => row.requestId)).toEqual([1, 4, 5].map(requestId));
  });
});

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: fc.constantFrom('\0', '\ud800', '\udfff', '\u2400', 'a', '"'), maxLength: 4 }),
);
const whole = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.constantFrom(0, -0));
const sparse: { requiredKeys: [] } = { requiredKeys: [] };

/** What may be other than in `aRow`, or more. */
const anyChanges = fc.record(
  {
    ...{ parentSpanId: text, query: text, userAgent: text, host: text, route: text, path: text },
    ...{ traceId: text, requirement: text, clientAddress: text, peerAddress: text },
    ...{ skewUs: whole, durationUs: whole, startedAtUs: whole, status: whole },
    requestBytes: fc.oneof(whole, fc.constant(NaN)),
    sampled: fc.boolean(),
    link: fc.record({ traceId: text, spanId: text }),
    identity: fc
      .record({ issuer: text, subject: text, user: text, roles: fc.array(text, { maxLength: 3 }) })
      .chain((identity) =>
        fc
          .record(
            { team: text, sessionHash: text, actor: fc.record({ subject: text, issuer: text }) },
            sparse,
          )
          .map((more) => ({ ...identity, ...more, type: 'human', method: 'bearer' })),
      ),
    gate: fc.record(
      {
        bootId: fc.constantFrom('boot-1', 'boot-2'),
        number: fc.nat(),
        supersedes: fc.nat(),
        startedAtUs: whole,
        durationUs: whole,
      },
      { requiredKeys: ['bootId', 'number', 'startedAtUs', 'durationUs'] },
    ),
    upstream: fc.record(
      { address: text, startedAtUs: whole, durationUs: whole, latencyUs: whole, retries: whole },
      { requiredKeys: ['startedAtUs', 'durationUs', 'retries'] },
    ),
  },
  sparse,
);
