// What failed behind the sessions, told for the log: of each provider, and of the store, at most one line a
// minute, however many sessions it concerns. Pure.
import { Fault } from './fault.ts';
import type { Identity } from './identity/identity.ts';

const QUIET_MS = 60_000;

/** What is told: the latest failure, and how many there were since the last line, or the one of `sinceMs`. */
export type SessionTrouble = {
  readonly error: unknown;
  /** By its name; undefined when it is the store, or something else of ours. */
  readonly provider?: string;
  readonly count: number;
  /** When the first of them was. */
  readonly sinceMs: number;
};

type Place = { toldAtMs: number; count: number; sinceMs: number };

/** Returns what hears of each failure, and of whose session it was. */
export function createSessionTroubles(
  now: () => number,
  tell: (trouble: SessionTrouble) => void,
): (error: unknown, identity?: Identity) => void {
  const places = new Map<string, Place>();

  return (error, identity) => {
    const nowMs = now();
    const { place, provider } = placeOf(error, identity);
    const known = places.get(place) ?? { toldAtMs: -Infinity, count: 0, sinceMs: nowMs };
    const { toldAtMs } = known;
    const count = known.count + 1;
    const sinceMs = known.count === 0 ? nowMs : known.sinceMs;
    // A clock that was set back must not silence it.
    const isQuiet = nowMs >= toldAtMs && nowMs < toldAtMs + QUIET_MS;
    if (isQuiet) return void places.set(place, { toldAtMs, count, sinceMs });
    places.set(place, { toldAtMs: nowMs, count: 0, sinceMs: nowMs });
    tell({ error, ...(provider !== undefined && { provider }), count, sinceMs });
  };
}

/** Returns what it means, in a sentence. */
export function sessionTroubleText({ provider }: SessionTrouble): string {
  return provider === undefined
    ? 'something behind the sessions failed; it is tried again'
    : 'sessions were not re-checked by their provider; they go on, and it is asked again';
}

function placeOf(error: unknown, identity: Identity | undefined) {
  const code = error instanceof Fault ? error.code : 'other';
  if (code !== 'ERR_PROVIDER' || identity === undefined) return { place: code };
  const provider = identity.provider ?? identity.issuer;
  return { place: `${code} ${provider}`, provider };
}
