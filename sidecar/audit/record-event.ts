// Puts events into a chain, from outside of its recorder.
import { createAppend } from './append.ts';
import type { Database } from './database.ts';
import type { EventRow } from './row.ts';

/** Appends the events that are not there yet, all or none. Beside a recorder, too. */
export async function recordEvent(
  database: Database,
  chain: string,
  ...events: readonly EventRow[]
): Promise<void> {
  await database.transaction((queries) => createAppend(chain).rows(queries, events));
}
