// The table of the sessions in PostgreSQL: made once, however many sidecars start together, and refused
// when a newer Signet made it. It may lie beside the audit store's tables; it shares none with them.
import { Fault } from '../fault.ts';
import { nameOf, type PostgresPlace } from '../postgres/place.ts';
import type { Answer, Connections } from '../postgres/pool.ts';
import { lockOn, transact } from '../postgres/transaction.ts';

const SCHEMA_VERSION = 1;

// Room on each page, and no index on what `touch` changes: then a new last-seen time costs no index an
// entry (PostgreSQL's heap-only tuples). Tokens are sealed: compressing them is in vain.
const SCHEMA = `
  CREATE TABLE signet_sessions (
    key TEXT COLLATE "C" PRIMARY KEY,
    created_at TIMESTAMPTZ NOT NULL,
    seen_at TIMESTAMPTZ NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    lease_until TIMESTAMPTZ,
    lease_owner TEXT,
    subject_tag TEXT NOT NULL,
    sid_tag TEXT,
    payload TEXT NOT NULL,
    tokens TEXT NOT NULL
  ) WITH (fillfactor = 80);
  ALTER TABLE signet_sessions ALTER COLUMN tokens SET STORAGE EXTERNAL;
  CREATE INDEX signet_sessions_by_subject ON signet_sessions (subject_tag);
  CREATE INDEX signet_sessions_by_sid ON signet_sessions (sid_tag) WHERE sid_tag IS NOT NULL;
  CREATE TABLE signet_sessions_schema (version BIGINT NOT NULL);
  INSERT INTO signet_sessions_schema VALUES (${SCHEMA_VERSION})`;

const BEGIN = `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; ${lockOn('sessions tables')}`;

// Not `to_regclass`: that answers from memory, and would miss what another sidecar has made while this
// one waited for the lock.
const IS_THERE = `SELECT relname FROM pg_catalog.pg_class
  WHERE relname = 'signet_sessions_schema' AND pg_catalog.pg_table_is_visible(oid)`;

/** Makes the table, unless it is there. It needs the right to make one only then. */
export async function ensureSessionTables(connections: Connections): Promise<void> {
  const { place } = connections;
  if (await areThere(place, (sql) => connections.askAgain(sql))) return;
  await transact(connections, BEGIN, async (connection) => {
    // Another sidecar may have made it while this one waited for its turn.
    if (await areThere(place, (sql) => connection.query(sql))) return;
    await connection.script(SCHEMA);
  });
}

async function areThere(
  place: PostgresPlace,
  ask: (sql: string) => Promise<Answer>,
): Promise<boolean> {
  if ((await ask(IS_THERE)).rows.length === 0) return false;
  const { rows } = await ask('SELECT version FROM signet_sessions_schema');
  const version = Number(rows[0]?.['version']);
  if (Number.isNaN(version)) {
    throw new Fault(
      'ERR_SESSION_STORE',
      `the sessions in ${nameOf(place)} don't say which Signet wrote them: signet_sessions_schema is empty; ` +
        'restore its row, or drop it and signet_sessions, and everybody signs in again',
    );
  }
  if (version <= SCHEMA_VERSION) return true;
  throw new Fault(
    'ERR_SESSION_STORE',
    `the sessions in ${nameOf(place)} were written by a newer Signet (schema ${version}; this one ` +
      `knows ${SCHEMA_VERSION})`,
  );
}
