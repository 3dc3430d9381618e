// By how much the gate's clock and Caddy's differ, as the rows of the last minute show it. Each row
// keeps its own; this is for whoever watches.
import { isRequest, type Row } from './audit/row.ts';

/** How long a difference is shown after it was last seen, in microseconds. */
const SHOWN_US = 60_000_000;

export type Skew = {
  see(rows: readonly Row[], nowUs: number): void;
  /** Returns the largest one of the last minute or two: positive while the gate's clock is ahead. */
  largestUs(nowUs: number): number;
};

/** Returns what remembers it, in two buckets of a minute each. */
export function createSkew(): Skew {
  let begunAtUs = 0;
  let largest = 0;
  let before = 0;

  function turn(nowUs: number): void {
    const ageUs = nowUs - begunAtUs;
    // Less than nothing when the clock was set back: it would be shown until that time comes again.
    if (ageUs >= 0 && ageUs < SHOWN_US) return;
    before = ageUs < 2 * SHOWN_US ? largest : 0;
    largest = 0;
    begunAtUs = nowUs;
  }

  function see(rows: readonly Row[], nowUs: number): void {
    turn(nowUs);
    for (const row of rows) if (isRequest(row)) largest = further(largest, row.skewUs);
  }

  function largestUs(nowUs: number): number {
    turn(nowUs);
    return further(before, largest);
  }

  return { see, largestUs };
}

function further(a: number, b: number): number {
  return Math.abs(b) > Math.abs(a) ? b : a;
}
