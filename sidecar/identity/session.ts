// Sessions: an opaque random id in a cookie, everything else in the store under the id's hash. Keeps a
// cache of a second in front of the store. Does not know how a caller signed in.
import { hash, randomBytes } from 'node:crypto';
import { Fault } from '../fault.ts';
import type { EvidenceReason } from './reason.ts';
import type { Identity } from './identity.ts';
import type { SessionStore, StoredSession } from './session-store.ts';

export type SessionOptions = {
  readonly store: SessionStore;
  readonly now: () => number;
  /** A session that is not used for so long has ended. */
  readonly idleMs: number;
  /** A session that is so old has ended, used or not. */
  readonly absoluteMs: number;
  /** Longest time for which a session is served without asking the store; default 1,000. */
  readonly cacheMs?: number;
  /** Default 10,000. */
  readonly maxCached?: number;
};

export type SessionRefusal = {
  readonly refused: Extract<
    EvidenceReason,
    'cookie-malformed' | 'session-unknown' | 'session-expired'
  >;
};

export type Sessions = {
  /**
   * Returns whose session this is; the same object for as long as the session stays unchanged.
   * Throws Fault ERR_SESSION_STORE when it has to ask the store and can't.
   */
  find(cookieValue: string): Identity | SessionRefusal;
  /** Starts a session and returns the cookie's value: 256 random bits, never one that existed. */
  begin(identity: Identity): string;
  /** Ends a session here at once, and on every sidecar of this store within `cacheMs`. */
  end(cookieValue: string): void;
  /** Writes the last-seen times that are due; on a timer anyway. */
  flush(): void;
  close(): void;
};

type Cached = {
  identity: Identity;
  payload: string;
  createdAtMs: number;
  seenAtMs: number;
  readAtMs: number;
};

const SHAPE = /^[A-Za-z0-9_-]{43}$/;
const FLUSH_MS = 5_000;
const SWEEP_MS = 60_000;

/** Returns the sessions of this store, with a timer that writes last-seen times and sweeps. */
export function createSessions(options: SessionOptions): Sessions {
  const { store, now, idleMs, absoluteMs, cacheMs = 1_000, maxCached = 10_000 } = options;
  const cache = new Map<string, Cached>();
  let touched = new Map<string, number>();

  function reread(key: string, nowMs: number): Cached | undefined {
    const stored = store.find(key);
    const before = cache.get(key);
    // Deleting first keeps the map in the order of reading, so that the first is the oldest.
    cache.delete(key);
    if (stored === undefined) return undefined;
    const fresh = toCached(stored, before, nowMs);
    if (cache.size >= maxCached) cache.delete(cache.keys().next().value ?? '');
    cache.set(key, fresh);
    return fresh;
  }

  function find(cookieValue: string): Identity | SessionRefusal {
    if (!SHAPE.test(cookieValue)) return { refused: 'cookie-malformed' };
    const key = hash('sha256', cookieValue);
    const nowMs = now();
    const cached = cache.get(key);
    const ageMs = cached ? nowMs - cached.readAtMs : cacheMs;
    // A negative age is a clock that was set back: nothing read then can be told to be fresh.
    const session = cached && ageMs >= 0 && ageMs < cacheMs ? cached : reread(key, nowMs);
    if (session === undefined) return { refused: 'session-unknown' };
    if (nowMs >= session.createdAtMs + absoluteMs || nowMs >= session.seenAtMs + idleMs) {
      return { refused: 'session-expired' };
    }
    session.seenAtMs = nowMs;
    touched.set(key, nowMs);
    return session.identity;
  }

  function begin(identity: Identity): string {
    const id = randomBytes(32).toString('base64url');
    const key = hash('sha256', id);
    const nowMs = now();
    const expiresAtMs = nowMs + absoluteMs;
    const sessionHash = key.slice(0, 16);
    const payload = JSON.stringify({ ...identity, method: 'session', sessionHash, expiresAtMs });
    store.put(key, { payload, createdAtMs: nowMs, seenAtMs: nowMs });
    return id;
  }

  function end(cookieValue: string): void {
    if (!SHAPE.test(cookieValue)) return;
    const key = hash('sha256', cookieValue);
    cache.delete(key);
    touched.delete(key);
    store.remove(key);
  }

  function flush(): void {
    if (touched.size === 0) return;
    store.touch(touched);
    touched = new Map();
  }

  function sweep(): void {
    const nowMs = now();
    store.sweep({ createdMs: nowMs - absoluteMs, seenMs: nowMs - idleMs });
  }

  const timers = [every(FLUSH_MS, flush), every(SWEEP_MS, sweep)];
  const close = () => {
    timers.forEach(clearInterval);
    ignoringFaults(flush);
  };
  return { find, begin, end, flush, close };
}

function toCached(stored: StoredSession, before: Cached | undefined, nowMs: number): Cached {
  const { payload, createdAtMs } = stored;
  const unchanged = before?.payload === payload;
  return {
    identity: unchanged ? before.identity : readPayload(payload),
    payload,
    createdAtMs,
    // What was seen here may not be written yet.
    seenAtMs: Math.max(stored.seenAtMs, unchanged ? before.seenAtMs : 0),
    readAtMs: nowMs,
  };
}

function readPayload(payload: string): Identity {
  try {
    return JSON.parse(payload) as Identity; // written by `begin`
  } catch (cause) {
    throw new Fault('ERR_SESSION_STORE', 'a stored session is not JSON', { cause });
  }
}

function every(ms: number, act: () => void): NodeJS.Timeout {
  return setInterval(() => ignoringFaults(act), ms).unref();
}

// The store tells of its failure in `state()`; what was due stays due.
function ignoringFaults(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
  }
}
