// A session as the store keeps it: sealed under the key ring, with the session's whole key in the seal, so
// that no row opens in the place of another. Tags let a store find sessions whose people it can't read.
import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { Identity } from '../identity/identity.ts';
import { seal, unseal, unsealBy } from '../identity/sealed.ts';
import type { Begun, SessionTokens } from '../identity/begun.ts';
import type { SessionSeen, SessionText, StoredSession } from './store.ts';

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

/** Whether a session is found by the names that its text says: else nobody could end it by them. */
export function isTaggedRight(
  { identity: { issuer, subject }, sid }: SessionPayload,
  { subjectTag, sidTag }: Pick<SessionSeen, 'subjectTag' | 'sidTag'>,
  keys: readonly KeyObject[],
): boolean {
  if (!tagsOf({ issuer, subject }, keys).includes(subjectTag)) return false;
  if (sid === undefined || sidTag === undefined) return sid === sidTag;
  return tagsOf({ issuer, sid }, keys).includes(sidTag);
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

/** A sign-in at a provider (`sid`), a person there (`subject`), or both. */
export type SessionName = {
  readonly issuer: string;
  readonly subject?: string;
  readonly sid?: string;
};

/** Returns the tags under which sessions of this name may be found, for each key of the ring. */
export function tagsOf(
  { issuer, subject, sid }: SessionName,
  keys: readonly KeyObject[],
): string[] {
  const names = [
    ...(sid === undefined ? [] : [['sid', issuer, sid]]),
    ...(subject === undefined ? [] : [['subject', issuer, subject]]),
  ];
  return names.flatMap((words) => keys.map((key) => tagOf(words, key)));
}

/**
 * Whether a name means this session. A `sid` means one sign-in, and those of its subject that don't know
 * theirs: some providers tell it only when they sign out.
 */
export function isMeant({ identity, sid }: SessionPayload, name: SessionName): boolean {
  if (identity.issuer !== name.issuer) return false;
  if (name.sid !== undefined && sid !== undefined) return sid === name.sid;
  return identity.subject === name.subject;
}

/** Returns a session for people who administer them; undefined when no key of the ring opens it. */
export function openSession(
  { key, payload, createdAtMs, seenAtMs }: StoredSession & { readonly key: string },
  keys: readonly KeyObject[],
) {
  const opened = openPayload(key, payload, keys)?.payload;
  if (opened === undefined) return undefined;
  const { identity, sid, checkedAtMs } = opened;
  return {
    identity,
    ...(sid !== undefined && { sid }),
    ...(checkedAtMs !== undefined && { checkedAtMs }),
    createdAtMs,
    seenAtMs,
    sessionHash: sessionHashOf(key),
  };
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
