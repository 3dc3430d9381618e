// Whether the clock can be believed when rows are removed by their age: one that has jumped a year ahead
// makes all of them look old. It is held against what it said at the last look, which the store remembers.
// Pure.

/** Name of the note with what the clock said last. */
export const RETENTION_CLOCK = 'retention-clock';

/** What is known of the clock; as the note's JSON. */
export type SeenClock = {
  /** What it said at the last look, in microseconds since the epoch. */
  readonly seenUs: number;
  /** It has jumped ahead: what it said before, and from when on it is believed all the same. */
  readonly doubt?: { readonly beforeUs: number; readonly untilUs: number };
};

const DAY_US = 86_400_000_000;
/** A jump by more than this share of the time for which rows are kept is doubted, for as long. */
const DOUBTED_SHARE = 0.1;

/**
 * Returns by how much the clock may run ahead of the last look, in microseconds: a sidecar may have been
 * stopped so long. Rows can go too early by that, and not by more.
 */
export function toleranceUs(rowsUs: number): number {
  return Math.max(DAY_US, rowsUs * DOUBTED_SHARE);
}

/**
 * Returns what is known now. A clock that went back is believed at once: by it no row is older than it is,
 * and what it said before was wrong.
 */
export function seeClock(before: SeenClock | undefined, nowUs: number, rowsUs: number): SeenClock {
  if (before === undefined) return { seenUs: nowUs };
  const tolerated = toleranceUs(rowsUs);
  const aheadUs = nowUs - before.seenUs;
  if (aheadUs > tolerated) {
    const beforeUs = before.doubt?.beforeUs ?? before.seenUs;
    return { seenUs: nowUs, doubt: { beforeUs, untilUs: nowUs + tolerated } };
  }
  const { doubt } = before;
  const isOver = doubt === undefined || aheadUs < -tolerated || nowUs >= doubt.untilUs;
  return { seenUs: nowUs, ...(!isOver && { doubt }) };
}

/** Returns what a note says; undefined for one that says nothing. */
export function parseClock(note: string | undefined): SeenClock | undefined {
  try {
    const { seenUs, doubt } = JSON.parse(note ?? '{}') as Partial<SeenClock>;
    if (!Number.isSafeInteger(seenUs)) return undefined;
    const isDoubt = Number.isSafeInteger(doubt?.beforeUs) && Number.isFinite(doubt?.untilUs);
    return { seenUs: Number(seenUs), ...(doubt !== undefined && isDoubt && { doubt }) };
  } catch {
    return undefined;
  }
}
