// Rows that were removed stay away, even when the log that they came from is read again. Pure.
import { isRequest, type Row } from './row.ts';

/** Name of the note with the latest end of a removed request, in microseconds since the epoch. */
export const REMOVED_BEFORE = 'removed-before';

/**
 * Returns the rows without those that must have been removed: lines come in the order in which requests
 * ended, so whatever ended no later than a removed one has had its row. Events of such a request's
 * stamp go with it.
 */
export function withoutRemoved(rows: readonly Row[], removedBeforeUs: number): readonly Row[] {
  const gone = new Set(
    rows
      .filter(isRequest)
      .filter(({ startedAtUs, durationUs }) => startedAtUs + durationUs <= removedBeforeUs)
      .map(({ requestId }) => requestId),
  );
  if (gone.size === 0) return rows;
  return rows.filter((row) => !gone.has(isRequest(row) ? row.requestId : requestOf(row)));
}

// An event's id ends with its request's: `sign-in:4d03…`.
function requestOf({ requestId }: Row): string {
  return requestId.slice(requestId.indexOf(':') + 1);
}
