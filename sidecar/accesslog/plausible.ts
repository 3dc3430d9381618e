// Whether the times of an entry can be true. A wrong one would bend a trace, hide a row from whoever
// asks for a day, and keep it from ever being old enough to be removed. Pure.
import type { Entry } from './line.ts';

/** How far Caddy's clock may be ahead of this one. */
export const MAX_AHEAD_US = 24 * 3600 * 1_000_000;
/** 2020-01-01: no request was before there was Signet. A clock that was never set begins in 1970. */
export const EARLIEST_US = 1_577_836_800_000_000;

/** Returns whether a request began, was passed on, and ended at times that can be. */
export function isPlausible({ endedAtUs, durationUs, proxiedAtMs }: Entry, nowUs: number): boolean {
  const isPossible = (us: number) => us >= EARLIEST_US && us <= nowUs + MAX_AHEAD_US;
  if (proxiedAtMs !== undefined && !isPossible(proxiedAtMs * 1000)) return false;
  return isPossible(endedAtUs - durationUs) && isPossible(endedAtUs);
}
