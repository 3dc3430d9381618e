// Transactions of the audit store: how they begin, that they see one chain, and that nothing comes after
// their end.
import { escapeLiteral } from 'pg';
import { Fault } from '../fault.ts';
import type { Connection } from '../postgres/pool.ts';
import { lockOn } from '../postgres/transaction.ts';
import type { Queries } from './database.ts';
import { insertSql, rowsAsJson } from './postgres-sql.ts';

/** Begins one look at the tables, however many statements it takes. */
export const BEGIN_READING = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';

/**
 * Returns what begins a transaction that owns a chain. READ COMMITTED, whatever the server's default:
 * what comes after the lock must see what its last owner has written. The setting is what the tables
 * take the chain from; it lasts as long as the transaction, so that a pooler in between is no harm.
 */
export function beginOn(chain: string): string {
  const setting = `set_config('signet.chain', ${escapeLiteral(chain)}, true)`;
  return `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT ${setting}; ${lockOn(chain)}`;
}

// A server that answers before its disk has the commit can be told to wait. Where it waits for more
// than its own disk (a replica's), that stays as it is.
export const DURABLY = `SELECT set_config('synchronous_commit', 'on', true)
  WHERE current_setting('synchronous_commit') = 'off'`;

/** Runs `work` with the queries of one transaction; they go one after the other, and end with it. */
export async function within<T>(
  connection: Connection,
  work: (queries: Queries) => Promise<T>,
): Promise<T> {
  const inTurn = createTurns();
  let isOver = false;
  const query: Connection['query'] = (sql, values) =>
    inTurn(() => {
      // The connection may be another's by now.
      if (isOver) throw new Fault('ERR_AUDIT_STORE', 'a statement came after its transaction');
      return connection.query(sql, values);
    });
  try {
    return await work({
      all: async (sql, values) => (await query(sql, values)).rows,
      run: async (sql, values) => (await query(sql, values)).changed,
      insert: async (table, columns, rows) => {
        if (rows.length === 0) return;
        await query(insertSql(table, columns), [rowsAsJson(columns, rows)]);
      },
    });
  } finally {
    await inTurn(async () => (isOver = true));
  }
}

/** Returns a function that runs what it is given one after the other. */
export function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let free: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = free.then(work);
    free = done.catch(() => {});
    return done;
  };
}
