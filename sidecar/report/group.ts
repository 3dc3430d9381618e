// Requests counted by who, whose, where or what was decided, with how long they took. Percentiles are
// exact, by the nearest rank: the smallest duration that so many percent of the requests don't exceed.
import { accessOf, allOf, hidden, type Condition } from './condition.ts';
import type { Columns } from '../audit/database.ts';
import type { Filter, Grouping } from './filter.ts';
import type { AuditReader } from '../audit/reader.ts';

export type Group = {
  /** Absent for requests of which it isn't known: of the signed out, or of who was forgotten. */
  readonly name?: string;
  readonly requests: number;
  /** Answers of 500 and more. A 4xx is an answer, and a client that left is nobody's error here. */
  readonly errors: number;
  /** Decision `deny`. */
  readonly denied: number;
  readonly p50Us: number;
  readonly p95Us: number;
  readonly p99Us: number;
};

/** Rows whose durations are fetched at once: in one group's text at most 16 bytes each. */
const SLICE_ROWS = 20_000_000;

/** Of the time that the store reaches over: with less, the index by time is the shorter way. */
const SMALL_SHARE = 1 / 8;

// The durations of a group come as one text: a quarter of the time that one result a row takes, and
// what SQLite and PostgreSQL have in common.
const COUNTED =
  'count(*) AS requests, ' +
  'sum(CASE WHEN status >= 500 THEN 1 ELSE 0 END) AS errors, ' +
  "sum(CASE WHEN decision = 'deny' THEN 1 ELSE 0 END) AS denied, " +
  "string_agg(CAST(duration_us AS TEXT), ',') AS durations";

/** Events took no time. */
const ARE_REQUESTS: Condition = { sql: 'duration_us IS NOT NULL', values: [] };

type Part = Omit<Group, 'p50Us' | 'p95Us' | 'p99Us'> & { readonly durations: Float64Array };

/** Returns the groups of the requests that a filter lets through, the largest first. */
export async function group(reader: AuditReader, filter: Filter, by: Grouping): Promise<Group[]> {
  const conditions = await conditionsOf(reader, filter);
  const groups = new Map<Part['name'], Part>();
  for (const slice of await slicesOf(reader)) {
    const { sql, values } = allOf([...slice, ...conditions]);
    const parts = await reader.all(
      `SELECT "${by}" AS name, ${COUNTED} FROM audit_rows WHERE ${sql} GROUP BY "${by}"`,
      values,
    );
    for (const part of parts.map(toPart)) {
      const before = groups.get(part.name);
      groups.set(part.name, before === undefined ? part : sum(before, part));
    }
  }
  return [...groups.values()].map(toGroup).toSorted(byRequests);
}

async function conditionsOf(reader: AuditReader, filter: Filter): Promise<Condition[]> {
  const { way, rest } = accessOf(filter);
  const isNarrow = way !== undefined || (await isShort(reader, filter));
  return [ARE_REQUESTS, ...(way ? [way] : []), ...timesOf(filter, isNarrow), ...rest];
}

// Both ends, or SQLite reads the whole index of the groups; hidden, and it doesn't fetch each row.
function timesOf({ sinceUs, untilUs }: Filter, isNarrow: boolean): Condition[] {
  if (sinceUs === undefined && untilUs === undefined) return [];
  const times = {
    sql: 'started_at_us >= ? AND started_at_us < ?',
    values: [sinceUs ?? 0, untilUs ?? Number.MAX_SAFE_INTEGER],
  };
  return [isNarrow ? times : hidden(times)];
}

async function isShort(reader: AuditReader, { sinceUs, untilUs }: Filter): Promise<boolean> {
  const one = (order: string) =>
    `SELECT started_at_us FROM audit_rows ORDER BY started_at_us ${order} LIMIT 1`;
  const [ends] = await reader.all(`SELECT (${one('ASC')}) AS first, (${one('DESC')}) AS last`, []);
  const first = Number(ends?.['first'] ?? 0);
  const last = Number(ends?.['last'] ?? 0);
  const askedUs = Math.min(untilUs ?? last, last) - Math.max(sinceUs ?? first, first);
  return askedUs < (last - first) * SMALL_SHARE;
}

async function slicesOf(reader: AuditReader): Promise<Condition[][]> {
  const last = Math.max(0, ...(await reader.places()).values());
  if (last <= SLICE_ROWS) return [[]];
  return Array.from({ length: Math.ceil(last / SLICE_ROWS) }, (_, number) => [
    hidden({
      sql: 'sequence > ? AND sequence <= ?',
      values: [number * SLICE_ROWS, (number + 1) * SLICE_ROWS],
    }),
  ]);
}

function toPart(columns: Columns): Part {
  const name = columns['name'];
  const requests = Number(columns['requests']);
  return {
    ...(typeof name === 'string' && { name }),
    requests,
    errors: Number(columns['errors']),
    denied: Number(columns['denied']),
    durations: numbersIn(String(columns['durations']), requests),
  };
}

// By hand: split() would make a text of each number first, and take three times as long.
function numbersIn(text: string, count: number): Float64Array {
  const numbers = new Float64Array(count);
  const comma = 44;
  const zero = 48;
  let number = 0;
  let at = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === comma) {
      numbers[at++] = number;
      number = 0;
    } else {
      number = number * 10 + code - zero;
    }
  }
  numbers[at] = number;
  return numbers;
}

function sum(one: Part, other: Part): Part {
  const durations = new Float64Array(one.durations.length + other.durations.length);
  durations.set(one.durations);
  durations.set(other.durations, one.durations.length);
  return {
    ...one,
    requests: one.requests + other.requests,
    errors: one.errors + other.errors,
    denied: one.denied + other.denied,
    durations,
  };
}

function toGroup({ durations, ...counted }: Part): Group {
  durations.sort();
  const rank = (share: number) => durations[Math.ceil(share * durations.length) - 1] ?? 0;
  return { ...counted, p50Us: rank(0.5), p95Us: rank(0.95), p99Us: rank(0.99) };
}

function byRequests(one: Group, other: Group): number {
  return other.requests - one.requests || ((one.name ?? '') < (other.name ?? '') ? -1 : 1);
}
