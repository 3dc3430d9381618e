// What `signet audit` can ask: a filter from words to SQL, one request or trace by its id, and the
// rows that come in while one looks on. Values are always parameters, never part of the SQL.
import { setTimeout as pause } from 'node:timers/promises';
import type { SQLInputValue } from 'node:sqlite';
import type { Filter, StatusRange } from './filter.ts';
import type { StoredRow } from './row.ts';
import type { AuditReader } from './store.ts';

/** How often `follow` asks whether something was written: 3 µs each time. */
const POLL_MS = 200;

const ROWS = 'SELECT * FROM audit_rows';
const PAGE_ROWS = 1000;

/** Start and sequence in front of the first row. */
const FIRST_PLACE = [-1, 0] as const;

type Condition = { readonly sql: string; readonly values: readonly SQLInputValue[] };

/**
 * Yields the rows that a filter lets through, newest last; by default of those that are there now.
 * They are read in pages: a reader that holds one long transaction, because `less` is waiting for a
 * key, would keep the writer's WAL growing.
 */
export function* query(
  reader: AuditReader,
  filter: Filter,
  upTo: number = reader.lastSequence(),
): Generator<StoredRow> {
  const conditions = [...conditionsOf(filter), { sql: 'sequence <= ?', values: [upTo] }];
  let after: readonly number[] | undefined = placeBefore(reader, conditions, filter.limit);
  while (after !== undefined) {
    const place = { sql: '(started_at_us, sequence) > (?, ?)', values: after };
    const { sql, values } = allOf([...conditions, place]);
    const page = [
      ...reader.select(`${ROWS} ${sql} ORDER BY started_at_us, sequence LIMIT ?`, [
        ...values,
        PAGE_ROWS,
      ]),
    ];
    yield* page;
    const last = page.at(-1);
    after = last && page.length === PAGE_ROWS ? [last.startedAtUs, last.sequence] : undefined;
  }
}

// Where to begin so that only the newest `limit` rows follow; in front of all without a limit, or
// with fewer of them.
function placeBefore(
  reader: AuditReader,
  conditions: readonly Condition[],
  limit: number | undefined,
): readonly number[] {
  if (limit === undefined) return FIRST_PLACE;
  const { sql, values } = allOf(conditions);
  const [first] = reader.select(
    `${ROWS} ${sql} ORDER BY started_at_us DESC, sequence DESC LIMIT 1 OFFSET ?`,
    [...values, limit - 1],
  );
  return first === undefined ? FIRST_PLACE : [first.startedAtUs, first.sequence - 1];
}

/** Returns the rows of one request or one trace, oldest first. `id` is what `parseId` returned. */
export function find(reader: AuditReader, id: string): StoredRow[] {
  const uuid = id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return [
    ...reader.select(
      `${ROWS} WHERE request_id = ? OR (trace_id IS NOT NULL AND trace_id = ?) ` +
        'ORDER BY started_at_us, sequence',
      [uuid, id],
    ),
  ];
}

/**
 * Returns the form in which ids are looked up, or undefined for what can't be one: a request id or
 * a trace id, with or without dashes, in either case; or the `line-…` of a line without an id.
 */
export function parseId(text: string): string | undefined {
  const id = text.trim().toLowerCase();
  if (/^line-[0-9a-f]{64}$/.test(id)) return id;
  const digits = id.replaceAll('-', '');
  return /^[0-9a-f]{32}$/.test(digits) ? digits : undefined;
}

/** Yields rows that are committed after a sequence, as they come in, until the signal. */
export async function* follow(
  reader: AuditReader,
  filter: Filter,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<StoredRow> {
  let seen = after;
  let version: number | undefined;
  while (!signal.aborted) {
    const now = reader.version();
    if (now !== version) {
      const last = reader.lastSequence();
      for (let page = [...pageAfter(reader, filter, seen, last)]; page.length > 0;) {
        yield* page;
        seen = page.at(-1)?.sequence ?? last;
        page = [...pageAfter(reader, filter, seen, last)];
      }
      seen = Math.max(seen, last);
      version = now;
    }
    await pause(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

// In pages that are read to their end: who reads slowly must not hold a transaction open.
function pageAfter(reader: AuditReader, filter: Filter, after: number, upTo: number) {
  const between = { sql: 'sequence > ? AND sequence <= ?', values: [after, upTo] };
  const { sql, values } = allOf([between, ...conditionsOf(filter)]);
  return reader.select(`${ROWS} ${sql} ORDER BY sequence LIMIT ${PAGE_ROWS}`, values);
}

function conditionsOf(filter: Filter): Condition[] {
  return [
    ...oneOf('user', filter.user),
    ...oneOf('team', filter.team),
    ...oneOf('type', filter.type),
    ...oneOf('route', filter.route),
    ...oneOf('decision', filter.decision),
    ...inRanges(filter.status),
    ...compared('started_at_us >= ?', filter.sinceUs),
    ...compared('started_at_us < ?', filter.untilUs),
  ];
}

function oneOf(column: string, values: readonly string[] | undefined): Condition[] {
  if (values === undefined) return [];
  return [{ sql: `${column} IN (${values.map(() => '?').join(', ')})`, values }];
}

function inRanges(ranges: readonly StatusRange[] | undefined): Condition[] {
  if (ranges === undefined) return [];
  const sql = ranges.map(() => 'status BETWEEN ? AND ?').join(' OR ');
  return [{ sql: `(${sql})`, values: ranges.flatMap(({ from, to }) => [from, to]) }];
}

function compared(sql: string, value: number | undefined): Condition[] {
  return value === undefined ? [] : [{ sql, values: [value] }];
}

function allOf(conditions: readonly Condition[]): Condition {
  const sql = conditions.map((condition) => condition.sql).join(' AND ');
  return {
    sql: sql === '' ? '' : `WHERE ${sql}`,
    values: conditions.flatMap((condition) => condition.values),
  };
}
