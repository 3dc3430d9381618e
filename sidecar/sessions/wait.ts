// Waiting, for sessions: the only timers that they have. None keeps the process alive.
import { Fault } from '../fault.ts';

/** Resolves after so long. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

/** Returns milliseconds by a clock that nobody sets; they tell nothing but how long it was. */
export function steady(): number {
  return performance.now();
}

/** Resolves as the promise does, or to `otherwise` when it takes longer; a rejection passes. */
export function within<T>(promise: Promise<T>, ms: number, otherwise: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), ms).unref();
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Acts again and again, and tells of what failed; returns what stops it. */
export function every(
  ms: number,
  act: () => Promise<unknown>,
  onTrouble: (error: unknown) => void,
): () => void {
  const timer = setInterval(() => void act().catch(onTrouble), ms).unref();
  return () => clearInterval(timer);
}

/** Acts until it succeeds: a Fault is told, and it acts again with growing pauses, for `maxMs` in all. */
export async function insist<T>(
  act: () => Promise<T>,
  maxMs: number,
  onTrouble: (error: unknown) => void,
): Promise<T> {
  const beganMs = performance.now();
  for (let waitMs = 250; ; waitMs = Math.min(2 * waitMs, 2_000)) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof Fault) || performance.now() - beganMs >= maxMs) throw error;
      onTrouble(error);
    }
    await pause(waitMs);
  }
}
