// What the recorder, the destinations and the command rely on in the audit store, whichever database it
// lies in: real files, a real server. What the databases themselves promise is in audit-database.test.ts,
// what becomes of a file that is damaged, full or gone in audit-sqlite.test.ts.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { setAsideLine } from '../../sidecar/accesslog/set-aside.ts';
import { fromColumns } from '../../sidecar/audit/columns.ts';
import type { Database } from '../../sidecar/audit/database.ts';
import { forget } from '../../sidecar/audit/forget.ts';
import { openAuditReader, type AuditPlace } from '../../sidecar/audit/open.ts';
import type { AuditReader } from '../../sidecar/audit/reader.ts';
import type { RequestRow, Row, RowIdentity, StoredRow } from '../../sidecar/audit/row.ts';
import { createAuditStore, type AuditStore, type Batch } from '../../sidecar/audit/store.ts';
import { signingKeys, type SigningKey } from '../../sidecar/audit/signing-key.ts';
import { Fault } from '../../sidecar/fault.ts';
import { CHAIN, databaseKinds, openAt } from '../fixtures/databases.ts';
import { KEY, NOW_US } from '../fixtures/records.ts';
import { aFullRow, anEvent, aRow, requestId } from '../fixtures/rows.ts';
import {
  aDecidedRow,
  aLostRow,
  aRowOf,
  batchOf,
  CHECKPOINT,
  columnsIn,
  hashesByDefinition,
  openStore,
  personsIn,
  placeAt,
  startWriter,
} from '../fixtures/stores.ts';
import { until } from '../fixtures/until.ts';

const OTHER_CHAIN = '0b1f7a52-6a0e-4a3f-9c75-1d1f6f1f0002';
const [OTHER_KEY] = signingKeys([Buffer.alloc(32, 8)]) as [SigningKey];

/** What nobody can store: it fails at the very end of its transaction. */
const UNSTORABLE = { ...CHECKPOINT, offset: 1n as unknown as number };

/** Returns a row without what the store adds. */
function given({ sequence: _sequence, hash: _hash, ...row }: StoredRow): Row {
  return row as Row;
}

describe.each(Object.entries(databaseKinds()))('%s', (name, kind) => {
  if (kind.missing !== undefined) {
    test.skip(`not tried here: ${kind.missing}`, () => {});
    return;
  }

  let place: string;
  let store: AuditStore;
  /** The same database, for a look at what the store doesn't show. */
  let database: Database;
  const open: { close(): Promise<void> }[] = [];

  beforeAll(() => kind.start());
  afterAll(() => kind.stop());
  beforeEach(async () => {
    place = await kind.make();
    store = await openStore(place);
    database = await openAt(place);
    open.push(database);
  });
  afterEach(async () => {
    await store.close();
    for (const each of open.splice(0)) await each.close();
  });

  /** Another connection of another process. */
  async function another(chain = CHAIN): Promise<AuditStore> {
    const opened = await openStore(place, chain);
    open.push(opened);
    return opened;
  }

  async function reopened(): Promise<AuditStore> {
    await store.close();
    store = await openStore(place);
    return store;
  }

  async function reader(): Promise<AuditReader> {
    const opened = await openAuditReader(placeAt(place));
    open.push(opened);
    return opened;
  }

  const commit = (...rows: Row[]) => store.commit({ rows });
  /** As they lie there; what destinations read of them is in audit-newest.test.ts. */
  const rowsOf = async (chain: string) => (await columnsIn(database, chain)).map(fromColumns);
  const rows = () => rowsOf(store.chain);
  const sequences = async () => (await rows()).map(({ sequence }) => sequence);

  /** Fails unless every hash is what the definition makes of the columns. */
  async function expectSound(of: AuditStore = store): Promise<void> {
    const stored = await rowsOf(of.chain);
    expect(stored.map(({ hash }) => hash)).toEqual(await hashesByDefinition(database, of.chain));
    expect(stored.map(({ sequence }) => sequence)).toEqual(stored.map((_, at) => at + 1));
  }

  describe('a row', () => {
    const { identity: _identity, route: _route, requirement: _requirement, ...bare } = aRow({}, 2);
    const { identity: _who, route: _where, traceId: _trace, ...bareEvent } = anEvent();
    const KINDS: [string, Row][] = [
      ['a request with every field', aFullRow()],
      ['a request with none that may be missing', bare],
      ['a request that no decision explains', { ...bare, kind: 'unexplained' }],
      ['an event with every field', anEvent({ details: { text: 'x', number: 7, truth: false } })],
      ['an event with none that may be missing', bareEvent],
      ['a lost decision of whom only the name is known', aLostRow(1, { user: 'alice' })],
    ];

    test.each(KINDS)('comes back as it was stored: %s', async (_kind, row) => {
      await commit(row);
      expect((await rows()).map(given)).toEqual([row]);
    });

    test('keeps a team and a user of nobody else’s choosing: quotes, emoji, control characters', async () => {
      const odd = `'";--\u009b\u{1f600}\r\n\u2028\\x00`;
      const row = { ...aRowOf(odd, 1), path: `/${odd}`, userAgent: '' };
      await commit(row);
      expect((await rows()).map(given)).toEqual([row]);
    });

    test('has U+2400 where a text had NUL, and U+FFFD where it was no text', async () => {
      await commit({ ...aRowOf('a\0b', 1), path: '/\ud800/\0', userAgent: 'x\udc00' });
      expect(await rows()).toMatchObject([
        { identity: { user: 'a\u2400b' }, path: '/\ufffd/\u2400', userAgent: 'x\ufffd' },
      ]);
      await expectSound();
    });

    test('is stored once, however often its line is read', async () => {
      expect(await store.commit(batchOf(1, 2))).toMatchObject({ added: 2, duplicates: 0 });
      const again = await store.commit(batchOf(1, 2, 3));
      expect(again).toMatchObject({ added: 1, duplicates: 2, rows: [{ requestId: requestId(3) }] });
      expect(await store.counts()).toMatchObject({ rows: 3, lastSequence: 3 });
    });

    test('whose id only differs in what can’t be stored is stored once', async () => {
      const twice = [aRow({ requestId: 'x\0' }), aRow({ requestId: 'x\u2400' })];
      expect(await commit(...twice)).toMatchObject({ added: 1, duplicates: 1 });
      expect(await commit(...twice)).toMatchObject({ added: 0, duplicates: 2 });
    });

    test('that is there never changes', async () => {
      await commit(aRow({}, 1));
      await commit(aRow({ status: 500 }, 1), aRow({ status: 500 }, 2), aRow({ status: 404 }, 2));
      expect(await rows()).toMatchObject([{ status: 200 }, { status: 500 }]);
    });

    test('has the next sequence: duplicates leave no gap, in a batch or between them', async () => {
      await store.commit(batchOf(1));
      await store.commit(batchOf(1, 1, 2));
      await store.commit(batchOf(2, 1, 3, 3, 4));
      expect(await sequences()).toEqual([1, 2, 3, 4]);
      await expectSound();
    });

    test('is read by destinations in order, from where they are', async () => {
      await store.commit(batchOf(1, 2, 3));
      expect(await store.rowsAfter(1, 1)).toMatchObject([{ sequence: 2, requestId: requestId(2) }]);
      expect(await store.rowsAfter(3, 1)).toEqual([]);
    });

    test('is found by its request id among any number of ids', async () => {
      await store.commit(batchOf(...Array.from({ length: 700 }, (_, number) => number)));
      const asked = Array.from({ length: 1400 }, (_, number) => requestId(2 * number));
      expect((await store.having(asked)).size).toBe(350);
      expect(await store.having([])).toEqual(new Set());
    });
  });

  describe('the chain', () => {
    test('goes through requests, events and lost decisions in the order in which they came', async () => {
      await commit(aRow({}, 1), anEvent({}, 1), aLostRow(2, { user: 'bob' }), aFullRow());
      await commit(aRow({ kind: 'unexplained' }, 3));
      expect(await rows()).toMatchObject(
        ['request', 'event', 'lost', 'unexplained'].map((each) => ({ kind: each })),
      );
      await expectSound();
    });

    test('goes on where it was after closing and opening', async () => {
      await store.commit(batchOf(1, 2));
      await reopened();
      await store.commit(batchOf(3));
      await expectSound();
    });

    test('is one, whoever appends to it meanwhile', async () => {
      const beside = await another();
      for (let number = 1; number <= 12; number += 3) {
        await store.commit(batchOf(number, number + 1));
        await beside.commit(batchOf(number + 1, number + 2));
      }
      await expectSound();
      expect(await sequences()).toHaveLength(12);
    });

    test('is one when two processes append at the same time', async () => {
      const writers = [startWriter(place, 1_000), startWriter(place, 500_000)];
      await Promise.all(writers.map((writer) => writer.committed(30)));
      await Promise.all(writers.map((writer) => writer.kill()));
      expect((await sequences()).length).toBeGreaterThanOrEqual(180);
      await expectSound();
    });

    test('holds whatever the texts are', async () => {
      const text = fc.oneof(
        fc.string({ unit: 'binary', maxLength: 40 }),
        fc.string({ unit: fc.constantFrom('\0', '\ud800', '\udfff', '\u2400', 'a'), maxLength: 4 }),
      );
      const textsOf = fc.record({
        ...{ path: text, query: text, userAgent: text, host: text, route: text, method: text },
        ...{ user: text, subject: text, issuer: text, team: text, roles: fc.array(text) },
      });
      let number = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(textsOf, { maxLength: 3 }), async (all) => {
          const batch = all.map(({ user, subject, issuer, team, roles, ...texts }) => {
            const identity = { ...aRowOf('x', 1).identity, user, subject, issuer, team, roles };
            return aRow({ ...texts, identity: identity as RowIdentity }, ++number);
          });
          expect(await commit(...batch)).toMatchObject({ added: batch.length });
        }),
        { numRuns: 60 },
      );
      await expectSound();
    });
  });

  describe('a batch', () => {
    test('is stored whole or not at all, with its checkpoint and its lines', async () => {
      await store.commit(batchOf(1));
      const broken = aRow({ status: 2.5 }, 3);
      const failing = store.commit({
        rows: [aRow({}, 2), broken],
        setAside: [setAsideLine(Buffer.from('x'), 'not-json')],
        checkpoint: { ...CHECKPOINT, offset: 999 },
        notes: { name: 'value' },
      });
      await expect(failing).rejects.toBeInstanceOf(Fault);
      expect(await store.counts()).toMatchObject({ rows: 1, setAside: 0 });
      expect(await store.checkpoint()).toEqual(CHECKPOINT);
      expect(await store.note('name')).toBeUndefined();
      expect(await store.commit(batchOf(2))).toMatchObject({ added: 1 });
      await expectSound();
    });

    test('that fails at its very end leaves nothing, and the next one works', async () => {
      const whole: Batch = {
        ...batchOf(1, 2),
        setAside: [setAsideLine(Buffer.from('x'), 'not-json')],
        settled: [{ bootId: 'boot-1', ranges: [{ first: 5, last: 6 }] }],
        notes: { name: 'value' },
      };
      await expect(store.commit({ ...whole, checkpoint: UNSTORABLE })).rejects.toThrow();
      expect(await store.counts()).toEqual({
        ...{ rows: 0, setAside: 0, lost: 0, unexplained: 0, lastSequence: 0 },
      });
      expect(await store.accounts()).toEqual([]);
      expect(await store.note('name')).toBeUndefined();
      await store.commit(whole);
      expect(await store.counts()).toMatchObject({ rows: 2, setAside: 1 });
      await expectSound();
    });

    test('without rows keeps the rest', async () => {
      await store.commit({ rows: [], checkpoint: CHECKPOINT, notes: { name: 'value' } });
      expect(await store.checkpoint()).toEqual(CHECKPOINT);
      expect(await store.note('name')).toBe('value');
    });

    test('of which nothing is new moves the checkpoint', async () => {
      await store.commit(batchOf(1));
      await store.commit({ ...batchOf(1), checkpoint: { ...CHECKPOINT, offset: 300 } });
      expect(await store.checkpoint()).toMatchObject({ offset: 300 });
    });

    test('keeps lines that were set aside, once each, whatever bytes they are of', async () => {
      const garbage = Buffer.from([0x7b, 0, 0xff, 0xed, 0xa0, 0x80, 0, 0x7d]);
      const line = setAsideLine(garbage, 'not-json');
      expect(await store.commit({ rows: [], setAside: [line] })).toMatchObject({ setAside: 1 });
      const again = { rows: [], setAside: [line, line] };
      expect(await store.commit(again)).toMatchObject({ setAside: 0 });
      expect(await store.counts()).toMatchObject({ rows: 0, setAside: 1, lastSequence: 0 });
    });

    test('survives closing and opening', async () => {
      expect(await store.checkpoint()).toBeUndefined();
      const setAside = [setAsideLine(Buffer.from('x'), 'half-line')];
      await store.commit({ ...batchOf(1), setAside, notes: { name: 'value' } });
      await store.moveCursor('lightstep', 1);
      await reopened();
      expect(await store.checkpoint()).toEqual(CHECKPOINT);
      expect(await store.counts()).toMatchObject({ rows: 1, setAside: 1, lastSequence: 1 });
      expect(await store.cursor('lightstep')).toBe(1);
      expect(await store.note('name')).toBe('value');
    });
  });

  describe('a checkpoint', () => {
    test('is none before the first, and damaged where there was one', async () => {
      await commit(anEvent());
      expect(await store.checkpoint()).toBeUndefined();
      await store.commit(batchOf(1));
      await database.run('DELETE FROM log_checkpoint WHERE chain = ?', [store.chain]);
      expect(await store.checkpoint()).toBe('damaged');
    });

    const DAMAGED: [string, string][] = [
      ['garbage', 'garbage'],
      ['nothing', ''],
      ['JSON of another shape', '{"offset":7}'],
      ['an offset that is none', JSON.stringify({ ...CHECKPOINT, offset: -1 })],
      ['more than there was', JSON.stringify({ ...CHECKPOINT, extra: 1 })],
      ['half of one', JSON.stringify(CHECKPOINT).slice(0, 60)],
    ];

    test.each(DAMAGED)('with %s in its place is damaged, and no place', async (_what, text) => {
      await store.commit(batchOf(1));
      await database.run('UPDATE log_checkpoint SET checkpoint = ? WHERE chain = ?', [
        ...[text, store.chain],
      ]);
      expect(await store.checkpoint()).toBe('damaged');
    });
  });

  describe('a person', () => {
    const persons = () => personsIn(database, store.chain);
    const { identity: _, ...nobodys } = aRow({}, 99);

    test('has one number, in whichever batch and after whatever restart', async () => {
      await commit(aRowOf('alice', 1), aRowOf('bob', 2), aRowOf('alice', 3));
      await commit(aRowOf('bob', 4));
      await reopened();
      await commit(aRowOf('alice', 5));
      const beside = await another();
      await beside.commit({ rows: [aRowOf('bob', 6)] });
      expect(await persons()).toEqual([1, 2, 1, 2, 1, 2]);
      await expectSound();
    });

    test('is another one with another issuer, subject or name', async () => {
      const alice = aRowOf('alice', 1);
      const { identity } = alice as RequestRow & { identity: RowIdentity };
      await commit(
        alice,
        aRowOf('alice', 2, 'https://b.example'),
        aRow({ identity: { ...identity, subject: 'other' } }, 3),
        aRow({ identity: { ...identity, user: 'other' } }, 4),
        aRow({ identity: { ...identity, team: 'other', roles: [] } }, 5),
      );
      expect(await persons()).toEqual([1, 2, 3, 4, 1]);
    });

    test('is number 0 where there is none', async () => {
      await commit(nobodys, aRowOf('alice', 1), aLostRow(3));
      await reopened();
      await commit({ ...nobodys, requestId: 'x' });
      expect(await persons()).toEqual([0, 1, 0, 0]);
      await expectSound();
    });

    test('is number 0 for whoever has neither subject nor name, of any issuer', async () => {
      const unnamed = (number: number, issuer: string) => {
        const { identity } = aRowOf('', number, issuer);
        return aRow({ identity: { ...(identity as RowIdentity), subject: '' } }, number);
      };
      await commit(unnamed(1, 'https://a.example'), nobodys, unnamed(2, 'https://b.example'));
      await reopened();
      await commit(unnamed(3, 'https://c.example'));
      expect(await persons()).toEqual([0, 0, 0, 0]);
      await expectSound();
    });

    test('that somebody’s number is of is never given it again, not even when it was the last', async () => {
      await commit(aRowOf('alice', 1), aRowOf('bob', 2));
      await forget(database, store.chain, { user: 'bob' }, NOW_US, KEY);
      await commit(aRowOf('carol', 3));
      await forget(database, store.chain, { user: 'carol' }, NOW_US, KEY);
      await reopened();
      await commit(aRowOf('bob', 4), aRowOf('alice', 5));
      // Those of the events are nobody's.
      expect(await persons()).toEqual([1, 2, 0, 3, 0, 4, 1]);
      await expectSound();
    });

    test('with NUL in the name is the one that the row shows, and can be forgotten by it', async () => {
      await commit(aRowOf('a\0b', 1), aRowOf('a\u2400b', 2), aRowOf('\ud800', 3));
      await reopened();
      await commit(aRowOf('a\0b', 4), aRowOf('\ud800', 5));
      expect(await persons()).toEqual([1, 1, 2, 1, 2]);
      expect(await forget(database, store.chain, { user: 'a\u2400b' }, NOW_US, KEY)).toMatchObject({
        rows: 3,
      });
      await expectSound();
    });

    test('that a failed commit has made is not remembered', async () => {
      await commit(aRowOf('alice', 1));
      const failing = { rows: [aRowOf('bob', 2), aRowOf('carol', 3)], checkpoint: UNSTORABLE };
      await expect(store.commit(failing)).rejects.toThrow();
      await commit(aRowOf('carol', 3), aRowOf('bob', 2));
      expect(await persons()).toEqual([1, 2, 3]);
      await expectSound();
    });

    test('that a failed commit has made is not remembered by one that waits behind it', async () => {
      const failing = store.commit({ rows: [aRowOf('bob', 2)], checkpoint: UNSTORABLE });
      const behind = store.commit({ rows: [aRowOf('bob', 3), aRowOf('alice', 4)] });
      await expect(failing).rejects.toThrow();
      await behind;
      await expectSound();
    });
  });

  describe('an account of a boot’s decisions', () => {
    const settle = (...ranges: [number, number][]) =>
      store.commit({
        rows: [],
        settled: [{ bootId: 'boot-1', ranges: ranges.map(([first, last]) => ({ first, last })) }],
      });

    /** Fails unless this is what is remembered, and what another one reads. */
    async function expectAccount(highest: number, ...gaps: [number, number][]): Promise<void> {
      const account = {
        ...{ bootId: 'boot-1', highest },
        gaps: gaps.map(([first, last]) => ({ first, last })),
      };
      expect(await store.accounts()).toEqual([account]);
      expect(await (await another()).accounts()).toEqual([account]);
    }

    test('says which numbers have no row: gaps open, split and close', async () => {
      await commit(aDecidedRow(1), aDecidedRow(10));
      await expectAccount(10, [2, 9]);
      await commit(aDecidedRow(5));
      await expectAccount(10, [2, 4], [6, 9]);
      await commit(aDecidedRow(2), aDecidedRow(9), aDecidedRow(12));
      await expectAccount(12, [3, 4], [6, 8], [11, 11]);
      await commit(...[3, 4, 6, 7, 8, 11].map((number) => aDecidedRow(number)));
      await expectAccount(12);
    });

    test('takes ranges that are settled otherwise, with or without rows', async () => {
      await commit(aDecidedRow(10));
      await settle([1, 3], [5, 5]);
      await expectAccount(10, [4, 4], [6, 9]);
      const rows = [aDecidedRow(4)];
      await store.commit({
        rows,
        settled: [{ bootId: 'boot-1', ranges: [{ first: 6, last: 20 }] }],
      });
      await expectAccount(20);
    });

    test('takes the number that a decision supersedes', async () => {
      await commit(aDecidedRow(3, { supersedes: 2 }));
      await expectAccount(3, [1, 1]);
    });

    test('does not hear of a duplicate’s numbers: its row is not there', async () => {
      await commit(aDecidedRow(1));
      const { gate } = aDecidedRow(7);
      await commit({ ...aDecidedRow(1), ...(gate && { gate }) });
      await expectAccount(1);
    });

    test('of each boot is its own', async () => {
      await commit(aDecidedRow(2), aDecidedRow(4, { bootId: 'boot-2' }));
      const accounts = await store.accounts();
      expect(accounts.toSorted((a, b) => a.highest - b.highest)).toEqual([
        { bootId: 'boot-1', highest: 2, gaps: [{ first: 1, last: 1 }] },
        { bootId: 'boot-2', highest: 4, gaps: [{ first: 1, last: 3 }] },
      ]);
    });

    test('does not keep what a failed commit has settled', async () => {
      await commit(aDecidedRow(4));
      const rows = [aDecidedRow(2), aDecidedRow(6)];
      await expect(store.commit({ rows, checkpoint: UNSTORABLE })).rejects.toThrow();
      await expectAccount(4, [1, 3]);
      await commit(aDecidedRow(3));
      await expectAccount(4, [1, 2]);
    });

    test('is asked for beside a commit that fails, and says nothing of it', async () => {
      await commit(aDecidedRow(4));
      let isOver = false;
      const rows = [aDecidedRow(2)];
      const failing = store.commit({ rows, checkpoint: UNSTORABLE }).catch(() => (isOver = true));
      // At each turn of the microtasks: SQLite never waits for longer.
      const beside: ReturnType<AuditStore['accounts']>[] = [];
      for (let turn = 0; turn < 200 && !isOver; turn++) {
        beside.push(store.accounts());
        await (name === 'SQLite' ? undefined : tick());
      }
      await failing;
      for (const account of await Promise.all(beside)) {
        expect(account).toMatchObject([{ gaps: [{ first: 1, last: 3 }] }]);
      }
    });

    test('is the same as a count by hand, whatever comes in whatever batches', async () => {
      const came = new Set<number>();
      const numbers = fc.array(fc.integer({ min: 1, max: 80 }), { maxLength: 12 });
      await fc.assert(
        fc.asyncProperty(numbers, fc.boolean(), async (batch, isKept) => {
          const rows = batch.map((number) => aDecidedRow(number));
          if (isKept) for (const number of batch) came.add(number);
          await store
            .commit({ rows, checkpoint: isKept ? CHECKPOINT : UNSTORABLE })
            .catch(() => {});
        }),
        { numRuns: 30 },
      );
      const highest = Math.max(0, ...came);
      const [account] = await store.accounts();
      const missing = new Set(
        account?.gaps.flatMap(({ first, last }) =>
          Array.from({ length: last - first + 1 }, (_, at) => first + at),
        ),
      );
      expect(account?.highest ?? 0).toBe(highest);
      for (let number = 1; number <= highest; number++) {
        expect({ number, isMissing: missing.has(number) }).toEqual({
          ...{ number, isMissing: !came.has(number) },
        });
      }
      const beside = await (await another()).accounts();
      expect(beside).toEqual(account === undefined ? [] : [account]);
    });
  });

  test('a note is the last text under its name', async () => {
    await store.commit({ rows: [], notes: { a: 'one', b: 'two' } });
    await store.commit({ rows: [], notes: { a: '\u{1f600} "three"' } });
    expect([await store.note('a'), await store.note('b'), await store.note('c')]).toEqual([
      ...['\u{1f600} "three"', 'two', undefined],
    ]);
  });

  test('a destination’s cursor moves together with its notes, or not at all', async () => {
    await store.moveCursor('one', 7, { 'volume:one': 'seven' });
    expect([await store.cursor('one'), await store.note('volume:one')]).toEqual([7, 'seven']);
    const notes = { 'volume:one': 'eight', 'refused:one': undefined as never };
    await expect(store.moveCursor('one', 8, notes)).rejects.toThrow();
    expect([await store.cursor('one'), await store.note('volume:one')]).toEqual([7, 'seven']);
  });

  test('a destination’s cursor begins at 0 and is its own', async () => {
    await store.moveCursor('one', 7);
    await store.moveCursor('one', 9);
    expect([await store.cursor('one'), await store.cursor('two')]).toEqual([9, 0]);
  });

  describe('a signed head', () => {
    test('stands for the last row, and is kept', async () => {
      await store.commit(batchOf(1, 2));
      const head = await store.sign(KEY, NOW_US);
      const [, last] = await rows();
      expect(head).toMatchObject({
        ...{ chain: store.chain, sequence: 2, hash: last?.hash, keyId: KEY.id, signedAtUs: NOW_US },
      });
      const kept = 'SELECT sequence, signed_at_us, key_id FROM heads WHERE chain = ?';
      expect(await database.all(kept, [store.chain])).toEqual([
        { sequence: 2, signed_at_us: NOW_US, key_id: KEY.id },
      ]);
    });

    test('is made once for a row, whoever asks', async () => {
      await store.commit(batchOf(1));
      expect(await store.sign(KEY, NOW_US)).toBeDefined();
      expect(await store.sign(KEY, NOW_US + 1)).toBeUndefined();
      expect(await (await another()).sign(KEY, NOW_US + 2)).toBeUndefined();
      await store.commit(batchOf(2));
      expect(await store.sign(KEY, NOW_US + 3)).toMatchObject({ sequence: 2 });
    });

    test('is made again by another key', async () => {
      await store.commit(batchOf(1));
      await store.sign(KEY, NOW_US);
      expect(await store.sign(OTHER_KEY, NOW_US)).toMatchObject({ keyId: OTHER_KEY.id });
    });

    test('is on the disk before anybody hears of it; a batch need not be', async () => {
      const asked: boolean[] = [];
      const transaction: Database['transaction'] = (work, options) => {
        asked.push(options?.isDurable === true);
        return database.transaction(work, options);
      };
      const own = await createAuditStore({ ...database, transaction }, store.chain);
      await own.commit(batchOf(1));
      await own.sign(KEY, NOW_US);
      expect(asked).toEqual([false, true]);
    });

    test('is none while there is no row', async () => {
      expect(await store.sign(KEY, NOW_US)).toBeUndefined();
    });
  });

  describe('counts', () => {
    test('what is there: rows of all kinds, lost ones, unexplained ones, lines set aside', async () => {
      const setAside = [setAsideLine(Buffer.from('x'), 'not-json')];
      const unexplained = aRow({ kind: 'unexplained' }, 5);
      await store.commit({
        rows: [aRow({}, 1), aLostRow(2), aLostRow(3), unexplained, anEvent()],
        setAside,
      });
      const counts = { rows: 5, setAside: 1, lost: 2, unexplained: 1, lastSequence: 5 };
      expect(await store.counts()).toEqual(counts);
      await commit(aLostRow(2), unexplained);
      expect(await store.counts()).toEqual(counts);
      expect(await (await reopened()).counts()).toEqual(counts);
    });

    test('nothing of what failed', async () => {
      const rows = [aLostRow(2), aRow({ kind: 'unexplained' }, 5)];
      await expect(store.commit({ rows, checkpoint: UNSTORABLE })).rejects.toThrow();
      expect(await store.counts()).toMatchObject({ rows: 0, lost: 0, unexplained: 0 });
    });

    test('the newest rows by route, as the gate has stamped it', async () => {
      const { route: _, ...routeless } = aDecidedRow(4);
      await commit(
        aDecidedRow(1),
        aDecidedRow(2),
        { ...aDecidedRow(3), route: 'admin' },
        routeless,
        aRow({ route: 'unstamped' }, 5),
      );
      expect(await store.newestByRoute()).toEqual(
        new Map([
          ['orders', 2],
          ['admin', 1],
        ]),
      );
    });
  });

  describe('a reader', () => {
    const ALL = 'SELECT * FROM audit_rows ORDER BY sequence';

    test('reads beside the writer, and sees each batch whole', async () => {
      const writer = startWriter(place, 1_000);
      const beside = await reader();
      try {
        for (let looks = 0; looks < 10; looks++) {
          await writer.committed(2);
          const [found] = await beside.all('SELECT count(*) AS "rows" FROM audit_rows', []);
          expect(Number(found?.['rows']) % 3).toBe(0);
        }
      } finally {
        await writer.kill();
      }
    });

    test('sees rows as the store gives them, with their chain', async () => {
      await commit(aFullRow(), anEvent());
      const read = await (await reader()).rows(ALL, []);
      expect(read).toEqual((await rows()).map((row) => ({ ...row, chain: store.chain })));
    });

    test('knows the chain, and its newest sequence', async () => {
      const beside = await reader();
      expect(await beside.places()).toEqual(new Map([[store.chain, 0]]));
      await store.commit(batchOf(1, 2));
      expect(await beside.chains()).toEqual([store.chain]);
      expect(await beside.places()).toEqual(new Map([[store.chain, 2]]));
    });

    test('reads without a writer', async () => {
      await store.commit(batchOf(1));
      await store.close();
      expect(await (await reader()).rows(ALL, [])).toHaveLength(1);
      store = await openStore(place);
    });

    test('can’t write', async () => {
      await store.commit(batchOf(1));
      const beside = await reader();
      await expect(beside.all('DELETE FROM audit_rows', [])).rejects.toBeInstanceOf(Fault);
      expect(await rows()).toHaveLength(1);
    });

    test('answers by user while rows are written', async () => {
      const writer = startWriter(place, 1_000);
      try {
        await writer.committed(20);
        const beside = await reader();
        const sql = 'SELECT * FROM audit_rows WHERE "user" = ? ORDER BY sequence DESC LIMIT 5';
        const newest = await beside.rows(sql, ['alice']);
        expect(newest).toHaveLength(5);
        await until('newer rows', async () => {
          const [later] = await beside.rows(sql, ['alice']);
          return (later?.sequence ?? 0) > (newest[0]?.sequence ?? Infinity);
        });
      } finally {
        await writer.kill();
      }
    });
  });

  test('kill -9 in the middle of commits: rows, checkpoint and account are of one mind, five times over', async () => {
    for (let round = 0; round < 5; round++) {
      const writer = startWriter(place, 0);
      await writer.committed(20 + 7 * round);
      await writer.kill();
      await reopened();
      const { rows: count, lastSequence } = await store.counts();
      // The writer's checkpoint says how many rows it had committed with it.
      expect(await store.checkpoint()).toMatchObject({ offset: CHECKPOINT.offset + lastSequence });
      expect(await store.accounts()).toMatchObject([{ highest: count, gaps: [] }]);
      await expectSound();
    }
  });

  if (name !== 'PostgreSQL') return;

  describe('two chains side by side', () => {
    let other: AuditStore;
    beforeEach(async () => {
      other = await another(OTHER_CHAIN);
    });

    test('have each its own rows, sequence and hashes', async () => {
      await store.commit(batchOf(1, 2));
      await other.commit({ rows: [aRowOf('bob', 3)] });
      await store.commit(batchOf(4));
      expect(await sequences()).toEqual([1, 2, 3]);
      expect(await other.rowsAfter(0, 9)).toMatchObject([{ sequence: 1, requestId: requestId(3) }]);
      await expectSound();
      await expectSound(other);
    });

    test('have each its own checkpoint, cursors, notes, accounts and lines set aside', async () => {
      const setAside = [setAsideLine(Buffer.from('x'), 'not-json')];
      await store.commit({ ...batchOf(1), setAside, notes: { name: 'mine' } });
      await commit(aDecidedRow(5));
      await store.moveCursor('lightstep', 2);
      expect(await other.checkpoint()).toBeUndefined();
      expect(await other.cursor('lightstep')).toBe(0);
      expect(await other.note('name')).toBeUndefined();
      expect(await other.accounts()).toEqual([]);
      expect(await other.newestByRoute()).toEqual(new Map());
      expect(await other.counts()).toEqual({
        ...{ rows: 0, setAside: 0, lost: 0, unexplained: 0, lastSequence: 0 },
      });
      expect(await other.commit({ rows: [], setAside })).toMatchObject({ setAside: 1 });
      await other.moveCursor('lightstep', 1);
      expect(await store.cursor('lightstep')).toBe(2);
    });

    test('have each its own persons and keys', async () => {
      await commit(aRowOf('alice', 1), aRowOf('bob', 2));
      await other.commit({ rows: [aRowOf('bob', 3)] });
      expect(await personsIn(database, other.chain)).toEqual([1]);
      const bobs = await database.all('SELECT key FROM persons WHERE "user" = ?', ['bob']);
      expect(
        new Set(bobs.map(({ key }) => Buffer.from(key as Uint8Array).toString('hex'))),
      ).toHaveProperty('size', 2);
    });

    test('have each its own heads', async () => {
      await store.commit(batchOf(1));
      await other.commit(batchOf(2));
      const heads = [await store.sign(KEY, NOW_US), await other.sign(KEY, NOW_US)];
      expect(heads).toMatchObject([{ chain: CHAIN }, { chain: OTHER_CHAIN }]);
    });

    test('have one row between them for one request', async () => {
      await store.commit(batchOf(1));
      expect(await other.commit(batchOf(1, 2))).toMatchObject({ added: 1, duplicates: 1 });
      expect(await other.having([requestId(1)])).toEqual(new Set([requestId(1)]));
      expect((await columnsIn(database, OTHER_CHAIN)).map((row) => row['request_id'])).toEqual([
        requestId(2),
      ]);
    });

    test('have one row for one request also when both store it at once: the later tries again', async () => {
      for (let round = 0; round < 20; round++) {
        const batch = batchOf(...Array.from({ length: 20 }, (_, at) => 20 * round + at));
        const tries = await Promise.allSettled([store.commit(batch), other.commit(batch)]);
        for (const [at, { status }] of tries.entries()) {
          if (status === 'rejected') await [store, other][at]?.commit(batch);
        }
      }
      const [found] = await database.all('SELECT count(*) AS "rows" FROM audit_rows');
      expect(found?.['rows']).toBe(400);
      await expectSound();
      await expectSound(other);
    });

    test('are listed by a reader, each with its newest sequence', async () => {
      await store.commit(batchOf(1, 2));
      await other.commit(batchOf(3));
      const { url } = placeAt(place) as AuditPlace & { url: string };
      const beside = await openAuditReader({ url });
      open.push(beside);
      expect(await beside.places()).toEqual(
        new Map([
          [CHAIN, 2],
          [OTHER_CHAIN, 1],
        ]),
      );
    });

    test('are written by two processes at once', async () => {
      const writers = [startWriter(place, 0), startWriter(place, 500_000, OTHER_CHAIN)];
      await Promise.all(writers.map((writer) => writer.committed(30)));
      await Promise.all(writers.map((writer) => writer.kill()));
      await expectSound();
      await expectSound(other);
    });
  });
});

function tick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
