// What failed behind the sessions, told for the log: of each provider, and of the store, at most one line a
// minute, however many sessions it concerns; and for `/readyz`, which providers don't re-check any. Pure.
import { explain, Fault } from './fault.ts';
import type { Identity } from './identity/identity.ts';

const QUIET_MS = 60_000;
/** One session that fails tells of itself; so many failures with no answer in between tell of the provider. */
const IN_A_ROW = 3;
/** From then on nothing was tried: longer than a session that failed is left alone. */
const TOLD_MS = 600_000;
const MAX_WHY_CHARS = 300;

/** What is told: the latest failure, and how many there were since the last line, or the one of `sinceMs`. */
export type SessionTrouble = {
  readonly error: unknown;
  /** By its name; undefined when it is the store, or something else of ours. */
  readonly provider?: string;
  readonly count: number;
  /** When the first of them was. */
  readonly sinceMs: number;
};

export type SessionTroubles = {
  /** Hears of a failure, and of whose session it was. */
  failed(error: unknown, identity?: Identity): void;
  /** Hears that the provider of a session has answered. */
  answered(identity: Identity): void;
  /** Returns what keeps this provider from re-checking sessions; undefined where nothing is known to. */
  problemOf(provider: { readonly name: string; readonly issuer: string }): string | undefined;
};

type Place = { toldAtMs: number; count: number; sinceMs: number };
type Failing = { inARow: number; atMs: number; error: unknown };

/** Returns what hears of failures, and tells of them. */
export function createSessionTroubles(
  now: () => number,
  tell: (trouble: SessionTrouble) => void,
): SessionTroubles {
  const places = new Map<string, Place>();
  const failing = new Map<string, Failing>();

  function failed(error: unknown, identity?: Identity): void {
    const { place, provider } = placeOf(error, identity);
    if (provider !== undefined && identity !== undefined) {
      const key = providerKey(identity);
      const inARow = (failing.get(key)?.inARow ?? 0) + 1;
      failing.set(key, { inARow, atMs: now(), error });
    }
    log(error, place, provider);
  }

  function log(error: unknown, place: string, provider: string | undefined): void {
    const nowMs = now();
    const known = places.get(place) ?? { toldAtMs: -Infinity, count: 0, sinceMs: nowMs };
    const { toldAtMs } = known;
    const count = known.count + 1;
    const sinceMs = known.count === 0 ? nowMs : known.sinceMs;
    // A clock that was set back must not silence it.
    const isQuiet = nowMs >= toldAtMs && nowMs < toldAtMs + QUIET_MS;
    if (isQuiet) return void places.set(place, { toldAtMs, count, sinceMs });
    places.set(place, { toldAtMs: nowMs, count: 0, sinceMs: nowMs });
    tell({ error, ...(provider !== undefined && { provider }), count, sinceMs });
  }

  function problemOf({ name, issuer }: { name: string; issuer: string }): string | undefined {
    // Sessions that began before providers had names know the issuer only.
    const keys = [providerKey({ provider: name, issuer }), providerKey({ issuer })];
    const found = keys.map((key) => failing.get(key)).find((one) => one && isFailing(one, now()));
    if (found === undefined) return undefined;
    const why = explain(found.error).slice(0, MAX_WHY_CHARS).toWellFormed();
    return `sessions can't be re-checked: ${why}; they go on`;
  }

  return {
    failed,
    answered: (identity) => void failing.delete(providerKey(identity)),
    problemOf,
  };
}

function isFailing({ inARow, atMs }: Failing, nowMs: number): boolean {
  return inARow >= IN_A_ROW && Math.abs(nowMs - atMs) < TOLD_MS;
}

function providerKey({ provider = '', issuer }: Pick<Identity, 'provider' | 'issuer'>): string {
  return JSON.stringify([issuer, provider]);
}

/** Returns what it means, in a sentence. */
export function sessionTroubleText({ provider, count }: SessionTrouble): string {
  if (provider === undefined) return 'something behind the sessions failed; it is tried again';
  const failed = count === 1 ? 'a re-check of a session' : `${count} re-checks of sessions`;
  return `${failed} by the provider ${provider} failed; the sessions go on, and it is asked again`;
}

function placeOf(error: unknown, identity: Identity | undefined) {
  const code = error instanceof Fault ? error.code : 'other';
  if (code !== 'ERR_PROVIDER' || identity === undefined) return { place: code };
  const provider = identity.provider ?? identity.issuer;
  return { place: `${code} ${provider}`, provider };
}
