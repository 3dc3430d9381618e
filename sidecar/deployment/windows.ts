// Which times are compared: from a mark on, and as long before it. No other deployment lies within. Pure.
import { shareRoutes, type Mark } from './mark.ts';

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
  /** What is looked at: marks of other routes alone don't matter. By default all routes. */
  readonly routes?: readonly string[];
};

/** Returns the windows of a mark, which is one of `marks`; these are in the order of time. */
export function windowsOf(
  mark: Mark,
  marks: readonly Mark[],
  { untilUs, beforeUs, routes }: WindowOptions,
): Windows {
  const at = marks.indexOf(mark);
  // What was marked at the same moment is the same deployment.
  const isOfThese = (other: Mark) => shareRoutes(other.routes, routes) && other.atUs !== mark.atUs;
  const previous = marks.slice(0, at).findLast(isOfThese);
  const next = marks.slice(at + 1).find(isOfThese);
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

/** Returns how long the time after the mark is, as a share of both; a half where both are empty. */
export function afterShareOf({ before, after }: Windows): number {
  const [wasUs, isUs] = [before, after].map(({ fromUs, toUs }) => toUs - fromUs) as [
    number,
    number,
  ];
  return wasUs + isUs === 0 ? 0.5 : isUs / (wasUs + isUs);
}
