// One renewal of a session, under its lease: the provider is asked whether the session still holds, and its
// answer is written, sealed by the first key. Not when, nor who waits: see renewal.ts.
import type { KeyObject } from 'node:crypto';
import type { Fault } from '../fault.ts';
import type { Identity } from '../identity/identity.ts';
import { openPayload, openWhole, sealSession, type WholeSession } from './text.ts';
import type { Refresh, Refreshed } from '../identity/begun.ts';
import type { SessionSeen, SessionStore, StoredSession } from './store.ts';
import { insist, pause } from './wait.ts';

/** How long writing new tokens is tried: the old ones are used up, so without them the session is lost. */
export const WRITE_MS = 60_000;
/** How often whoever was refused looks whether another sidecar has written meanwhile. */
const LOOK_MS = 500;

export type ConfirmOptions = {
  readonly store: SessionStore;
  readonly now: () => number;
  readonly keys: () => readonly KeyObject[];
  readonly refresh?: Refresh;
  readonly onEnded?: (ended: { identity: Identity; why: string }) => void;
  /** Told of the session's identity where the provider was to be asked. */
  readonly onTrouble: (error: unknown, identity?: Identity) => void;
};

export type Asking = {
  readonly ask: Refresh;
  /**
   * What becomes of a session that is refused: `wait` while another sidecar may hold the token that ours was
   * spent for, `leave` it to the next who asks, or `end` it.
   */
  readonly whenRefused: () => 'wait' | 'leave' | 'end';
};

export type Confirmed = {
  /** The session as it is then; undefined when it has ended. */
  readonly seen: SessionSeen | undefined;
  /** What failed after the tokens were given: they are kept, and nobody was confirmed. */
  readonly unchecked?: Fault;
};

/** Confirms a session of this version by asking; without it, only seals it anew. */
export type Confirm = (key: string, version: number, asking?: Asking) => Promise<Confirmed>;

/** Returns what confirms sessions of this store. */
export function createConfirm(options: ConfirmOptions): Confirm {
  const { store, now, keys, onEnded = () => {}, onTrouble } = options;

  async function confirm(key: string, version: number, asking?: Asking): Promise<Confirmed> {
    const stored = await store.read(key);
    // Whoever had the lease before may have done it all.
    if (stored?.version !== version) return { seen: stored };
    const whole = openWhole(key, stored, keys());
    if (whole === undefined) return { seen: await withoutTokens(key, stored) };
    if (asking === undefined) return { seen: await write(key, stored, whole) };
    const askedAtMs = now();
    const { identity, tokens, sid } = whole;
    const answer = await asking.ask({ identity, tokens, ...(sid !== undefined && { sid }) });
    if (answer === undefined) return { seen: stored };
    const next = toNext(whole, answer, askedAtMs);
    if ('ended' in next) return { seen: await refused(key, stored, identity, next.ended, asking) };
    const seen = await write(key, stored, next, tokens.refreshToken);
    return { seen, ...('unchecked' in answer && { unchecked: answer.unchecked }) };
  }

  // Whoever can write the store must not keep a session from being confirmed.
  async function withoutTokens(key: string, stored: StoredSession) {
    const payload = openPayload(key, stored.payload, keys())?.payload;
    if (payload?.checkedAtMs === undefined) return stored;
    return end(key, payload.identity, 'its tokens in the store are not ours');
  }

  // Another sidecar may be about to write what it was given: then it is not the session that has ended.
  async function refused(
    key: string,
    { version }: StoredSession,
    identity: Identity,
    why: string,
    { whenRefused }: Asking,
  ) {
    for (;;) {
      const latest = await insist(async () => store.find(key), WRITE_MS, onTrouble);
      if (latest === undefined || latest.version !== version) return latest;
      const then = whenRefused();
      if (then === 'leave') return latest;
      if (then === 'end') return end(key, identity, why);
      await pause(LOOK_MS);
    }
  }

  async function end(key: string, identity: Identity, why: string) {
    try {
      if (await store.remove(key)) onEnded({ identity, why });
    } catch (error) {
      // Dead here all the same, and removed when that can be written: see removals.ts.
      onTrouble(error);
      onEnded({ identity, why });
    }
    return undefined;
  }

  // When another has written meanwhile, its text stays; but new tokens must go in over used-up ones.
  async function write(key: string, before: StoredSession, next: WholeSession, usedUp?: string) {
    let { version } = before;
    return insist(writeOnce, WRITE_MS, onTrouble);

    async function writeOnce(): Promise<SessionSeen | undefined> {
      for (;;) {
        const text = sealSession(key, next, keys());
        if (await store.replace(key, version, text)) {
          return { ...before, ...text, version: version + 1 };
        }
        const stored = await store.read(key);
        if (stored === undefined || usedUp === undefined) return stored;
        const there = openWhole(key, stored, keys())?.tokens.refreshToken;
        if (there !== usedUp) return stored;
        version = stored.version;
      }
    }
  }

  return confirm;
}

function toNext(
  before: WholeSession,
  answer: Refreshed,
  checkedAtMs: number,
): WholeSession | { ended: string } {
  if ('ended' in answer) return answer;
  const tokens = { ...before.tokens, ...answer.tokens };
  if ('unchecked' in answer) return { ...before, tokens };
  const { issuer, subject, sessionHash, expiresAtMs } = before.identity;
  if (answer.identity.issuer !== issuer || answer.identity.subject !== subject) {
    return { ended: 'the provider answered for somebody else' };
  }
  const kept = { method: 'session', expiresAtMs, ...(sessionHash && { sessionHash }) } as const;
  return {
    ...before,
    identity: { ...answer.identity, ...kept },
    tokens,
    ...(answer.sid !== undefined && { sid: answer.sid }),
    checkedAtMs,
  };
}
