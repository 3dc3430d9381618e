// Which times are compared: from a mark on, and as long before it. No other deployment lies within. Pure.
import type { Mark } from './mark.ts';

/** Microseconds since the epoch; the end doesn't belong to it. */
export type Window = { readonly fromUs: number; readonly toUs: number };

export type Windows = {
  readonly before: Window;
  readonly after: Window;
  /** The mark at which `before` had to begin, and the one at which `after` had to end. */
  readonly previous?: Mark;
  readonly next?: Mark;
};

export type WindowOptions = {
  /** Up to here the store knows of everything. */
  readonly untilUs: number;
  /** How long before the mark; by default as long as after it. */
  readonly beforeUs?: number;
};

/** Returns the windows of a mark, which is one of `marks`; these are in the order of time. */
export function windowsOf(
  mark: Mark,
  marks: readonly Mark[],
  { untilUs, beforeUs }: WindowOptions,
): Windows {
  const at = marks.indexOf(mark);
  const previous = marks[at - 1];
  const next = marks[at + 1];
  const toUs = Math.max(mark.atUs, Math.min(untilUs, next?.atUs ?? Infinity));
  const lengthUs = beforeUs ?? toUs - mark.atUs;
  const fromUs = Math.max(mark.atUs - lengthUs, previous?.atUs ?? 0);
  return {
    before: { fromUs, toUs: mark.atUs },
    after: { fromUs: mark.atUs, toUs },
    ...(previous !== undefined && fromUs === previous.atUs && { previous }),
    ...(next !== undefined && toUs === next.atUs && { next }),
  };
}
