// Puts an event into a chain, from outside of its recorder.
import { createAppend } from './append.ts';
import type { Database } from './database.ts';
import type { EventRow } from './row.ts';

/** Appends the event, unless it is there. Beside a recorder, too. */
export async function recordEvent(
  database: Database,
  chain: string,
  event: EventRow,
): Promise<void> {
  await database.transaction((queries) => createAppend(chain).rows(queries, [event]));
}
