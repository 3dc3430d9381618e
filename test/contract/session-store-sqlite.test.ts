// What only the SQLite store of sessions can do: its file, its migration, and another process beside it.
import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { explain } from '../../sidecar/fault.ts';
import { createSqliteSessions } from '../../sidecar/sessions/store-sqlite.ts';
import type { SessionStore } from '../../sidecar/sessions/store.ts';
import { aText } from '../fixtures/session-stores.ts';

let folder: string;
let nowMs: number;
let opened: SessionStore[];
const path = () => join(folder, 'sessions.db');
const open = (more: Partial<Parameters<typeof createSqliteSessions>[0]> = {}) => {
  const store = createSqliteSessions({ path: path(), now: () => nowMs, ...more });
  opened.push(store);
  return store;
};
const faultOf = async (act: () => unknown): Promise<string> => {
  try {
    await act();
  } catch (error) {
    return explain(error);
  }
  return 'no fault';
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-sessions-'));
  nowMs = 1_000_000;
  opened = [];
});
afterEach(async () => {
  for (const each of opened) await each.close();
  rmSync(folder, { recursive: true, force: true });
});

test('a session is found at once, without a turn of the event loop', async () => {
  const store = open();
  await store.put('a', aText(), 1);
  expect(store.find('a')).toEqual({
    payload: 'payload',
    subjectTag: 'alice',
    createdAtMs: 1,
    seenAtMs: 1,
    version: 1,
  });
});

describe('the file', () => {
  test('is readable by its owner only, also when it was not before', async () => {
    const store = open();
    await store.put('a', aText(), 1);
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    expect(statSync(`${path()}-wal`).mode & 0o777).toBe(0o600);
    await store.close();
    chmodSync(path(), 0o644);
    await open().find('a');
    expect(statSync(path()).mode & 0o777).toBe(0o600);
  });

  test('is opened at once: one that is damaged shows before anyone asks for a session', () => {
    writeFileSync(path(), Buffer.alloc(8_192, 'damaged'));
    expect(open().state()).toMatchObject({ ready: false });
  });

  test('is never overwritten when it is damaged', async () => {
    const damaged = Buffer.alloc(8_192, 'damaged');
    writeFileSync(path(), damaged);
    const store = open();
    expect(await faultOf(() => store.put('a', aText(), 1))).toContain('not a database');
    expect(readFileSync(path()).equals(damaged)).toBe(true);
  });

  test('is refused in a clear sentence when a newer Signet wrote it', async () => {
    const database = new DatabaseSync(path());
    database.exec('PRAGMA user_version = 7');
    database.close();
    expect(await faultOf(() => open().find('a'))).toContain(
      'written by a newer Signet (schema 7; this one knows 2)',
    );
  });

  test('is refused when it is a database of something else', async () => {
    const database = new DatabaseSync(path());
    database.exec('CREATE TABLE customers (id)');
    database.close();
    expect(await faultOf(() => open().find('a'))).toContain('not one of Signet');
  });

  test('is opened again at most once a second, by whoever asks', async () => {
    writeFileSync(path(), Buffer.alloc(8_192, 'damaged'));
    const store = open();
    rmSync(path());
    nowMs += 999;
    expect(() => store.find('a')).toThrow();
    expect(store.state().ready).toBe(false);
    nowMs += 1;
    expect(store.state()).toEqual({ ready: true });
    expect(store.find('a')).toBeUndefined();
  });
});

describe('the file of a store that is in use', () => {
  const PARTS = ['-wal', '-shm', ''];
  test.each<[string, () => void]>([
    ['removed', () => rmSync(path())],
    ['removed with all that belongs to it', () => PARTS.forEach((part) => rmSync(path() + part))],
    [
      'replaced by another',
      () => {
        PARTS.forEach((part) => rmSync(path() + part));
        writeFileSync(`${path()}.new`, '');
        renameSync(`${path()}.new`, path());
      },
    ],
  ])('%s signs everybody out with the next write', async (_what, change) => {
    const store = open();
    await store.put('a', aText(), 1);
    change();
    await store.touch(new Map([['a', 2]]));
    expect(store.find('a')).toBeUndefined();
    expect(store.state()).toEqual({ ready: true });
  });

  test('goes on in the new one, which others see, too', async () => {
    const store = open();
    await store.put('a', aText(), 1);
    rmSync(path());
    await store.put('b', aText(), 1);
    expect((await open().list(undefined, 9)).map(({ key }) => key)).toEqual(['b']);
  });
});

describe('another process beside it', () => {
  const holdingTheLock = async (act: () => Promise<void>) => {
    const other = new DatabaseSync(path());
    other.exec('BEGIN IMMEDIATE');
    try {
      await act();
    } finally {
      other.exec('ROLLBACK');
      other.close();
    }
  };

  test('that writes for too long costs one operation, not the connection', async () => {
    const store = open();
    await store.put('a', aText(), 1);
    await holdingTheLock(async () => {
      await expect(store.put('b', aText(), 1)).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' });
      expect(store.state()).toEqual({ ready: true });
    });
    await store.put('b', aText(), 1);
    expect(store.find('b')).toBeDefined();
  });

  test('that writes holds up nobody: what waits for it, waits beside all else', async () => {
    const store = open();
    await store.put('a', aText(), 1);
    let settled = 0;
    let leases: Promise<boolean[]> | undefined;
    await holdingTheLock(async () => {
      const owners = Array.from({ length: 100 }, (_, at) => `${at}`);
      const asked = owners.map((owner) =>
        store.lease('a', owner, 60_000).finally(() => void settled++),
      );
      leases = Promise.all(asked);
      // All that was due has had its turn: had they stood still for the lock, they would be over.
      await new Promise((resolve) => setImmediate(resolve));
      expect(store.find('a')).toMatchObject({ version: 1 });
      expect(settled).toBe(0);
    });
    expect((await leases)?.filter(Boolean)).toHaveLength(1);
  });

  test('that writes leaves everybody their turns while one waits for it', async () => {
    const store = open();
    await store.put('a', aText(), 1);
    await holdingTheLock(async () => {
      let isOver = false;
      const waiting = store.remove('a').catch(() => void (isOver = true));
      let turns = 0;
      for (; !isOver; turns++) await new Promise((resolve) => setTimeout(resolve, 1));
      await waiting;
      // Standing still for the lock, as SQLite does by itself, leaves four or five in that second. A machine with much
      // else to do leaves fewer than the usual hundreds, too.
      expect(turns).toBeGreaterThan(20);
    });
  });

  test('that writes makes no more wait than can be served', async () => {
    const store = open();
    await store.put('a', aText(), 1);
    await holdingTheLock(async () => {
      let refused = 0;
      const asked = Array.from({ length: 1_500 }, () =>
        store.remove('nobody').catch(() => void refused++),
      );
      await new Promise((resolve) => setImmediate(resolve));
      expect(refused).toBe(500);
      await Promise.all(asked);
      expect(refused).toBe(1_500);
    });
  });

  test('that locks all of it is waited for by a find, too', async () => {
    await open().put('a', aText(), 1);
    await opened.pop()?.close();
    const other = new DatabaseSync(path());
    other.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE');
    const finding = open().find('a');
    expect(finding).toBeInstanceOf(Promise);
    other.close();
    expect(await finding).toMatchObject({ version: 1 });
  });

  test('that writes does not outlive a store that is closed', async () => {
    const store = open();
    await store.put('a', aText(), 1);
    await holdingTheLock(async () => {
      const waiting = store.remove('a');
      await store.close();
      await expect(waiting).rejects.toThrow('closed');
    });
  });

  test('that writes does not hold up the gate: what is there is found', async () => {
    const store = open();
    await store.put('a', aText(), 1);
    await holdingTheLock(async () => expect(store.find('a')).toMatchObject({ version: 1 }));
  });
});

describe('sessions of schema 1, which were kept as plain JSON', () => {
  const PLAIN = '{"user":"alice-in-plain-text"}';
  const sealOld = (key: string, payload: string) =>
    aText({ payload: `sealed ${key} ${payload.length}`, tokens: 't', subjectTag: 's' });

  function makeOld(...payloads: string[]): void {
    const old = new DatabaseSync(path());
    old.exec(`PRAGMA journal_mode = WAL; CREATE TABLE sessions (key TEXT PRIMARY KEY,
      payload TEXT NOT NULL, created_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL)
      STRICT, WITHOUT ROWID; PRAGMA user_version = 1`);
    const insert = old.prepare('INSERT INTO sessions VALUES (?, ?, 5, 6)');
    payloads.forEach((payload, at) => insert.run(`key-${at}`, payload));
    old.close();
  }

  test('are sealed, and go on with their times', async () => {
    makeOld(PLAIN);
    expect(await open({ sealOld }).read('key-0')).toEqual({
      ...sealOld('key-0', PLAIN),
      createdAtMs: 5,
      seenAtMs: 6,
      version: 1,
    });
  });

  test('leave nothing of their plain text on the disk', () => {
    makeOld(PLAIN);
    open({ sealOld });
    const bytes = ['', '-wal'].map((part) => readFileSync(`${path()}${part}`, 'latin1'));
    expect(bytes.join('')).not.toContain('alice-in-plain-text');
  });

  test('are dropped by who can seal nothing', () => {
    makeOld(PLAIN);
    const store = open();
    expect(store.state()).toEqual({ ready: true });
    expect(store.find('key-0')).toBeUndefined();
  });

  test('that make no sense end, and the others go on', () => {
    makeOld(PLAIN, 'no JSON');
    const store = open({
      sealOld: (key, payload) => {
        JSON.parse(payload);
        return sealOld(key, payload);
      },
    });
    expect(store.find('key-0')).toBeDefined();
    expect(store.find('key-1')).toBeUndefined();
  });

  test('are migrated once, and found by all: by two sidecars that start one after the other', () => {
    makeOld(PLAIN);
    const both = [open({ sealOld }), open({ sealOld: () => aText({ payload: 'twice' }) })];
    for (const store of both) {
      expect(store.find('key-0')).toMatchObject({ payload: `sealed key-0 ${PLAIN.length}` });
    }
  });

  test('stay as they are when the migration can not be finished', async () => {
    makeOld(PLAIN);
    const broken = open({ sealOld: () => ({ payload: null }) as never });
    expect(broken.state()).toMatchObject({ ready: false });
    await broken.close();
    expect(open({ sealOld }).find('key-0')).toBeDefined();
  });
});
