// Connections to a PostgreSQL server: few, each with limits on its time. One that failed in any way is
// never used again; when the server is back, the next call gets a new one. No SQL of ours is here.
import { setTimeout as pause } from 'node:timers/promises';
import { Pool, type PoolClient, type types } from 'pg';
import { Fault } from '../fault.ts';
import { isOfConnection, postgresFault } from './fault.ts';
import { nameOf, placeOf, type PostgresPlace } from './place.ts';
import { createStatements, parserOf, type Columns, type Value } from './sql.ts';
import type { PostgresUse } from './use.ts';

export type PostgresOptions = {
  /** How long the server may take for one statement, waiting for locks included. Default 30,000. */
  readonly statementTimeoutMs?: number;
  /** How long a new connection may take, or waiting for one of those in use. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** A server that hangs doesn't end its statement by itself: the client does, this much later. Default 2,000. */
  readonly graceMs?: number;
};

export type Answer = { readonly rows: Columns[]; readonly changed: number };

/** One connection, for one caller. After a Fault it only throws that one again. */
export type Connection = {
  query(sql: string, values?: readonly Value[]): Promise<Answer>;
  /** Several statements in one text, without values. */
  script(sql: string): Promise<void>;
  /** Whether it broke: what was asked may be in order, and can be asked on another one. */
  isBroken(): boolean;
  /** Gives it back; one that failed is ended, and the server undoes what it had begun. */
  release(): void;
};

export type Connections = {
  readonly place: PostgresPlace;
  /** Returns a connection that nobody else uses until it is released. Throws a Fault of the use. */
  take(): Promise<Connection>;
  /** Asks one thing on a connection of its own. */
  ask(sql: string, values?: readonly Value[]): Promise<Answer>;
  /** The same for what is harmless twice: when the connection breaks, another one is tried, once. */
  askAgain(sql: string, values?: readonly Value[]): Promise<Answer>;
  /** Ends all connections, when those in use have been released. */
  close(): Promise<void>;
};

const IDLE_MS = 30_000;
/** The server undoes a transaction whose owner says nothing for so long: it holds the chain's lock. */
const IDLE_IN_TRANSACTION_MS = 60_000;
/** How long the server may take to say goodbye. */
const GOODBYE_MS = 1_000;

// A plan that was made for an empty table reads all of it later, for each batch: 30 ms became 900. And
// nobody counts on seeing an old state: a lease must see what its last owner has written.
const SETTINGS =
  '-c plan_cache_mode=force_custom_plan -c default_transaction_isolation=read\\ committed';

/** Returns connections to the database of a URL. Nothing is connected yet. Throws a Fault of the use. */
export function createConnections(
  url: string,
  use: PostgresUse,
  options: PostgresOptions = {},
): Connections {
  const place = placeOf(url, use);
  const toFault = (error: unknown) => postgresFault(place, use, error);
  const statements = createStatements();
  const clients = new Set<PoolClient>();
  const ages = createAges();
  const pool = createPool(url, use, options);
  // An `error` that nobody hears would end the process. This is that of connections which nobody uses:
  // they have left the pool by themselves. Whoever uses one hears it in `connectionOn`.
  pool.on('error', () => {});
  pool.on('connect', (client) => {
    ages.made(client);
    clients.add(client);
    client.once('end', () => clients.delete(client));
  });

  async function take(): Promise<Connection> {
    if (pool.ending) throw new Fault(use.code, `${nameOf(place)} was closed`);
    try {
      let client = await pool.connect();
      while (ages.isDoubtful(client)) {
        client.release(true);
        client.connection.stream.destroy(); // it may never say goodbye
        client = await pool.connect();
      }
      return connectionOn(client, statements, toFault, ages.broke);
    } catch (error) {
      throw toFault(error);
    }
  }

  async function askOnce(connection: Connection, sql: string, values?: readonly Value[]) {
    try {
      return await connection.query(sql, values);
    } finally {
      connection.release();
    }
  }

  const ask: Connections['ask'] = async (sql, values) => askOnce(await take(), sql, values);

  async function askAgain(sql: string, values?: readonly Value[]): Promise<Answer> {
    const connection = await take();
    try {
      return await askOnce(connection, sql, values);
    } catch (error) {
      if (!connection.isBroken()) throw error;
      return ask(sql, values);
    }
  }

  async function close(): Promise<void> {
    // Each by its `end` alone: one that breaks has ended as well, and closing is no place to fail.
    const ended = Promise.all([...clients].map(untilEnd));
    await pool.end();
    await Promise.race([ended, pause(GOODBYE_MS, undefined, { ref: false })]);
    for (const { connection } of clients) connection.stream.destroy();
  }

  return { place, take, ask, askAgain, close };
}

function untilEnd(client: PoolClient): Promise<void> {
  return new Promise((resolve) => client.once('end', () => resolve()));
}

function createPool(url: string, { maxConnections }: PostgresUse, options: PostgresOptions): Pool {
  const { statementTimeoutMs = 30_000, connectTimeoutMs = 5_000, graceMs = 2_000 } = options;
  return new Pool({
    connectionString: url,
    application_name: 'signet',
    max: maxConnections,
    keepAlive: true,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: IDLE_MS,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + graceMs,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    options: SETTINGS,
    types: { getTypeParser: parserOf as typeof types.getTypeParser },
  });
}

/**
 * Which connections can be trusted: when one broke by itself, those made before it are likely to be
 * broken, too (a server that failed over in silence, a firewall that forgot them all), and each would
 * cost its next user the whole time-out.
 */
function createAges() {
  const madeIn = new WeakMap<PoolClient, number>();
  let age = 0;
  const ageOf = (client: PoolClient) => madeIn.get(client) ?? 0;
  return {
    made: (client: PoolClient) => void madeIn.set(client, age),
    broke: (client: PoolClient) => void (age = Math.max(age, ageOf(client) + 1)),
    isDoubtful: (client: PoolClient) => ageOf(client) < age,
  };
}

function connectionOn(
  client: PoolClient,
  statements: ReturnType<typeof createStatements>,
  toFault: (error: unknown) => Fault,
  broke: (client: PoolClient) => void,
): Connection {
  let failure: Fault | undefined;
  let isBroken = false;

  function fail(error: unknown): Fault {
    if (failure === undefined && isOfConnection(error)) {
      isBroken = true;
      broke(client);
    }
    return (failure ??= toFault(error));
  }
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
    isBroken: () => isBroken,
    release: () => {
      client.off('error', fail);
      client.release(failure !== undefined);
    },
  };
}
