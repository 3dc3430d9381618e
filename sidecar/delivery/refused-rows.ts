// The rows that a destination has set aside, for whoever sends them again beside the running sidecar.
import type { Database } from '../audit/database.ts';
import { noteOf, setNote } from '../audit/notes.ts';
import type { AuditReader } from '../audit/reader.ts';
import type { StoredRow } from '../audit/row.ts';
import { openRefusals, refusedNote, resentNote, resentText, type Refusal } from './refusals.ts';
import { PAGE_ROWS } from './source.ts';

/** Returns what a destination has refused and not taken since, of the newest that are remembered. */
export async function refusalsIn(
  reader: Pick<AuditReader, 'all'>,
  chain: string,
  cursorName: string,
): Promise<Refusal[]> {
  const refused = await noteOf(reader, chain, refusedNote(cursorName));
  return openRefusals(refused, await noteOf(reader, chain, resentNote(cursorName)));
}

/** Returns those of their rows that are still there and wanted; `onGone` hears of the others. */
export async function* refusedRows(
  reader: Pick<AuditReader, 'rows'>,
  chain: string,
  refusals: readonly Refusal[],
  isWanted: (row: StoredRow) => boolean,
  onGone: (refusals: readonly Refusal[]) => void,
): AsyncGenerator<StoredRow[]> {
  for (let from = 0; from < refusals.length; from += PAGE_ROWS) {
    const some = refusals.slice(from, from + PAGE_ROWS);
    const sequences = some.map(({ sequence }) => sequence);
    const places = sequences.map(() => '?').join(', ');
    const sql = `SELECT * FROM audit_rows WHERE chain = ? AND sequence IN (${places}) ORDER BY sequence`;
    const rows = await reader.rows(sql, [chain, ...sequences]);
    const found = rows.filter(isWanted);
    const there = new Set(found.map(({ sequence }) => sequence));
    onGone(some.filter(({ sequence }) => !there.has(sequence)));
    yield found;
  }
}

/** Remembers that these were taken. The sidecar never writes this note, so that neither undoes the other. */
export async function markResent(
  database: Database,
  chain: string,
  cursorName: string,
  taken: readonly Refusal[],
): Promise<void> {
  await database.transaction(async (queries) => {
    const refused = await noteOf(queries, chain, refusedNote(cursorName));
    const before = await noteOf(queries, chain, resentNote(cursorName));
    await setNote(queries, resentNote(cursorName), resentText(refused, before, taken));
  });
}
