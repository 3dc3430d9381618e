// The wall clock in microseconds. `Date.now()` alone has whole milliseconds: a decision of 60 µs
// would have no length, and could seem to begin before the request that asked for it.

/** Returns a function that returns microseconds since the epoch, as a whole number. */
export function createClock(): () => number {
  let offsetMs = performance.timeOrigin;
  return () => {
    const nowMs = offsetMs + performance.now();
    const behindMs = Date.now() - nowMs;
    // The monotonic clock drifts from the wall clock (time set, machine asleep): go along with it.
    if (behindMs > 1 || behindMs < -2) {
      offsetMs += behindMs;
      return Math.round((nowMs + behindMs) * 1000);
    }
    return Math.round(nowMs * 1000);
  };
}
