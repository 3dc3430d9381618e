// Transactions: all of it or nothing. How they begin is told by who needs them.
import { escapeLiteral } from 'pg';
import type { Connection, Connections } from './pool.ts';

/** Returns SQL that waits until nobody else holds this lock of Signet's; it ends with the transaction. */
export function lockOn(name: string): string {
  return `SELECT pg_advisory_xact_lock(hashtextextended(${escapeLiteral(`signet ${name}`)}, 0))`;
}

/**
 * Returns what `work` returns, when all of it is kept. When the connection breaks at the very end,
 * whether it was kept can't be known: it throws, and the same work must be harmless a second time.
 */
export async function transact<T>(
  connections: Connections,
  begin: string,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await connections.take();
  try {
    await connection.script(begin);
    const result = await work(connection);
    // Throws, too, when a statement failed and `work` made nothing of it: PostgreSQL would undo all
    // and not even call that an error.
    await connection.script('COMMIT');
    return result;
  } catch (error) {
    await connection.script('ROLLBACK').catch(() => {}); // a broken one is ended by `release`
    throw error;
  } finally {
    connection.release();
  }
}
