// The rows that come in while one looks on.
import { setTimeout as pause } from 'node:timers/promises';
import { allOf, hidden, restOf, type Condition } from './condition.ts';
import type { Filter } from './filter.ts';
import type { AuditReader, ReadRow } from '../audit/reader.ts';

/** How often it is asked whether something was written: some 20 µs each time with a file. */
const POLL_MS = 200;

const PAGE_ROWS = 1000;

/** Yields rows that are committed after a sequence of each chain, as they come in, until the signal. */
export async function* follow(
  reader: AuditReader,
  filter: Filter,
  after: ReadonlyMap<string, number>,
  signal: AbortSignal,
): AsyncGenerator<ReadRow> {
  const seen = new Map(after);
  while (!signal.aborted) {
    for (const [chain, last] of await reader.places()) {
      const from = seen.get(chain) ?? 0;
      if (last > from) yield* rowsBetween(reader, filter, chain, from, last);
      seen.set(chain, Math.max(from, last));
    }
    await pause(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

// In pages that are read to their end: who reads slowly must not hold a transaction open.
async function* rowsBetween(
  reader: AuditReader,
  filter: Filter,
  chain: string,
  after: number,
  last: number,
): AsyncGenerator<ReadRow> {
  const rest = [...restOf(filter), timesOf(filter)];
  for (let from: number | undefined = after; from !== undefined;) {
    const between = {
      sql: 'chain = ? AND sequence > ? AND sequence <= ?',
      values: [chain, from, last],
    };
    const { sql, values } = allOf([between, ...rest]);
    const page: ReadRow[] = await reader.rows(
      `SELECT * FROM audit_rows WHERE ${sql} ORDER BY sequence LIMIT ${PAGE_ROWS}`,
      values,
    );
    yield* page;
    from = page.length < PAGE_ROWS ? undefined : page.at(-1)?.sequence;
  }
}

// New rows are few, whatever time they are of: the way in is their sequence.
function timesOf({ sinceUs, untilUs }: Filter): Condition {
  return hidden({
    sql: 'started_at_us >= ? AND started_at_us < ?',
    values: [sinceUs ?? 0, untilUs ?? Number.MAX_SAFE_INTEGER],
  });
}
