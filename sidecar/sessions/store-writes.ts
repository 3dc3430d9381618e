// Whether a store of sessions can be written, for `/readyz`: one that can only be read lets in who is signed in, and
// nobody can be put out. Knows no statement.
import { explain } from '../fault.ts';
import type { SessionStore } from './store.ts';

/** Asked for its state while nothing can be written, it tries again at most this often. */
const PROBE_MS = 1_000;

/** Returns the store, whose `state` tells of a write that failed until one was made again. */
export function watchWrites(store: SessionStore, now: () => number): SessionStore {
  let failure: { error: unknown; atMs: number } | undefined;

  /** What changed nothing says nothing: SQLite needs no room for it. */
  async function watch<T>(act: () => Promise<T>, hasChanged: (result: T) => boolean): Promise<T> {
    try {
      const result = await act();
      if (hasChanged(result)) failure = undefined;
      return result;
    } catch (error) {
      failure = { error, atMs: now() };
      throw error;
    }
  }

  const tryWriting = () =>
    watch(
      () => store.tryWriting(),
      () => true,
    );

  // Where nobody is, nothing is written that would show it: asking does.
  function state(): ReturnType<SessionStore['state']> {
    const told = store.state();
    if (!told.ready || failure === undefined) return told;
    const sinceMs = now() - failure.atMs;
    if (sinceMs < 0 || sinceMs >= PROBE_MS) {
      failure.atMs = now();
      void tryWriting().catch(() => {}); // `state` says so
    }
    const problem = `it can be read and not written: ${explain(failure.error)}`;
    return { ready: false, readable: true, problem };
  }

  const is = (changed: boolean) => changed;
  return {
    ...store,
    put: (...args) =>
      watch(
        () => store.put(...args),
        () => true,
      ),
    replace: (...args) => watch(() => store.replace(...args), is),
    touch: (...args) =>
      watch(
        () => store.touch(...args),
        () => false,
      ),
    remove: (...args) => watch(() => store.remove(...args), is),
    removeAll: (...args) =>
      watch(
        () => store.removeAll(...args),
        ({ length }) => length > 0,
      ),
    lease: (...args) => watch(() => store.lease(...args), is),
    sweep: (...args) =>
      watch(
        () => store.sweep(...args),
        (swept) => swept > 0,
      ),
    tryWriting,
    state,
  };
}
