// Where sessions are: a file in the state folder, or the PostgreSQL that several sidecars share.
import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { createPostgresSessions } from './sessions/store-postgres.ts';
import { createSqliteSessions } from './sessions/store-sqlite.ts';
import { watchWrites } from './sessions/store-writes.ts';
import type { SessionStore } from './sessions/store.ts';
import { sealOldSession } from './sessions/text.ts';
import type { Secret } from './secret.ts';

/** Name of the session store in the state folder. */
export const SESSION_STORE_FILE = 'sessions.db';

/** Returns the store of these settings. `keys` seal what an older Signet left unsealed in the file. */
export function openSessions(
  { stateFolder, sessionStore }: { stateFolder: string; sessionStore?: Secret },
  keys: () => readonly KeyObject[],
): SessionStore {
  const now = Date.now;
  if (sessionStore !== undefined) {
    return watchWrites(createPostgresSessions({ url: sessionStore.reveal(), now }), now);
  }
  const path = join(stateFolder, SESSION_STORE_FILE);
  return watchWrites(createSqliteSessions({ path, now, sealOld: sealOldSession(keys) }), now);
}
