// Connections to a PostgreSQL server: few, each with limits on its time. One that failed in any way is
// never used again; when the server is back, the next call gets a new one. No SQL of ours is here.
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Pool, type PoolClient, type types } from 'pg';
import { Fault } from '../fault.ts';
import type { Columns, Value } from './database.ts';
import { postgresFault } from './postgres-fault.ts';
import { nameOf, placeOf, type PostgresPlace } from './postgres-place.ts';
import { createStatements, parserOf } from './postgres-sql.ts';

export type PostgresOptions = {
  /** How long the server may take for one statement, waiting for locks included. Default 30,000. */
  readonly statementTimeoutMs?: number;
  /** How long a new connection may take. Default 5,000. */
  readonly connectTimeoutMs?: number;
};

export type Answer = { readonly rows: Columns[]; readonly changed: number };

/** One connection, for one caller. After a Fault it only throws that one again. */
export type Connection = {
  query(sql: string, values?: readonly Value[]): Promise<Answer>;
  /** Several statements in one text, without values. */
  script(sql: string): Promise<void>;
  /** Gives it back; one that failed is ended, and the server undoes what it had begun. */
  release(): void;
};

export type Connections = {
  readonly place: PostgresPlace;
  /** Returns a connection that nobody else uses until it is released. Throws ERR_AUDIT_STORE. */
  take(): Promise<Connection>;
  /** Ends all connections, when those in use have been released. */
  close(): Promise<void>;
};

/** One for what is written, and two for readers beside it. */
const MAX_CONNECTIONS = 3;
const IDLE_MS = 30_000;
/** The server undoes a transaction whose owner says nothing for so long: it holds the chain's lock. */
const IDLE_IN_TRANSACTION_MS = 60_000;
/** A server that hangs doesn't end its statement by itself: the client does, this much later. */
const GRACE_MS = 2_000;
/** How long the server may take to say goodbye. */
const GOODBYE_MS = 1_000;

/** Returns connections to the database of a URL. Nothing is connected yet. Throws ERR_AUDIT_STORE. */
export function createConnections(url: string, options: PostgresOptions = {}): Connections {
  const { statementTimeoutMs = 30_000, connectTimeoutMs = 5_000 } = options;
  const place = placeOf(url);
  const statements = createStatements();
  const clients = new Set<PoolClient>();
  const pool = new Pool({
    connectionString: url,
    application_name: 'signet',
    max: MAX_CONNECTIONS,
    keepAlive: true,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: IDLE_MS,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + GRACE_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    // A plan that was made for an empty table reads all of it later, for each batch: 30 ms became 900.
    options: '-c plan_cache_mode=force_custom_plan',
    types: { getTypeParser: parserOf as typeof types.getTypeParser },
  });
  // An `error` that nobody hears would end the process. This is that of connections which nobody uses:
  // they have left the pool by themselves. Whoever uses one hears it in `connectionOn`.
  pool.on('error', () => {});
  pool.on('connect', (client) => {
    clients.add(client);
    client.once('end', () => clients.delete(client));
  });

  async function take(): Promise<Connection> {
    if (pool.ending) throw new Fault('ERR_AUDIT_STORE', `${nameOf(place)} was closed`);
    try {
      return connectionOn(await pool.connect(), place, statements);
    } catch (error) {
      throw postgresFault(place, error);
    }
  }

  async function close(): Promise<void> {
    const ended = Promise.all([...clients].map((client) => once(client, 'end')));
    await pool.end();
    await Promise.race([ended, pause(GOODBYE_MS, undefined, { ref: false })]);
    for (const { connection } of clients) connection.stream.destroy();
  }

  return { place, take, close };
}

function connectionOn(
  client: PoolClient,
  place: PostgresPlace,
  statements: ReturnType<typeof createStatements>,
): Connection {
  let failure: Fault | undefined;
  const fail = (error: unknown): Fault => (failure ??= postgresFault(place, error));
  client.on('error', fail);

  async function ask<T>(question: () => Promise<T>): Promise<T> {
    if (failure !== undefined) throw failure;
    try {
      return await question();
    } catch (error) {
      throw fail(error);
    }
  }

  return {
    query: (sql, values = []) =>
      ask(async () => {
        const { rows, rowCount } = await client.query<Columns>({
          ...statements(sql),
          values: [...values],
        });
        return { rows, changed: rowCount ?? 0 };
      }),
    script: (sql) => ask(async () => void (await client.query(sql))),
    release: () => {
      client.off('error', fail);
      client.release(failure !== undefined);
    },
  };
}
