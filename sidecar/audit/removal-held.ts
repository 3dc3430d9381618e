// Whether one row holds up those after it: rows go in their order, and one that was recorded by a clock that
// was ahead is young for long. Reads only, and a few rows at most.
import type { Queries } from './database.ts';

/** The row that holds up those after it. */
export type HoldUp = {
  readonly sequence: number;
  /** In microseconds since the epoch. */
  readonly startedAtUs: number;
};

type Reader = Pick<Queries, 'all'>;

const DAY_US = 86_400_000_000;

/**
 * Returns the first row behind `after` when it is younger than a time by more than a day while rows behind
 * it are older by more than a day. Some order of rows is lost in any log: requests take their time.
 */
export async function heldUp(
  reader: Reader,
  chain: string,
  after: number,
  beforeUs: number,
): Promise<HoldUp | undefined> {
  const first = await nextFrom(reader, chain, after + 1);
  if (first === undefined || first.startedAtUs - beforeUs <= DAY_US) return undefined;
  // At doubled distances: however many were dated ahead, those after them are met before they are as many.
  for (let distance = 1; ; distance *= 2) {
    const row = await nextFrom(reader, chain, first.sequence + distance);
    if (row === undefined) return undefined;
    if (row.startedAtUs < beforeUs - DAY_US) return first;
  }
}

async function nextFrom(reader: Reader, chain: string, from: number): Promise<HoldUp | undefined> {
  const sql =
    'SELECT sequence, started_at_us FROM audit_rows WHERE chain = ? AND sequence >= ? ORDER BY sequence LIMIT 1';
  const [found] = await reader.all(sql, [chain, from]);
  if (found === undefined) return undefined;
  return { sequence: Number(found['sequence']), startedAtUs: Number(found['started_at_us']) };
}
