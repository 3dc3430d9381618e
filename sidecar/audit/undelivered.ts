// Rows that were removed though a destination did not have them: counted from slice to slice, in the
// transaction of each, until the event of the whole removal tells of it.
import { cursorsOf } from './cursors.ts';
import type { Queries } from './database.ts';
import { noteOf, setNote } from './notes.ts';

/** Name of the note: destination → rows that it never got, of which no event has told. */
const UNDELIVERED = 'removed-undelivered';

/** Destination → rows that it never got. */
export type Undelivered = ReadonlyMap<string, number>;

/** Rows after `from`, up to `to`. */
export type Span = { readonly from: number; readonly to: number };

/**
 * Adds what these destinations lack of the rows that go now: by their cursors of now, since one that is back
 * gets rows while others go.
 */
export async function addUndelivered(
  queries: Queries,
  chain: string,
  destinations: readonly string[],
  { from, to }: Span,
): Promise<void> {
  if (destinations.length === 0) return;
  const has = await cursorsOf(queries, chain);
  const fresh = destinations
    .map((name) => [name, to - Math.max(from, has.get(name) ?? 0)] as const)
    .filter(([, rows]) => rows > 0);
  if (fresh.length === 0) return;
  const counts = parsed(await noteOf(queries, chain, UNDELIVERED));
  for (const [name, rows] of fresh) counts.set(name, (counts.get(name) ?? 0) + rows);
  await setNote(queries, UNDELIVERED, JSON.stringify([...counts]));
}

/** Returns what the event is to tell, and begins anew; undefined for nothing. */
export async function takeUndelivered(
  queries: Queries,
  chain: string,
): Promise<Undelivered | undefined> {
  const counts = parsed(await noteOf(queries, chain, UNDELIVERED));
  if (counts.size === 0) return undefined;
  await setNote(queries, UNDELIVERED, '[]');
  return counts;
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
