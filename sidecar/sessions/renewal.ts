// When sessions are renewed, and who waits for it. A refresh token is good for one use, so a renewal is the
// only one of its session: in this process by the session's whole key, among sidecars by a lease. What
// it does is in session-confirm.ts.
import type { Cached, SessionCache } from './cache.ts';
import { type ConfirmOptions, createConfirm } from './confirm.ts';
import { takeLease } from './lease.ts';
import type { SessionSeen } from './store.ts';
import { createTurns } from './turns.ts';
import { within } from './wait.ts';

/** Longest wait of a request for a renewal that is due; the gate has five seconds in all. */
export const RECHECK_WAIT_MS = 2_000;
/** Longest wait for another sidecar's renewal: as long as a token endpoint may take. */
const OTHERS_MS = 60_000;
/** How long closing waits for renewals that are under way. */
const CLOSE_MS = 10_000;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 300_000;
/** How far the clocks of sidecars may be apart before a time that lies ahead is disbelieved. */
const SKEW_MS = 60_000;

export type RenewalOptions = ConfirmOptions & {
  readonly cache: SessionCache;
  readonly recheckMs?: number;
  readonly leaseMs?: number;
  /** Told of a session that is gone, before anyone is answered. */
  readonly onForget: (key: string) => void;
};

export type SessionRenewals = {
  /**
   * Starts a renewal if one is due. Returns what to wait for, if the caller must wait: the session as it
   * is then, undefined when it has ended.
   */
  look(session: Cached, nowMs: number): Promise<Cached | undefined> | undefined;
  /** What is being renewed of it no longer counts here. */
  forget(key: string): void;
  close(): Promise<void>;
};

type Flight = { waited: Promise<Cached | undefined> | undefined };

/** Returns the renewals of this store's sessions. */
export function createSessionRenewals(options: RenewalOptions): SessionRenewals {
  const { store, cache, now, recheckMs, refresh, onTrouble, onForget, leaseMs = 10_000 } = options;
  const turns = createTurns(now);
  const confirm = createConfirm({ ...options, ...(refresh && { refresh: turns.asking(refresh) }) });
  const flights = new Map<string, Flight>();
  const running = new Set<Promise<unknown>>();
  let isClosed = false;

  function look(session: Cached, nowMs: number): Promise<Cached | undefined> | undefined {
    const asks = isOlder(session, nowMs, 0.5) && turns.isOpen(session.session.identity);
    if (!asks && session.isByFirst) return undefined;
    const flight = flights.get(session.key) ?? start(session, nowMs, asks);
    return asks && isOlder(session, nowMs, 1) ? flight?.waited : undefined;
  }

  /** Whether the provider's word on a session is older than this part of `recheckMs`. */
  function isOlder({ session }: Cached, nowMs: number, part: number): boolean {
    if (recheckMs === undefined || refresh === undefined) return false;
    if (session.checkedAtMs === undefined) return false;
    const ageMs = nowMs - session.checkedAtMs;
    return ageMs >= recheckMs * part || ageMs < -SKEW_MS;
  }

  function start(session: Cached, nowMs: number, asks: boolean): Flight | undefined {
    const { key, pause } = session;
    const isPausing = nowMs < pause.untilMs && nowMs >= pause.untilMs - pause.ms;
    if (isPausing || isClosed) return undefined;
    const flight: Flight = { waited: undefined };
    const isMine = () => flights.get(key) === flight;
    const done = (asks ? inTurn(session, isMine) : renew(session, isMine, false))
      .catch((error: unknown) => {
        onTrouble(error, session.session.identity);
        postpone(session, Math.max(FIRST_PAUSE_MS, 2 * pause.ms));
        return isMine() ? session : undefined;
      })
      .finally(() => {
        running.delete(done);
        if (isMine()) flights.delete(key);
      });
    flights.set(key, flight);
    running.add(done);
    flight.waited = within(done, RECHECK_WAIT_MS, session);
    return flight;
  }

  function postpone({ pause }: Cached, ms: number): void {
    pause.ms = Math.min(ms, recheckMs ?? LONGEST_PAUSE_MS);
    pause.untilMs = now() + pause.ms;
  }

  // The turn comes first: a lease that waits for it would have to be renewed all the while.
  async function inTurn(session: Cached, isMine: () => boolean): Promise<Cached | undefined> {
    const leave = await turns.take(session.session.identity);
    if (leave === undefined) return isMine() ? session : undefined;
    try {
      return await renew(session, isMine, true);
    } finally {
      leave();
    }
  }

  async function renew(
    session: Cached,
    isMine: () => boolean,
    asks: boolean,
  ): Promise<Cached | undefined> {
    const { key } = session;
    const release = await takeLease(key, {
      store,
      forMs: leaseMs,
      waitMs: OTHERS_MS,
      isWanted: async () => !isClosed && (await store.find(key))?.version === session.version,
    });
    try {
      const seen = release ? await underLease(session, asks) : await store.find(key);
      return settle(key, seen, isMine);
    } finally {
      await release?.();
    }
  }

  async function underLease(session: Cached, asks: boolean): Promise<SessionSeen | undefined> {
    const seen = await confirm(session.key, session.version, asks);
    // There was nothing to ask with: that will not change soon.
    if (asks && seen?.version === session.version) postpone(session, LONGEST_PAUSE_MS);
    return seen;
  }

  // What ended here meanwhile stays ended, whatever was heard of it.
  function settle(key: string, seen: SessionSeen | undefined, isMine: () => boolean) {
    if (!isMine()) return undefined;
    const session = cache.adopt(key, seen);
    if (session === undefined) onForget(key);
    return session;
  }

  async function close(): Promise<void> {
    isClosed = true;
    turns.close();
    await within(Promise.allSettled(running), CLOSE_MS, []);
  }

  return { look, forget: (key) => void flights.delete(key), close };
}
