// Rows that were removed though a destination did not have them: counted from slice to slice, in the
// transaction of each, until the event of the whole removal tells of it.
import type { Queries } from './database.ts';
import { noteOf, setNote } from './notes.ts';
import type { Holder } from './removal-plan.ts';

/** Name of the note: destination → rows that it never got, of which no event has told. */
const UNDELIVERED = 'removed-undelivered';

/** Rows after `from`, up to `to`. */
export type Span = { readonly from: number; readonly to: number };

/** Adds what these destinations lack of the rows that go now. */
export async function addUndelivered(
  queries: Queries,
  chain: string,
  lacking: readonly Holder[],
  { from, to }: Span,
): Promise<void> {
  const fresh = lacking
    .map(({ destination, has }) => [destination, to - Math.max(from, has)] as const)
    .filter(([, rows]) => rows > 0);
  if (fresh.length === 0) return;
  const counts = parsed(await noteOf(queries, chain, UNDELIVERED));
  for (const [name, rows] of fresh) counts.set(name, (counts.get(name) ?? 0) + rows);
  await setNote(queries, UNDELIVERED, JSON.stringify([...counts]));
}

/** Returns what the event says, `collector: 1200, other/logs: 3`, and begins anew; undefined for nothing. */
export async function takeUndelivered(
  queries: Queries,
  chain: string,
): Promise<string | undefined> {
  const counts = parsed(await noteOf(queries, chain, UNDELIVERED));
  if (counts.size === 0) return undefined;
  await setNote(queries, UNDELIVERED, '[]');
  return [...counts].map(([name, rows]) => `${name}: ${rows}`).join(', ');
}

// What someone else has written there is as good as nothing.
function parsed(text: string | undefined): Map<string, number> {
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    return new Map(Array.isArray(value) ? value.filter(isCount) : []);
  } catch {
    return new Map();
  }
}

function isCount(value: unknown): value is [string, number] {
  if (!Array.isArray(value)) return false;
  const [name, rows] = value as unknown[];
  return typeof name === 'string' && Number.isSafeInteger(rows);
}
