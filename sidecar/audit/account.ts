// What became of the numbers of a boot's decisions, as the store keeps it: which have come, by the
// highest and the gaps below it. Pure; imports nothing.

/** Numbers from `first` to `last`, both of them included. */
export type Range = { readonly first: number; readonly last: number };

/** One boot of the gate: each number up to `highest` has come, or stands in a gap. */
export type BootAccount = {
  readonly bootId: string;
  /** 0 when none has come. */
  readonly highest: number;
  /** Ascending, none touching another. */
  readonly gaps: readonly Range[];
};

/** Returns the account of a boot of which nothing has come. */
export function newAccount(bootId: string): BootAccount {
  return { bootId, highest: 0, gaps: [] };
}

/**
 * Returns the account after these numbers, each recorded or superseded; in any order, repeated or not.
 * A gap that they leave as it is stays the same object.
 */
export function settle(account: BootAccount, numbers: readonly number[]): BootAccount {
  return settleRanges(account, numbers.map(only));
}

/** Returns the account after these ranges, as `settle` does. */
export function settleRanges(account: BootAccount, ranges: readonly Range[]): BootAccount {
  const came = joined(ranges);
  const latest = came.at(-1);
  if (latest === undefined) return account;
  const { bootId, gaps } = account;
  const highest = Math.max(account.highest, latest.last);
  const missing =
    highest > account.highest ? [...gaps, { first: account.highest + 1, last: highest }] : gaps;
  return { bootId, highest, gaps: without(missing, came) };
}

/** Returns the range of one number. */
export function only(number: number): Range {
  return { first: number, last: number };
}

/** Returns how many numbers a range holds. */
export function sizeOf({ first, last }: Range): number {
  return last - first + 1;
}

/** Returns what is left of `ranges` without those `taken`; both are ascending and don't overlap. */
export function without(ranges: readonly Range[], taken: readonly Range[]): Range[] {
  const left: Range[] = [];
  let next = 0;
  for (const range of ranges) {
    while ((taken[next]?.last ?? Infinity) < range.first) next += 1;
    let first = range.first;
    for (let at = next; (taken[at]?.first ?? Infinity) <= range.last; at++) {
      const { first: from, last: to } = taken[at] as Range;
      if (from > first) left.push({ first, last: from - 1 });
      first = to + 1;
    }
    if (first === range.first) left.push(range);
    else if (first <= range.last) left.push({ first, last: range.last });
  }
  return left;
}

// Ascending, and those that touch or overlap made one.
function joined(ranges: readonly Range[]): Range[] {
  const whole: Range[] = [];
  for (const range of ranges.toSorted((a, b) => a.first - b.first)) {
    const before = whole.at(-1);
    if (before === undefined || range.first > before.last + 1) whole.push(range);
    else whole[whole.length - 1] = { first: before.first, last: Math.max(before.last, range.last) };
  }
  return whole;
}
