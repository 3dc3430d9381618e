// The SQLite file of the sessions: how it is made, what its tables are, and how those of an older Signet
// become today's. No session is read here but to seal what was once kept open.
import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { SessionText } from './store.ts';

/** Seals what schema 1 kept as plain JSON. What it throws for ends that session. */
export type SealOld = (key: string, payload: string) => SessionText;

export const SCHEMA_VERSION = 2;
// SQLite waits for another process's write by standing still: the line does it instead (store-line.ts).
const BUSY_MS = 0;

// Apart, because what changes every few seconds is small: ten thousand last-seen times are 5 MB to write,
// and would be 40 MB with the texts beside them.
const SCHEMA = `
  CREATE TABLE sessions (
    key TEXT PRIMARY KEY,
    created_ms INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    lease_until_ms INTEGER,
    lease_owner TEXT,
    subject_tag TEXT NOT NULL,
    sid_tag TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sessions_by_subject ON sessions (subject_tag);
  CREATE INDEX sessions_by_sid ON sessions (sid_tag) WHERE sid_tag IS NOT NULL;
  CREATE TABLE session_texts (
    key TEXT PRIMARY KEY REFERENCES sessions ON DELETE CASCADE,
    payload TEXT NOT NULL,
    tokens TEXT NOT NULL
  ) STRICT;
  PRAGMA user_version = ${SCHEMA_VERSION}`;

/** Opens the file, which is made (mode 0600) or brought to today's schema. Throws plain errors. */
export function openSessionFile(path: string, sealOld: SealOld | undefined): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // Made before SQLite does it, so that there is no moment in which others can read it.
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
  const database = new DatabaseSync(path, { timeout: BUSY_MS });
  try {
    ensureSchema(database, sealOld);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Returns what tells the file of this name from another one; undefined where that can't be told. */
export function placeOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true, throwIfNoEntry: false }) ?? {};
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

// Reads before it writes: a file that is no database, or somebody else's, stays as it is.
function ensureSchema(database: DatabaseSync, sealOld: SealOld | undefined): void {
  const version = versionOf(database);
  if (version > SCHEMA_VERSION) {
    throw new Error(
      `it was written by a newer Signet (schema ${version}; this one knows ${SCHEMA_VERSION})`,
    );
  }
  const tables = database.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'];
  if (version === 0 && tables !== 0) throw new Error('it is a database, but not one of Signet');
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON',
  );
  if (version === SCHEMA_VERSION) return;
  atOnce(database, () => {
    // Another process may have done it while this one waited for its turn.
    const now = versionOf(database);
    if (now === 0) database.exec(SCHEMA);
    if (now === 1) migrate(database, sealOld);
  });
  // What was kept open must not lie in the log that has been taken over, either.
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version']);
}

function migrate(database: DatabaseSync, sealOld: SealOld | undefined): void {
  database.exec(`ALTER TABLE sessions RENAME TO sessions_1; ${SCHEMA}`);
  const old = database.prepare('SELECT key, payload, created_ms, seen_ms FROM sessions_1').all();
  for (const row of old) {
    const key = String(row['key']);
    const text = sealed(sealOld, key, String(row['payload']));
    if (text === undefined) continue;
    addSession(database, key, text, Number(row['created_ms']), Number(row['seen_ms']));
  }
  database.exec('DROP TABLE sessions_1');
}

/** Adds a session, in two statements: `atOnce` makes them one act. */
export function addSession(
  database: DatabaseSync,
  key: string,
  { payload, tokens, subjectTag, sidTag }: SessionText,
  createdMs: number,
  seenMs = createdMs,
): void {
  statement(database, ADD).run(key, createdMs, seenMs, subjectTag, sidTag ?? null);
  statement(database, ADD_TEXT).run(key, payload, tokens);
}

const ADD = `INSERT INTO sessions (key, created_ms, seen_ms, subject_tag, sid_tag)
  VALUES (?, ?, ?, ?, ?)`;
const ADD_TEXT = 'INSERT INTO session_texts (key, payload, tokens) VALUES (?, ?, ?)';

// One row that can't be sealed must not keep everybody out: that person signs in again.
function sealed(sealOld: SealOld | undefined, key: string, payload: string) {
  try {
    return sealOld?.(key, payload);
  } catch {
    return undefined;
  }
}

/** Runs `act` in a transaction that may write, all of it or nothing. */
export function atOnce<T>(database: DatabaseSync, act: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = act();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

const statements = new WeakMap<DatabaseSync, Map<string, StatementSync>>();

/** Returns the prepared statement: preparing costs more than running, and `find` is on the gate's path. */
export function statement(database: DatabaseSync, sql: string): StatementSync {
  const known = statements.get(database) ?? new Map<string, StatementSync>();
  statements.set(database, known);
  const prepared = known.get(sql) ?? database.prepare(sql);
  known.set(sql, prepared);
  return prepared;
}
