// Sessions in one SQLite file, which several processes of one machine may use: the sidecar, and beside it
// the command that revokes. What the file looks like is in store-file.ts.
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { addSession, atOnce, SCHEMA_VERSION, statement } from './store-file.ts';
import { createReopened, type SessionFileOptions } from './store-reopened.ts';
import { between, listedOf, seenOf, storedOf, VERSION } from './store-rows.ts';
import { MAX_LEASE_MS, type SessionStore, type SessionText } from './store.ts';

/** The last time that a Date can be. */
const LAST_MS = 8_640_000_000_000_000;
const TIMES = `${between('created_ms', 0, LAST_MS)}, ${between('seen_ms', 0, LAST_MS)}`;
const SEEN = `payload, subject_tag, sid_tag, ${TIMES}, ${VERSION}`;
const ALL = `${SEEN}, key, tokens`;
const FROM = 'FROM sessions JOIN session_texts USING (key)';
const FIND = `SELECT ${SEEN} ${FROM} WHERE key = ?`;
const READ = `SELECT ${ALL} ${FROM} WHERE key = ?`;
const LIST = `SELECT ${ALL} ${FROM} WHERE key > ? ORDER BY key LIMIT ?`;
const REPLACE = `UPDATE sessions SET version = version + 1, subject_tag = ?, sid_tag = ?
  WHERE key = ? AND version = ?`;
const REPLACE_TEXT = 'UPDATE session_texts SET payload = ?, tokens = ? WHERE key = ?';
const TOUCH = `UPDATE sessions SET seen_ms = min(?1, ?3)
  WHERE key = ?2 AND (seen_ms < min(?1, ?3) OR seen_ms > ?3)`;
const REMOVE = 'DELETE FROM sessions WHERE key = ?';
const FIND_TAGGED = `SELECT key, payload ${FROM} WHERE subject_tag IN (SELECT value FROM json_each(?1))
  OR sid_tag IN (SELECT value FROM json_each(?1))`;
const REMOVE_ALL =
  'DELETE FROM sessions WHERE key IN (SELECT value FROM json_each(?)) RETURNING key';
const LEASE = `UPDATE sessions SET lease_owner = ?1, lease_until_ms = ?2 WHERE key = ?3
  AND (lease_owner IS NULL OR lease_owner = ?1 OR lease_until_ms NOT BETWEEN ?4 + 1 AND ?4 + ${MAX_LEASE_MS})`;
const RELEASE = `UPDATE sessions SET lease_owner = NULL, lease_until_ms = NULL
  WHERE key = ? AND lease_owner = ?`;

/** So many rows are touched or swept at a time: 5 ms, in which this process does nothing else. */
const BATCH = 500;
const SWEEP = `DELETE FROM sessions WHERE key IN
  (SELECT key FROM sessions WHERE created_ms < ? OR seen_ms < ? LIMIT ${BATCH})`;
const BRING_BACK = `UPDATE sessions SET seen_ms = ?1 WHERE key IN
  (SELECT key FROM sessions WHERE seen_ms > ?1 LIMIT ${BATCH})`;

/**
 * Returns the store in this file, which is made (mode 0600) when it isn't there. It is opened at once;
 * a failure shows in `state`, and it is tried again at most once a second, when it is asked: a store
 * that was down recovers by itself.
 */
export function createSqliteSessions(options: SessionFileOptions): SessionStore {
  const { now } = options;
  const { read, write, writeAside, state, close } = createReopened(options);

  async function touch(seenAtMs: ReadonlyMap<string, number>): Promise<void> {
    const all = [...seenAtMs];
    for (let from = 0; from < all.length; from += BATCH) {
      if (from > 0) await othersTurn();
      const some = all.slice(from, from + BATCH);
      await writeAside((db) =>
        atOnce(db, () => some.forEach(([key, ms]) => run(db, TOUCH, ms, key, now()))),
      );
    }
  }

  async function sweep(before: { createdMs: number; seenMs: number }): Promise<number> {
    await batches(BRING_BACK, now());
    return batches(SWEEP, before.createdMs, before.seenMs);
  }

  async function batches(sql: string, ...values: number[]): Promise<number> {
    for (let changed = 0; ;) {
      const some = await writeAside((db) => run(db, sql, ...values));
      changed += some;
      if (some < BATCH) return changed;
      await othersTurn();
    }
  }

  // A time of the future is of a clock that was wrong, or of nobody.
  const past = (ms: unknown) => (ms === null ? undefined : Math.min(Number(ms), now()));
  const seen = (row?: Row) => seenOf(row, past(row?.['created_ms']), past(row?.['seen_ms']));

  return {
    find: (key) => read((db) => seen(statement(db, FIND).get(key))),
    read: async (key) =>
      read((db) => {
        const row = statement(db, READ).get(key);
        return storedOf(row, seen(row));
      }),
    put: async (key, text, atMs) =>
      write((db) => atOnce(db, () => addSession(db, key, text, atMs))),
    replace: async (key, version, text) =>
      write((db) => atOnce(db, () => replaceText(db, key, version, text))),
    touch,
    remove: async (key) => write((db) => run(db, REMOVE, key) === 1),
    findTagged: async (tags) =>
      read((db) =>
        statement(db, FIND_TAGGED)
          .all(JSON.stringify(tags))
          .map(({ key, payload }) => ({ key: String(key), payload: String(payload) })),
      ),
    removeAll: async (keys) =>
      write((db) =>
        statement(db, REMOVE_ALL)
          .all(JSON.stringify(keys))
          .map(({ key }) => String(key)),
      ),
    list: async (after = '', limit) =>
      read((db) =>
        statement(db, LIST)
          .all(after, limit)
          .map((row) => listedOf(row, seen(row))),
      ),
    lease: async (key, owner, forMs) =>
      write((db) => {
        const untilMs = now() + Math.min(forMs, MAX_LEASE_MS);
        return run(db, LEASE, owner, untilMs, key, now()) === 1;
      }),
    release: async (key, owner) => writeAside((db) => void run(db, RELEASE, key, owner)),
    sweep,
    // It says so already; but each time it is written anew.
    tryWriting: async () => writeAside((db) => db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`)),
    state,
    close: async () => close(),
  };
}

type Row = Record<string, SQLOutputValue>;

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
