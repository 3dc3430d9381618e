// What strangers can bring about as often as they like, told for the log: of each kind the first few of a window one
// by one, as they come; the others are counted, and are one line when the window is over. Pure.

/** How long is counted, from the first that is told on, in milliseconds: an operator who looks sees what is now. */
export const WINDOW_MS = 60_000;
/** Of each kind, one by one: enough to see what a real case has in common; a flood is 11 lines a minute and kind. */
export const TOLD_ONE_BY_ONE = 10;

/** How many were not told by themselves, and since when, in milliseconds since the epoch. */
export type More = { readonly count: number; readonly sinceMs: number };

/** Acts once, so many milliseconds from now. */
export type Later = (ms: number, act: () => void) => void;

export type BoundedTelling<What> = {
  /** Tells of it, or counts it. Kinds are of a closed list, never of a stranger's making: each is remembered. */
  hear(kind: string, what: What): void;
  /** Tells what was counted and not told yet. */
  flush(): void;
};

type Options<What> = {
  readonly now: () => number;
  readonly later: Later;
  /** With `more`, `what` is the latest of those that were counted. */
  readonly tell: (what: What, more?: More) => void;
};

type Heard<What> = { told: number; counted?: More & { readonly latest: What } };

/** Returns what hears of them, and tells. It remembers one of each kind, for a window at most. */
export function createBoundedTelling<What>(options: Options<What>): BoundedTelling<What> {
  const { now, later, tell } = options;
  const kinds = new Map<string, Heard<What>>();

  function hear(kind: string, what: What): void {
    // By a timer, not by the clock: one that is set back would lengthen the window.
    if (kinds.size === 0) later(WINDOW_MS, flush);
    const heard = kinds.get(kind) ?? { told: 0 };
    kinds.set(kind, heard);
    if (heard.told < TOLD_ONE_BY_ONE) {
      heard.told += 1;
      return tell(what);
    }
    const { count, sinceMs } = heard.counted ?? { count: 0, sinceMs: now() };
    heard.counted = { count: count + 1, sinceMs, latest: what };
  }

  function flush(): void {
    const counted = [...kinds.values()].flatMap((heard) => heard.counted ?? []);
    kinds.clear();
    for (const { latest, ...more } of counted) tell(latest, more);
  }

  return { hear, flush };
}
