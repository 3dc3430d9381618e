// Sessions that were to be removed and could not be: for this process they are gone at once, and they are removed as
// soon as the store can be written. Does not know why they ended.
import type { SessionStore } from './store.ts';
import { every } from './wait.ts';

/**
 * Of sessions that are dead here and still in the store, some 100 bytes each; beyond it the oldest is forgotten, and
 * lives again while the store can't be written.
 */
export const MAX_UNREMOVED = 100_000;
/** Between two tries: so late may another sidecar of the store hear of an end when it can be written again. */
const RETRY_MS = 5_000;
/** So many are removed by one statement. */
const BATCH = 500;

export type Removals = {
  /** The store, in which what could not be removed is not found, though it is still among those of its tags. */
  readonly store: SessionStore;
  /** Tries for the last time; what fails then is told, and forgotten with the map. */
  close(): Promise<void>;
};

/** Returns the store with a memory for what it could not remove: session's key → since when, in milliseconds. */
export function createRemovals(
  inner: SessionStore,
  unremoved: Map<string, number>,
  now: () => number,
  onTrouble: (error: unknown) => void,
): Removals {
  async function removing<T>(keys: readonly string[], act: () => Promise<T>): Promise<T> {
    try {
      const result = await act();
      keys.forEach((key) => unremoved.delete(key));
      return result;
    } catch (error) {
      keys.forEach(remember);
      throw error;
    }
  }

  function remember(key: string): void {
    if (unremoved.has(key)) return;
    const oldest = unremoved.keys().next().value;
    if (oldest !== undefined && unremoved.size >= MAX_UNREMOVED) unremoved.delete(oldest);
    unremoved.set(key, now());
  }

  async function retry(): Promise<void> {
    while (unremoved.size > 0) {
      const some = [...unremoved.keys()].slice(0, BATCH);
      await removing(some, () => inner.removeAll(some));
    }
  }

  const stop = every(RETRY_MS, retry, onTrouble);
  return {
    store: {
      ...inner,
      find: (key) => (unremoved.has(key) ? undefined : inner.find(key)),
      read: async (key) => (unremoved.has(key) ? undefined : inner.read(key)),
      remove: (key) => removing([key], () => inner.remove(key)),
      removeAll: (keys) => removing(keys, () => inner.removeAll(keys)),
    },
    close: async () => {
      stop();
      await retry().catch(onTrouble);
    },
  };
}
