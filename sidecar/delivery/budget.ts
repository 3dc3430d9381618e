// A destination's budget of spans, per second and per day. When there is more than it allows, the least
// valuable go first, in a declared order, by trace as ratio sampling does. Pure: which second it is, and
// which day, is the caller's affair (budgeted-source.ts).
import { WORTHS, type Worth } from '../trace/worth.ts';

/**
 * Up to which share of the day's budget spans of each worth are sent. What lies above a share is kept for
 * what is dearer: errors late in the day must not find it used up.
 */
export const DAY_SHARES: Readonly<Record<Worth, number>> = {
  error: 1,
  refusal: 0.95,
  slow: 0.9,
  other: 0.8,
};

/** Where the random part of a trace id begins: its right-most 56 bits (W3C level 2, section 3.2.2.3). */
const RANDOMNESS_AT = 32 - 14;

/** A row that asks for its part of the budget. All of its spans go, or none. */
export type Candidate = {
  readonly sequence: number;
  readonly traceId: string;
  readonly worth: Worth;
  /** How many spans it makes; at least 1. */
  readonly spans: number;
};

/** Spans by why they were left out: `budget-second:other`. */
export type LeftOut = Readonly<Record<string, number>>;

/** Those that are sent, dearest first, and the spans of the others. */
export type Choice<T> = { readonly chosen: readonly T[]; readonly leftOut: LeftOut };

/** The candidates of one second, of which only those are kept that still have a chance. */
export type Second<T extends Candidate> = {
  add(candidate: T): void;
  choice(): Choice<T>;
};

/**
 * Returns a second in which up to so many spans are sent: as many of the dearest as fit, up to the first
 * that does not. So the choice depends on which they are, and not on the order in which they come.
 */
export function createSecond<T extends Candidate>(spans: number): Second<T> {
  const kept: T[] = []; // dearest first
  let leftOut: LeftOut = {};
  let taken = 0;
  let dropped: T | undefined; // the dearest of them: nothing below it has a chance any more

  function add(candidate: T): void {
    if (dropped !== undefined && byValue(candidate, dropped) > 0) return drop(candidate);
    kept.splice(placeOf(kept, candidate), 0, candidate);
    taken += candidate.spans;
    while (taken > spans) {
      dropped = kept.pop() as T; // there is one, or nothing would be taken
      taken -= dropped.spans;
      drop(dropped);
    }
  }

  function drop(candidate: T): void {
    leftOut = withOne(leftOut, 'budget-second', candidate);
  }

  return { add, choice: () => ({ chosen: kept, leftOut }) };
}

/**
 * Returns of candidates, dearest first, those that the day's budget allows when so many spans were sent
 * that day before.
 */
export function withinDay<T extends Candidate>(
  candidates: readonly T[],
  spansPerDay: number,
  sentSpans: number,
): Choice<T> {
  let leftOut: LeftOut = {};
  let taken = sentSpans;
  const chosen = candidates.filter((candidate) => {
    const fits = taken + candidate.spans <= spansPerDay * DAY_SHARES[candidate.worth];
    if (fits) taken += candidate.spans;
    else leftOut = withOne(leftOut, 'budget-day', candidate);
    return fits;
  });
  return { chosen, leftOut };
}

/** Returns how many spans these rows make. */
export function spansOfAll(candidates: readonly Candidate[]): number {
  return candidates.reduce((sum, { spans }) => sum + spans, 0);
}

/**
 * Orders by value, dearest first: by worth, then by the trace id's random part, highest first, as
 * consistent sampling has it: all sidecars keep the same traces, and whole ones. Rows of one trace in
 * the order of the store.
 */
export function byValue(one: Candidate, other: Candidate): number {
  if (one.worth !== other.worth) return WORTHS.indexOf(one.worth) - WORTHS.indexOf(other.worth);
  const oneRandom = one.traceId.slice(RANDOMNESS_AT);
  const otherRandom = other.traceId.slice(RANDOMNESS_AT);
  if (oneRandom !== otherRandom) return oneRandom > otherRandom ? -1 : 1;
  return one.sequence - other.sequence;
}

// By halves: with 10,000 kept, one more costs some microseconds.
function placeOf(sorted: readonly Candidate[], candidate: Candidate): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (byValue(sorted[middle] as Candidate, candidate) < 0) from = middle + 1;
    else to = middle;
  }
  return from;
}

function withOne(leftOut: LeftOut, why: string, { worth, spans }: Candidate): LeftOut {
  const reason = `${why}:${worth}`;
  return { ...leftOut, [reason]: (leftOut[reason] ?? 0) + spans };
}
