// What the audit store needs of a database. Its SQL is what SQLite and PostgreSQL have in common; how
// it reaches one is in sqlite.ts and postgres.ts.

/** A value of a column. Whole numbers within ±2^53; bytes for hashes and keys. */
export type Value = string | number | null | Uint8Array;

/** A row as the database holds it, by column. */
export type Columns = Record<string, Value>;

export type Queries = {
  /** Returns all rows of a SELECT, or of what comes after RETURNING. `?` stands for a value. */
  all(sql: string, values?: readonly Value[]): Promise<Columns[]>;
  /** Returns how many rows were changed. */
  run(sql: string, values?: readonly Value[]): Promise<number>;
  /** Inserts rows, whose values are in the order of `columns`. */
  insert(
    table: string,
    columns: readonly string[],
    rows: readonly (readonly Value[])[],
  ): Promise<void>;
};

/** What Signet never makes, or what is not as it makes it; the text is one sentence. */
export type Problem = { readonly kind: 'schema' | 'index'; readonly text: string };

/** All faults are a Fault: ERR_AUDIT_STORE, ERR_STORE_DAMAGED or ERR_STORE_NEWER. */
export type Database = Queries & {
  /**
   * Runs `work` alone, all of it or nothing: nobody else writes to this chain meanwhile. When it is
   * durable, a power cut after it can't undo it; otherwise it may undo the last ones, each whole.
   */
  transaction<T>(
    work: (queries: Queries) => Promise<T>,
    options?: { readonly isDurable?: boolean },
  ): Promise<T>;
  /** Returns the chains that have rows, as the rows say. */
  chainsOfRows(): Promise<readonly string[]>;
  /** Looks at tables, indexes and triggers. Of an SQLite file everything is read. */
  examine(): Promise<readonly Problem[]>;
  close(): Promise<void>;
};
