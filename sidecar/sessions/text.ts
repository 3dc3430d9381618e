// A session as the store keeps it: sealed under the key ring, with the session's whole key in the seal, so
// that no row opens in the place of another. Tags let a store find sessions whose people it can't read.
import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { Identity } from '../identity/identity.ts';
import { seal, unseal, unsealBy } from '../identity/sealed.ts';
import type { Begun, SessionTokens } from '../identity/begun.ts';
import type { SessionText, StoredSession } from './store.ts';

/** What the gate needs of a session. */
export type SessionPayload = {
  readonly identity: Identity;
  readonly sid?: string;
  /** Sealed, too: a later time in the store makes no old session young. Absent before schema 2. */
  readonly beganAtMs?: number;
  /** When the provider last confirmed it; absent where there is nothing to ask the provider with. */
  readonly checkedAtMs?: number;
};

/** All of a session. */
export type WholeSession = SessionPayload & { readonly tokens: SessionTokens };

/** Returns what the store keeps under this key, sealed by the first key of the ring. */
export function sealSession(
  key: string,
  { tokens, ...payload }: WholeSession,
  keys: readonly KeyObject[],
): SessionText {
  const { issuer, subject } = payload.identity;
  const [first] = keys;
  if (first === undefined) throw new TypeError('there is no key to seal with');
  return {
    payload: seal(payload, `session:${key}`, keys),
    tokens: seal(tokens, `session-tokens:${key}`, keys),
    subjectTag: tagOf(['subject', issuer, subject], first),
    ...(payload.sid !== undefined && { sidTag: tagOf(['sid', issuer, payload.sid], first) }),
  };
}

/** Returns what the gate needs, and whether the first key sealed it; undefined when no key opens it. */
export function openPayload(
  key: string,
  payload: string,
  keys: readonly KeyObject[],
): { payload: SessionPayload; isByFirst: boolean } | undefined {
  const opened = unsealBy(payload, `session:${key}`, keys);
  if (opened === undefined) return undefined;
  // Whatever opens was sealed by `sealSession`.
  return { payload: opened.value as SessionPayload, isByFirst: opened.isByFirst };
}

/** Returns all of a stored session; undefined when no key opens it. */
export function openWhole(
  key: string,
  stored: SessionText,
  keys: readonly KeyObject[],
): WholeSession | undefined {
  const opened = openPayload(key, stored.payload, keys);
  const tokens = unseal(stored.tokens, `session-tokens:${key}`, keys);
  if (opened === undefined || tokens === undefined) return undefined;
  return { ...opened.payload, tokens: tokens as SessionTokens };
}

/** Returns a session without what only its keeping needs. */
export function toBegun({ identity, tokens, sid }: WholeSession): Begun {
  return { identity, tokens, ...(sid !== undefined && { sid }) };
}

/**
 * Returns the tags under which sessions of this name may be found, one for each key of the ring. A `sid`
 * names one sign-in at the provider; without it, all sessions of the subject are meant.
 */
export function tagsOf(
  { issuer, subject, sid }: { issuer: string; subject?: string; sid?: string },
  keys: readonly KeyObject[],
): string[] {
  if (sid !== undefined) return keys.map((key) => tagOf(['sid', issuer, sid], key));
  if (subject === undefined) return [];
  return keys.map((key) => tagOf(['subject', issuer, subject], key));
}

/** Returns a session for people who administer them; undefined when no key of the ring opens it. */
export function openSession(
  { key, payload, createdAtMs, seenAtMs }: StoredSession & { readonly key: string },
  keys: readonly KeyObject[],
) {
  const opened = openPayload(key, payload, keys)?.payload;
  if (opened === undefined) return undefined;
  const { identity, sid } = opened;
  const sessionHash = sessionHashOf(key);
  return { identity, ...(sid !== undefined && { sid }), createdAtMs, seenAtMs, sessionHash };
}

/** Returns what seals the sessions of schema 1, whose text was the identity's plain JSON. */
export function sealOldSession(
  keys: () => readonly KeyObject[],
): (key: string, payload: string) => SessionText {
  return (key, payload) =>
    sealSession(key, { identity: JSON.parse(payload) as Identity, tokens: {} }, keys());
}

/** Returns the first 16 hex digits of a session's key: what rows and people may see of it. */
export function sessionHashOf(key: string): string {
  return key.slice(0, 16);
}

// Of a key of its own: what seals should not hash as well.
const tagKeys = new WeakMap<KeyObject, KeyObject>();

function tagOf(words: readonly string[], key: KeyObject): string {
  const known = tagKeys.get(key) ?? tagKeyOf(key);
  tagKeys.set(key, known);
  return createHmac('sha256', known).update(JSON.stringify(words)).digest('base64url');
}

function tagKeyOf(key: KeyObject): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', key, '', 'signet session tag v1', 32)));
}
