// The audit store's database as an SQLite file. It refuses a file that isn't ours, is damaged, or is
// too new, and what goes wrong later becomes a Fault as well. It never deletes or replaces a file.
import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { Fault } from '../fault.ts';
import type { Columns, Database, Queries, Value } from './database.ts';
import { visible } from '../visible.ts';
import { migrate } from './migrate.ts';
import { APPLICATION_ID, SCHEMA_VERSION, schemaSql, sqliteDialect } from './schema.ts';
import { examineSqlite, triggersOf } from './sqlite-examine.ts';
import { beheaded, damaged, faulting, moved } from './sqlite-fault.ts';

/** How long a statement waits for another process's lock. SQLite's own default is not to wait. */
export const BUSY_TIMEOUT_MS = 5000;

// What is deleted is overwritten as well: a forgotten person's key must not lie in free pages.
// Ten indexes are written to: more of them in memory (32 MB), and 64 MB of log before it is brought home.
// A page that was written several times is then brought home once: with 16 MB a row took 48 µs of CPU in
// a store of a million rows, and now 42. Durable heads bring the log to the disk every minute.
const PRAGMAS =
  'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON; ' +
  'PRAGMA cache_size = -32000; PRAGMA wal_autocheckpoint = 16000';

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
    if (sizeOf(path) === 0 && sizeOf(`${path}-wal`) > 0) throw beheaded(path);
    makeFile(path);
    const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    return openedOrClosed(database, () => {
      if (isEmpty(database)) makeTables(database);
      assertOurs(database, path);
      assertNoTrigger(database, path);
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
  const inode = inodeOf(path);
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
    faulting(path, () => {
      assertUnmoved();
      database.exec('BEGIN IMMEDIATE');
    });
    try {
      const result = await work(queries);
      faulting(path, () => database.exec('COMMIT'));
      return result;
    } catch (error) {
      rollBack(database);
      throw error;
    }
  }

  // SQLite goes on writing to a file that has no name any more, and nobody would ever see it again.
  function assertUnmoved(): void {
    if (inodeOf(path) === inode) return;
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)'); // one that was moved is whole without its log
    throw moved(path);
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
    chainsOfRows: async () =>
      (await alone(() => queries.all('SELECT chain FROM audit_rows LIMIT 1'))).map(({ chain }) =>
        String(chain),
      ),
    examine: () => alone(async () => faulting(path, () => examineSqlite(database))),
    close: () => alone(async () => database.close()),
  };
}

// SQLite has done so by itself when, for instance, the disk is full; and where it can't, the error that
// led to it is the one that counts.
function rollBack(database: DatabaseSync): void {
  try {
    if (database.isTransaction) database.exec('ROLLBACK');
  } catch {
    // the next opening does it
  }
}

function queriesOf(database: DatabaseSync, path: string): Queries {
  const prepared = new Map<string, StatementSync>();
  const statement = (sql: string): StatementSync => {
    const known = prepared.get(sql) ?? database.prepare(sql);
    prepared.set(sql, known);
    return known;
  };
  return {
    all: async (sql, values = []) => faulting(path, () => read(statement(sql), values)),
    run: async (sql, values = []) =>
      faulting(path, () => Number(statement(sql).run(...values).changes)),
    insert: async (table, columns, rows) => {
      if (rows.length === 0) return;
      faulting(path, () => insertAll(statement(insertSql(table, columns)), rows));
    },
  };
}

// Of a text that is longer than a string can be, Node 24 makes neither a row nor an error.
function read(select: StatementSync, values: readonly Value[]): Columns[] {
  const rows = select.all(...values) as Columns[] | undefined;
  if (rows === undefined) throw new Error('a value is too long to be read');
  return rows;
}

function insertAll(insert: StatementSync, rows: readonly (readonly Value[])[]): void {
  for (const row of rows) insert.run(...row);
}

function insertSql(table: string, columns: readonly string[]): string {
  const names = columns.map((name) => `"${name}"`).join(', ');
  return `INSERT INTO ${table} (${names}) VALUES (${columns.map(() => '?').join(', ')})`;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
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

// A trigger may drop or change what is written, and no chain would show it.
function assertNoTrigger(database: DatabaseSync, path: string): void {
  const [trigger] = triggersOf(database);
  if (trigger === undefined) return;
  throw new Fault(
    'ERR_STORE_DAMAGED',
    `The audit store ${path} has a trigger, ${visible(trigger)}, which Signet never makes: it may drop ` +
      'or change what is written. Nothing is written to it. Keep a copy, see what `signet audit verify` ' +
      'says, and take the trigger away (DROP TRIGGER), or move the store away',
  );
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
