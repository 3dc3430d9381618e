// The audit store's database in PostgreSQL, which several sidecars can share, each with a chain of its
// own. Whoever writes a chain holds a lock on it, in this process and on the server.
import { Fault } from '../fault.ts';
import { nameOf } from '../postgres/place.ts';
import { createConnections, type Connections, type PostgresOptions } from '../postgres/pool.ts';
import { transact } from '../postgres/transaction.ts';
import type { PostgresUse } from '../postgres/use.ts';
import type { Columns, Database, Value } from './database.ts';
import { chainsOfRows, examinePostgres } from './postgres-examine.ts';
import { isReading } from './postgres-sql.ts';
import { makeTables, versionOf } from './postgres-tables.ts';
import { BEGIN_READING, beginOn, createTurns, DURABLY, within } from './postgres-transaction.ts';

const AUDIT: PostgresUse = {
  code: 'ERR_AUDIT_STORE',
  store: 'audit store',
  locked: 'this chain',
  maxConnections: 3, // one for what is written, and two for readers beside it
};

/**
 * Returns the database for the writer of one chain, with its tables, which are made if there are none.
 * The URL is a secret. Throws ERR_AUDIT_STORE, also while the server is away, and ERR_STORE_NEWER. What
 * fails later with ERR_AUDIT_STORE can be tried again: a connection is made anew.
 */
export async function openPostgres(
  url: string,
  chain: string,
  options?: PostgresOptions,
): Promise<Database> {
  const connections = createConnections(url, AUDIT, options);
  return openedOrClosed(connections, async () => {
    if ((await versionOf(connections)) === undefined) await makeTables(connections);
    return asDatabase(connections, beginOn(chain));
  });
}

/** Whoever groups years of rows waits longer than a recorder may. */
const READING_TIMEOUT_MS = 300_000;

/** Returns the database for reading all chains, beside their writers. Its tables must be there. */
export async function openPostgresForReading(
  url: string,
  options?: PostgresOptions,
): Promise<Database> {
  const connections = createConnections(url, AUDIT, {
    statementTimeoutMs: READING_TIMEOUT_MS,
    ...options,
  });
  return openedOrClosed(connections, async () => {
    if ((await versionOf(connections)) === undefined) {
      throw new Fault('ERR_AUDIT_STORE', `${nameOf(connections.place)} holds no audit store yet`);
    }
    return asDatabase(connections, BEGIN_READING);
  });
}

function asDatabase(connections: Connections, begin: string): Database {
  // Its own transactions wait here, and not each with a connection for the lock on the server.
  const inTurn = createTurns();
  let closing: Promise<void> | undefined;

  const transaction: Database['transaction'] = (work, { isDurable = false } = {}) =>
    inTurn(() =>
      transact(connections, begin, async (connection) => {
        if (isDurable) await connection.query(DURABLY);
        return within(connection, work);
      }),
    );

  async function read(sql: string, values?: readonly Value[]): Promise<Columns[]> {
    return (await connections.ask(sql, values)).rows;
  }

  return {
    all: (sql, values) =>
      isReading(sql) ? read(sql, values) : transaction((queries) => queries.all(sql, values)),
    run: (sql, values) => transaction((queries) => queries.run(sql, values)),
    insert: (table, columns, rows) =>
      transaction((queries) => queries.insert(table, columns, rows)),
    transaction,
    chainsOfRows: () => chainsOfRows(read),
    examine: () => examinePostgres(read),
    close: () => (closing ??= inTurn(() => connections.close())),
  };
}

async function openedOrClosed(
  connections: Connections,
  open: () => Promise<Database>,
): Promise<Database> {
  try {
    return await open();
  } catch (error) {
    await connections.close();
    throw error;
  }
}
