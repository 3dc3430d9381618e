// What every store of sessions does: keys, times, versions, leases and sealed texts. What a session means,
// and when it has ended, is decided in sessions.ts. One file is SQLite's; several sidecars share PostgreSQL.

/** What is there at once, or later. */
export type Awaitable<T> = T | Promise<T>;

/** What a store keeps for its user and can't read: sealed texts, and keyed hashes to find them by. */
export type SessionText = {
  readonly payload: string;
  readonly tokens: string;
  /** Of issuer and subject. */
  readonly subjectTag: string;
  /** Of issuer and `sid`, where the provider gave one. */
  readonly sidTag?: string;
};

/**
 * What the gate needs of a session. Times are in milliseconds since the epoch, by this process's clock, and
 * never in the future.
 */
export type SessionSeen = Omit<SessionText, 'tokens'> & {
  readonly createdAtMs: number;
  readonly seenAtMs: number;
  /** 1, and one more with each `replace`. */
  readonly version: number;
};

/** One session as stored. */
export type StoredSession = SessionText & SessionSeen;

/** What tells whose a session is, and when it began, to whoever has the key ring. */
export type TaggedSession = { readonly key: string; readonly payload: string };

/** A lease that lies further ahead was taken by nobody: whoever can write the store made it up. */
export const MAX_LEASE_MS = 600_000;

/**
 * Each failure is a Fault ERR_SESSION_STORE, thrown or rejected. Keys are hashes. A session whose times or
 * version make no sense is not found; it can be listed and removed.
 */
export type SessionStore = {
  /** On the gate's path: at once where the store can. */
  find(key: string): Awaitable<SessionSeen | undefined>;
  /** All of it, tokens too. */
  read(key: string): Promise<StoredSession | undefined>;
  /** Adds a session; a key that is there already is a failure. */
  put(key: string, text: SessionText, atMs: number): Promise<void>;
  /** Replaces the text if the version is still this one; false when it isn't, or the session is gone. */
  replace(key: string, version: number, text: SessionText): Promise<boolean>;
  /** Moves last-seen times forward; back only from the future, and never for a session that is gone. */
  touch(seenAtMs: ReadonlyMap<string, number>): Promise<void>;
  /** Returns whether it was there. */
  remove(key: string): Promise<boolean>;
  /** Those with one of the tags, as `subjectTag` or `sidTag`. */
  findTagged(tags: readonly string[]): Promise<TaggedSession[]>;
  /** Removes these; returns the keys of those that were there. */
  removeAll(keys: readonly string[]): Promise<string[]>;
  /** In the order of their keys, after this one. What makes no sense has an empty text. */
  list(
    after: string | undefined,
    limit: number,
  ): Promise<(StoredSession & { readonly key: string })[]>;
  /**
   * Takes or renews the lease of a session by the store's own clock; false when another owner holds
   * it, or the session is gone. For MAX_LEASE_MS at most.
   */
  lease(key: string, owner: string, forMs: number): Promise<boolean>;
  /** Gives the lease back; another owner's stays. */
  release(key: string, owner: string): Promise<void>;
  /**
   * Removes sessions created before one time or last seen before the other; returns how many. What was last
   * seen in the future was seen now.
   */
  sweep(before: { readonly createdMs: number; readonly seenMs: number }): Promise<number>;
  /** Writes as much as a change does, and leaves all as it was; rejects where nothing can be written. */
  tryWriting(): Promise<void>;
  /**
   * How the last attempt ended, for `/readyz`. Asked while it is down, it tries again by itself. `readable`: it isn't
   * ready because nothing can be written.
   */
  state(): { ready: boolean; readable?: true; problem?: string };
  close(): Promise<void>;
};
