// Opens the audit store's file, and refuses one that isn't ours, is damaged, or is too new. What
// goes wrong in SQLite later becomes a Fault here as well. It never deletes or replaces a file.
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isNativeError } from 'node:util/types';
import { explain, Fault } from '../fault.ts';
import { APPLICATION_ID, SCHEMA, SCHEMA_VERSION } from './schema.ts';

/** How long a statement waits for another process's lock. SQLite's own default is not to wait. */
export const BUSY_TIMEOUT_MS = 5000;

// Primary result codes of SQLite: https://www.sqlite.org/rescode.html
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/**
 * Returns the database for the one writer, made if it isn't there: file mode 0600, folder 0700.
 *
 * WAL, so that readers work beside the writer. `synchronous` NORMAL syncs at checkpoints of the WAL
 * only: a power cut may take the last transactions, but each takes its row and its place in the log
 * together, so these lines are read again. FULL would cost an fsync per batch and save nothing.
 */
export function openForWriting(path: string): DatabaseSync {
  return faulting(path, () => {
    makeFile(path);
    const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    return openedOrClosed(database, () => {
      if (isEmpty(database)) database.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT;`);
      assertOurs(database, path);
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    });
  });
}

/** Returns the database for reading, beside a writer or without one. It must be there. */
export function openForReading(path: string): DatabaseSync {
  return faulting(path, () => {
    const database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    return openedOrClosed(database, () => {
      if (isEmpty(database)) {
        throw new Fault('ERR_AUDIT_STORE', `The audit store ${path} holds nothing yet.`);
      }
      assertOurs(database, path);
    });
  });
}

/** Returns what `work` returns; what it throws becomes a Fault that names the file. */
export function faulting<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw asFault(path, error);
  }
}

/** Returns a number that the database holds under the only column of the only row. */
export function numberFrom(database: DatabaseSync, sql: string): number {
  return Number(Object.values(database.prepare(sql).get() ?? {})[0] ?? 0);
}

/** Returns the Fault that an error of SQLite or of the file system is; a Fault stays itself. */
export function asFault(path: string, cause: unknown): Fault {
  if (cause instanceof Fault) return cause;
  const errcode = isNativeError(cause) && 'errcode' in cause ? Number(cause.errcode) & 0xff : 0;
  if (errcode === SQLITE_CORRUPT || errcode === SQLITE_NOTADB) {
    return damaged(path, `is damaged (${explain(cause)})`, cause);
  }
  return new Fault('ERR_AUDIT_STORE', `The audit store ${path} failed: ${explain(cause)}`, {
    cause,
  });
}

function damaged(path: string, what: string, cause?: unknown): Fault {
  const advice = 'It is left as it is: move it away, and Signet begins a new one from the log.';
  return new Fault('ERR_STORE_DAMAGED', `The audit store ${path} ${what}. ${advice}`, { cause });
}

function makeFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, 'a', 0o600));
}

// A file without a table: just made, or its maker was killed before the first transaction ended.
function isEmpty(database: DatabaseSync): boolean {
  return (
    numberFrom(database, 'PRAGMA application_id') === 0 &&
    numberFrom(database, 'SELECT count(*) FROM sqlite_schema') === 0
  );
}

function assertOurs(database: DatabaseSync, path: string): void {
  if (numberFrom(database, 'PRAGMA application_id') !== APPLICATION_ID) {
    throw damaged(path, 'is not an audit store of Signet, but a database of something else');
  }
  const version = numberFrom(database, 'PRAGMA user_version');
  if (version > SCHEMA_VERSION) {
    throw new Fault(
      'ERR_STORE_NEWER',
      `The audit store ${path} was written by a newer Signet (its version is ${version}, this ` +
        `Signet knows ${SCHEMA_VERSION}): run that one, or name another state folder.`,
    );
  }
}

function openedOrClosed(database: DatabaseSync, prepare: () => void): DatabaseSync {
  try {
    prepare();
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
