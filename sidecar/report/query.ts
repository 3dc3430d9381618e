// Rows by a filter, in the order of time, page by page. How a filter becomes SQL is in condition.ts;
// one request or trace is found in find.ts, and new rows are followed in follow.ts.
import { accessOf, allOf, upToPlaces, type Condition } from './condition.ts';
import type { Columns } from '../audit/database.ts';
import type { Filter, Question } from './filter.ts';
import { merged } from './merge.ts';
import type { PageKey } from './page-key.ts';
import type { AuditReader, ReadRow } from '../audit/reader.ts';

/** Rows that are read at once, of all branches together, and places of which nothing else is read. */
const PAGE_ROWS = 1000;
const PAGE_PLACES = 10_000;
/** Below this the way there costs more than the rows. */
const MIN_PAGE_ROWS = 50;

/** In front of the first row, and behind the last. */
const FIRST: PageKey = { startedAtUs: 0, requestId: '' };
const LAST: PageKey = { startedAtUs: Number.MAX_SAFE_INTEGER, requestId: '' };

/** Where a page begins: the place itself belongs to it, or it doesn't. */
type Start = PageKey & { readonly isIncluded?: true };

/**
 * Yields the rows that a question asks for, oldest first; by default of those that are there now.
 * They are read in pages: a reader that holds one long transaction, because `less` is waiting for a
 * key, would keep the writer's WAL growing.
 */
export async function* query(
  reader: AuditReader,
  question: Question,
  upTo?: ReadonlyMap<string, number>,
): AsyncGenerator<ReadRow> {
  const { branches, rest } = accessOf(question);
  const conditions = [...rest, upToPlaces(upTo ?? (await reader.places()))];
  const alternatives = branches.map((branch) => [branch, ...conditions]);
  const start = await startOf(reader, question, alternatives);
  let left = question.limit ?? Number.MAX_SAFE_INTEGER;
  const share = Math.max(MIN_PAGE_ROWS, Math.ceil(PAGE_ROWS / branches.length));
  const pageRows = Math.min(share, left);
  const rows = alternatives.map((each) => ascending(reader, question, each, start, pageRows));
  for await (const row of merged(rows, isBefore)) {
    yield row;
    left -= 1;
    if (left === 0) return;
  }
}

async function* ascending(
  reader: AuditReader,
  { untilUs }: Filter,
  conditions: readonly Condition[],
  start: Start,
  pageRows: number,
): AsyncGenerator<ReadRow> {
  const until = compared('started_at_us < ?', untilUs);
  for (let from: Start | undefined = start; from !== undefined;) {
    const { sql, values } = allOf([...conditions, ...until, behind(from)]);
    const page: ReadRow[] = await reader.rows(
      `SELECT * FROM audit_rows WHERE ${sql} ORDER BY started_at_us, request_id LIMIT ?`,
      [...values, pageRows],
    );
    yield* page;
    from = page.length < pageRows ? undefined : page.at(-1);
  }
}

// A key says where; otherwise a limit means the newest ones, which begin at the one that is so far
// from the end.
async function startOf(
  reader: AuditReader,
  { after, limit, ...filter }: Question,
  alternatives: readonly (readonly Condition[])[],
): Promise<Start> {
  const since: Start = { ...FIRST, startedAtUs: filter.sinceUs ?? 0 };
  if (after !== undefined) return isBefore(after, since) ? since : after;
  if (limit === undefined) return since;
  let left = limit;
  const pageRows = Math.min(PAGE_PLACES, limit);
  const places = alternatives.map((each) => descending(reader, filter, each, pageRows));
  for await (const place of merged(places, (one, other) => isBefore(other, one))) {
    left -= 1;
    if (left === 0) return { ...place, isIncluded: true };
  }
  return since;
}

async function* descending(
  reader: AuditReader,
  { sinceUs, untilUs }: Filter,
  conditions: readonly Condition[],
  pageRows: number,
): AsyncGenerator<PageKey> {
  const since = compared('started_at_us >= ?', sinceUs);
  const end = { ...LAST, ...(untilUs !== undefined && { startedAtUs: untilUs }) };
  for (let from: PageKey | undefined = end; from !== undefined;) {
    const { sql, values } = allOf([...conditions, ...since, inFrontOf(from)]);
    const order = 'ORDER BY started_at_us DESC, request_id DESC LIMIT ?';
    const page: PageKey[] = (
      await reader.all(`SELECT started_at_us, request_id FROM audit_rows WHERE ${sql} ${order}`, [
        ...values,
        pageRows,
      ])
    ).map(toPlace);
    yield* page;
    from = page.length < pageRows ? undefined : page.at(-1);
  }
}

// The first comparison is the index's, the second only sorts out those of the same microsecond.
function behind({ startedAtUs, requestId, isIncluded }: Start): Condition {
  return {
    sql: `started_at_us >= ? AND (started_at_us > ? OR request_id ${isIncluded ? '>=' : '>'} ?) IS TRUE`,
    values: [startedAtUs, startedAtUs, requestId],
  };
}

function inFrontOf({ startedAtUs, requestId }: PageKey): Condition {
  return {
    sql: 'started_at_us <= ? AND (started_at_us < ? OR request_id < ?) IS TRUE',
    values: [startedAtUs, startedAtUs, requestId],
  };
}

function isBefore(one: PageKey, other: PageKey): boolean {
  if (one.startedAtUs !== other.startedAtUs) return one.startedAtUs < other.startedAtUs;
  return one.requestId < other.requestId;
}

function toPlace(columns: Columns): PageKey {
  return {
    startedAtUs: Number(columns['started_at_us']),
    requestId: String(columns['request_id']),
  };
}

function compared(sql: string, value: number | undefined): Condition[] {
  return value === undefined ? [] : [{ sql, values: [value] }];
}
