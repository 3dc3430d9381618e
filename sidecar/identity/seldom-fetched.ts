// Something of an issuer's that seldom changes: fetched when it is first needed, anew in the background now
// and then, and kept for a bounded while when the issuer is down. What it is, others know.
import { Fault, explain } from '../fault.ts';

export type SeldomFetched<T> = {
  /** Returns what was fetched last. Throws Fault ERR_PROVIDER when there is none, or it is too old. */
  current(): Promise<T>;
  /** Returns what is newer, for whoever misses something in `known`; undefined if there is nothing. */
  newerThan(known: T): Promise<T | undefined>;
  /** Not ready while there is nothing that may be used; a problem alone, while the old goes on. */
  state(): { ready: boolean; problem?: string };
};

export type SeldomFetchedOptions<T> = {
  /** What it is, for messages: `the keys of ISSUER`. */
  readonly what: string;
  readonly fetch: () => Promise<T>;
  readonly now: () => number;
};

/** What is this old is fetched anew, in the background. */
const FRESH_MS = 600_000;
/** What is this old nobody has asked for in a while: who does waits for the new one, unless it can't be had. */
const IDLE_MS = 1_200_000;
/** What is this old is no longer used, even when the issuer can't be reached. */
const STALE_MS = 86_400_000;
/**
 * Between two fetches for what isn't there, whoever asks: anybody can ask for what never was, and who asks for
 * what has just been added waits this long at most.
 */
const COOL_DOWN_MS = 10_000;
/** Between two fetches in the background while the issuer is down. */
const RETRY_KEPT_MS = 30_000;
/** Between two fetches while there is nothing at all. */
const RETRY_MS = 1_000;

/** Returns what fetches it; the first who needs it waits for it. */
export function createSeldomFetched<T>(options: SeldomFetchedOptions<T>): SeldomFetched<T> {
  const { what, now } = options;
  let kept: { readonly value: T; readonly atMs: number } | undefined;
  let failure: Fault | undefined;
  let triedAtMs = -Infinity;
  let loading: Promise<void> | undefined;

  // A clock that was set back by a year must not make anything good for a year.
  const since = (thenMs: number) => Math.abs(now() - thenMs);
  const ageMs = () => (kept === undefined ? Infinity : since(kept.atMs));

  function load(): Promise<void> {
    triedAtMs = now();
    loading ??= options
      .fetch()
      .then((value) => {
        kept = { value, atMs: now() };
        failure = undefined;
      })
      .catch((cause: unknown) => {
        failure = new Fault('ERR_PROVIDER', `${what} can't be had`, { cause });
      })
      .finally(() => (loading = undefined));
    return loading;
  }

  async function current(): Promise<T> {
    const isStale = ageMs() >= STALE_MS;
    const isIdle = ageMs() >= IDLE_MS && failure === undefined;
    const waitMs = isStale ? RETRY_MS : RETRY_KEPT_MS;
    const isDue = ageMs() >= FRESH_MS && since(triedAtMs) >= waitMs;
    const reload = isDue ? load() : loading;
    if (isStale || isIdle) await reload;
    if (kept !== undefined && ageMs() < STALE_MS) return kept.value;
    throw failure ?? new Fault('ERR_PROVIDER', `${what}: too old to be used any longer`);
  }

  async function newerThan(known: T): Promise<T | undefined> {
    if (since(triedAtMs) >= COOL_DOWN_MS) void load();
    await loading;
    return kept === undefined || kept.value === known ? undefined : kept.value;
  }

  function state(): { ready: boolean; problem?: string } {
    if (failure === undefined) return { ready: true };
    return { ready: ageMs() < STALE_MS, problem: explain(failure) };
  }

  return { current, newerThan, state };
}
