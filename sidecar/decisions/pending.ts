// Which decisions are pending: numbered by the gate, and no line has come for them. Who and when is as
// the journal knows it, or as it was known before their slots were overwritten. Pure.
import { only, without, type BootAccount, type Range } from '../audit/account.ts';
import type { JournalFile } from './journal-file.ts';
import type { Noted } from './journal-layout.ts';

/** What is asked of a journal. */
export type JournalView = Pick<
  JournalFile,
  'bootId' | 'machineBootId' | 'slots' | 'issued' | 'oldest' | 'find'
>;

/** One decision that is known, or a range of those that are not. Plain data. */
export type Pending = {
  readonly bootId: string;
  readonly range: Range;
  readonly noted?: Noted;
  /** When it began, in microseconds since the epoch; where that is unknown: by then it had begun. */
  readonly sinceUs: number;
  /** The kernel's boot in which it was decided; empty when unknown. */
  readonly machineBootId: string;
  /** Whether the journal of its boot is there. */
  readonly hasJournal: boolean;
};

/** Where to look. */
export type PendingSources = {
  readonly accounts: readonly BootAccount[];
  readonly journals: readonly JournalView[];
  /** What was open at the last look, for numbers whose slots have been overwritten since. */
  readonly kept?: readonly Pending[];
  readonly nowUs: number;
};

/** Most decisions that are remembered of one boot after their slots were overwritten; 10,000 streams. */
export const MAX_REMEMBERED = 10_000;
/** Unknown neighbours of one minute are one range: 1,440 ranges a day at most. */
export const MERGE_US = 60_000_000;

/** Returns what is pending, by boot, in the order of the numbers. */
export function pendingOf({ accounts, journals, kept = [], nowUs }: PendingSources): Pending[] {
  const accountOf = new Map(accounts.map((account) => [account.bootId, account]));
  const journalOf = new Map(journals.map((journal) => [journal.bootId, journal]));
  const keptOf = Map.groupBy(kept, ({ bootId }) => bootId);
  const bootIds = new Set([...accountOf.keys(), ...journalOf.keys()]);
  return [...bootIds].flatMap((bootId) => {
    const journal = journalOf.get(bootId);
    const memory = memoryOf(keptOf.get(bootId) ?? [], journal);
    return pendingOfBoot(bootId, accountOf.get(bootId), journal, memory, nowUs);
  });
}

/**
 * Returns those of the open ones whose slots are overwritten or will be soon, so that they can be kept
 * where a restart of the recorder doesn't lose them. Not more than are remembered: without a log this
 * would be all of them, and others every second.
 */
export function endangered(
  open: readonly Pending[],
  journals: readonly JournalView[],
): readonly Pending[] {
  const safeFrom = new Map(
    journals.map(({ bootId, issued, slots }) => [bootId, issued - slots / 2]),
  );
  return open
    .filter(({ bootId, range }) => range.first <= (safeFrom.get(bootId) ?? Infinity))
    .slice(0, MAX_REMEMBERED);
}

function pendingOfBoot(
  bootId: string,
  account: BootAccount | undefined,
  journal: JournalView | undefined,
  memory: readonly Pending[],
  nowUs: number,
): Pending[] {
  const base = {
    bootId,
    machineBootId: journal?.machineBootId ?? memory[0]?.machineBootId ?? '',
    hasJournal: journal !== undefined,
  };
  const ranges = pendingRanges(account, journal?.issued ?? 0);
  const known = journal === undefined ? [] : notedIn(ranges, journal);
  const blanks = without(
    ranges,
    known.map(({ number }) => only(number)),
  );
  const pieces: Piece[] = [
    ...known.map(pieceOf),
    ...blanks.flatMap((blank) => recall(blank, memory, begunBy(blank, journal, nowUs))),
  ];
  return pieces
    .toSorted((a, b) => a.range.first - b.range.first)
    .map((piece) => ({ ...base, ...piece }));
}

/** A pending one without what is the same for its whole boot. */
type Piece = Pick<Pending, 'range' | 'noted' | 'sinceUs'>;

function pendingRanges(account: BootAccount | undefined, issued: number): readonly Range[] {
  const { highest, gaps } = account ?? { highest: 0, gaps: [] };
  return issued > highest ? [...gaps, { first: highest + 1, last: issued }] : gaps;
}

function notedIn(ranges: readonly Range[], journal: JournalView): Noted[] {
  const found: Noted[] = [];
  for (const { first, last } of ranges) {
    for (let number = Math.max(first, journal.oldest); number <= last; number++) {
      const noted = journal.find(number);
      if (noted !== undefined) found.push(noted);
    }
  }
  return found;
}

function pieceOf(noted: Noted): Piece {
  return { range: only(noted.number), noted, sinceUs: noted.startedAtUs };
}

// It had begun when a later one was noted. (Not quite: a number is given when a decision ends. That is
// a matter of seconds, against limits of a minute and a day.)
function begunBy(blank: Range, journal: JournalView | undefined, nowUs: number): number {
  if (journal === undefined) return nowUs;
  for (let at = Math.max(blank.last + 1, journal.oldest); at <= journal.issued; at++) {
    const later = journal.find(at);
    if (later !== undefined) return Math.min(later.startedAtUs, nowUs);
  }
  return nowUs;
}

// Ascending. What the journal still knows is left to it; beyond the limit only the times are kept.
function memoryOf(kept: readonly Pending[], journal: JournalView | undefined): Pending[] {
  const oldest = journal?.oldest ?? Infinity;
  let remembered = 0;
  return kept
    .filter(({ range, noted }) => noted === undefined || range.first < oldest)
    .toSorted((a, b) => a.range.first - b.range.first)
    .map((pending) => {
      if (pending.noted === undefined || ++remembered <= MAX_REMEMBERED) return pending;
      const { noted: _, ...unknown } = pending;
      return unknown;
    });
}

function recall(blank: Range, memory: readonly Pending[], begunByUs: number): Piece[] {
  const remembered: Piece[] = [];
  for (let at = firstReaching(memory, blank.first); at < memory.length; at++) {
    const { range, noted, sinceUs } = memory[at] as Pending;
    if (range.first > blank.last) break;
    const first = Math.max(range.first, blank.first);
    const last = Math.min(range.last, blank.last);
    remembered.push({
      range: { first, last },
      ...(noted === undefined ? { sinceUs: Math.min(sinceUs, begunByUs) } : { noted, sinceUs }),
    });
  }
  const unheardOf = without(
    [blank],
    remembered.map(({ range }) => range),
  ).map((range) => ({ range, sinceUs: begunByUs }));
  return merged([...remembered, ...unheardOf].toSorted((a, b) => a.range.first - b.range.first));
}

// Index of the first whose range ends at `number` or later.
function firstReaching(memory: readonly Pending[], number: number): number {
  let low = 0;
  let high = memory.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((memory[middle] as Pending).range.last < number) low = middle + 1;
    else high = middle;
  }
  return low;
}

function merged(pieces: readonly Piece[]): Piece[] {
  const whole: Piece[] = [];
  for (const piece of pieces) {
    const before = whole.at(-1);
    if (before === undefined || !isAlike(before, piece)) whole.push(piece);
    else whole[whole.length - 1] = joinedTo(before, piece);
  }
  return whole;
}

// Of the same minute by the clock, not within a minute of each other: one that grows every second would
// stay young for ever.
function isAlike(before: Piece, piece: Piece): boolean {
  const areUnknown = before.noted === undefined && piece.noted === undefined;
  return areUnknown && minuteOf(before) === minuteOf(piece);
}

function minuteOf({ sinceUs }: Piece): number {
  return Math.floor(sinceUs / MERGE_US);
}

// The later time: nothing is called lost too soon.
function joinedTo(before: Piece, piece: Piece): Piece {
  return {
    range: { first: before.range.first, last: piece.range.last },
    sinceUs: Math.max(before.sinceUs, piece.sinceUs),
  };
}
