// Rows that a destination refused one by one: set aside, so that they hold up nobody, and kept by their
// sequences in a note of the store, so that they can be sent again. What was since taken is in another
// note, which `signet deliver --refused` writes beside the running sidecar. Pure.
import { visible } from '../audit/format-text.ts';

/** How many are remembered, the newest; all of them are counted. */
export const MAX_REFUSALS = 1000;
const MAX_REASON_CHARS = 200;

export type Refusal = {
  readonly sequence: number;
  /** When it was set aside, in milliseconds since the epoch. */
  readonly atMs: number;
  readonly reason: string;
};

export type Refusals = {
  add(refusals: readonly Refusal[]): void;
  toNote(): string;
};

/** Returns the name of the note with what was refused, by that of the cursor. */
export const refusedNote = (cursorName: string): string => `refused:${cursorName}`;

/** Returns the name of the note with what of it was taken since. */
export const resentNote = (cursorName: string): string => `resent:${cursorName}`;

/** Returns what goes on from a note; with one that is none, from nothing. */
export function createRefusals(note: string | undefined): Refusals {
  const before = parseNote(note);
  let { total } = before;
  const newest = new Map(before.rows.map((row) => [row.sequence, row]));

  // The same row may come twice: a process that was killed has not told of it.
  function add(refusals: readonly Refusal[]): void {
    for (const { sequence, atMs, reason } of refusals) {
      if (!newest.delete(sequence)) total += 1;
      newest.set(sequence, { sequence, atMs, reason: visible(reason.slice(0, MAX_REASON_CHARS)) });
    }
    const tooMany = Math.max(0, newest.size - MAX_REFUSALS);
    for (const sequence of [...newest.keys()].slice(0, tooMany)) newest.delete(sequence);
  }

  return { add, toNote: () => JSON.stringify({ total, rows: [...newest.values()] }) };
}

/** Returns what was refused and not taken since. */
export function openRefusals(refused: string | undefined, resent: string | undefined): Refusal[] {
  const taken = new Map(parseNote(resent).rows.map(({ sequence, atMs }) => [sequence, atMs]));
  return parseNote(refused).rows.filter(({ sequence, atMs }) => atMs > (taken.get(sequence) ?? -1));
}

/** Returns the note of what was taken since, with these; what isn't remembered as refused leaves it. */
export function resentText(
  refused: string | undefined,
  resent: string | undefined,
  taken: readonly Refusal[],
): string {
  const refusedRows = new Set(parseNote(refused).rows.map(({ sequence }) => sequence));
  const before = parseNote(resent).rows.filter(({ sequence }) => refusedRows.has(sequence));
  const rows = new Map([...before, ...taken].map((row) => [row.sequence, { ...row, reason: '' }]));
  return JSON.stringify({ total: rows.size, rows: [...rows.values()] });
}

type Noted = { readonly total: number; readonly rows: readonly Refusal[] };

// Only this file writes them, and a damaged store must not stop a delivery for its statistics.
function parseNote(note: string | undefined): Noted {
  const none = { total: 0, rows: [] };
  try {
    const value = JSON.parse(note ?? '{}') as Partial<Noted> | null;
    const rows = Array.isArray(value?.rows) ? value.rows.filter(isRefusal) : [];
    const total = Number.isSafeInteger(value?.total) ? Number(value?.total) : rows.length;
    return { total, rows };
  } catch {
    return none;
  }
}

function isRefusal(value: unknown): value is Refusal {
  if (typeof value !== 'object' || value === null) return false;
  const { sequence, atMs, reason } = value as Partial<Refusal>;
  return Number.isSafeInteger(sequence) && Number.isSafeInteger(atMs) && typeof reason === 'string';
}
