// What an SQLite file still holds of values that are gone from its tables: in its free space, and in the
// log beside it. Not for PostgreSQL: there the server takes old versions of rows away (VACUUM).
import { explain } from '../fault.ts';
import type { Database } from './database.ts';
import { noteOf, setNote } from './notes.ts';

/** Name of the note that stands until the file was written anew. */
const REMAINS = 'remains';

/**
 * From now on this connection overwrites what it deletes; and the store remembers, whatever comes, that
 * this is not all of it. See `rewrite`.
 */
export async function beginErasing(database: Database): Promise<void> {
  await overwriteDeleted(database);
  await setNote(database, REMAINS, 'in the free space of the file');
}

/** From now on this connection overwrites what it deletes. */
export async function overwriteDeleted(database: Database): Promise<void> {
  await database.all('PRAGMA secure_delete = ON');
}

/** Returns whether something was erased since the file was written anew. */
export async function hasRemains(database: Database, chain: string): Promise<boolean> {
  return (await noteOf(database, chain, REMAINS)) !== undefined;
}

/**
 * Writes the file anew, and empties the log beside it. SQLite leaves copies of a page's former content in
 * its unused part when it moves rows between pages, also with `secure_delete` (3.53). It takes some 8 s for
 * a million rows, and disk space of the file twice over; a recorder waits meanwhile. Returns why it could
 * not be done.
 */
export async function rewrite(database: Database): Promise<string | undefined> {
  try {
    await database.run('VACUUM');
  } catch (error) {
    return explain(error);
  }
  const problem = await emptyLog(database);
  if (problem !== undefined) return problem;
  await database.run('DELETE FROM notes WHERE name = ?', [REMAINS]);
  return emptyLog(database);
}

/** Brings the log beside the file into it, and empties it. Returns why it could not be done. */
export async function emptyLog(database: Database): Promise<string | undefined> {
  const [found] = await database.all('PRAGMA wal_checkpoint(TRUNCATE)');
  return found?.['busy'] === 0 ? undefined : 'somebody is reading an earlier state of the store';
}
