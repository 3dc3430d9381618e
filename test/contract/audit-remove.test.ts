// Retention, on both databases: which rows go and which may not, what stays in their place, and that what
// was removed doesn't come back.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { planRemoval } from '../../sidecar/audit/removal-plan.ts';
import { remove } from '../../sidecar/audit/remove.ts';
import type { RequestRow, RowIdentity } from '../../sidecar/audit/row.ts';
import { signingKeys } from '../../sidecar/audit/signing-key.ts';
import { databaseKinds } from '../fixtures/databases.ts';
import { KEY, NOW_US, openRecord, startRecording, type Record } from '../fixtures/records.ts';
import { anEvent, aRow, requestId, STARTED_AT_US } from '../fixtures/rows.ts';

const SECOND_US = 1_000_000;
const at = (seconds: number) => STARTED_AT_US + seconds * SECOND_US;

/** A request that begins with its number as the second, and takes half a second. */
const row = (number: number, changes: Partial<RequestRow> = {}) =>
  aRow({ startedAtUs: at(number), durationUs: SECOND_US / 2, ...changes }, number);
const rows = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => row(from + index));

describe.each(Object.entries(databaseKinds()))('%s', (_name, kind) => {
  if (kind.missing !== undefined) {
    test.skip(`not tried here: ${kind.missing}`, () => {});
    return;
  }

  let place: string;
  let record: Record;
  beforeAll(() => kind.start());
  afterAll(() => kind.stop());
  beforeEach(async () => {
    place = await kind.make();
    record = await openRecord(place);
  });
  afterEach(() => record.close());

  const all = () => record.store.rowsAfter(0, 100_000);
  const numbers = async () => (await all()).map(({ sequence }) => sequence);

  /** Commits requests with the numbers from..to, and signs the last. */
  async function segment(from: number, to: number) {
    await record.commit(...rows(from, to));
    return record.sign();
  }

  test('whole segments go, up to the last head before the first row that is young', async () => {
    await segment(1, 10);
    await segment(11, 20);
    await segment(21, 30);
    expect(await record.remove({ beforeUs: at(25) })).toBe(20);
    expect((await numbers())[0]).toBe(21);
  });

  test('a row that is exactly as old as that is young', async () => {
    await segment(1, 10);
    expect(await record.remove({ beforeUs: at(10) })).toBe(0);
    expect(await record.remove({ beforeUs: at(10) + 1 })).toBe(10);
  });

  test('one young row among old ones keeps its segment, and all that come after it', async () => {
    await segment(1, 5);
    await record.commit(row(6), row(1000), row(7));
    await record.sign();
    await segment(8, 12);
    expect(await record.remove({ beforeUs: at(100) })).toBe(5);
  });

  test('rows that no head covers stay', async () => {
    await segment(1, 5);
    await record.commit(...rows(6, 9));
    expect(await record.remove({ beforeUs: at(1000) })).toBe(5);
  });

  test('a head whose row has another hash doesn’t count: what became of it has to be found out', async () => {
    await segment(1, 5);
    await segment(6, 10);
    const { database } = record;
    await database.run('UPDATE audit_rows SET hash = ? WHERE sequence = 10', [Buffer.alloc(32)]);
    expect(await record.remove({ beforeUs: at(1000) })).toBe(5);
  });

  test('nothing happens, and no event is made, when nothing is old enough', async () => {
    await segment(1, 5);
    expect(await record.remove({ beforeUs: at(0) })).toBe(0);
    expect(await all()).toHaveLength(5);
  });

  test('verification begins at the stub and finds nothing, with every head that was published', async () => {
    const published = [await segment(1, 10), await segment(11, 20), await segment(21, 30)];
    await record.remove({ beforeUs: at(25) });
    published.push(await record.sign());
    const heads = published.filter((head) => head !== undefined);
    expect(await record.verify(heads)).toMatchObject({
      findings: [],
      from: 21,
      to: 31,
      unsigned: 0,
    });
  });

  test('an event says up to where, how many, and from before when', async () => {
    await segment(1, 10);
    await record.remove({ beforeUs: at(20) });
    const before = new Date(Math.floor(at(20) / 1000)).toISOString().slice(0, 19);
    expect((await all()).at(-1)).toMatchObject({
      event: 'rows-removed',
      details: { upTo: 10, rows: 10, before: expect.stringContaining(before) as unknown },
    });
  });

  test('one stub stays, and counts all rows that ever went', async () => {
    await segment(1, 10);
    await record.remove({ beforeUs: at(20) });
    await segment(11, 20);
    await record.remove({ beforeUs: at(15) }); // the event of the first removal is young
    await record.remove({ beforeUs: NOW_US + 1 });
    const stubs = await record.database.all('SELECT sequence, rows FROM stubs');
    expect(stubs).toEqual([{ sequence: 21, rows: 21 }]);
    expect((await all()).at(-1)).toMatchObject({ details: { upTo: 21, rows: 11 } });
    expect((await record.verify()).findings).toEqual([]);
  });

  test('rows go on from the stub when all are gone', async () => {
    await segment(1, 10);
    await record.remove({ beforeUs: at(20) });
    await record.sign();
    await record.remove({ beforeUs: NOW_US + 1 });
    await segment(31, 33);
    expect((await numbers())[0]).toBe(12);
    expect((await record.verify()).findings).toEqual([]);
  });

  test('rows that a destination doesn’t have stay, and it is said which', async () => {
    await segment(1, 10);
    await segment(11, 20);
    await record.store.moveCursor('slow', 13);
    await record.store.moveCursor('well', 20);
    const plan = await planRemoval(record.database, record.chain, { beforeUs: at(100) });
    expect(plan).toMatchObject({ upTo: 10, rows: 10, couldBeUpTo: 20 });
    expect(plan.heldBy).toEqual([{ destination: 'slow', has: 13 }]);
  });

  test('a destination that is configured and never had a row holds all of them', async () => {
    await segment(1, 10);
    const options = { beforeUs: at(100), destinations: ['new'] };
    expect(await planRemoval(record.database, record.chain, options)).toMatchObject({
      upTo: 0,
      rows: 0,
      heldBy: [{ destination: 'new', has: 0 }],
    });
  });

  test('a destination that need not be waited for doesn’t hold anything', async () => {
    await segment(1, 10);
    await segment(11, 20);
    await record.store.moveCursor('gone', 3);
    await record.store.moveCursor('slow', 10);
    const upTo = async (notWaitingFor: readonly string[] | 'all') =>
      (await planRemoval(record.database, record.chain, { beforeUs: at(99), notWaitingFor })).upTo;
    expect([await upTo([]), await upTo(['gone']), await upTo('all')]).toEqual([0, 10, 20]);
  });

  test('persons without rows go with their keys, and come back as others', async () => {
    const bob: RowIdentity = { ...(aRow().identity as RowIdentity), subject: 'b', user: 'bob' };
    await record.commit(row(1), row(2, { identity: bob }));
    await record.sign();
    await record.commit(row(50));
    await record.remove({ beforeUs: at(10) });
    const persons = async () =>
      (
        await record.database.all(
          'SELECT person, "user" FROM persons WHERE person > 0 ORDER BY person',
        )
      ).map(({ person, user }) => `${Number(person)} ${String(user)}`);
    expect(await persons()).toEqual(['1 alice']);
    await record.commit(row(51, { identity: bob }));
    expect(await persons()).toEqual(['1 alice', '3 bob']);
    expect((await record.verify()).findings).toEqual([]);
  });

  /** A row whose decision has the row's own number. */
  const decided = (number: number) =>
    row(number, { gate: { bootId: 'boot-1', number, startedAtUs: at(number), durationUs: 60 } });

  test('a row that was removed does not come back when its log is read again, nor do its events', async () => {
    const signIn = anEvent({ requestId: `sign-in:${requestId(3)}`, startedAtUs: at(3) });
    await record.commit(decided(1), decided(2), decided(3), signIn);
    await record.sign();
    await record.commit(decided(50));
    await record.remove({ beforeUs: at(10) });
    const again = await record.store.commit({
      rows: [decided(1), decided(2), decided(3), signIn, decided(50), decided(51)],
    });
    expect(again).toMatchObject({ added: 1, duplicates: 5 });
    expect((await record.verify()).findings).toEqual([]);
  });

  test('a request that was never recorded is new, however old its time is: a clock may have been ahead', async () => {
    await record.commit(decided(1), decided(40));
    await record.sign();
    await record.remove({ beforeUs: at(100) });
    expect(await record.store.commit({ rows: [decided(2), decided(41)] })).toMatchObject({
      added: 2,
    });
    const accounts = await record.store.accounts();
    expect(accounts).toMatchObject([{ bootId: 'boot-1', highest: 41 }]);
  });

  test('events that come from nowhere in the log are new, however old their time is', async () => {
    await segment(1, 10);
    await record.remove({ beforeUs: at(100) });
    const lost = anEvent({
      kind: 'lost',
      event: 'decision-lost',
      requestId: 'decision-lost:b:1',
      startedAtUs: at(2),
    });
    expect(await record.store.commit({ rows: [lost] })).toMatchObject({ added: 1 });
  });

  test('many rows go in slices, which end at heads where there are any, and one event tells of all', async () => {
    await segment(1, 180);
    await segment(181, 300);
    await segment(301, 350);
    const plan = await planRemoval(record.database, record.chain, { beforeUs: NOW_US });
    const seen: number[] = [];
    const onProgress = (done: number) => void seen.push(done);
    const { database, chain } = record;
    await remove(database, chain, plan, { key: KEY, nowUs: NOW_US, onProgress, sliceRows: 100 });
    expect(seen).toEqual([100, 180, 280, 350]);
    expect(await all()).toMatchObject([
      { event: 'rows-removed', details: { upTo: 350, rows: 350 } },
    ]);
    expect((await record.verify()).findings).toEqual([]);
  });

  test('one that was killed between two slices leaves a sound store, and the next tells of both', async () => {
    await segment(1, 150);
    const { database, chain } = record;
    const plan = await planRemoval(database, chain, { beforeUs: NOW_US });
    const onProgress = () => {
      throw new Error('killed');
    };
    const killed = remove(database, chain, plan, {
      key: KEY,
      nowUs: NOW_US,
      onProgress,
      sliceRows: 100,
    });
    await expect(killed).rejects.toThrow('killed');
    expect(await record.verify()).toMatchObject({ findings: [], from: 101 });
    expect(await record.remove({ beforeUs: NOW_US })).toBe(50);
    expect((await all()).at(-1)).toMatchObject({ details: { rows: 150 } });
  });

  test('missing rows don’t stop it, and its stub says how many there were', async () => {
    await segment(1, 20);
    await record.database.run('DELETE FROM audit_rows WHERE sequence BETWEEN 5 AND 14');
    const { database, chain } = record;
    const plan = await planRemoval(database, chain, { beforeUs: NOW_US });
    const options = { key: KEY, nowUs: NOW_US, sliceRows: 4 };
    expect(await remove(database, chain, plan, options)).toBe(10);
    expect(await database.all('SELECT sequence, rows FROM stubs')).toEqual([
      { sequence: 20, rows: 10 },
    ]);
  });

  test('the stub is signed by the key that is given: with another one it is not believed', async () => {
    await segment(1, 10);
    const { database, chain } = record;
    const [other] = signingKeys([Buffer.alloc(32, 9)]);
    const plan = await planRemoval(database, chain, { beforeUs: at(100) });
    await remove(database, chain, plan, { key: other!, nowUs: NOW_US });
    expect(await record.verify()).toMatchObject({ findings: [{ kind: 'key-unknown' }] });
  });

  test('nothing breaks for a recorder that writes at the same time', async () => {
    const recording = startRecording(place);
    const removed: number[] = [];
    for (let round = 1; round <= 8; round++) {
      await recording.committed(10 * round);
      await record.sign();
      removed.push(await record.remove({ beforeUs: NOW_US + 1 }));
    }
    const recorded = await recording.stop();
    expect(removed.every((count) => count > 0)).toBe(true);
    const ever = (await all()).length + removed.reduce((sum, count) => sum + count);
    expect(ever).toBe(recorded + removed.length); // an event each
    expect((await record.verify()).findings).toEqual([]);
  });
});
