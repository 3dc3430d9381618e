// Rows that waited in memory, as the store has them by now: of a person who was forgotten meanwhile no
// more may leave than is still there. It is asked before each request, which costs one look at a mark.
import type { AuditReader } from '../audit/reader.ts';
import type { StoredRow } from '../audit/row.ts';
import type { Outbox } from './outbox.ts';
import { PAGE_ROWS } from './source.ts';

/** Rows, and the store's mark before they were read; without one it isn't known when they were. */
export type Read = { readonly rows: readonly StoredRow[]; readonly mark?: string | undefined };

/** Returns them as they are by now: themselves where nothing was erased. Rejects with store faults. */
export type Renew = (read: Read) => Promise<Read>;

/** Returns what renews the rows of a delivery. */
export function createRenew(outbox: Pick<Outbox, 'rowsAfter' | 'mark'>): Renew {
  return async ({ rows, mark: before }) => {
    // First: what is erased while they are read makes it another one than they have.
    const mark = await outbox.mark();
    if (mark === before) return { rows, mark };
    return { rows: await readAnew(outbox, rows), mark };
  };
}

/** Returns what renews rows of any order beside the recorder: with each request, which it knows no mark of. */
export function createRereading(reader: Pick<AuditReader, 'rows'>, chain: string): Renew {
  return async ({ rows }) => {
    const sequences = rows.map(({ sequence }) => sequence);
    const places = sequences.map(() => '?').join(', ');
    const sql = `SELECT * FROM audit_rows WHERE chain = ? AND sequence IN (${places})`;
    const found = await reader.rows(sql, [chain, ...sequences]);
    const bySequence = new Map(found.map((row) => [row.sequence, row]));
    return { rows: sequences.flatMap((sequence) => bySequence.get(sequence) ?? []) };
  };
}

async function readAnew(
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
