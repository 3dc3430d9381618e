// One renewal of a session, under its lease: the provider is asked whether the session still holds, and its
// answer is written, sealed by the first key. Not when, nor who waits: see session-renewal.ts.
import type { KeyObject } from 'node:crypto';
import type { Identity } from '../identity/identity.ts';
import { openWhole, sealSession, type WholeSession } from './text.ts';
import type { Refresh, Refreshed } from '../identity/begun.ts';
import type { SessionSeen, SessionStore, StoredSession } from './store.ts';
import { insist } from './wait.ts';

/** How long writing new tokens is tried: the old ones are used up, so without them the session is lost. */
const WRITE_MS = 60_000;

export type ConfirmOptions = {
  readonly store: SessionStore;
  readonly now: () => number;
  readonly keys: () => readonly KeyObject[];
  readonly refresh?: Refresh;
  readonly onEnded?: (ended: { identity: Identity; why: string }) => void;
  /** Told of the session's identity where the provider was to be asked. */
  readonly onTrouble: (error: unknown, identity?: Identity) => void;
};

/** Returns the session as it is then; undefined when it has ended. */
export type Confirm = (
  key: string,
  version: number,
  isToBeAsked: boolean,
) => Promise<SessionSeen | undefined>;

/** Returns what confirms a session of this version, and only seals it anew where nobody is to be asked. */
export function createConfirm(options: ConfirmOptions): Confirm {
  const { store, now, keys, refresh, onEnded = () => {}, onTrouble } = options;

  async function confirm(key: string, version: number, isToBeAsked: boolean) {
    const stored = await store.read(key);
    const whole = stored && openWhole(key, stored, keys());
    // Whoever had the lease before may have done it all.
    if (stored?.version !== version || whole === undefined) return stored;
    if (!isToBeAsked || refresh === undefined) return write(key, stored, whole);
    const askedAtMs = now();
    const { identity, tokens, sid } = whole;
    const answer = await refresh({ identity, tokens, ...(sid !== undefined && { sid }) });
    if (answer === undefined) return stored;
    const next = toNext(whole, answer, askedAtMs);
    if ('ended' in next) return end(key, stored, identity, next.ended);
    return write(key, stored, next, tokens.refreshToken);
  }

  async function end(key: string, refused: StoredSession, identity: Identity, why: string) {
    const latest = await store.read(key);
    // Another sidecar was quicker: then it is not the session that has ended.
    if (latest === undefined || latest.version !== refused.version) return latest;
    if (await store.remove(key)) onEnded({ identity, why });
    return undefined;
  }

  // When another has written meanwhile, its text stays; but new tokens must go in over used-up ones.
  async function write(key: string, before: StoredSession, next: WholeSession, usedUp?: string) {
    for (let { version } = before; ;) {
      const at = version;
      const text = sealSession(key, next, keys());
      const isWritten = await insist(() => store.replace(key, at, text), WRITE_MS, onTrouble);
      if (isWritten) return { ...before, payload: text.payload, version: at + 1 };
      const stored = await insist(() => store.read(key), WRITE_MS, onTrouble);
      if (stored === undefined || usedUp === undefined) return stored;
      const there = openWhole(key, stored, keys())?.tokens.refreshToken;
      if (there !== usedUp) return stored;
      version = stored.version;
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
  const { issuer, subject, sessionHash, expiresAtMs } = before.identity;
  if (answer.identity.issuer !== issuer || answer.identity.subject !== subject) {
    return { ended: 'the provider answered for somebody else' };
  }
  const kept = { method: 'session', expiresAtMs, ...(sessionHash && { sessionHash }) } as const;
  return {
    ...before,
    identity: { ...answer.identity, ...kept },
    tokens: { ...before.tokens, ...answer.tokens },
    ...(answer.sid !== undefined && { sid: answer.sid }),
    checkedAtMs,
  };
}
