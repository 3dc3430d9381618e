// What a chain remembers beside its rows: small texts by name.
import type { Queries } from './database.ts';

/** Returns the text under a name. */
export async function noteOf(
  queries: Pick<Queries, 'all'>,
  chain: string,
  name: string,
): Promise<string | undefined> {
  const sql = 'SELECT value FROM notes WHERE chain = ? AND name = ?';
  const [found] = await queries.all(sql, [chain, name]);
  return found === undefined ? undefined : String(found['value']);
}

/** Keeps a text under a name, in the connection's own chain. */
export async function setNote(queries: Queries, name: string, value: string): Promise<void> {
  await queries.run(
    'INSERT INTO notes (name, value) VALUES (?, ?) ' +
      'ON CONFLICT (chain, name) DO UPDATE SET value = excluded.value',
    [name, value],
  );
}
