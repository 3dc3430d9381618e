// Rows that a destination refused one by one: set aside, so that they hold up nobody, and kept by their
// sequences in a note of the store, so that they can be sent again. What was since taken is in another
// note, which `signet deliver --refused` writes beside the running sidecar. Pure.

/** How many are remembered, the newest; all of them are counted. */
export const MAX_REFUSALS = 1000;

export type Refusal = {
  readonly sequence: number;
  /** When it was set aside, in milliseconds since the epoch. */
  readonly atMs: number;
  /**
   * A code: `INVALID_ARGUMENT`, `400`. No word of the destination's own is kept, for it may quote a person,
   * and whoever forgets that person would not find it.
   */
  readonly reason: string;
  /** Counts refusals, in the order of the note; what is taken later has the number of what it was. */
  readonly number?: number;
  /** Spans (or log records) of it. */
  readonly items?: number;
};

export type Refusals = {
  add(refusals: readonly Refusal[]): void;
  /** Takes off what a note says that it was taken since; returns that. */
  settle(resent: string | undefined): readonly Refusal[];
  /** What is remembered, in its order. */
  all(): readonly Refusal[];
  toNote(): string;
};

/** Returns the name of the note with what was refused, by that of the cursor. */
export const refusedNote = (cursorName: string): string => `refused:${cursorName}`;

/** Returns the name of the note with what of it was taken since. */
export const resentNote = (cursorName: string): string => `resent:${cursorName}`;

/** What a transport says before the code, and flight.ts of what never gets so far. */
const CODES = [/\banswered ([A-Z_]{2,}|[1-5]\d\d)\b/, /^(it can't be encoded)/];

/** Returns the code in a failure's text, without the words of the destination. */
export function codeOf(problem: string): string {
  const found = CODES.map((code) => code.exec(problem)?.[1]);
  return found.find((code) => code !== undefined) ?? 'no answer';
}

/** Returns what goes on from a note; with one that is none, from nothing. */
export function createRefusals(note: string | undefined): Refusals {
  const before = parseNote(note);
  let { total } = before;
  let number = before.rows.reduce((most, row) => Math.max(most, row.number ?? 0), before.last);
  const newest = new Map(before.rows.map((row) => [row.sequence, row]));

  // The same row may come twice: a process that was killed has not told of it.
  function add(refusals: readonly Refusal[]): void {
    for (const refusal of refusals) {
      const { sequence, reason } = refusal;
      if (!newest.delete(sequence)) total += 1;
      newest.set(sequence, { ...refusal, reason: codeOf(reason), number: (number += 1) });
    }
    const tooMany = Math.max(0, newest.size - MAX_REFUSALS);
    for (const sequence of [...newest.keys()].slice(0, tooMany)) newest.delete(sequence);
  }

  function settle(resent: string | undefined): readonly Refusal[] {
    const isTaken = takenIn(resent);
    const taken = [...newest.values()].filter(isTaken);
    for (const { sequence } of taken) newest.delete(sequence);
    return taken;
  }

  return {
    add,
    settle,
    all: () => [...newest.values()],
    toNote: () => JSON.stringify({ total, last: number, rows: [...newest.values()] }),
  };
}

/** Returns what was refused and not taken since. */
export function openRefusals(refused: string | undefined, resent: string | undefined): Refusal[] {
  const isTaken = takenIn(resent);
  return parseNote(refused).rows.filter((refusal) => !isTaken(refusal));
}

// One that was refused again after it was taken is open again.
function takenIn(resent: string | undefined): (refusal: Refusal) => boolean {
  const taken = new Map(parseNote(resent).rows.map((row) => [row.sequence, row.number ?? 0]));
  return ({ sequence, number = 0 }) => number <= (taken.get(sequence) ?? -1);
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

type Noted = { readonly total: number; readonly last: number; readonly rows: readonly Refusal[] };

// Only this file writes them, and a damaged store must not stop a delivery for its statistics.
function parseNote(note: string | undefined): Noted {
  const none = { total: 0, last: 0, rows: [] };
  try {
    const value = JSON.parse(note ?? '{}') as Partial<Noted> | null;
    const rows = Array.isArray(value?.rows) ? value.rows.filter(isRefusal) : [];
    const total = Number.isSafeInteger(value?.total) ? Number(value?.total) : rows.length;
    const last = Number.isSafeInteger(value?.last) ? Number(value?.last) : 0;
    return { total, last, rows };
  } catch {
    return none;
  }
}

function isRefusal(value: unknown): value is Refusal {
  if (typeof value !== 'object' || value === null) return false;
  const { sequence, atMs, reason } = value as Partial<Refusal>;
  return Number.isSafeInteger(sequence) && isTime(atMs) && typeof reason === 'string';
}

// Beyond that no date has a name (ECMA-262, "Time Values and Time Range").
function isTime(atMs: unknown): atMs is number {
  return Number.isSafeInteger(atMs) && Math.abs(Number(atMs)) <= 8.64e15;
}
