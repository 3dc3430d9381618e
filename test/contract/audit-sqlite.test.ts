// The audit store's SQLite file when something is wrong with it: a Fault that says what, and nothing of
// what is in it is lost or overwritten. What every store promises is in audit-store.test.ts.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Database } from '../../sidecar/audit/database.ts';
import { openAuditReader } from '../../sidecar/audit/open.ts';
import { createAuditStore, type AuditStore } from '../../sidecar/audit/store.ts';
import { explain, Fault } from '../../sidecar/fault.ts';
import { openAt } from '../fixtures/databases.ts';
import { aRowOf, batchOf, CHECKPOINT, openStore, overwrite } from '../fixtures/stores.ts';

let folder: string;
let path: string;
const open: { close(): Promise<void> }[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-store-'));
  path = join(folder, 'state', 'audit.db');
});
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
  rmSync(folder, { recursive: true, force: true });
});

async function opened(): Promise<AuditStore> {
  const store = await openStore(path);
  open.push(store);
  return store;
}

/** A store with so many rows, which is closed. */
async function closed(rows = 200): Promise<void> {
  const store = await openStore(path);
  await store.commit(batchOf(...Array.from({ length: rows }, (_, number) => number)));
  await store.close();
}

test('it is for its owner only, and so is the folder that was made for it', async () => {
  await opened();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, 'state')).mode & 0o777).toBe(0o700);
});

test('one that isn’t there can’t be read, and reading makes none', async () => {
  await expect(openAuditReader({ path })).rejects.toThrow(/no audit store at .* yet/);
  expect(existsSync(path)).toBe(false);
});

test('one that is full keeps what is in it, and goes on when there is room', async () => {
  const database = await openAt(path);
  const store = await createAuditStore(database, await chainIn(database));
  open.push(store);
  await store.commit(batchOf(1));
  const [{ page_count: pages } = {}] = await database.all('PRAGMA page_count');
  await database.all(`PRAGMA max_page_count = ${Number(pages) + 2}`);
  const much = batchOf(...Array.from({ length: 400 }, (_, number) => number));
  const checkpoint = { ...CHECKPOINT, offset: 900 };
  const failing = store.commit({ ...much, checkpoint });
  await expect(failing).rejects.toMatchObject({
    code: 'ERR_AUDIT_STORE',
    cause: { message: 'database or disk is full' },
  });
  expect(await store.counts()).toMatchObject({ rows: 1 });
  expect(await store.checkpoint()).toEqual(CHECKPOINT);
  await database.all('PRAGMA max_page_count = 100000');
  expect(await store.commit({ ...much, checkpoint })).toMatchObject({ added: 399 });
});

test('one that another process keeps locked for longer than it waits is a Fault, and free afterwards', async () => {
  const store = await opened();
  const database = new DatabaseSync(path);
  database.exec('BEGIN IMMEDIATE');
  await expect(store.commit(batchOf(1))).rejects.toMatchObject({
    code: 'ERR_AUDIT_STORE',
    cause: { message: 'database is locked' },
  });
  database.exec('ROLLBACK');
  database.close();
  expect(await store.commit(batchOf(1))).toMatchObject({ added: 1 });
});

test.each([
  ['removed', () => rmSync(path)],
  ['moved away', () => renameSync(path, `${path}.away`)],
  ['replaced', () => copyFileSync(path, `${path}.copy`)],
])('that is %s while it is open is a Fault: nobody would see what came after', async (how, act) => {
  const store = await opened();
  await store.commit(batchOf(1));
  act();
  if (how === 'replaced') renameSync(`${path}.copy`, path);
  await expect(store.commit(batchOf(2))).rejects.toThrow(/was moved, removed or replaced/);
});

test('one that was moved away while it is open has everything, without what lies beside it', async () => {
  const store = await openStore(path);
  await store.commit(batchOf(1, 2));
  renameSync(path, `${path}.away`);
  await store.commit(batchOf(3)).catch(() => {});
  await store.close();
  for (const end of ['-wal', '-shm']) rmSync(path + end, { force: true });
  const away = await openStore(`${path}.away`);
  open.push(away);
  expect(await away.rowsAfter(0, 9)).toHaveLength(2);
});

describe('it is refused and left as it is, when it is', () => {
  async function expectLeftAlone(code: string, sentence: RegExp): Promise<void> {
    const before = readFileSync(path);
    for (const opening of [openStore(path), openAuditReader({ path })]) {
      const error = await thrownBy(opening);
      expect(error).toMatchObject({ code });
      expect(explain(error)).toMatch(sentence);
    }
    expect(readFileSync(path)).toEqual(before);
  }

  test('garbage', async () => {
    await closed();
    writeFileSync(path, 'garbage '.repeat(1000));
    await expectLeftAlone('ERR_STORE_DAMAGED', /is damaged .* move it away/);
  });

  test('a store that was cut short', async () => {
    await closed();
    truncateSync(path, 5000);
    await expectLeftAlone('ERR_STORE_DAMAGED', /is damaged/);
  });

  test('another program’s database', async () => {
    await closed();
    rmSync(path);
    const foreign = new DatabaseSync(path);
    foreign.exec('CREATE TABLE photos (name TEXT)');
    foreign.close();
    await expectLeftAlone('ERR_STORE_DAMAGED', /not an audit store of Signet/);
  });

  test('a newer Signet’s', async () => {
    await closed();
    const newer = new DatabaseSync(path);
    newer.exec('PRAGMA journal_mode = DELETE; PRAGMA user_version = 99');
    newer.close();
    await expectLeftAlone('ERR_STORE_NEWER', /written by a newer Signet \(its version is 99/);
  });

  test('a folder', async () => {
    mkdirSync(path, { recursive: true });
    const error = await thrownBy(openStore(path));
    expect(explain(error)).toMatch(/audit\.db failed: EISDIR/);
  });

  test('not there, while what was last written to it is', async () => {
    const store = await openStore(path);
    await store.commit(batchOf(1));
    const log = readFileSync(`${path}-wal`);
    await store.close();
    rmSync(path);
    writeFileSync(`${path}-wal`, log);
    const error = await thrownBy(openStore(path));
    expect(error).toMatchObject({ code: 'ERR_STORE_DAMAGED' });
    expect(error.message).toMatch(/is gone, .* Put the store back, or move .*-wal and .*-shm away/);
    expect(readFileSync(`${path}-wal`)).toEqual(log);
    expect(existsSync(path)).toBe(false);
  });
});

test('one with a damaged page is a Fault when that is read, and other pages still are', async () => {
  await closed(2000);
  overwrite(path, 60, 200);
  const store = await opened();
  await expect(store.rowsAfter(0, 10_000)).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' });
  expect(await store.checkpoint()).toEqual(CHECKPOINT);
});

test('one that is empty is a store whose maker was killed', async () => {
  await closed();
  writeFileSync(path, '');
  await expect(openAuditReader({ path })).rejects.toMatchObject({ code: 'ERR_AUDIT_STORE' });
  expect(await (await opened()).counts()).toMatchObject({ rows: 0 });
});

test('it remembers more persons than it keeps in mind', async () => {
  const store = await opened();
  for (const round of [0, 1]) {
    for (let from = 0; from < 10_500; from += 500) {
      const users = Array.from({ length: 500 }, (_, at) => from + at);
      await store.commit({
        rows: users.map((user) => aRowOf(`user-${user}`, 100_000 * round + user)),
      });
    }
  }
  const database = await openAt(path);
  open.push(database);
  const sql = 'SELECT count(*) AS "all", count(DISTINCT person) AS persons FROM audit_rows';
  expect(await database.all(sql)).toEqual([{ all: 21_000, persons: 10_500 }]);
  expect(await database.all('SELECT count(*) AS "all" FROM persons')).toEqual([{ all: 10_500 }]);
});

/** Returns the chain of a database, begun as the store begins it. */
async function chainIn(database: Database): Promise<string> {
  const sql = "INSERT INTO notes (name, value) VALUES ('begun', '') RETURNING chain";
  return String((await database.all(sql))[0]?.['chain']);
}

async function thrownBy(work: Promise<unknown>): Promise<Fault> {
  const error: unknown = await work.then(
    () => new Error('nothing was thrown'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof Fault) return error;
  throw error;
}
