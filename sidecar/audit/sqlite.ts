// The audit store's database as an SQLite file. It refuses a file that isn't ours, is damaged, or is
// too new, and what goes wrong later becomes a Fault here as well. It never deletes or replaces a file.
import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { isNativeError } from 'node:util/types';
import { explain, Fault } from '../fault.ts';
import type { Columns, Database, Queries, Value } from './database.ts';
import { migrate } from './migrate.ts';
import { APPLICATION_ID, SCHEMA_VERSION, schemaSql, sqliteDialect } from './schema.ts';

/** How long a statement waits for another process's lock. SQLite's own default is not to wait. */
export const BUSY_TIMEOUT_MS = 5000;

// What is deleted is overwritten as well: a forgotten person's key must not lie in free pages.
const PRAGMAS = 'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON';

// Primary result codes of SQLite: https://www.sqlite.org/rescode.html
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/**
 * Returns the database for writing, made if it isn't there: file mode 0600, folder 0700.
 *
 * WAL, so that readers work beside the writer. `synchronous` NORMAL syncs at checkpoints of the WAL
 * only: a power cut may take the last transactions, but each takes its row and its place in the log
 * together, so these lines are read again. FULL would cost an fsync per batch; a transaction that the
 * world will hear of (a signed head) asks for it.
 */
export function openSqlite(path: string): Database {
  return faulting(path, () => {
    makeFile(path);
    const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    return openedOrClosed(database, () => {
      if (isEmpty(database)) makeTables(database);
      assertOurs(database, path);
      database.exec(PRAGMAS);
      if (versionOf(database) < SCHEMA_VERSION) migrate(database);
      return asDatabase(database, path);
    });
  });
}

/** Returns the database for reading, beside a writer or without one. It must be there. */
export function openSqliteForReading(path: string): Database {
  return faulting(path, () => {
    const database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    return openedOrClosed(database, () => {
      if (isEmpty(database)) {
        throw new Fault('ERR_AUDIT_STORE', `The audit store ${path} holds nothing yet.`);
      }
      assertOurs(database, path);
      assertCurrent(database, path);
      return asDatabase(database, path);
    });
  });
}

// SQLite is synchronous and has one connection here: what is asked waits its turn, so that nothing
// becomes part of another's transaction.
function asDatabase(database: DatabaseSync, path: string): Database {
  const queries = queriesOf(database, path);
  let free = Promise.resolve();

  async function alone<T>(work: () => Promise<T>): Promise<T> {
    const before = free;
    const turn = Promise.withResolvers<void>();
    free = turn.promise;
    await before;
    try {
      return await work();
    } finally {
      turn.resolve();
    }
  }

  async function transact<T>(work: (queries: Queries) => Promise<T>): Promise<T> {
    faulting(path, () => database.exec('BEGIN IMMEDIATE'));
    try {
      const result = await work(queries);
      faulting(path, () => database.exec('COMMIT'));
      return result;
    } catch (error) {
      // SQLite has rolled back by itself when, for instance, the disk is full.
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }

  return {
    all: (sql, values) => alone(() => queries.all(sql, values)),
    run: (sql, values) => alone(() => queries.run(sql, values)),
    insert: (table, columns, rows) =>
      alone(() => transact((within) => within.insert(table, columns, rows))),
    transaction: (work, { isDurable = false } = {}) =>
      alone(async () => {
        if (!isDurable) return transact(work);
        faulting(path, () => database.exec('PRAGMA synchronous = FULL'));
        try {
          return await transact(work);
        } finally {
          database.exec('PRAGMA synchronous = NORMAL');
        }
      }),
    close: () => alone(async () => database.close()),
  };
}

function queriesOf(database: DatabaseSync, path: string): Queries {
  const prepared = new Map<string, StatementSync>();
  const statement = (sql: string): StatementSync => {
    const known = prepared.get(sql) ?? database.prepare(sql);
    prepared.set(sql, known);
    return known;
  };
  return {
    all: async (sql, values = []) =>
      faulting(path, () => statement(sql).all(...values) as Columns[]),
    run: async (sql, values = []) =>
      faulting(path, () => Number(statement(sql).run(...values).changes)),
    insert: async (table, columns, rows) => {
      if (rows.length === 0) return;
      faulting(path, () => insertAll(statement(insertSql(table, columns)), rows));
    },
  };
}

function insertAll(insert: StatementSync, rows: readonly (readonly Value[])[]): void {
  for (const row of rows) insert.run(...row);
}

function insertSql(table: string, columns: readonly string[]): string {
  const names = columns.map((name) => `"${name}"`).join(', ');
  return `INSERT INTO ${table} (${names}) VALUES (${columns.map(() => '?').join(', ')})`;
}

/** Returns what `work` returns; what it throws becomes a Fault that names the file. */
export function faulting<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw asFault(path, error);
  }
}

function asFault(path: string, cause: unknown): Fault {
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

function makeTables(database: DatabaseSync): void {
  const statements = [
    ...schemaSql(sqliteDialect(randomUUID())),
    `PRAGMA application_id = ${APPLICATION_ID}`,
    `PRAGMA user_version = ${SCHEMA_VERSION}`,
  ];
  database.exec(`BEGIN IMMEDIATE; ${statements.join('; ')}; COMMIT;`);
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
  const version = versionOf(database);
  if (version > SCHEMA_VERSION) {
    throw new Fault(
      'ERR_STORE_NEWER',
      `The audit store ${path} was written by a newer Signet (its version is ${version}, this ` +
        `Signet knows ${SCHEMA_VERSION}): run that one, or name another state folder.`,
    );
  }
}

// Whoever only reads can't bring it forward.
function assertCurrent(database: DatabaseSync, path: string): void {
  if (versionOf(database) === SCHEMA_VERSION) return;
  throw new Fault(
    'ERR_AUDIT_STORE',
    `The audit store ${path} was written by an older Signet: start \`signet serve\` once, which brings it forward.`,
  );
}

function versionOf(database: DatabaseSync): number {
  return numberFrom(database, 'PRAGMA user_version');
}

function numberFrom(database: DatabaseSync, sql: string): number {
  return Number(Object.values(database.prepare(sql).get() ?? {})[0] ?? 0);
}

function openedOrClosed<T>(database: DatabaseSync, prepare: () => T): T {
  try {
    return prepare();
  } catch (error) {
    database.close();
    throw error;
  }
}
