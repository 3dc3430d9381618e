// Sessions as they were read within the last second, so that the gate asks the store once for many
// requests. Knows nothing of cookies, lifetimes or providers.
import type { KeyObject } from 'node:crypto';
import { Fault } from '../fault.ts';
import type { Identity } from '../identity/identity.ts';
import { isTaggedRight, openPayload, type SessionPayload } from './text.ts';
import { createFewAtOnce } from '../identity/few-at-once.ts';
import type { Awaitable, SessionSeen, SessionStore } from './store.ts';

/** One session, opened. */
export type Cached = Omit<SessionSeen, 'seenAtMs'> & {
  readonly key: string;
  /** The same object for as long as the text is the same. */
  readonly session: SessionPayload;
  seenAtMs: number;
  /** When reading it was begun. */
  readonly readAtMs: number;
  /** The ring that opened it last, and whether its first key did. */
  ring: readonly KeyObject[];
  isByFirst: boolean;
  /** Of its renewals, see renewal.ts; shared by all readings of the same text. */
  readonly pause: { untilMs: number; ms: number };
};

export type SessionCache = {
  /**
   * Returns the session under this key as of at most `cacheMs` ago; at once if it needn't wait. The cookie is the one
   * that the key is of: whether we gave it counts where the session isn't known here. Default: it can't be told.
   */
  get(key: string, nowMs: number, cookieValue?: string): Awaitable<Cached | undefined>;
  /**
   * Takes over what the store was heard to say, until it is asked again; undefined when that is no
   * session that counts.
   */
  adopt(key: string, seen: SessionSeen | undefined): Cached | undefined;
  /**
   * Returns what else the store is asked about this key: at once where the session is known here, else within the
   * bounds of those that aren't.
   */
  ask<T>(key: string, cookieValue: string, question: () => Awaitable<T>): Awaitable<T>;
  /** Forgets a session that has ended, and what is being read of it. */
  forget(key: string): void;
};

export type SessionCacheOptions = {
  readonly store: Pick<SessionStore, 'find'>;
  readonly keys: () => readonly KeyObject[];
  readonly isAccepted: (identity: Identity) => boolean;
  /** Whether we gave this cookie. */
  readonly isOurs: (cookieValue: string) => boolean;
  readonly cacheMs: number;
  readonly maxCached: number;
};

type Reading = {
  readonly begunAtMs: number;
  isVoid: boolean;
  promise: Promise<Cached | undefined>;
};

/**
 * Readings under way of keys that are not in the cache, and whose cookies don't show that we gave them: beyond it the
 * store is down, or somebody tries cookies that he made up. All others don't count: he can't shut out those who are in,
 * nor those who have signed in a moment ago, at whatever sidecar.
 */
export const MAX_UNKNOWN_READ = 64;
/**
 * The same of cookies that we gave: everybody at once after a restart, or somebody who shows those of sessions that have
 * ended, each of which took a sign-in. As many as connections wait at our door, so that a restart refuses nobody.
 */
export const MAX_MARKED_READ = 4_096;
/**
 * Of these so many are under way in the store, half of the connections that PostgreSQL gives us: the others wait here, and
 * not in front of those who are in.
 */
export const UNKNOWN_AT_ONCE = 4;
/** Of marked ones: with those above all connections but one, which is for sessions that are known here. */
export const MARKED_AT_ONCE = 3;

/** Returns an empty cache in front of this store. */
export function createSessionCache(options: SessionCacheOptions): SessionCache {
  const { store, keys, isAccepted, isOurs, cacheMs, maxCached } = options;
  const cached = new Map<string, Cached>();
  const readings = new Map<string, Reading>();
  const madeUp = createBound(MAX_UNKNOWN_READ, UNKNOWN_AT_ONCE, 'unknown sessions');
  const marked = createBound(MAX_MARKED_READ, MARKED_AT_ONCE, 'sessions that are not known here');

  // A negative age is a clock that was set back: nothing read then can be told to be fresh.
  const isFresh = (ageMs: number) => ageMs >= 0 && ageMs < cacheMs;

  function get(key: string, nowMs: number, cookieValue?: string): Awaitable<Cached | undefined> {
    const session = cached.get(key);
    if (session !== undefined && isFresh(nowMs - session.readAtMs)) {
      return session.ring === keys() ? session : openAgain(session);
    }
    // Many who ask at once are one question; but none joins a reading that is older than a second.
    const running = readings.get(key);
    if (running !== undefined && isFresh(nowMs - running.begunAtMs)) return running.promise;
    return read(key, nowMs, cookieValue);
  }

  function ask<T>(key: string, cookieValue: string | undefined, question: () => Awaitable<T>) {
    if (cached.has(key)) return question();
    const isGiven = cookieValue !== undefined && isOurs(cookieValue);
    return isGiven ? marked(question) : madeUp(question);
  }

  function read(key: string, nowMs: number, cookieValue?: string): Awaitable<Cached | undefined> {
    const seen = ask(key, cookieValue, () => store.find(key));
    if (seen === undefined || !('then' in seen)) return keep(key, seen, nowMs);
    const promise = seen.then(
      (found) => arrive(key, reading, found),
      (error: unknown) => {
        leave(key, reading);
        throw error;
      },
    );
    const reading: Reading = { begunAtMs: nowMs, isVoid: false, promise };
    readings.set(key, reading);
    return promise;
  }

  function arrive(key: string, reading: Reading, seen: SessionSeen | undefined) {
    // Ended here while the store was answering: its answer is of before.
    if (reading.isVoid) return undefined;
    // Overtaken by a later reading or by what was written here: an answer, but not the last word.
    if (!leave(key, reading)) return seen && toCached(key, latest(key, seen), reading.begunAtMs);
    return keep(key, seen, reading.begunAtMs);
  }

  function latest(key: string, seen: SessionSeen): SessionSeen {
    const known = cached.get(key);
    return known && known.version > seen.version ? known : seen;
  }

  function leave(key: string, reading: Reading): boolean {
    return readings.get(key) === reading && readings.delete(key);
  }

  function keep(key: string, seen: SessionSeen | undefined, readAtMs: number): Cached | undefined {
    const fresh = seen && toCached(key, seen, readAtMs);
    // Deleting first keeps the map in the order of reading, so that the first is the oldest.
    cached.delete(key);
    if (fresh === undefined) return undefined;
    if (cached.size >= maxCached) cached.delete(cached.keys().next().value ?? '');
    cached.set(key, fresh);
    return fresh;
  }

  function toCached(key: string, seen: SessionSeen, readAtMs: number): Cached | undefined {
    const before = cached.get(key);
    const known = before && isSameText(before, seen) ? before : undefined;
    const opened = known === undefined ? opening(key, seen) : openAgain(known);
    if (opened === undefined || !isAccepted(opened.session.identity)) return undefined;
    const { session, ring, isByFirst } = opened;
    // What was seen here may not be written yet.
    const seenAtMs = Math.max(seen.seenAtMs, before?.seenAtMs ?? 0);
    const pause = known?.pause ?? { untilMs: 0, ms: 0 };
    return { ...seen, key, session, ring, isByFirst, seenAtMs, readAtMs, pause };
  }

  function opening(key: string, seen: Pick<SessionSeen, 'payload' | 'subjectTag' | 'sidTag'>) {
    const ring = keys();
    const opened = openPayload(key, seen.payload, ring);
    if (opened === undefined || !isTaggedRight(opened.payload, seen, ring)) return undefined;
    return { session: opened.payload, isByFirst: opened.isByFirst, ring };
  }

  // Another ring: a key that was taken out is dead at once, also for what is in memory.
  function openAgain(session: Cached): Cached | undefined {
    if (session.ring === keys()) return session;
    const opened = opening(session.key, session);
    if (opened === undefined) return void cached.delete(session.key);
    session.ring = opened.ring;
    session.isByFirst = opened.isByFirst;
    return session;
  }

  // As old as can be: how long ago the store said it is not known, so the next who asks reads it.
  function adopt(key: string, seen: SessionSeen | undefined): Cached | undefined {
    readings.delete(key);
    return keep(key, seen, 0);
  }

  function forget(key: string): void {
    cached.delete(key);
    const running = readings.get(key);
    if (running !== undefined) running.isVoid = true;
    readings.delete(key);
  }

  return { get, ask, adopt, forget };
}

/** Returns what reads so many at once, lets others wait, and refuses who comes when there are `max` of both. */
function createBound(max: number, atOnce: number, what: string) {
  const fewAtOnce = createFewAtOnce(atOnce);
  let underWay = 0;
  return <T>(question: () => Awaitable<T>): Awaitable<T> => {
    if (underWay >= max) {
      const problem = `the session store is being asked for ${max} ${what} at once, and for no more`;
      throw new Fault('ERR_SESSION_STORE', problem);
    }
    const answer = fewAtOnce(question);
    if (!(answer instanceof Promise)) return answer;
    underWay++;
    return answer.finally(() => underWay--);
  };
}

function isSameText(one: SessionSeen, other: SessionSeen): boolean {
  const { payload, subjectTag, sidTag } = one;
  return payload === other.payload && subjectTag === other.subjectTag && sidTag === other.sidTag;
}
