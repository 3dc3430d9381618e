// What every store of sessions must do. A store joins by a row in `stores`: how to make one, how to
// break it under its user's hands, and how to mend it.
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
import type { SessionStore } from '../../sidecar/identity/session-store.ts';
import { createSessionStore } from '../../sidecar/identity/session-store.ts';

type Place = { folder: string; now: () => number };
type StoreKind = {
  create(place: Place): SessionStore;
  /** Makes every further operation of the store, once opened anew, fail. */
  breakDown(place: Place): void;
  mend(place: Place): void;
};

const pathOf = ({ folder }: Place) => join(folder, 'sessions.db');
const stores: Record<string, StoreKind> = {
  sqlite: {
    create: (place) => createSessionStore({ path: pathOf(place), now: place.now }),
    breakDown: (place) => {
      renameSync(pathOf(place), `${pathOf(place)}.kept`);
      rmSync(`${pathOf(place)}-wal`, { force: true });
      rmSync(`${pathOf(place)}-shm`, { force: true });
      writeFileSync(pathOf(place), 'no database, but somebody may want it back'.repeat(50));
    },
    mend: (place) => renameSync(`${pathOf(place)}.kept`, pathOf(place)),
  },
};

let folder: string;
let nowMs: number;
const place = (): Place => ({ folder, now: () => nowMs });
const session = (changes: object = {}) => ({
  payload: '{"user":"alice"}',
  createdAtMs: 1_000,
  seenAtMs: 1_000,
  ...changes,
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-sessions-'));
  nowMs = 1_000_000;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe.each(Object.entries(stores))('%s', (_name, kind) => {
  let store: SessionStore;
  beforeEach(() => {
    store = kind.create(place());
  });
  afterEach(() => store.close());

  test('what was put is found, and nothing else', () => {
    store.put('a', session());
    expect(store.find('a')).toEqual(session());
    expect(store.find('b')).toBeUndefined();
  });

  test('a second put replaces the first', () => {
    store.put('a', session());
    store.put('a', session({ payload: '{}' }));
    expect(store.find('a')?.payload).toBe('{}');
  });

  test('what was removed is gone, also for another sidecar', () => {
    const other = kind.create(place());
    store.put('a', session());
    expect(other.find('a')).toBeDefined();
    store.remove('a');
    store.remove('a');
    expect(other.find('a')).toBeUndefined();
    other.close();
  });

  test('last-seen times move forward only, and make no session', () => {
    store.put('a', session({ seenAtMs: 5_000 }));
    store.put('b', session());
    const seen = new Map([
      ['a', 4_000],
      ['b', 2_000],
      ['gone', 2_000],
    ]);
    store.touch(seen);
    expect(store.find('a')?.seenAtMs).toBe(5_000);
    expect(store.find('b')?.seenAtMs).toBe(2_000);
    expect(store.find('gone')).toBeUndefined();
  });

  test('sweeping removes what is too old or was not seen for too long, and says how many', () => {
    store.put('old', session({ createdAtMs: 1, seenAtMs: 9_000 }));
    store.put('idle', session({ createdAtMs: 5_000, seenAtMs: 5_000 }));
    store.put('live', session({ createdAtMs: 5_000, seenAtMs: 9_000 }));
    expect(store.sweep({ createdMs: 2, seenMs: 6_000 })).toBe(2);
    expect(store.find('live')).toBeDefined();
    expect(store.find('old')).toBeUndefined();
  });

  test('sessions outlive the process', () => {
    store.put('a', session());
    store.close();
    const next = kind.create(place());
    expect(next.find('a')).toEqual(session());
    next.close();
  });

  test('a store that is down is a fault in every operation, and recovers by itself', () => {
    store.put('a', session());
    store.close();
    kind.breakDown(place());
    const operations = [
      () => store.find('a'),
      () => store.put('b', session()),
      () => store.touch(new Map([['a', 2]])),
      () => store.remove('a'),
      () => store.sweep({ createdMs: 0, seenMs: 0 }),
    ];
    for (const operation of operations) {
      expect(operation).toThrow(expect.objectContaining({ code: 'ERR_SESSION_STORE' }));
    }
    expect(store.state().ready).toBe(false);
    kind.mend(place());
    nowMs += 1_000;
    expect(store.find('a')).toEqual(session());
    expect(store.state()).toEqual({ ready: true });
  });
});

describe('the file', () => {
  const path = () => join(folder, 'sessions.db');
  const open = () => createSessionStore({ path: path(), now: () => nowMs });
  const fault = (act: () => unknown): string => {
    try {
      act();
    } catch (error) {
      return explain(error);
    }
    return 'no fault';
  };

  test('is readable by its owner only, also when it was not before', () => {
    const store = open();
    store.put('a', session());
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    expect(statSync(`${path()}-wal`).mode & 0o777).toBe(0o600);
    store.close();
    chmodSync(path(), 0o644);
    const next = open();
    next.find('a');
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    next.close();
  });

  test('is opened at once: one that is damaged shows before anyone asks for a session', () => {
    writeFileSync(path(), Buffer.alloc(8_192, 'damaged'));
    const store = open();
    expect(store.state()).toMatchObject({ ready: false });
    store.close();
  });

  test('is never overwritten when it is damaged', () => {
    const damaged = Buffer.alloc(8_192, 'damaged');
    writeFileSync(path(), damaged);
    const store = open();
    expect(fault(() => store.put('a', session()))).toContain('not a database');
    expect(readFileSync(path()).equals(damaged)).toBe(true);
  });

  test('is refused in a clear sentence when a newer Signet wrote it', () => {
    const database = new DatabaseSync(path());
    database.exec('PRAGMA user_version = 7');
    database.close();
    expect(fault(() => open().find('a'))).toContain('written by a newer Signet (schema 7');
  });

  test('is refused when it is a database of something else', () => {
    const database = new DatabaseSync(path());
    database.exec('CREATE TABLE customers (id)');
    database.close();
    expect(fault(() => open().find('a'))).toContain('not one of Signet');
  });

  test('is opened again at most once a second', () => {
    writeFileSync(path(), Buffer.alloc(8_192, 'damaged'));
    const store = open();
    fault(() => store.find('a'));
    rmSync(path());
    nowMs += 999;
    expect(() => store.find('a')).toThrow();
    nowMs += 1;
    expect(store.find('a')).toBeUndefined();
    store.close();
  });

  test('another sidecar that writes for too long costs one operation, not the connection', () => {
    const store = open();
    store.put('a', session());
    const other = new DatabaseSync(path());
    other.exec('BEGIN IMMEDIATE');
    expect(() => store.put('b', session())).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_STORE' }),
    );
    expect(store.find('a')).toBeDefined();
    other.exec('ROLLBACK');
    other.close();
    store.put('b', session());
    expect(store.find('b')).toBeDefined();
    store.close();
  });
});
