// What of a destination's rows is dealt with though the cursor has not come to it: one row before is still
// being tried. It is kept as ranges of sequences in a note beside the cursor, so that a restart sends none
// of it again. Pure.

/** Sequences, from and to inclusive, in their order and apart from each other. */
export type Ranges = readonly (readonly [number, number])[];

/** Returns the name of the note, by that of the cursor. */
export const aheadNote = (cursorName: string): string => `ahead:${cursorName}`;

/** Returns ranges with more sequences, in any order, and without what the cursor has passed. */
export function withSequences(
  ranges: Ranges,
  sequences: readonly number[],
  cursor: number,
): Ranges {
  const ones = sequences.map((sequence) => [sequence, sequence] as const);
  const all = [...ranges, ...ones].filter(([, to]) => to > cursor);
  const joined: [number, number][] = [];
  for (const [from, to] of all.toSorted(([one], [other]) => one - other)) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return joined;
}

/** Returns whether a sequence is in there. */
export function isWithin(ranges: Ranges, sequence: number): boolean {
  let from = 0;
  let to = ranges.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((ranges[middle]?.[1] ?? 0) < sequence) from = middle + 1;
    else to = middle;
  }
  return (ranges[from]?.[0] ?? Infinity) <= sequence;
}

/** How far ahead of the cursor a sequence may be: ten times what is ever sent ahead. */
const MAX_AHEAD_ROWS = 1_000_000;

/**
 * Returns the ranges of a note; of one that is none, or beyond all that can be ahead of the cursor, no
 * ranges: then some rows are sent twice.
 */
export function parseRanges(note: string | undefined, cursor: number): Ranges {
  try {
    const value: unknown = JSON.parse(note ?? '[]');
    if (!Array.isArray(value) || !value.every(isRange)) return [];
    const isInOrder = value.every(([from], at) => at === 0 || from > (value[at - 1]?.[1] ?? 0));
    return isInOrder && (value.at(-1)?.[1] ?? 0) <= cursor + MAX_AHEAD_ROWS ? value : [];
  } catch {
    return [];
  }
}

function isRange(value: unknown): value is readonly [number, number] {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [from, to] = value as unknown[];
  return Number.isSafeInteger(from) && Number.isSafeInteger(to) && Number(from) <= Number(to);
}
