// The rows that this process has stored last, so that destinations need not have them read back: that
// took 16 µs a row, and takes 2. They are what the database would give; it says what was changed there
// since, by whomever, with a mark. Pure: whoever keeps rows here has committed them.
import type { Added } from './append.ts';
import { fromColumns, type RowColumns } from './columns.ts';
import type { Value } from './database.ts';
import type { StoredRow } from './row.ts';

/** Most rows that are remembered, and most characters of all of them: some megabytes. */
export const MAX_NEWEST_ROWS = 4_000;
const MAX_CHARS = 8_000_000;

export type Newest = {
  /** Remembers rows that were committed, in their order; `mark` is what stood there then. */
  keep(rows: readonly Added[], mark: string): void;
  /** Returns whether this row is remembered. */
  has(sequence: number): boolean;
  /**
   * Returns up to `limit` rows that come after a sequence; undefined when the next one isn't remembered,
   * or another mark stands there now.
   */
  after(sequence: number, limit: number, mark: string): StoredRow[] | undefined;
};

/** Returns the memory for one chain. */
export function createNewest(): Newest {
  let kept: { readonly columns: RowColumns; readonly chars: number }[] = [];
  let chars = 0;
  let marked: string | undefined;

  function clear(): void {
    kept = [];
    chars = 0;
  }

  function add({ columns, values }: Added): void {
    const size = charsOf(values);
    const isNext = columns.sequence === sequenceAt(kept.length - 1) + 1;
    if (!isNext || size === undefined) clear();
    if (size === undefined) return;
    kept.push({ columns, chars: size });
    chars += size;
  }

  // All at once: the array is moved up for it.
  function shorten(): void {
    let gone = Math.max(0, kept.length - MAX_NEWEST_ROWS);
    for (const each of kept.slice(0, gone)) chars -= each.chars;
    while (chars > MAX_CHARS) chars -= kept[gone++]?.chars ?? 0;
    kept.splice(0, gone);
  }

  function sequenceAt(index: number): number {
    return Number(kept[index]?.columns.sequence ?? NaN);
  }

  function has(sequence: number): boolean {
    return sequence >= sequenceAt(0) && sequence <= sequenceAt(kept.length - 1);
  }

  return {
    keep: (rows, mark) => {
      if (mark !== marked) clear();
      marked = mark;
      for (const row of rows) add(row);
      shorten();
    },
    has,
    after: (sequence, limit, mark) => {
      if (mark !== marked) clear(); // of whoever was erased nothing stays here
      if (!has(sequence + 1)) return undefined;
      const from = sequence + 1 - sequenceAt(0);
      return kept.slice(from, from + limit).map(({ columns }) => fromColumns(columns));
    },
  };
}

/** Returns how long a row's texts are; undefined for one that would not come back as it is. */
function charsOf(values: readonly Value[]): number | undefined {
  let chars = 0;
  for (const value of values) {
    if (!comesBack(value)) return undefined;
    if (typeof value === 'string') chars += value.length;
  }
  return chars;
}

// NaN comes back as NULL, -0 as 0, and of a large number the database can't say which it was.
function comesBack(value: Value): boolean {
  return typeof value !== 'number' || (Number.isSafeInteger(value) && !Object.is(value, -0));
}
