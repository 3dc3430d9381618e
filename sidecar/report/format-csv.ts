// Rows and groups as CSV (RFC 4180) for spreadsheets. Programs are better served by JSON: here what is
// no character to see is spelled out, and what a spreadsheet would calculate is made text.
import { fieldsOf } from './format-json.ts';
import { visible } from '../visible.ts';
import type { ReadRow } from '../audit/reader.ts';

/** A column for each field of a JSON line; those of an object in it have its name in front. */
export const CSV_COLUMNS = [
  'kind',
  'chain',
  'sequence',
  'hash',
  'time',
  'requestId',
  'traceId',
  'forgotten',
  'user',
  'issuer',
  'subject',
  'team',
  'type',
  'roles',
  'actor',
  'sessionHash',
  'authMethod',
  'route',
  'parentSpanId',
  'link.traceId',
  'link.spanId',
  'sampled',
  'method',
  'scheme',
  'host',
  'path',
  'query',
  'protocol',
  'status',
  'durationMs',
  'skewMs',
  'decision',
  'reason',
  'requirement',
  'clientAddress',
  'peerAddress',
  'userAgent',
  'requestBytes',
  'responseBytes',
  'upstream.address',
  'upstream.time',
  'upstream.durationMs',
  'upstream.latencyMs',
  'upstream.retries',
  'event',
  'code',
  'details',
  'gate.bootId',
  'gate.number',
  'gate.supersedes',
  'gate.time',
  'gate.durationMs',
] as const;

/** Ends a record: RFC 4180 section 2. */
export const CSV_NEWLINE = '\r\n';

// What a cell may begin with that Excel, LibreOffice or Google Sheets take for a formula, in the
// widths of East Asia, too: https://owasp.org/www-community/attacks/CSV_Injection
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

// Where the comma is the decimal mark, Excel parts cells at semicolons, whatever stands in quotes.
const LATER_FORMULA = /;(?=[=+\-@＝＋－＠])/g;

/** Returns the names of the columns, as a record without its end. */
export function csvHeader(): string {
  return csvRecord(CSV_COLUMNS);
}

/** Returns a row as a record without its end. Lists and details are JSON; unknown is empty. */
export function toCsv(row: ReadRow): string {
  const fields: Record<string, unknown> = fieldsOf(row);
  return csvRecord(CSV_COLUMNS.map((column) => valueAt(fields, column)));
}

/** Returns values as a record without its end; a text is never a formula, a number stays one. */
export function csvRecord(values: readonly unknown[]): string {
  return values.map(cellOf).join(',');
}

function valueAt(fields: Record<string, unknown>, column: string): unknown {
  const [name = '', within] = column.split('.');
  const value = fields[name];
  if (within === undefined || typeof value !== 'object' || value === null) return value;
  return (value as Record<string, unknown>)[within];
}

function cellOf(value: unknown): string {
  if (value === undefined) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const safe = visible(FORMULA.test(text) ? `'${text}` : text).replace(LATER_FORMULA, ";'");
  return /[",;]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
