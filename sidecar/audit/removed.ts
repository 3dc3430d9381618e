// Rows that were removed stay away, even when the log that they came from is read again. Pure.
import { isRequest, type Row, type RowGate } from './row.ts';

/** Name of the note with the latest end of a removed request, in microseconds since the epoch. */
export const REMOVED_BEFORE = 'removed-before';

/**
 * Returns the rows without those that have been removed: requests that ended no later than a removed one,
 * and whose decision is accounted for already. The time alone would not do: after a clock that was ahead
 * new requests look old. (A request without a decision comes back when its log is read again.) Events
 * of such a request's stamp go with it.
 */
export function withoutRemoved(
  rows: readonly Row[],
  removedBeforeUs: number,
  isSettled: (gate: RowGate) => boolean,
): readonly Row[] {
  const gone = new Set(
    rows
      .filter(isRequest)
      .filter(({ startedAtUs, durationUs }) => startedAtUs + durationUs <= removedBeforeUs)
      .filter(({ gate }) => gate !== undefined && isSettled(gate))
      .map(({ requestId }) => requestId),
  );
  if (gone.size === 0) return rows;
  return rows.filter((row) => !gone.has(isRequest(row) ? row.requestId : requestOf(row)));
}

// An event's id ends with its request's: `sign-in:4d03…`.
function requestOf({ requestId }: Row): string {
  return requestId.slice(requestId.indexOf(':') + 1);
}
