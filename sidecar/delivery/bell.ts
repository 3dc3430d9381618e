// How parts of a delivery wait for each other: whoever waits looks again when the bell rings.

export type Bell = {
  /** Everybody who waits looks again. */
  ring(): void;
  /** Resolves with the next ring, or after so many milliseconds, which may be infinitely many. */
  rungWithin(ms: number): Promise<void>;
};

/** A timer takes no more than 2^31 - 1 ms: who waits longer looks once a day. */
const LONGEST_TIMER_MS = 86_400_000;

/** Returns a bell. What has changed before `rungWithin` is called doesn't ring: look first. */
export function createBell(): Bell {
  const waiting = new Set<() => void>();

  function rungWithin(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        waiting.delete(done);
        resolve();
      };
      const timer = ms === Infinity ? undefined : setTimeout(done, Math.min(ms, LONGEST_TIMER_MS));
      waiting.add(done);
    });
  }

  return {
    ring: () => {
      for (const done of [...waiting]) done();
    },
    rungWithin,
  };
}
