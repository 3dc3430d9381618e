// Sessions: an opaque random id in a cookie, everything else in the store, sealed, under the id's hash.
// Does not know how a caller signed in, nor how a provider is asked again.
import { hash, type KeyObject } from 'node:crypto';
import { Fault } from '../fault.ts';
import type { EvidenceReason } from '../identity/reason.ts';
import type { Begun, Refresh } from '../identity/begun.ts';
import type { Identity } from '../identity/identity.ts';
import { type Cached, createSessionCache } from './cache.ts';
import { isMarked, isShaped, newCookieValue } from './cookie-value.ts';
import { createEndedNames, type EndedNames } from './ended-names.ts';
import { createRemovals } from './removals.ts';
import { createSessionRenewals } from './renewal.ts';
import {
  isMeant,
  openPayload,
  openWhole,
  sealSession,
  sessionHashOf,
  type SessionName,
  type SessionPayload,
  tagsOf,
  toBegun,
} from './text.ts';
import { createSessionUpkeep } from './upkeep.ts';
import type { Awaitable, SessionStore } from './store.ts';

export type SessionOptions = {
  readonly store: SessionStore;
  readonly now: () => number;
  /** A session that is not used for so long has ended. */
  readonly idleMs: number;
  /** A session that is so old has ended, used or not. */
  readonly absoluteMs: number;
  /** The first seals, all open. Asked each time; the same array means the same ring. */
  readonly keys: () => readonly KeyObject[];
  /** Longest time for which a session is served without asking the store; default 1,000. */
  readonly cacheMs?: number;
  /** Default 10,000. */
  readonly maxCached?: number;
  /**
   * A session is confirmed by the provider in the background from half of it on, and requests wait for
   * it (for two seconds at most) from the whole of it on. Default: never.
   */
  readonly recheckMs?: number;
  readonly refresh?: Refresh;
  /** Whether the provider of a session still counts; asked at each reading. Default: yes. */
  readonly isAccepted?: (identity: Identity) => boolean;
  /** Names that their provider has ended, for whoever outlives these sessions; default: their own. */
  readonly endedNames?: EndedNames;
  /** Sessions that ended and are still in the store, for whoever outlives these; default: their own. */
  readonly unremoved?: Map<string, number>;
  /** Told of sessions that ended without their person. */
  readonly onEnded?: (ended: { identity: Identity; why: string }) => void;
  /** Told of what failed in the background, and is tried again; whose session it was, where it was one. */
  readonly onTrouble?: (error: unknown, identity?: Identity) => void;
  /** How long a sidecar that refreshes keeps others from it, should it be gone; default LEASE_MS. */
  readonly leaseMs?: number;
};

export type SessionRefusal = {
  readonly refused: Extract<
    EvidenceReason,
    'cookie-malformed' | 'session-unknown' | 'session-expired'
  >;
};

/** A session that has ended; `unwritten` is why the store doesn't know it yet. */
export type Ended = Begun & { readonly unwritten?: Fault };

/** Whose sessions the provider ends. */
export type EndedName = SessionName & { readonly begunByMs?: number };

export type Sessions = {
  /**
   * Returns whose session this is: at once from the cache, or from a store that answers at once; the
   * same object for as long as the session stays unchanged. A Fault ERR_SESSION_STORE, thrown or
   * rejected, when it has to ask the store and can't.
   */
  find(cookieValue: string): Awaitable<Identity | SessionRefusal>;
  /** Starts a session and returns the cookie's value, never one that existed. */
  begin(begun: Begun): Promise<string>;
  /**
   * Ends a session here at once, and on every sidecar of this store within `cacheMs`. Returns what was
   * ended, for signing out at the provider. Where that can't be written it is dead here, and written later. Rejects
   * with Fault ERR_SESSION_STORE where it can't even be read, or was dead before and still isn't written.
   */
  end(cookieValue: string): Promise<Ended | undefined>;
  /**
   * Ends those of one sign-in at the provider (`sid`) and those of the subject that know no `sid`, else all of
   * a subject, and tells of each; returns how many. Those that began after `begunByMs` stay; default: none. Rejects
   * where that can't be written: they are dead here all the same, and whoever asks again is told how it stands then.
   */
  endNamed(named: EndedName): Promise<number>;
  /** Writes the last-seen times that are due; on a timer anyway. */
  flush(): Promise<void>;
  /** Waits for what is being renewed: a refresh token that was used up must be replaced in the store. */
  close(): Promise<void>;
};

const MALFORMED: SessionRefusal = { refused: 'cookie-malformed' };
const UNKNOWN: SessionRefusal = { refused: 'session-unknown' };
const EXPIRED: SessionRefusal = { refused: 'session-expired' };

/** Sessions that are kept as they were read last: some 2 KB each. */
export const MAX_CACHED_SESSIONS = 10_000;

/** Returns the sessions of this store, with timers that write last-seen times and sweep. */
export function createSessions(options: SessionOptions): Sessions {
  const { now, keys, idleMs, absoluteMs, unremoved = new Map() } = options;
  const { onEnded = () => {}, onTrouble = () => {} } = options;
  const { isAccepted = () => true, cacheMs = 1_000, maxCached = MAX_CACHED_SESSIONS } = options;
  const removals = createRemovals(options.store, unremoved, now, onTrouble);
  const { store } = removals;
  const isOurs = (cookieValue: string) => isMarked(cookieValue, keys());
  const cache = createSessionCache({ store, keys, isAccepted, isOurs, cacheMs, maxCached });
  const renewals = createSessionRenewals({ ...options, store, cache, onTrouble, onForget: forget });
  const endedNames = createEndedNames(options.endedNames ?? new Map(), now);
  const upkeep = createSessionUpkeep({ store, now, idleMs, absoluteMs, onTrouble });

  function find(cookieValue: string): Awaitable<Identity | SessionRefusal> {
    if (!isShaped(cookieValue)) return MALFORMED;
    const key = keyOf(cookieValue);
    const nowMs = now();
    const session = cache.get(key, nowMs, cookieValue);
    if (session === undefined) return UNKNOWN;
    return 'then' in session ? session.then((read) => use(read, now())) : use(session, nowMs);
  }

  function use(session: Cached | undefined, nowMs: number): Awaitable<Identity | SessionRefusal> {
    if (session === undefined) return UNKNOWN;
    if (isOver(session, nowMs)) return EXPIRED;
    session.seenAtMs = nowMs;
    upkeep.seen(session.key, nowMs);
    const renewing = renewals.look(session, nowMs);
    if (renewing === undefined) return session.session.identity;
    return renewing.then((renewed) => (renewed ? readAgain(renewed.key) : UNKNOWN));
  }

  // It was waited for, and may have been ended elsewhere meanwhile.
  async function readAgain(key: string): Promise<Identity | SessionRefusal> {
    const session = await cache.get(key, now());
    if (session === undefined) return UNKNOWN;
    return isOver(session, now()) ? EXPIRED : session.session.identity;
  }

  function isOver({ session, createdAtMs, seenAtMs }: Cached, nowMs: number): boolean {
    // The earlier one: the store's time can be changed by whoever writes it, the sealed one is of a clock that may be ahead.
    const beganAtMs = Math.min(session.beganAtMs ?? createdAtMs, createdAtMs);
    return nowMs >= beganAtMs + absoluteMs || nowMs >= seenAtMs + idleMs;
  }

  async function begin({
    identity,
    tokens = {},
    sid,
    askedAtMs = Infinity,
  }: Begun): Promise<string> {
    const id = newCookieValue(keys());
    const key = keyOf(id);
    const nowMs = now();
    const whole = {
      identity: {
        ...identity,
        method: 'session' as const,
        sessionHash: sessionHashOf(key),
        expiresAtMs: nowMs + absoluteMs,
      },
      beganAtMs: nowMs,
      tokens,
      ...(sid !== undefined && { sid }),
      ...(tokens.refreshToken !== undefined && { checkedAtMs: nowMs }),
    };
    await store.put(key, sealSession(key, whole, keys()), nowMs);
    // Asked when it is there: what ended it meanwhile may have looked for it too early.
    const { issuer, subject } = identity;
    const names = { issuer, subject, ...(sid !== undefined && { sid }) };
    if (endedNames.has(names, askedAtMs) && (await store.remove(key))) {
      onEnded({ identity: whole.identity, why: 'provider' });
    }
    return id;
  }

  async function end(cookieValue: string): Promise<Ended | undefined> {
    if (!isShaped(cookieValue)) return undefined;
    const key = keyOf(cookieValue);
    // Of what may be made up the store is asked as the gate asks it: a bounded number at once, and for no more.
    // Dead here; whether the store knows it by now is what it is asked for.
    if (unremoved.has(key)) return void (await store.remove(key));
    if (!isOurs(cookieValue) && (await cache.get(key, now())) === undefined) return undefined;
    const stored = await cache.ask(key, cookieValue, () => store.read(key));
    // So that cookies of sessions that have ended, shown again and again, write nothing.
    if (stored === undefined) {
      forget(key);
      return undefined;
    }
    const removed = await store.remove(key).catch(toStoreFault);
    // Only now: whoever read it before it was removed must not bring it back.
    forget(key);
    const whole = removed === false ? undefined : openWhole(key, stored, keys());
    return whole && { ...toBegun(whole), ...(removed instanceof Fault && { unwritten: removed }) };
  }

  async function endNamed({ begunByMs = Infinity, ...named }: EndedName): Promise<number> {
    // No later than the token's own time: it may be shown again long after.
    endedNames.add(named, Math.min(begunByMs, now()));
    const found = await store.findTagged(tagsOf(named, keys()));
    // By the sealed time: whoever can write the store must not make a session too young to be ended.
    const meant = new Map(
      found
        .map(({ key, payload }) => [key, openPayload(key, payload, keys())?.payload] as const)
        .filter(([, session]) => session === undefined || isMeant(session, named))
        .filter(([, session]) => (session?.beganAtMs ?? 0) <= begunByMs),
    );
    if (meant.size === 0) return 0;
    return removeNamed(meant);
  }

  async function removeNamed(meant: ReadonlyMap<string, SessionPayload | undefined>) {
    const keyed = [...meant.keys()];
    // Of those that are dead here and still there it was told before.
    const alive = new Set(keyed.filter((key) => !unremoved.has(key)));
    const dead = await store.removeAll(keyed).catch(toStoreFault);
    const ended = dead instanceof Fault ? [...alive] : dead.filter((key) => alive.has(key));
    for (const key of ended) {
      forget(key);
      const identity = meant.get(key)?.identity;
      if (identity) onEnded({ identity, why: 'provider' });
    }
    if (dead instanceof Fault) throw dead;
    return ended.length;
  }

  function forget(key: string): void {
    cache.forget(key);
    renewals.forget(key);
    upkeep.forget(key);
  }

  async function close(): Promise<void> {
    // First: others may go by longer lifetimes by now, and a sweep by ours would end their sessions.
    upkeep.stop();
    await renewals.close();
    await upkeep.close();
    await removals.close();
  }

  return { find, begin, end, endNamed, flush: () => upkeep.flush(), close };
}

function toStoreFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  throw error;
}

function keyOf(cookieValue: string): string {
  return hash('sha256', cookieValue);
}
