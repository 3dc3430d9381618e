// Whether the clock can be believed when rows are removed by their age: one that has jumped a year ahead
// makes all of them look old. It is held against how long the machine has run since the last look, which
// nobody can set, and which the store remembers. Pure.

/** Name of the note with what the clock said last. */
export const RETENTION_CLOCK = 'retention-clock';

/** What is said now, both in microseconds. */
export type Clocks = {
  /** Since the epoch. */
  readonly nowUs: number;
  /** Since the machine was started, asleep or not. */
  readonly uptimeUs: number;
};

/** What is known of the clock; as the note's JSON. In microseconds. */
export type SeenClock = {
  /** What it may say at the last look: steps ahead since the machine's start are not in it. */
  readonly seenUs: number;
  /** The machine's at the last look. */
  readonly uptimeUs?: number;
  /** It has jumped ahead: what it would say else, and how much longer it must go on evenly to be believed. */
  readonly doubt?: { readonly beforeUs: number; readonly waitUs: number };
};

const DAY_US = 86_400_000_000;
/** A jump by more than this share of the time for which rows are kept is doubted, for as long. */
const DOUBTED_SHARE = 0.1;

/**
 * Returns by how much the clock may run ahead, in microseconds: the machine may have been off so long. Rows
 * can go too early by that, and not by more, from one start of the machine to the next.
 */
export function toleranceUs(rowsUs: number): number {
  return Math.max(DAY_US, rowsUs * DOUBTED_SHARE);
}

/**
 * Returns what is known now. A clock that went back is believed at once: by it no row is older than it is.
 * One that is doubted is so until it is back where it was, or has gone on evenly for long enough.
 */
export function seeClock(before: SeenClock | undefined, clocks: Clocks, rowsUs: number): SeenClock {
  const { nowUs, uptimeUs } = clocks;
  if (before === undefined) return { seenUs: nowUs, uptimeUs };
  const { isSameStart, passedUs } = passed(before, uptimeUs);
  const toleratedUs = toleranceUs(rowsUs);
  const evenUs = before.seenUs + passedUs;
  const { doubt } = before;
  const beforeUs = doubt === undefined ? evenUs : doubt.beforeUs + passedUs;
  if (nowUs - beforeUs <= toleratedUs) {
    return { seenUs: isSameStart ? Math.min(beforeUs, nowUs) : nowUs, uptimeUs };
  }
  if (doubt === undefined || nowUs - evenUs > toleratedUs) {
    return { seenUs: nowUs, uptimeUs, doubt: { beforeUs, waitUs: toleratedUs } };
  }
  const waitUs = doubt.waitUs - passedUs;
  if (waitUs <= 0) return { seenUs: nowUs, uptimeUs };
  return { seenUs: Math.min(evenUs, nowUs), uptimeUs, doubt: { beforeUs, waitUs } };
}

// After a new start the machine has run for as long as it says, and nobody knows how long it was off.
function passed({ uptimeUs: lastUs }: SeenClock, uptimeUs: number) {
  if (lastUs === undefined) return { isSameStart: false, passedUs: 0 };
  const isSameStart = uptimeUs >= lastUs;
  return { isSameStart, passedUs: isSameStart ? uptimeUs - lastUs : uptimeUs };
}

/** Returns what a note says; undefined for one that says nothing. */
export function parseClock(note: string | undefined): SeenClock | undefined {
  try {
    const { seenUs, uptimeUs, doubt } = JSON.parse(note ?? '{}') as Partial<SeenClock>;
    if (!Number.isSafeInteger(seenUs)) return undefined;
    const seen = {
      seenUs: Number(seenUs),
      ...(uptimeUs !== undefined && Number.isSafeInteger(uptimeUs) && { uptimeUs }),
    };
    if (!Number.isSafeInteger(doubt?.beforeUs)) return seen;
    // One of an older Signet has no wait: it is doubted anew.
    if (!Number.isFinite(doubt?.waitUs)) return { seenUs: Number(doubt?.beforeUs) };
    return { ...seen, ...(doubt !== undefined && { doubt }) };
  } catch {
    return undefined;
  }
}
