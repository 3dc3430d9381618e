// The requests of a time in the store, as a destination gets them: in the order of their times, in batches.
import type { Columns, Value } from '../audit/database.ts';
import type { AuditReader } from '../audit/reader.ts';
import { isRequest } from '../audit/row.ts';
import { BATCH_ROWS } from './deliver.ts';
import type { ReplayRow } from './replay.ts';

/** By the start of the request, in microseconds since the epoch; the end doesn't belong to it. */
export type Period = { readonly sinceUs: number; readonly untilUs: number };

type Reader = Pick<AuditReader, 'all' | 'rows'>;

const EXPORTED =
  "FROM audit_rows WHERE chain = ? AND kind IN ('request', 'unexplained') AND sampled = 1 " +
  'AND started_at_us >= ? AND started_at_us < ?';

/** Returns how many requests they are. */
export async function countHistory(
  reader: Reader,
  chain: string,
  { sinceUs, untilUs }: Period,
): Promise<number> {
  const found: Columns[] = await reader.all(`SELECT count(*) AS "rows" ${EXPORTED}`, [
    chain,
    sinceUs,
    untilUs,
  ]);
  return Number(found[0]?.['rows']);
}

/** Returns them, one page in memory at a time. */
export async function* history(
  reader: Reader,
  chain: string,
  { sinceUs, untilUs }: Period,
): AsyncGenerator<ReplayRow[]> {
  const sql =
    `SELECT * ${EXPORTED} AND (started_at_us > ? OR sequence > ?) ` +
    `ORDER BY started_at_us, sequence LIMIT ${BATCH_ROWS}`;
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
