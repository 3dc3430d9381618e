// What is due for sessions off the gate's path: writing when they were last seen, sweeping out those that
// have ended.
import type { SessionStore } from './store.ts';
import { every, steady as own } from './wait.ts';

const FLUSH_MS = 5_000;
const SWEEP_MS = 60_000;
/** So far may the wall clock move against the steady one before it is disbelieved. */
const MOVED_MS = 60_000;

export type SessionUpkeep = {
  /** Notes that a session was used; written later. */
  seen(key: string, nowMs: number): void;
  forget(key: string): void;
  /** Writes what was noted; what can't be written stays due. */
  flush(): Promise<void>;
  /** Nothing is written or swept on a timer any more; what is noted stays due. */
  stop(): void;
  /** Stops, and writes for the last time; what fails then is told, and lost. */
  close(): Promise<void>;
};

export type SessionUpkeepOptions = {
  readonly store: Pick<SessionStore, 'touch' | 'sweep'>;
  readonly now: () => number;
  readonly idleMs: number;
  readonly absoluteMs: number;
  readonly onTrouble: (error: unknown) => void;
  /** A clock that nobody sets, in milliseconds; default: the process's own. */
  readonly steady?: () => number;
};

/** Returns the upkeep of this store's sessions, with its timers. */
export function createSessionUpkeep(options: SessionUpkeepOptions): SessionUpkeep {
  const { store, now, idleMs, absoluteMs, onTrouble } = options;
  const { steady = own } = options;
  const startedMs = steady();
  let apartMs = now() - startedMs;
  let seenAtMs = new Map<string, number>();

  async function flush(): Promise<void> {
    if (seenAtMs.size === 0) return;
    const due = seenAtMs;
    seenAtMs = new Map();
    try {
      await store.touch(due);
    } catch (error) {
      seenAtMs = new Map([...due, ...seenAtMs]);
      throw error;
    }
  }

  // Whom a clock that was wrong for a moment swept out would be gone when it is right again.
  function isClockTrusted(nowMs: number): boolean {
    const steadyMs = steady();
    const movedMs = Math.abs(nowMs - steadyMs - apartMs);
    apartMs = nowMs - steadyMs;
    return movedMs <= MOVED_MS && steadyMs - startedMs >= MOVED_MS;
  }

  async function sweep(): Promise<void> {
    const nowMs = now();
    if (!isClockTrusted(nowMs)) return;
    await store.sweep({ createdMs: nowMs - absoluteMs, seenMs: nowMs - idleMs });
  }

  const stops = [every(FLUSH_MS, flush, onTrouble), every(SWEEP_MS, sweep, onTrouble)];
  const stop = () => stops.forEach((each) => each());
  return {
    seen: (key, nowMs) => void seenAtMs.set(key, nowMs),
    forget: (key) => void seenAtMs.delete(key),
    flush,
    stop,
    close: async () => {
      stop();
      await flush().catch(onTrouble);
    },
  };
}
