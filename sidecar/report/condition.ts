// A filter as SQL: through which index the rows are reached, and what else must hold of them. Pure;
// values are always parameters, never part of the SQL.
//
// The way in is chosen here, and not left to the database: without statistics SQLite guesses, and one
// wrong guess reads a year of a team to find a day of a user. Every other condition is hidden from the
// search for an index by IS TRUE; PostgreSQL still estimates it, as it can't with a changed column.
import type { Value } from '../audit/database.ts';
import type { Filter, StatusRange } from './filter.ts';

export type Condition = { readonly sql: string; readonly values: readonly Value[] };

export type Access = {
  /** The index that leads to the rows; undefined where it is that of the time. */
  readonly way: Condition | undefined;
  /** The same in parts, of which each is one stretch of that index, in the order of time. */
  readonly branches: readonly Condition[];
  /** What must hold as well. */
  readonly rest: readonly Condition[];
};

/** A field with an index; rarer things first. */
type Way = {
  readonly field: ListField;
  /** Holds for all rows of an index that is partial; literally as in schema.ts, or it isn't used. */
  readonly partial?: string;
  /** Values that the partial index has no row of. */
  readonly without?: readonly string[];
};
type ListField = Exclude<keyof Filter, 'sinceUs' | 'untilUs' | 'slowerThanUs' | 'status'>;

const WAYS: readonly Way[] = [
  { field: 'user' },
  { field: 'event', partial: 'event IS NOT NULL' },
  { field: 'kind', partial: "kind <> 'request'", without: ['request'] },
  { field: 'decision', partial: "decision <> 'allow'", without: ['allow'] },
  {
    field: 'reason',
    partial: "reason <> 'requirement-met' AND reason <> 'public'",
    without: ['requirement-met', 'public'],
  },
  { field: 'team' },
  { field: 'route' },
];

/** Server errors have an index by time. */
const ERRORS_FROM = 500;

/** What a column is when it is compared. */
const COMPARED: Readonly<Record<ListField, string>> = {
  user: '"user"',
  team: 'team',
  type: '"type"',
  route: 'route',
  host: 'lower(host)',
  method: 'upper(method)',
  decision: 'decision',
  reason: 'reason',
  kind: 'kind',
  event: 'event',
};

/** Returns the way in that a filter offers. Its times are left to the caller. */
export function accessOf(filter: Filter): Access {
  if (areErrors(filter.status) && filter.user === undefined) {
    const way = { sql: `status >= ${ERRORS_FROM}`, values: [] };
    return { way, branches: [way], rest: restOf(filter) };
  }
  const open = WAYS.find((each) => isOpen(each, filter));
  if (open === undefined) return { way: undefined, branches: [EVERYTHING], rest: restOf(filter) };
  const { [open.field]: values = [], ...others } = filter;
  return {
    way: wayTo(open, values),
    branches: values.map((value) => wayTo(open, [value])),
    rest: restOf(others),
  };
}

/** Returns the filter but for its times, in conditions that no index is looked for. */
export function restOf(filter: Filter): Condition[] {
  const fields = Object.keys(COMPARED) as ListField[];
  return [
    ...fields.flatMap((field) => oneOf(COMPARED[field], filter[field])),
    ...inRanges(filter.status),
    ...slowerThan(filter.slowerThanUs),
  ].map(hidden);
}

/** Returns a condition for which no index is looked for. */
export function hidden({ sql, values }: Condition): Condition {
  return { sql: `(${sql}) IS TRUE`, values };
}

/** Returns the condition that holds for what was there at a time: up to a sequence in each chain. */
export function upToPlaces(places: ReadonlyMap<string, number>): Condition {
  const each = [...places].map(() => '(chain = ? AND sequence <= ?)');
  return hidden({ sql: each.join(' OR ') || NOTHING, values: [...places].flat() });
}

/** Returns the conditions as one, to stand after WHERE. */
export function allOf(conditions: readonly Condition[]): Condition {
  return {
    sql: conditions.map(({ sql }) => sql).join(' AND '),
    values: conditions.flatMap(({ values }) => values),
  };
}

const EVERYTHING: Condition = { sql: '1 = 1', values: [] };
const NOTHING = '1 = 0';

function isOpen({ field, without = [] }: Way, filter: Filter): boolean {
  const values = filter[field];
  return values !== undefined && !values.some((value) => without.includes(value));
}

// `IN` with one value is the same as `=`, also for the order in which an index gives its rows.
function wayTo({ field, partial }: Way, values: readonly string[]): Condition {
  const sql = isIn(`"${field}"`, values);
  return { sql: partial === undefined ? sql : `${sql} AND ${partial}`, values };
}

function areErrors(ranges: readonly StatusRange[] | undefined): boolean {
  return ranges !== undefined && ranges.every(({ from }) => from >= ERRORS_FROM);
}

function oneOf(column: string, values: readonly string[] | undefined): Condition[] {
  return values === undefined ? [] : [{ sql: isIn(column, values), values }];
}

function isIn(column: string, values: readonly string[]): string {
  return `${column} IN (${values.map(() => '?').join(', ')})`;
}

function slowerThan(us: number | undefined): Condition[] {
  return us === undefined ? [] : [{ sql: 'duration_us > ?', values: [us] }];
}

function inRanges(ranges: readonly StatusRange[] | undefined): Condition[] {
  if (ranges === undefined) return [];
  const sql = ranges.map(() => 'status BETWEEN ? AND ?').join(' OR ');
  return [{ sql, values: ranges.flatMap(({ from, to }) => [from, to]) }];
}
