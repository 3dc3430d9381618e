// When sessions are renewed, and who waits for it. A refresh token is good for one use, so a renewal is the
// only one of its session: in this process by the session's whole key, among sidecars by a lease. What
// it does is in confirm.ts.
import { Fault } from '../fault.ts';
import type { Refresh } from '../identity/begun.ts';
import type { Cached, SessionCache } from './cache.ts';
import { type Asking, type Confirmed, type ConfirmOptions, createConfirm } from './confirm.ts';
import { LEASE_MS, takeLease } from './lease.ts';
import { createTurns } from './turns.ts';
import { within } from './wait.ts';

/** Longest wait of a request for a renewal that is due; the gate has five seconds in all. */
const RECHECK_WAIT_MS = 2_000;
/**
 * How long a session is left alone after waiting in vain for another sidecar's renewal: one that died holds its
 * lease for minutes, and no request is to wait for it again and again.
 */
const HELD_PAUSE_MS = 10_000;
/**
 * How long closing waits for renewals that are under way. A token endpoint may take longer; but meanwhile nobody
 * is let in, and all of them count more than the one who may have to sign in again.
 */
const CLOSE_MS = 10_000;
/**
 * How often `recheckMs` has to have passed since the provider's word before a session is closed whose re-check our own
 * store keeps from beginning: once more than the check is due, so that a store that fails for minutes shuts nobody
 * out, and one that stays read-only doesn't let those stay whom the provider would put out.
 */
export const CLOSED_AFTER_RECHECKS = 2;
/** While nothing can be written, one session tries for all, so often. */
const STORE_PAUSE_MS = 5_000;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 300_000;
/**
 * So many sessions are sealed anew at once where nobody is asked. After a change of keys that is due for each, and
 * the gate's own questions go by the same few connections; who finds it full is sealed another time.
 */
export const MAX_RESEALED = 4;
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
   * is then, undefined when it has ended. Rejects with Fault ERR_SESSION_STORE for one that is closed because its
   * re-check is long due and the store lets none begin.
   */
  look(session: Cached, nowMs: number): Promise<Cached | undefined> | undefined;
  /** What is being renewed of it no longer counts here. */
  forget(key: string): void;
  close(): Promise<void>;
};

type Unbegun = { readonly fault: Fault; atMs: number };
type Flight = { waited: Promise<Cached | undefined> | undefined };

/** Returns the renewals of this store's sessions. */
export function createSessionRenewals(options: RenewalOptions): SessionRenewals {
  const {
    store,
    cache,
    now,
    recheckMs,
    refresh,
    onTrouble,
    onForget,
    leaseMs = LEASE_MS,
  } = options;
  const turns = createTurns(now);
  const ask = refresh && turns.asking(refresh);
  const confirm = createConfirm(options);
  const flights = new Map<string, Flight>();
  // Until when another sidecar, whose lease was seen, may have new tokens in hand. By what stays with a text.
  const othersUntilMs = new WeakMap<Cached['pause'], number>();
  const running = new Set<Promise<unknown>>();
  // Why the last renewal could not begin, until something could be written.
  let unbegun: Unbegun | undefined;
  let resealed = 0;
  let isClosed = false;

  function look(session: Cached, nowMs: number): Promise<Cached | undefined> | undefined {
    const closed = closedBy(session, nowMs);
    if (closed !== undefined) return unlessWritable(session, closed, nowMs);
    const asks = isOlder(session, nowMs, 0.5) && turns.isOpen(session.session.identity);
    if (!asks && session.isByFirst) return undefined;
    const flight = flights.get(session.key) ?? start(session, nowMs, asks);
    if (!asks || !isOlder(session, nowMs, 1)) return undefined;
    return flight?.waited?.then((renewed) => {
      const closedNow = renewed && closedBy(renewed, now());
      if (closedNow) throw closedNow.fault;
      return renewed;
    });
  }

  // A provider that is away closes nobody; a store that can't be written does: it is ours.
  function closedBy(session: Cached, nowMs: number): Unbegun | undefined {
    return unbegun && isOlder(session, nowMs, CLOSED_AFTER_RECHECKS) ? unbegun : undefined;
  }

  // By a write of its own, not by its lease: there is none to be had while its provider is away, or another has it.
  async function unlessWritable(
    session: Cached,
    closed: Unbegun,
    nowMs: number,
  ): Promise<Cached | undefined> {
    if (isStorePausing(nowMs)) throw closed.fault;
    closed.atMs = nowMs;
    await store.tryWriting();
    // Unless another has failed meanwhile.
    if (unbegun === closed) unbegun = undefined;
    return look(session, now()) ?? session;
  }

  function isStorePausing(nowMs: number): boolean {
    if (unbegun === undefined) return false;
    return nowMs >= unbegun.atMs && nowMs < unbegun.atMs + STORE_PAUSE_MS;
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
    if (isPausing || isClosed || isStorePausing(nowMs)) return undefined;
    if (unbegun !== undefined) unbegun.atMs = nowMs;
    if (!asks && resealed >= MAX_RESEALED) return undefined;
    const flight: Flight = { waited: undefined };
    const isMine = () => flights.get(key) === flight;
    const done = (asks ? inTurn(session, isMine) : reseal(session, isMine))
      .catch((error: unknown) => {
        onTrouble(error, session.session.identity);
        if (error !== unbegun?.fault) postpone(session, longerThan(pause));
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
    if (leave === undefined || ask === undefined) return isMine() ? session : undefined;
    try {
      // It is over with the answer, however long the rest takes.
      return await renew(session, isMine, (asked) => ask(asked).finally(leave));
    } finally {
      leave();
    }
  }

  async function reseal(session: Cached, isMine: () => boolean): Promise<Cached | undefined> {
    resealed++;
    return renew(session, isMine).finally(() => resealed--);
  }

  async function renew(
    session: Cached,
    isMine: () => boolean,
    askOnce?: Refresh,
  ): Promise<Cached | undefined> {
    const release = await leaseOf(session);
    try {
      const confirmed = release ? await underLease(session, askOnce) : await withoutLease(session);
      return settle(session, confirmed, isMine);
    } finally {
      await release?.();
    }
  }

  async function leaseOf(session: Cached): ReturnType<typeof takeLease> {
    const { key } = session;
    try {
      const release = await takeLease(key, {
        store,
        forMs: leaseMs,
        waitMs: RECHECK_WAIT_MS,
        onHeld: () => othersUntilMs.set(session.pause, now() + leaseMs),
        isWanted: async () => !isClosed && (await store.find(key))?.version === session.version,
      });
      // One that wasn't had wrote nothing.
      if (release !== undefined) unbegun = undefined;
      return release;
    } catch (error) {
      if (error instanceof Fault) unbegun = { fault: error, atMs: now() };
      throw error;
    }
  }

  async function underLease(session: Cached, askOnce?: Refresh): Promise<Confirmed> {
    const asking = askOnce && { ask: askOnce, whenRefused: () => whenRefused(session) };
    const confirmed = await confirm(session.key, session.version, asking);
    // There was nothing to ask with: that will not change soon.
    if (asking && confirmed.seen?.version === session.version) postpone(session, LONGEST_PAUSE_MS);
    return confirmed;
  }

  async function withoutLease(session: Cached): Promise<Confirmed> {
    const seen = await store.find(session.key);
    if (seen?.version === session.version) postpone(session, HELD_PAUSE_MS);
    return { seen };
  }

  // A refresh token that another has spent before us is refused, and says nothing of the person. A lease goes
  // over to us while the other still writes when the store lost it, or the other stood still for long.
  function whenRefused({ pause }: Cached): ReturnType<Asking['whenRefused']> {
    if (isClosed) return 'leave';
    const untilMs = othersUntilMs.get(pause) ?? -Infinity;
    const isAwaited = now() < untilMs && now() >= untilMs - leaseMs;
    return isAwaited ? 'wait' : 'end';
  }

  // What ended here meanwhile stays ended, whatever was heard of it.
  function settle(before: Cached, { seen, unchecked }: Confirmed, isMine: () => boolean) {
    if (!isMine()) return undefined;
    const session = cache.adopt(before.key, seen);
    if (session === undefined) onForget(before.key);
    else if (unchecked !== undefined) {
      onTrouble(unchecked, session.session.identity);
      postpone(session, longerThan(before.pause));
    }
    return session;
  }

  async function close(): Promise<void> {
    isClosed = true;
    turns.close();
    await within(Promise.allSettled(running), CLOSE_MS, []);
  }

  return { look, forget: (key) => void flights.delete(key), close };
}

function longerThan({ ms }: Cached['pause']): number {
  return Math.max(FIRST_PAUSE_MS, 2 * ms);
}
