// Reading beside the writers: rows by a condition, and how far each chain has got.
import { fromColumns } from './columns.ts';
import type { Columns, Database, Problem, Value } from './database.ts';
import type { StoredRow } from './row.ts';

/** A row as it is listed: with its chain, where there may be several. */
export type ReadRow = StoredRow & { readonly chain: string };

export type AuditReader = {
  /** Returns the rows of a SELECT of all columns of `audit_rows`. Ask for pages, not for all. */
  rows(sql: string, values: readonly Value[]): Promise<ReadRow[]>;
  /** Returns what another SELECT gives. */
  all(sql: string, values: readonly Value[]): Promise<Columns[]>;
  /** Returns the chains that were begun here; for a proof see verify-chains.ts. */
  chains(): Promise<readonly string[]>;
  /** Returns the newest sequence of each chain, 0 when it has no row. */
  places(): Promise<ReadonlyMap<string, number>>;
  /** Returns the chains that have rows, listed or not. */
  chainsOfRows(): Promise<readonly string[]>;
  /** Returns what is not as Signet makes it. */
  examine(): Promise<readonly Problem[]>;
  close(): Promise<void>;
};

/** Returns a reader of a database; closing it closes that. */
export function createAuditReader(database: Database): AuditReader {
  async function chains(): Promise<readonly string[]> {
    const sql = "SELECT chain FROM notes WHERE name = 'begun' ORDER BY chain";
    return (await database.all(sql)).map(({ chain }) => String(chain));
  }

  async function places(): Promise<ReadonlyMap<string, number>> {
    const sql = 'SELECT sequence FROM audit_rows WHERE chain = ? ORDER BY sequence DESC LIMIT 1';
    const found = new Map<string, number>();
    for (const chain of await chains()) {
      found.set(chain, Number((await database.all(sql, [chain]))[0]?.['sequence'] ?? 0));
    }
    return found;
  }

  return {
    rows: async (sql, values) => (await database.all(sql, values)).map(toReadRow),
    all: (sql, values) => database.all(sql, values),
    chains,
    places,
    chainsOfRows: () => database.chainsOfRows(),
    examine: () => database.examine(),
    close: () => database.close(),
  };
}

function toReadRow(columns: Columns): ReadRow {
  return { ...fromColumns(columns), chain: String(columns['chain']) };
}
