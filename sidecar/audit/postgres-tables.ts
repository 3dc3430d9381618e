// The audit store's tables in PostgreSQL: made once, and refused when a newer Signet made them.
import { Fault } from '../fault.ts';
import { nameOf, type PostgresPlace } from '../postgres/place.ts';
import type { Connection, Connections } from '../postgres/pool.ts';
import { transact } from '../postgres/transaction.ts';
import { BEGIN_READING, beginOn } from './postgres-transaction.ts';
import { POSTGRES_DIALECT, SCHEMA_VERSION, schemaSql } from './schema.ts';

/** Returns the version of the tables; undefined where there are none. Throws ERR_STORE_NEWER. */
export async function versionOf(connections: Connections): Promise<number | undefined> {
  return transact(connections, BEGIN_READING, (connection) =>
    versionIn(connection, connections.place),
  );
}

// Not `to_regclass`: that answers from memory, and would miss what another sidecar has made while this
// one waited for the lock.
const IS_THERE =
  "SELECT relname FROM pg_class WHERE relname = 'signet_meta' AND pg_table_is_visible(oid)";

async function versionIn(
  connection: Connection,
  place: PostgresPlace,
): Promise<number | undefined> {
  const [there] = (await connection.query(IS_THERE)).rows;
  if (there === undefined) return undefined;
  const { rows } = await connection.query('SELECT version FROM signet_meta');
  const version = Number(rows[0]?.['version']);
  if (version <= SCHEMA_VERSION) return version;
  throw new Fault(
    'ERR_STORE_NEWER',
    `${nameOf(place)} was written by a newer Signet (its version is ${version}, this Signet knows ` +
      `${SCHEMA_VERSION}): run that one, or name another database`,
  );
}

/** Makes the tables, unless another sidecar just did: several may start at once. */
export async function makeTables(connections: Connections): Promise<void> {
  const { place } = connections;
  await transact(connections, beginOn('tables'), async (connection) => {
    if ((await versionIn(connection, place)) !== undefined) return;
    await assertUtf8(connection, place);
    const version = `INSERT INTO signet_meta VALUES (${SCHEMA_VERSION})`;
    const meta = ['CREATE TABLE signet_meta (version BIGINT NOT NULL)', version];
    await connection.script([...schemaSql(POSTGRES_DIALECT), ...meta].join('; '));
  });
}

async function assertUtf8(connection: Connection, place: PostgresPlace): Promise<void> {
  const { rows } = await connection.query("SELECT current_setting('server_encoding') AS name");
  const encoding = String(rows[0]?.['name']);
  if (encoding === 'UTF8') return;
  throw new Fault(
    'ERR_AUDIT_STORE',
    `${nameOf(place)} keeps text as ${encoding}, which not every name fits: make a database with ` +
      "ENCODING 'UTF8' TEMPLATE template0",
  );
}
