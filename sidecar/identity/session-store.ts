// Where sessions are kept: one SQLite file. It knows keys, times and a text; what a session means, and
// when it has ended, is decided in session.ts.
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Fault, explain } from '../fault.ts';

/** One session as stored. Times are in milliseconds since the epoch. */
export type StoredSession = {
  readonly payload: string;
  readonly createdAtMs: number;
  readonly seenAtMs: number;
};

/** What every store of sessions does. Each failure is a Fault ERR_SESSION_STORE. Keys are hashes. */
export type SessionStore = {
  find(key: string): StoredSession | undefined;
  /** Adds a session, or replaces the one under this key. */
  put(key: string, session: StoredSession): void;
  /** Moves last-seen times forward, all or none; never back, and never for a session that is gone. */
  touch(seenAtMs: ReadonlyMap<string, number>): void;
  /** Removes a session; one that is not there is no failure. */
  remove(key: string): void;
  /** Removes sessions created before one time or last seen before the other; returns how many. */
  sweep(before: { createdMs: number; seenMs: number }): number;
  /** How the last attempt ended, for `/readyz`. */
  state(): { ready: boolean; problem?: string };
  close(): void;
};

const SCHEMA_VERSION = 1;
const REOPEN_MS = 1_000;
// Longest wait for another sidecar's write: it blocks this process, so it is short.
const BUSY_MS = 250;
// SQLite's primary result codes BUSY, READONLY and FULL.
const PASSING: ReadonlySet<number> = new Set([5, 8, 13]);

/**
 * Returns the store in this file, which is made (mode 0600) when it isn't there. It is opened at once;
 * a failure shows in `state`, and it is tried again at most once a second, when it is asked: a store
 * that was down recovers by itself.
 */
export function createSessionStore(options: { path: string; now: () => number }): SessionStore {
  const { path, now } = options;
  let database: DatabaseSync | undefined;
  let failure: { fault: Fault; atMs: number } | undefined;

  function opened(): DatabaseSync {
    if (database) return database;
    const sinceMs = failure ? now() - failure.atMs : REOPEN_MS;
    if (failure && sinceMs >= 0 && sinceMs < REOPEN_MS) throw failure.fault;
    database = openDatabase(path);
    return database;
  }

  function attempt<T>(act: (database: DatabaseSync) => T): T {
    try {
      const result = act(opened());
      failure = undefined;
      return result;
    } catch (cause) {
      if (cause === failure?.fault) throw cause;
      const fault = new Fault('ERR_SESSION_STORE', `the session store ${path} failed`, { cause });
      // A lock, a full disk, a file that may not be written: a new connection cures none of them, and
      // what can be read must go on being read.
      if (!isPassing(cause)) {
        closeQuietly(database);
        database = undefined;
        failure = { fault, atMs: now() };
      }
      throw fault;
    }
  }

  // Upkeep: when the disk is full it fails, and sessions can be read all the same.
  function aside<T>(act: (database: DatabaseSync) => T): T {
    try {
      return act(opened());
    } catch (cause) {
      if (cause instanceof Fault) throw cause;
      throw new Fault('ERR_SESSION_STORE', `the session store ${path} can't be written`, { cause });
    }
  }

  try {
    attempt(() => undefined);
  } catch {
    // `state` says so
  }
  return {
    find: (key) => attempt((db) => findSession(db, key)),
    put: (key, session) => attempt((db) => putSession(db, key, session)),
    touch: (seenAtMs) => aside((db) => touchSessions(db, seenAtMs)),
    remove: (key) => attempt((db) => void statement(db, REMOVE).run(key)),
    sweep: ({ createdMs, seenMs }) =>
      aside((db) => Number(statement(db, SWEEP).run(createdMs, seenMs).changes)),
    state: () => (failure ? { ready: false, problem: explain(failure.fault) } : { ready: true }),
    close: () => {
      closeQuietly(database);
      database = undefined;
    },
  };
}

const FIND = 'SELECT payload, created_ms, seen_ms FROM sessions WHERE key = ?';
const PUT =
  'INSERT OR REPLACE INTO sessions (key, payload, created_ms, seen_ms) VALUES (?, ?, ?, ?)';
const TOUCH = 'UPDATE sessions SET seen_ms = ? WHERE key = ? AND seen_ms < ?';
const REMOVE = 'DELETE FROM sessions WHERE key = ?';
const SWEEP = 'DELETE FROM sessions WHERE created_ms < ? OR seen_ms < ?';

function findSession(database: DatabaseSync, key: string): StoredSession | undefined {
  const row = statement(database, FIND).get(key);
  if (row === undefined) return undefined;
  return {
    payload: String(row.payload),
    createdAtMs: Number(row.created_ms),
    seenAtMs: Number(row.seen_ms),
  };
}

function putSession(database: DatabaseSync, key: string, session: StoredSession): void {
  statement(database, PUT).run(key, session.payload, session.createdAtMs, session.seenAtMs);
}

function touchSessions(database: DatabaseSync, seenAtMs: ReadonlyMap<string, number>): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    for (const [key, ms] of seenAtMs) statement(database, TOUCH).run(ms, key, ms);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

type Statement = ReturnType<DatabaseSync['prepare']>;
const statements = new WeakMap<DatabaseSync, Map<string, Statement>>();

// Preparing costs more than running, and `find` is on the gate's path.
function statement(database: DatabaseSync, sql: string): Statement {
  const known = statements.get(database) ?? new Map<string, Statement>();
  statements.set(database, known);
  const prepared = known.get(sql) ?? database.prepare(sql);
  known.set(sql, prepared);
  return prepared;
}

function openDatabase(path: string): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // Made before SQLite does it, so that there is no moment in which others can read it.
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
  const database = new DatabaseSync(path, { timeout: BUSY_MS });
  try {
    ensureSchema(database);
    return database;
  } catch (error) {
    closeQuietly(database);
    throw error;
  }
}

// Reads before it writes: a file that is no database, or somebody else's, stays as it is.
function ensureSchema(database: DatabaseSync): void {
  const version = Number(database.prepare('PRAGMA user_version').get()?.user_version);
  if (version > SCHEMA_VERSION) {
    throw new Error(
      `it was written by a newer Signet (schema ${version}; this one knows ${SCHEMA_VERSION})`,
    );
  }
  const tables = database.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.n;
  if (version === 0 && tables !== 0) throw new Error('it is a database, but not one of Signet');
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON',
  );
  if (version === SCHEMA_VERSION) return;
  database.exec(`
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS sessions (
      key TEXT PRIMARY KEY,
      payload TEXT NOT NULL,
      created_ms INTEGER NOT NULL,
      seen_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    PRAGMA user_version = ${SCHEMA_VERSION};
    COMMIT`);
}

function isPassing(error: unknown): boolean {
  const isCoded = typeof error === 'object' && error !== null && 'errcode' in error;
  return isCoded && PASSING.has(Number(error.errcode) & 0xff);
}

function closeQuietly(database: DatabaseSync | undefined): void {
  try {
    database?.close();
  } catch {
    // It failed already; that is why it is being closed.
  }
}
