// Sessions in PostgreSQL, which several sidecars share. Leases and times go by the server's clock: a caller's
// times are sent and answered as ages, so that a sidecar whose clock is wrong ends nobody's session.
import { createConnections } from '../postgres/pool.ts';
import type { Columns, Value } from '../postgres/sql.ts';
import type { PostgresUse } from '../postgres/use.ts';
import { createAnswering } from './store-answering.ts';
import { listedOf, seenOf, storedOf, VERSION } from './store-rows.ts';
import { MAX_LEASE_MS, type SessionStore, type SessionText } from './store.ts';
import { ensureSessionTables } from './store-tables.ts';

/**
 * More than the audit store's three: the gate's finds must not stand behind a sweep, a flush of last-seen
 * times and a few refreshes; eight finds at a time are more than one gate asks for. With the audit store
 * in the same server, eight sidecars fit into its default of 100 connections.
 */
const SESSIONS: PostgresUse = {
  code: 'ERR_SESSION_STORE',
  store: 'session store',
  locked: 'a session',
  maxConnections: 8,
};

// A hung connection costs 900 ms, and the second try has as much again: the gate waits for under two
// seconds in all, which `createAnswering` holds, whatever happens.
const TIMEOUTS = { connectTimeoutMs: 800, statementTimeoutMs: 700, graceMs: 200 };

/** So many rows are touched or swept by one statement: each stays well within its time. */
const BATCH = 1_000;

// What is sent and answered for a time: how long ago it was, in milliseconds, never in the future. 'infinity'
// is no time: it comes as null.
const ago = "statement_timestamp() - greatest(?::float8, 0) * interval '1 millisecond'";
const age = (column: string) =>
  `CASE WHEN isfinite(${column})
    THEN greatest(0, extract(epoch FROM clock_timestamp() - ${column}) * 1000)::bigint END`;

const AGES = `${age('created_at')} AS created_age, ${age('seen_at')} AS seen_age`;
const SEEN = `payload, subject_tag, sid_tag, ${AGES}, ${VERSION}`;
const ALL = `${SEEN}, key, tokens`;
const FIND = `SELECT ${SEEN} FROM signet_sessions WHERE key = ?`;
const READ = `SELECT ${ALL} FROM signet_sessions WHERE key = ?`;
const LIST = `SELECT ${ALL} FROM signet_sessions WHERE key > ? ORDER BY key LIMIT ?`;
const FIND_TAGGED = `SELECT key, payload FROM signet_sessions
  WHERE subject_tag = ANY (?::text[]) OR sid_tag = ANY (?::text[])`;
const PUT = `INSERT INTO signet_sessions
  (payload, tokens, subject_tag, sid_tag, key, created_at, seen_at)
  VALUES (?, ?, ?, ?, ?, ${ago}, ${ago})`;
const REPLACE = `UPDATE signet_sessions SET payload = ?, tokens = ?, subject_tag = ?, sid_tag = ?,
  version = version + 1 WHERE key = ? AND version = ?`;
const REMOVE = 'DELETE FROM signet_sessions WHERE key = ?';
const LEASE = `UPDATE signet_sessions SET lease_owner = ?,
  lease_until = clock_timestamp() + ?::float8 * interval '1 millisecond' WHERE key = ?
  AND (lease_owner IS NULL OR lease_owner = ? OR lease_until <= clock_timestamp()
    OR lease_until > clock_timestamp() + ${MAX_LEASE_MS} * interval '1 millisecond')`;
// A row of a session's size, written, changed and deleted: that takes the rights and the room of a session. As one
// text it is one transaction, so nobody sees the row; each connection has its own.
const WRITE = `INSERT INTO signet_sessions (key, created_at, seen_at, subject_tag, payload, tokens)
    VALUES ('write ' || pg_backend_pid(), now(), now(), '', repeat('-', 1500), repeat('-', 4000));
  UPDATE signet_sessions SET version = 2 WHERE key = 'write ' || pg_backend_pid();
  DELETE FROM signet_sessions WHERE key = 'write ' || pg_backend_pid()`;
const RELEASE = `UPDATE signet_sessions SET lease_owner = NULL, lease_until = NULL
  WHERE key = ? AND lease_owner = ?`;
// Rows are locked in one order, by all who lock several: two sidecars can't wait for each other.
const TOUCH = `WITH due AS (
    SELECT key, seen FROM signet_sessions JOIN (
      SELECT key, ${ago.replace('?', 'ms')} AS seen FROM unnest(?::text[], ?::float8[]) AS t (key, ms)
    ) AS told USING (key) WHERE seen_at < seen OR seen_at > statement_timestamp() ORDER BY key FOR NO KEY UPDATE OF signet_sessions
  ) UPDATE signet_sessions AS s SET seen_at = due.seen FROM due
  WHERE s.key = due.key AND (s.seen_at < due.seen OR s.seen_at > statement_timestamp())`;
const REMOVE_ALL = `DELETE FROM signet_sessions WHERE key = ANY (ARRAY(
    SELECT key FROM signet_sessions WHERE key = ANY (?::text[]) ORDER BY key FOR UPDATE
  )) RETURNING key`;
// By pages of the primary key, so that no statement's time grows with the table; an index on what `touch`
// changes would cost more. What another sidecar is sweeping is left to it.
const SWEEP = `WITH page AS (
    SELECT key FROM signet_sessions WHERE key > ? ORDER BY key LIMIT ${BATCH}
  ), swept AS (
    DELETE FROM signet_sessions WHERE key = ANY (ARRAY(
      SELECT key FROM signet_sessions AS s JOIN page USING (key)
      WHERE s.created_at < ${ago} OR s.seen_at < ${ago} FOR UPDATE OF s SKIP LOCKED
    )) RETURNING key
  ), brought_back AS (
    UPDATE signet_sessions SET seen_at = statement_timestamp() WHERE key = ANY (ARRAY(
      SELECT key FROM signet_sessions AS s JOIN page USING (key)
      WHERE s.created_at >= ${ago} AND s.seen_at > statement_timestamp() FOR UPDATE OF s SKIP LOCKED
    ))
  ) SELECT (SELECT max(key) FROM page) AS last, (SELECT count(*) FROM page) AS seen,
    (SELECT count(*) FROM swept) AS swept`;

export type PostgresSessionOptions = {
  /** A secret. */
  readonly url: string;
  readonly now: () => number;
};

/**
 * Returns the store in this database, whose table is made when it isn't there. It connects at once; a
 * failure shows in `state`. What is asked later is tried anew each time, and fails within two seconds.
 * Throws ERR_SESSION_STORE for a URL that can't be used.
 */
export function createPostgresSessions({ url, now }: PostgresSessionOptions): SessionStore {
  const connections = createConnections(url, SESSIONS, TIMEOUTS);
  const answering = createAnswering({
    place: connections.place,
    now,
    prepare: () => ensureSessionTables(connections),
  });
  // Only what reads is asked again by itself: whether a change was made before its connection broke
  // can't be known.
  const read = (sql: string, ...values: Value[]) =>
    answering.within(async () => (await connections.askAgain(sql, values)).rows);
  // On a full disk, and after a failover to a read-only server, it fails, and sessions can be read all the same.
  const change = (sql: string, ...values: Value[]) =>
    answering.aside(() => connections.ask(sql, values));
  const ageOf = (ms: number) => now() - ms;

  let closing: Promise<void> | undefined;

  async function touch(seenAtMs: ReadonlyMap<string, number>): Promise<void> {
    const all = [...seenAtMs];
    for (let from = 0; from < all.length; from += BATCH) {
      const some = all.slice(from, from + BATCH);
      const ages = some.map(([, ms]) => ageOf(ms));
      await change(
        TOUCH,
        some.map(([key]) => key),
        ages,
      );
    }
  }

  async function sweep(before: { createdMs: number; seenMs: number }): Promise<number> {
    const ages = [ageOf(before.createdMs), ageOf(before.seenMs)];
    let swept = 0;
    for (let after = ''; ;) {
      const { rows } = await change(SWEEP, after, ...ages, ages[0]!);
      swept += Number(rows[0]?.['swept']);
      if (Number(rows[0]?.['seen']) < BATCH) return swept;
      after = String(rows[0]?.['last']);
    }
  }

  async function writeAndDelete(): Promise<void> {
    const connection = await connections.take();
    try {
      await connection.script(WRITE);
    } finally {
      connection.release();
    }
  }

  const atMs = (ms: unknown) => (ms === null ? undefined : now() - Number(ms));
  const seen = (row?: Columns) => seenOf(row, atMs(row?.['created_age']), atMs(row?.['seen_age']));

  return {
    find: async (key) => seen((await read(FIND, key))[0]),
    read: async (key) => {
      const [row] = await read(READ, key);
      return storedOf(row, seen(row));
    },
    put: async (key, text, atMs) =>
      void (await change(PUT, ...valuesOf(text), key, ageOf(atMs), ageOf(atMs))),
    replace: async (key, version, text) =>
      (await change(REPLACE, ...valuesOf(text), key, version)).changed === 1,
    touch,
    remove: async (key) => (await change(REMOVE, key)).changed === 1,
    findTagged: async (tags) =>
      (await read(FIND_TAGGED, tags, tags)).map(({ key, payload }) => ({
        key: String(key),
        payload: String(payload),
      })),
    removeAll: async (keys) => (await change(REMOVE_ALL, keys)).rows.map(({ key }) => String(key)),
    list: async (after = '', limit) =>
      (await read(LIST, after, limit)).map((row) => listedOf(row, seen(row))),
    lease: async (key, owner, forMs) =>
      (await change(LEASE, owner, Math.min(forMs, MAX_LEASE_MS), key, owner)).changed === 1,
    release: async (key, owner) => void (await change(RELEASE, key, owner)),
    sweep,
    tryWriting: () => answering.aside(writeAndDelete),
    state: answering.state,
    close: () => (closing ??= answering.close().then(() => connections.close())),
  };
}

function valuesOf({ payload, tokens, subjectTag, sidTag }: SessionText) {
  return [payload, tokens, subjectTag, sidTag ?? null] as const;
}
