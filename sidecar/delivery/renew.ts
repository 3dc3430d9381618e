// Rows that waited long in memory, as the store has them by now: of a person who was forgotten meanwhile
// no more may leave than is still there.
import type { StoredRow } from '../audit/row.ts';
import type { Outbox } from './outbox.ts';
import { PAGE_ROWS } from './source.ts';

/** Returns the same rows read anew, in their order; those that were removed are left out. */
export async function readAnew(
  outbox: Pick<Outbox, 'rowsAfter'>,
  rows: readonly StoredRow[],
): Promise<StoredRow[]> {
  const wanted = new Set(rows.map(({ sequence }) => sequence));
  const last = rows.at(-1)?.sequence ?? 0;
  const found: StoredRow[] = [];
  for (let at = (rows[0]?.sequence ?? 1) - 1; at < last;) {
    const page = await outbox.rowsAfter(at, Math.min(PAGE_ROWS, last - at));
    found.push(...page.filter(({ sequence }) => wanted.has(sequence)));
    at = page.at(-1)?.sequence ?? last;
  }
  return found;
}
