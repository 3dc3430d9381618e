// What the audit store relies on in a database, whichever it is: real files, a real server. What only a
// server can do wrong is in audit-postgres.test.ts.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Database, Value } from '../../sidecar/audit/database.ts';
import { Fault } from '../../sidecar/fault.ts';
import {
  append,
  appendingProgram,
  databaseKinds,
  hangingProgram,
  openAt,
} from '../fixtures/databases.ts';

const COLUMNS = ['id', 'whole', 'words', 'user', 'bytes'];
const sample = (id: number, changes: { [name: string]: Value } = {}): Value[] =>
  COLUMNS.map((name) => (name === 'id' ? id : (changes[name] ?? null)));

const VALUES: [string, string, Value][] = [
  ['an empty text', 'words', ''],
  ['a text of many scripts', 'words', 'Ünïcödé 名前 😀 \u2028\u0001\u{10ffff}'],
  ['a text like JSON, SQL and bytes', 'words', `\\x00 {"a":[null]} '; DROP TABLE samples; -- \\ ?`],
  ['a long text', 'words', 'ä'.repeat(200_000)],
  ['a text in a column whose name is reserved', 'user', 'alice'],
  ['zero', 'whole', 0],
  ['the largest whole number', 'whole', Number.MAX_SAFE_INTEGER],
  ['the smallest whole number', 'whole', Number.MIN_SAFE_INTEGER],
  ['NULL', 'words', null],
  ['no bytes', 'bytes', new Uint8Array(0)],
  ['every byte', 'bytes', Uint8Array.from({ length: 256 }, (_, byte) => byte)],
  ['a part of a buffer', 'bytes', new Uint8Array([9, 1, 2, 9]).subarray(1, 3)],
];

describe.each(Object.entries(databaseKinds()))('%s', (_name, kind) => {
  if (kind.missing !== undefined) {
    test.skip(`not tried here: ${kind.missing}`, () => {});
    return;
  }

  let place: string;
  let database: Database;
  beforeAll(() => kind.start());
  afterAll(() => kind.stop());
  beforeEach(async () => {
    place = await kind.make();
    database = await openAt(place);
  });
  afterEach(() => database.close());

  const insert = (...rows: Value[][]) => database.insert('samples', COLUMNS, rows);
  const ids = async () =>
    (await database.all('SELECT id FROM samples ORDER BY id')).map(({ id }) => id);

  describe('a value comes back as it was', () => {
    test.each(VALUES)('%s, inserted', async (_case, column, value) => {
      await insert(sample(1, { [column]: value }));
      const [row] = await database.all(`SELECT "${column}" AS value FROM samples`);
      expect(row?.['value']).toEqual(value);
    });

    test.each(VALUES)('%s, in the place of a ?', async (_case, column, value) => {
      await database.run(`INSERT INTO samples (id, "${column}") VALUES (?, ?)`, [1, value]);
      const [row] = await database.all(
        `SELECT "${column}" AS value FROM samples WHERE id = ?`,
        [1],
      );
      expect(row?.['value']).toEqual(value);
    });

    test('bytes are a plain Uint8Array, with a memory of their own', async () => {
      await insert(sample(1, { bytes: new Uint8Array([1, 2]) }));
      const bytes = (await database.all('SELECT bytes FROM samples'))[0]?.['bytes'];
      expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
      expect((bytes as Uint8Array).buffer.byteLength).toBe(2);
    });

    test('a whole number that would be rounded is a Fault instead', async () => {
      await database.run('INSERT INTO samples (id, whole) VALUES (1, 9007199254740993)');
      await expect(database.all('SELECT whole FROM samples')).rejects.toBeInstanceOf(Fault);
    });
  });

  describe('a query', () => {
    test('what is counted, summed and averaged is a number', async () => {
      await insert(sample(1, { whole: 1 }), sample(2, { whole: 2 }));
      const sql =
        'SELECT count(*) AS "count", sum(whole) AS "sum", avg(whole) AS "avg" FROM samples';
      expect(await database.all(sql)).toEqual([{ count: 2, sum: 3, avg: 1.5 }]);
    });

    test('a truth is 1 or 0', async () => {
      expect(await database.all('SELECT 1 = 1 AS yes, 1 = 2 AS no')).toEqual([{ yes: 1, no: 0 }]);
    });

    test('a ? in a quoted text or name is not a value', async () => {
      const sql = `SELECT 'it''s? ' AS "a?", words AS b FROM samples WHERE id = ?`;
      await insert(sample(1, { words: 'w' }));
      expect(await database.all(sql, [1])).toEqual([{ 'a?': "it's? ", b: 'w' }]);
    });

    test('a statement says how many rows it changed', async () => {
      await insert(sample(1), sample(2));
      expect(await database.run('UPDATE samples SET words = ?', ['x'])).toBe(2);
      expect(await database.run('DELETE FROM samples WHERE id = ?', [3])).toBe(0);
    });

    test('one that changes rows can return them', async () => {
      const sql =
        'INSERT INTO samples (id, words) VALUES (?, ?) ' +
        'ON CONFLICT (id) DO UPDATE SET words = excluded.words RETURNING words';
      await database.all(sql, [1, 'first']);
      expect(await database.all(sql, [1, 'second'])).toEqual([{ words: 'second' }]);
      expect(await database.all('SELECT words FROM samples')).toEqual([{ words: 'second' }]);
    });

    test('one with a mistake is a Fault', async () => {
      const mistaken = database.all('SELECT * FROM nothing');
      await expect(mistaken).rejects.toMatchObject({ name: 'Fault', code: 'ERR_AUDIT_STORE' });
    });

    test('after a Fault the next one works', async () => {
      await database.all('SELECT * FROM nothing').catch(() => {});
      expect(await ids()).toEqual([]);
    });
  });

  describe('an insert', () => {
    test.each([0, 1, 1_000])('%d rows at once', async (count) => {
      const numbers = Array.from({ length: count }, (_, at) => at);
      await insert(...numbers.map((id) => sample(id, { words: `row ${id}` })));
      const rows = await database.all('SELECT id, words FROM samples ORDER BY id');
      expect(rows).toEqual(numbers.map((id) => ({ id, words: `row ${id}` })));
    });

    test('that fails leaves nothing', async () => {
      await insert(sample(1));
      await insert(sample(2), sample(1)).catch(() => {});
      expect(await ids()).toEqual([1]);
    });

    test('a row that may be there only once is a Fault', async () => {
      await insert(sample(1));
      await expect(insert(sample(1))).rejects.toMatchObject({ code: 'ERR_AUDIT_STORE' });
    });
  });

  describe('a transaction', () => {
    test('gives what its work gives, and sees its own changes', async () => {
      const seen = await database.transaction(async (queries) => {
        await queries.insert('samples', COLUMNS, [sample(1)]);
        return queries.all('SELECT id FROM samples');
      });
      expect(seen).toEqual([{ id: 1 }]);
    });

    test.each([true, false])('is kept (durable: %s)', async (isDurable) => {
      await database.transaction((queries) => queries.insert('samples', COLUMNS, [sample(1)]), {
        isDurable,
      });
      const other = await openAt(place);
      expect(await other.all('SELECT id FROM samples')).toEqual([{ id: 1 }]);
      await other.close();
    });

    test('whose work throws leaves nothing, and throws the same', async () => {
      const own = new Error('own');
      const failing = database.transaction(async (queries) => {
        await queries.insert('samples', COLUMNS, [sample(1)]);
        throw own;
      });
      await expect(failing).rejects.toBe(own);
      expect(await ids()).toEqual([]);
    });

    test('in which a statement fails leaves nothing', async () => {
      const failing = database.transaction(async (queries) => {
        await queries.insert('samples', COLUMNS, [sample(1)]);
        await queries.insert('samples', COLUMNS, [sample(2), sample(1)]);
      });
      await expect(failing).rejects.toMatchObject({ code: 'ERR_AUDIT_STORE' });
      expect(await ids()).toEqual([]);
    });

    test('a write beside it waits, and is no part of it', async () => {
      let beside: Promise<unknown> | undefined;
      const failing = database.transaction(async (queries) => {
        await queries.insert('samples', COLUMNS, [sample(1)]);
        beside = database.run('INSERT INTO samples (id) VALUES (2)');
        await queries.run('INSERT INTO samples (id) VALUES (3)');
        throw new Error('undone');
      });
      await expect(failing).rejects.toThrow('undone');
      await beside;
      expect(await ids()).toEqual([2]);
    });

    test('a read beside it never sees what is undone', async () => {
      let beside: Promise<unknown> | undefined;
      const failing = database.transaction(async (queries) => {
        await queries.insert('samples', COLUMNS, [sample(1)]);
        beside = ids();
        await queries.all('SELECT 1');
        throw new Error('undone');
      });
      await expect(failing).rejects.toThrow('undone');
      expect(await beside).toEqual([]);
    });

    test('several come one after the other, in their order', async () => {
      const words = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth'];
      await Promise.all(words.map((word) => append(database, word)));
      const rows = await database.all('SELECT words FROM samples ORDER BY id');
      expect(rows.map((row) => row['words'])).toEqual(words);
    });

    test('after one that failed the next one works', async () => {
      await database.transaction(() => Promise.reject(new Error('own'))).catch(() => {});
      await append(database, 'next');
      expect(await ids()).toEqual([1]);
    });
  });

  describe('another process', () => {
    const run = (args: string[]) =>
      spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });

    test('two that append to one chain never come between each other', async () => {
      const both = ['one', 'other'].map((words) => run(appendingProgram(place, words, 50)));
      const codes = await Promise.all(both.map(async (child) => (await once(child, 'exit'))[0]));
      expect(codes).toEqual([0, 0]);
      expect(await ids()).toEqual(Array.from({ length: 100 }, (_, at) => at + 1));
    });

    test('one that is killed in mid-transaction leaves nothing, and no lock', async () => {
      const child = run(hangingProgram(place));
      await once(child.stdout, 'data');
      child.kill('SIGKILL');
      await once(child, 'exit');
      await append(database, 'after');
      expect(await database.all('SELECT id, words FROM samples')).toEqual([
        { id: 1, words: 'after' },
      ]);
    });
  });

  test('a statement after close is a Fault', async () => {
    await database.close();
    await expect(ids()).rejects.toMatchObject({ code: 'ERR_AUDIT_STORE' });
    await expect(insert(sample(1))).rejects.toMatchObject({ code: 'ERR_AUDIT_STORE' });
    database = await openAt(place);
  });
});
