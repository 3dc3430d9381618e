// The audit store: rows in a chain, lines set aside, the place in the log, what became of the gate's
// decisions, and how far each destination has got. One writer for each chain; any number of readers
// beside it. Searching is in query.ts; which database it lies in is in open.ts.
import { parseCheckpoint, type Checkpoint } from '../accesslog/checkpoint.ts';
import type { SetAsideLine } from '../accesslog/set-aside.ts';
import type { BootAccount } from './account.ts';
import { createAccounts, type Settled } from './accounts.ts';
import { createAppend, knownIds, lastOf } from './append.ts';
import { fromColumns, storable } from './columns.ts';
import type { Database, Queries, Value } from './database.ts';
import type { Head } from './head.ts';
import type { SigningKey } from './signing-key.ts';
import { signLast } from './heads.ts';
import { markOf } from './mark.ts';
import { createNewest } from './newest.ts';
import { noteOf, setNote } from './notes.ts';
import { createRemoval, type Removal } from './removal.ts';
import { REMOVED_BEFORE, withoutRemoved } from './removed.ts';
import type { Row, StoredRow } from './row.ts';

/** What the recorder made of one batch of the log, or of something else that happened. */
export type Batch = {
  readonly rows: readonly Row[];
  readonly setAside?: readonly SetAsideLine[];
  /** The place in the log behind the batch, when it is of the log. */
  readonly checkpoint?: Checkpoint;
  /** Decisions that are accounted for in another way than by a row that carries their number. */
  readonly settled?: readonly Settled[];
  /** What the store shall remember under a name. */
  readonly notes?: Readonly<Record<string, string>>;
};

/** What became of it: duplicates are rows whose request id was there already. */
export type Committed = {
  readonly added: number;
  readonly duplicates: number;
  readonly setAside: number;
  /** Those that are new, in their order. */
  readonly rows: readonly Row[];
};

export type Counts = {
  /** Requests, events and the rest that are there now. */
  readonly rows: number;
  readonly setAside: number;
  /** Decisions whose line never came, and lines that no decision explains. */
  readonly lost: number;
  readonly unexplained: number;
  /** 0 when there never was a row. */
  readonly lastSequence: number;
};

export type AuditStore = {
  /** The chain's uuid. */
  readonly chain: string;
  /** Stores all of a batch, or, when it throws, nothing of it. A row once stored never changes. */
  commit(batch: Batch): Promise<Committed>;
  /** Returns where the log has been read to; `damaged` when what is there, or was, is no place. */
  checkpoint(): Promise<Checkpoint | 'damaged' | undefined>;
  /** Returns up to `limit` rows that come after a sequence, in its order. */
  rowsAfter(sequence: number, limit: number): Promise<StoredRow[]>;
  /** Returns another text whenever rows were erased or removed: what was read before is to be read anew. */
  mark(): Promise<string>;
  /** Returns which of these request ids have a row. */
  having(requestIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Returns the last sequence that a destination acknowledged; 0 for a new one. */
  cursor(destination: string): Promise<number>;
  /** Keeps it, and in the same transaction what belongs to it, as `notes` of a batch. */
  moveCursor(
    destination: string,
    sequence: number,
    notes?: Readonly<Record<string, string>>,
  ): Promise<void>;
  /** Returns what is known of each boot's decisions. */
  accounts(): Promise<readonly BootAccount[]>;
  /** Returns how many of the newest rows are of each route, as the gate has stamped it. */
  newestByRoute(): Promise<ReadonlyMap<string, number>>;
  note(name: string): Promise<string | undefined>;
  /** Signs the last row, durably; undefined when this key has signed it, or there is none. */
  sign(key: SigningKey, nowUs: number): Promise<Head | undefined>;
  counts(): Promise<Counts>;
  /** Removes the oldest rows, over the same connection. */
  readonly removal: Removal;
  close(): Promise<void>;
};

const FIRST = 'SELECT sequence FROM audit_rows WHERE chain = ? ORDER BY sequence LIMIT 1';
const AFTER = 'SELECT * FROM audit_rows WHERE chain = ? AND sequence > ? ORDER BY sequence LIMIT ?';
const SET_CURSOR =
  'INSERT INTO cursors (destination, sequence) VALUES (?, ?) ' +
  'ON CONFLICT (chain, destination) DO UPDATE SET sequence = excluded.sequence';
const NEWEST_ROWS = 10_000;
const BY_ROUTE =
  'SELECT route, count(*) AS "rows" FROM (SELECT route, gate_boot_id FROM audit_rows ' +
  'WHERE chain = ? ORDER BY sequence DESC LIMIT ?) AS newest ' +
  'WHERE gate_boot_id IS NOT NULL AND route IS NOT NULL GROUP BY route';
// The first condition is the index's own: by it SQLite finds that it may be used.
const KINDS =
  'SELECT count(*) AS "rows" FROM audit_rows ' +
  "WHERE chain = ? AND kind <> 'request' AND kind = ?";

/** Returns the store of one chain. Faults as `openAuditStore`. */
export async function createAuditStore(database: Database, chain: string): Promise<AuditStore> {
  const append = createAppend(chain);
  const accounts = createAccounts(chain);
  const newest = createNewest();
  // Without a destination nobody reads, and rows that are kept for nobody cost 2 µs each.
  let isRead = false;
  const countOf = async (sql: string, ...values: Value[]) =>
    Number((await database.all(sql, [chain, ...values]))[0]?.['rows'] ?? 0);
  const counted = {
    setAside: await countOf('SELECT count(*) AS "rows" FROM set_aside WHERE chain = ?'),
    lost: await countOf(KINDS, 'lost'),
    unexplained: await countOf(KINDS, 'unexplained'),
  };

  let begun = 0;
  let kept = 0;

  // What is remembered is forgotten when the transaction before was undone. Not by who began that one:
  // the next begins before its caller hears of it.
  async function transact<T>(work: (queries: Queries) => Promise<T>): Promise<T> {
    let own = 0;
    const result = await database.transaction((queries) => {
      own = begun += 1;
      if (kept !== own - 1) {
        append.forget();
        accounts.forget();
      }
      return work(queries);
    });
    kept = own;
    return result;
  }

  async function commit(batch: Batch): Promise<Committed> {
    const { added, mark, setAside } = await transact((queries) => commitWithin(queries, batch));
    if (isRead) newest.keep(added, mark);
    counted.setAside += setAside;
    counted.lost += added.filter(({ row }) => row.kind === 'lost').length;
    counted.unexplained += added.filter(({ row }) => row.kind === 'unexplained').length;
    const duplicates = batch.rows.length - added.length;
    return { added: added.length, duplicates, setAside, rows: added.map(({ row }) => row) };
  }

  async function commitWithin(queries: Queries, batch: Batch) {
    const added = await append.rows(queries, await unremoved(queries, batch.rows));
    const setAside = await addSetAside(queries, batch.setAside ?? []);
    const numbers = accounts.numbersOf(added.map(({ row }) => row));
    await accounts.settle(queries, [...numbers, ...(batch.settled ?? [])]);
    await setNotes(queries, batch.notes ?? {});
    if (batch.checkpoint !== undefined) await setCheckpoint(queries, batch.checkpoint);
    return { added, mark: await markOf(queries, chain), setAside };
  }

  async function rowsAfter(sequence: number, limit: number): Promise<StoredRow[]> {
    isRead = true;
    const known = newest.has(sequence + 1)
      ? (newest.after(sequence, limit, await markOf(database, chain)) ?? [])
      : [];
    if (known.length === limit) return known;
    // Another process may have stored some behind those.
    const from = known.at(-1)?.sequence ?? sequence;
    const rest = await database.all(AFTER, [chain, from, limit - known.length]);
    return [...known, ...rest.map(fromColumns)];
  }

  // After a removal only: for all others it is one look at a note.
  async function unremoved(queries: Queries, rows: readonly Row[]): Promise<readonly Row[]> {
    const before = await noteOf(queries, chain, REMOVED_BEFORE);
    if (before === undefined) return rows;
    return withoutRemoved(rows, Number(before), await accounts.settled(queries));
  }

  async function checkpoint(): Promise<Checkpoint | 'damaged' | undefined> {
    const sql = 'SELECT checkpoint FROM log_checkpoint WHERE chain = ?';
    const [found] = await database.all(sql, [chain]);
    if (found === undefined) return (await hasRequests()) ? 'damaged' : undefined;
    return parseCheckpoint(String(found['checkpoint'])) ?? 'damaged';
  }

  // They came with a place.
  async function hasRequests(): Promise<boolean> {
    const sql = "SELECT sequence FROM audit_rows WHERE chain = ? AND kind = 'request' LIMIT 1";
    return (await database.all(sql, [chain])).length > 0;
  }

  async function cursor(destination: string): Promise<number> {
    const sql = 'SELECT sequence FROM cursors WHERE chain = ? AND destination = ?';
    return Number((await database.all(sql, [chain, destination]))[0]?.['sequence'] ?? 0);
  }

  async function moveCursor(
    destination: string,
    sequence: number,
    notes: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    await database.transaction(async (queries) => {
      await queries.run(SET_CURSOR, [destination, sequence]);
      await setNotes(queries, notes);
    });
  }

  async function counts(): Promise<Counts> {
    const [first] = await database.all(FIRST, [chain]);
    const { sequence } = await lastOf(database, chain);
    // Sequences have no gaps; `count(*)` would read a whole index.
    const rows = first === undefined ? 0 : sequence - Number(first['sequence']) + 1;
    return { ...counted, rows, lastSequence: sequence };
  }

  return {
    chain,
    commit,
    checkpoint,
    rowsAfter,
    mark: () => markOf(database, chain),
    having: (requestIds) => knownIds(database, requestIds),
    cursor,
    moveCursor,
    // In its turn: what a commit that is under way has settled may be undone.
    accounts: () => transact((queries) => accounts.all(queries)),
    newestByRoute: async () => {
      const found = await database.all(BY_ROUTE, [chain, NEWEST_ROWS]);
      return new Map(found.map(({ route, rows }) => [String(route), Number(rows)]));
    },
    note: (name) => noteOf(database, chain, name),
    sign: (key, nowUs) =>
      // Durable: whoever keeps the published head would otherwise take a power cut for tampering.
      database.transaction((queries) => signLast(queries, chain, key, nowUs), { isDurable: true }),
    counts,
    removal: createRemoval(database, chain),
    close: () => database.close(),
  };
}

async function addSetAside(queries: Queries, lines: readonly SetAsideLine[]): Promise<number> {
  let added = 0;
  for (const { hash, reason, head, bytes } of lines) {
    added += await queries.run(
      'INSERT INTO set_aside (hash, reason, head, bytes) VALUES (?, ?, ?, ?) ' +
        'ON CONFLICT (chain, hash) DO NOTHING',
      // Whatever bytes the line had: they must not keep those after it from being recorded.
      [hash, reason, storable(head), bytes],
    );
  }
  return added;
}

async function setNotes(queries: Queries, notes: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(notes)) await setNote(queries, name, text);
}

async function setCheckpoint(queries: Queries, checkpoint: Checkpoint): Promise<void> {
  await queries.run(
    'INSERT INTO log_checkpoint (checkpoint) VALUES (?) ' +
      'ON CONFLICT (chain) DO UPDATE SET checkpoint = excluded.checkpoint',
    [JSON.stringify(checkpoint)],
  );
}
