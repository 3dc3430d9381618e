// One request, trace or event by its id, with what belongs to it.
import { EVENT_NAMES } from '../audit/event.ts';
import type { AuditReader, ReadRow } from '../audit/reader.ts';
import { isRequest } from '../audit/row.ts';

/** What `parseId` takes, in words. */
export const IDS =
  'a request id or a trace id (32 hex digits, with or without dashes), the id of an event (sign-in:…), or ' +
  'the number of a row (#38)';

const ROWS = 'SELECT * FROM audit_rows WHERE';
const IN_ORDER = 'ORDER BY started_at_us, request_id';

/** More requests and events than this of one trace are not found. */
export const MAX_FOUND = 1000;

/** Rows of several chains may have the same number. */
const ROW_NUMBER = /^#[1-9]\d{0,14}$/;
const EVENT_ID = new RegExp(`^(?:${EVENT_NAMES.join('|')}):[!-~]{1,300}$`);

/**
 * Returns the form in which ids are looked up, or undefined for what can't be one: a request id or
 * a trace id, with or without dashes, in either case; the `line-…` of a line without an id; the id
 * of an event or of a lost decision; or a row's number in its chain, after `#`.
 */
export function parseId(text: string): string | undefined {
  const id = text.trim();
  if (EVENT_ID.test(id) || ROW_NUMBER.test(id)) return id;
  if (/^line-[0-9a-f]{64}$/i.test(id)) return id.toLowerCase();
  const digits = id.replaceAll('-', '').toLowerCase();
  return /^[0-9a-f]{32}$/.test(digits) ? digits : undefined;
}

/**
 * Returns the rows of one request, trace or event, oldest first; with a request the events of its
 * trace. `id` is what `parseId` returned.
 */
export async function find(reader: AuditReader, id: string): Promise<ReadRow[]> {
  if (ROW_NUMBER.test(id)) {
    return reader.rows(`${ROWS} sequence = ? ${IN_ORDER} LIMIT ${MAX_FOUND}`, [
      Number(id.slice(1)),
    ]);
  }
  const uuid = id.replace(/^([0-9a-f]{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  const found = await reader.rows(
    `${ROWS} request_id = ? OR (trace_id IS NOT NULL AND trace_id = ?) ${IN_ORDER} LIMIT ${MAX_FOUND}`,
    [uuid, id],
  );
  const [only] = found;
  if (only === undefined || found.length > 1 || !isRequest(only)) return found;
  const events = await reader.rows(
    `${ROWS} trace_id = ? AND event IS NOT NULL ${IN_ORDER} LIMIT ${MAX_FOUND}`,
    [only.traceId],
  );
  return [...found, ...events];
}
