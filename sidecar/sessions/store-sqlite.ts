// Sessions in one SQLite file, which several processes of one machine may use: the sidecar, and beside it
// the command that revokes. What the file looks like is in session-store-file.ts.
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { addSession, atOnce, statement } from './store-file.ts';
import { createReopened, type SessionFileOptions } from './store-reopened.ts';
import type {
  SessionSeen,
  SessionStore,
  SessionText,
  StoredSession,
  TaggedSession,
} from './store.ts';

const SEEN = 'payload, created_ms, seen_ms, version';
const ALL = `${SEEN}, key, tokens, subject_tag, sid_tag`;
const FROM = 'FROM sessions JOIN session_texts USING (key)';
const FIND = `SELECT ${SEEN} ${FROM} WHERE key = ?`;
const READ = `SELECT ${ALL} ${FROM} WHERE key = ?`;
const LIST = `SELECT ${ALL} ${FROM} WHERE key > ? ORDER BY key LIMIT ?`;
const REPLACE = `UPDATE sessions SET version = version + 1, subject_tag = ?, sid_tag = ?
  WHERE key = ? AND version = ?`;
const REPLACE_TEXT = 'UPDATE session_texts SET payload = ?, tokens = ? WHERE key = ?';
const TOUCH = 'UPDATE sessions SET seen_ms = ? WHERE key = ? AND seen_ms < ?';
const REMOVE = 'DELETE FROM sessions WHERE key = ?';
const FIND_TAGGED = `SELECT key, payload ${FROM} WHERE subject_tag IN (SELECT value FROM json_each(?1))
  OR sid_tag IN (SELECT value FROM json_each(?1))`;
const REMOVE_ALL =
  'DELETE FROM sessions WHERE key IN (SELECT value FROM json_each(?)) RETURNING key';
const LEASE = `UPDATE sessions SET lease_owner = ?1, lease_until_ms = ?2 WHERE key = ?3
  AND (lease_owner IS NULL OR lease_owner = ?1 OR lease_until_ms <= ?4)`;
const RELEASE = `UPDATE sessions SET lease_owner = NULL, lease_until_ms = NULL
  WHERE key = ? AND lease_owner = ?`;

/** So many rows are touched or swept at a time: 5 ms, in which this process does nothing else. */
const BATCH = 500;
const SWEEP = `DELETE FROM sessions WHERE key IN
  (SELECT key FROM sessions WHERE created_ms < ? OR seen_ms < ? LIMIT ${BATCH})`;

/**
 * Returns the store in this file, which is made (mode 0600) when it isn't there. It is opened at once;
 * a failure shows in `state`, and it is tried again at most once a second, when it is asked: a store
 * that was down recovers by itself.
 */
export function createSqliteSessions(options: SessionFileOptions): SessionStore {
  const { now } = options;
  const { attempt, aside, state, close } = createReopened(options);

  async function touch(seenAtMs: ReadonlyMap<string, number>): Promise<void> {
    const all = [...seenAtMs];
    for (let from = 0; from < all.length; from += BATCH) {
      if (from > 0) await othersTurn();
      const some = all.slice(from, from + BATCH);
      aside((db) => atOnce(db, () => some.forEach(([key, ms]) => run(db, TOUCH, ms, key, ms))));
    }
  }

  async function sweep(before: { createdMs: number; seenMs: number }): Promise<number> {
    let swept = 0;
    for (;;) {
      const now = aside((db) => run(db, SWEEP, before.createdMs, before.seenMs));
      swept += now;
      if (now < BATCH) return swept;
      await othersTurn();
    }
  }

  return {
    find: (key) => attempt((db) => seenOf(statement(db, FIND).get(key))),
    read: async (key) => attempt((db) => storedOf(statement(db, READ).get(key))),
    put: async (key, text, atMs) =>
      attempt((db) => atOnce(db, () => addSession(db, key, text, atMs))),
    replace: async (key, version, text) =>
      attempt((db) => atOnce(db, () => replaceText(db, key, version, text))),
    touch,
    remove: async (key) => attempt((db) => run(db, REMOVE, key) === 1),
    findTagged: async (tags) =>
      attempt((db) => statement(db, FIND_TAGGED).all(JSON.stringify(tags)).map(tagged)),
    removeAll: async (keys) =>
      attempt((db) =>
        statement(db, REMOVE_ALL)
          .all(JSON.stringify(keys))
          .map(({ key }) => String(key)),
      ),
    list: async (after = '', limit) =>
      attempt((db) =>
        statement(db, LIST)
          .all(after, limit)
          .map((row) => ({ ...whole(row), key: String(row['key']) })),
      ),
    lease: async (key, owner, forMs) =>
      attempt((db) => run(db, LEASE, owner, now() + forMs, key, now()) === 1),
    release: async (key, owner) => aside((db) => void run(db, RELEASE, key, owner)),
    sweep,
    state,
    close: async () => close(),
  };
}

type Row = Record<string, SQLOutputValue>;

function seenOf(row: Row | undefined): SessionSeen | undefined {
  if (row === undefined) return undefined;
  return {
    payload: String(row['payload']),
    createdAtMs: Number(row['created_ms']),
    seenAtMs: Number(row['seen_ms']),
    version: Number(row['version']),
  };
}

function tagged({ key, payload }: Row): TaggedSession {
  return { key: String(key), payload: String(payload) };
}

function storedOf(row: Row | undefined): StoredSession | undefined {
  return row && whole(row);
}

function whole(row: Row): StoredSession {
  const { tokens, subject_tag: subjectTag, sid_tag: sidTag } = row;
  return {
    ...seenOf(row)!,
    tokens: String(tokens),
    subjectTag: String(subjectTag),
    ...(sidTag !== null && { sidTag: String(sidTag) }),
  };
}

function replaceText(
  database: DatabaseSync,
  key: string,
  version: number,
  { payload, tokens, subjectTag, sidTag }: SessionText,
): boolean {
  const isThis = run(database, REPLACE, subjectTag, sidTag ?? null, key, version) === 1;
  if (isThis) run(database, REPLACE_TEXT, payload, tokens, key);
  return isThis;
}

function othersTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function run(
  database: DatabaseSync,
  sql: string,
  ...values: readonly (string | number | null)[]
): number {
  return Number(statement(database, sql).run(...values).changes);
}
