// What finds the file locked by another process waits in a line, and nobody waits for the line: it is tried again
// from time to time, the first of it only, so that many cost no more than one. Knows no statement.
import type { Awaitable } from './store.ts';

/** SQLite's primary result code BUSY. */
const BUSY = 5;
/** How long one waits in all; the gate has five seconds. */
const PATIENCE_MS = 1_000;
/** Between two tries, and up to twice as long: two processes must not meet again and again. */
const PAUSE_MS = 5;
/** So many wait; who comes then is told at once. */
export const MAX_WAITING = 1_000;
/** So many are done before others have their turn of the event loop. */
const AT_A_TIME = 50;

type Waiting = {
  readonly untilMs: number;
  readonly act: () => void;
  readonly reject: (error: unknown) => void;
};

export type Line = {
  /** Returns what `act` does: at once, or, where the file is locked, as soon as it isn't. Throws as it does. */
  run<T>(act: () => T): Awaitable<T>;
  /** Tries all that wait for the last time. */
  close(): void;
};

/** Returns an empty line. */
export function createLine(): Line {
  const waiting: Waiting[] = [];
  let timer: NodeJS.Timeout | undefined;
  let locked: unknown;

  function run<T>(act: () => T): Awaitable<T> {
    // In the order in which they came: a lease that is given back must not be overtaken by the next.
    if (waiting.length > 0) return wait(act);
    try {
      return act();
    } catch (error) {
      if (!isLocked(error)) throw error;
      locked = error;
      return wait(act);
    }
  }

  function wait<T>(act: () => T): Promise<T> {
    if (waiting.length >= MAX_WAITING) return Promise.reject(locked);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const untilMs = performance.now() + PATIENCE_MS;
    waiting.push({ untilMs, act: () => resolve(act()), reject });
    timer ??= setTimeout(look, pauseMs());
    return promise;
  }

  function look(): void {
    timer = undefined;
    let isShut = false;
    for (let done = 0; done < AT_A_TIME && waiting.length > 0 && !isShut; done++) {
      isShut = !isDone(waiting[0]!);
      if (!isShut) waiting.shift();
    }
    if (isShut) sendAway();
    if (waiting.length > 0) timer = setTimeout(look, isShut ? pauseMs() : 0);
  }

  function isDone({ act, reject }: Waiting): boolean {
    try {
      act();
    } catch (error) {
      if (isLocked(error)) {
        locked = error;
        return false;
      }
      reject(error);
    }
    return true;
  }

  function sendAway(): void {
    const nowMs = performance.now();
    while (waiting[0] && waiting[0].untilMs <= nowMs) waiting.shift()?.reject(locked);
  }

  function close(): void {
    clearTimeout(timer);
    timer = undefined;
    for (const each of waiting.splice(0)) if (!isDone(each)) each.reject(locked);
  }

  return { run, close };
}

function pauseMs(): number {
  return PAUSE_MS * (1 + Math.random());
}

// A Fault has SQLite's error as its cause.
function isLocked(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  const isCoded = typeof cause === 'object' && cause !== null && 'errcode' in cause;
  return isCoded && (Number(cause.errcode) & 0xff) === BUSY;
}
