// The audit store: rows, lines set aside, the place in the log, and how far each destination has
// got, in one SQLite file. One writer; any number of readers beside it. Searching is in query.ts.
import { existsSync } from 'node:fs';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { Checkpoint } from '../accesslog/checkpoint.ts';
import { Fault } from '../fault.ts';
import { asFault, faulting, numberFrom, openForReading, openForWriting } from './database.ts';
import type { SetAsideLine } from '../accesslog/set-aside.ts';
import type { Row, StoredRow } from './row.ts';
import { fromColumns, toColumns } from './schema.ts';

/** What the recorder made of one batch of the log. */
export type Batch = {
  readonly rows: readonly Row[];
  readonly setAside: readonly SetAsideLine[];
  readonly checkpoint: Checkpoint;
};

/** What became of it: duplicates are rows whose request id was there already. */
export type Committed = {
  readonly added: number;
  readonly duplicates: number;
  readonly setAside: number;
};

export type Counts = {
  readonly rows: number;
  readonly setAside: number;
  /** 0 when there is no row. */
  readonly lastSequence: number;
};

export type AuditStore = {
  /** Stores all of a batch, or, when it throws, nothing of it. A row once stored never changes. */
  commit(batch: Batch): Committed;
  /** Returns where the log has been read to; undefined in a new store. */
  checkpoint(): Checkpoint | undefined;
  /** Returns up to `limit` rows that come after a sequence, in its order. */
  rowsAfter(sequence: number, limit: number): StoredRow[];
  /** Returns the last sequence that a destination acknowledged; 0 for a new one. */
  cursor(destination: string): number;
  moveCursor(destination: string, sequence: number): void;
  counts(): Counts;
  close(): void;
};

export type AuditReader = {
  /** Returns the rows of a SELECT of all columns of `audit_rows`, one by one. */
  select(sql: string, values: readonly SQLInputValue[]): Iterable<StoredRow>;
  /** Returns the newest sequence, 0 when there is no row. */
  lastSequence(): number;
  /** Returns a number that changes whenever another process has written. */
  version(): number;
  close(): void;
};

/** Name of the store in the state folder. */
export const AUDIT_STORE_FILE = 'audit.db';

const LAST_SEQUENCE = 'SELECT max(sequence) FROM audit_rows';

/**
 * Returns the store for its one writer. Throws ERR_STORE_DAMAGED or ERR_STORE_NEWER for a file that
 * must not be written to, and ERR_AUDIT_STORE for whatever else fails, here and later.
 */
export function openAuditStore(path: string): AuditStore {
  const database = openForWriting(path);
  const sql = faulting(path, () => ({
    insertRow: database.prepare(insertRowSql(database)),
    insertSetAside: database.prepare(
      'INSERT INTO set_aside VALUES (?, ?, ?, ?) ON CONFLICT (hash) DO NOTHING',
    ),
    checkpoint: database.prepare('SELECT checkpoint FROM log_checkpoint'),
    setCheckpoint: database.prepare(
      'INSERT INTO log_checkpoint VALUES (1, ?) ' +
        'ON CONFLICT (id) DO UPDATE SET checkpoint = excluded.checkpoint',
    ),
    rowsAfter: database.prepare(
      'SELECT * FROM audit_rows WHERE sequence > ? ORDER BY sequence LIMIT ?',
    ),
    cursor: database.prepare('SELECT sequence FROM cursors WHERE destination = ?'),
    moveCursor: database.prepare(
      'INSERT INTO cursors VALUES (?, ?) ' +
        'ON CONFLICT (destination) DO UPDATE SET sequence = excluded.sequence',
    ),
  }));

  let setAsideCount = faulting(path, () => numberFrom(database, 'SELECT count(*) FROM set_aside'));

  function commit({ rows, setAside, checkpoint }: Batch): Committed {
    let added = 0;
    let newlySetAside = 0;
    transaction(() => {
      for (const row of rows) added += Number(sql.insertRow.run(toColumns(row)).changes);
      for (const { hash, reason, head, bytes } of setAside) {
        newlySetAside += Number(sql.insertSetAside.run(hash, reason, head, bytes).changes);
      }
      sql.setCheckpoint.run(JSON.stringify(checkpoint));
    });
    setAsideCount += newlySetAside;
    return { added, duplicates: rows.length - added, setAside: newlySetAside };
  }

  function transaction(work: () => void): void {
    database.exec('BEGIN IMMEDIATE');
    try {
      work();
      database.exec('COMMIT');
    } catch (error) {
      // SQLite has rolled back by itself when, for instance, the disk is full.
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }

  function checkpoint(): Checkpoint | undefined {
    const text = sql.checkpoint.get()?.['checkpoint'];
    return text === undefined ? undefined : (JSON.parse(String(text)) as Checkpoint);
  }

  function counts(): Counts {
    const lastSequence = numberFrom(database, LAST_SEQUENCE);
    const first = numberFrom(database, 'SELECT min(sequence) FROM audit_rows');
    // Sequences have no gaps; `count(*)` would read a whole index.
    const rows = lastSequence === 0 ? 0 : lastSequence - first + 1;
    return { rows, setAside: setAsideCount, lastSequence };
  }

  return {
    commit: (batch) => faulting(path, () => commit(batch)),
    checkpoint: () => faulting(path, checkpoint),
    rowsAfter: (sequence, limit) =>
      faulting(path, () => sql.rowsAfter.all(sequence, limit).map(fromColumns)),
    cursor: (destination) =>
      faulting(path, () => Number(sql.cursor.get(destination)?.['sequence'] ?? 0)),
    moveCursor: (destination, sequence) =>
      faulting(path, () => void sql.moveCursor.run(destination, sequence)),
    counts: () => faulting(path, counts),
    close: () => database.close(),
  };
}

/** Returns a reader of the store, beside its writer or without one. Faults as `openAuditStore`. */
export function openAuditReader(path: string): AuditReader {
  if (!existsSync(path))
    throw new Fault('ERR_AUDIT_STORE', `There is no audit store at ${path} yet.`);
  const database = openForReading(path);

  function* select(sql: string, values: readonly SQLInputValue[]): Generator<StoredRow> {
    try {
      for (const columns of database.prepare(sql).iterate(...values)) yield fromColumns(columns);
    } catch (error) {
      throw asFault(path, error);
    }
  }

  return {
    select,
    lastSequence: () => faulting(path, () => numberFrom(database, LAST_SEQUENCE)),
    version: () => faulting(path, () => numberFrom(database, 'PRAGMA data_version')),
    close: () => database.close(),
  };
}

// Only a request id that is there already is passed over. `OR IGNORE` would pass over a value that
// is missing as well, and lose a row without a word.
function insertRowSql(database: DatabaseSync): string {
  const columns = database
    .prepare("SELECT name FROM pragma_table_info('audit_rows') WHERE name <> 'sequence'")
    .all()
    .map(({ name }) => String(name));
  return (
    `INSERT INTO audit_rows (${columns.join(', ')}) ` +
    `VALUES (${columns.map((name) => `:${name}`).join(', ')}) ON CONFLICT (request_id) DO NOTHING`
  );
}
