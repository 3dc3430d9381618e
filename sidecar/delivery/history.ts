// The requests of a time in the store, as a destination gets them: in the order of their times, in batches.
import type { Columns, Value } from '../audit/database.ts';
import type { AuditReader } from '../audit/reader.ts';
import { isRequest } from '../audit/row.ts';
import type { ReplayRow } from './replay.ts';
import { PAGE_ROWS } from './source.ts';

/** By the start of the request, in microseconds since the epoch; the end doesn't belong to it. */
export type Period = { readonly sinceUs: number; readonly untilUs: number };

type Reader = Pick<AuditReader, 'all' | 'rows'>;

const REQUESTS =
  "FROM audit_rows WHERE chain = ? AND kind IN ('request', 'unexplained') " +
  'AND started_at_us >= ? AND started_at_us < ?';

// As `isRefusal` (trace/refusal.ts), `createSpansOf` and `worthOf` (trace/worth.ts) have it.
const REFUSAL =
  "(decision = 'deny' OR (decision = 'login' AND reason <> 'no-credentials') " +
  "OR reason = 'gate-refused')";
const HAVE_SPANS =
  "(sampled = 1 OR status >= 500 OR kind = 'unexplained' OR reason = 'stamp-invalid' " +
  `OR (duration_us >= ? AND status <> 101 AND NOT ${REFUSAL}))`;

/** Returns how many requests have spans: those that are sampled, and errors and slow ones besides. */
export async function countHistory(
  reader: Reader,
  chain: string,
  { sinceUs, untilUs }: Period,
  slowUs: number,
): Promise<number> {
  const found: Columns[] = await reader.all(
    `SELECT count(*) AS "rows" ${REQUESTS} AND ${HAVE_SPANS}`,
    [chain, sinceUs, untilUs, slowUs],
  );
  return Number(found[0]?.['rows']);
}

/** Returns those that have spans, some pages in memory at a time. */
export async function* history(
  reader: Reader,
  chain: string,
  period: Period,
  hasSpans: (row: ReplayRow) => boolean,
): AsyncGenerator<ReplayRow[]> {
  let batch: ReplayRow[] = [];
  for await (const page of pages(reader, chain, period)) {
    batch.push(...page.filter(hasSpans));
    if (batch.length < PAGE_ROWS) continue;
    yield batch.slice(0, PAGE_ROWS);
    batch = batch.slice(PAGE_ROWS);
  }
  if (batch.length > 0) yield batch;
}

async function* pages(
  reader: Reader,
  chain: string,
  { sinceUs, untilUs }: Period,
): AsyncGenerator<ReplayRow[]> {
  const sql =
    `SELECT * ${REQUESTS} AND (started_at_us > ? OR sequence > ?) ` +
    `ORDER BY started_at_us, sequence LIMIT ${PAGE_ROWS}`;
  for (let from = sinceUs, after = 0; ;) {
    const values: Value[] = [chain, from, untilUs, from, after];
    const rows = (await reader.rows(sql, values)).filter(isRequest);
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    from = last.startedAtUs;
    after = last.sequence;
  }
}
