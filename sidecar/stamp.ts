// What passes between the two spines: all that the gate knows and the recorder needs, sealed, carried
// by Caddy's own log line. No tokens, no e-mail, no display name.
//
//   <its spelling, see stamp-layout.ts>.<base64url of HMAC-SHA-256 over the spelling and the request id>
import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto';
import type { EventName } from './audit/event.ts';
import type { Detail, RowGate, RowIdentity } from './audit/row.ts';
import type { Identity } from './identity/identity.ts';
import type { Decision, Reason } from './policy/reason.ts';
import { readStamp, spellStamp } from './stamp-layout.ts';

/** Something that the answer did besides: a sign-in, a sign-out. */
export type StampedEvent = {
  readonly event: EventName;
  readonly details?: Readonly<Record<string, Detail>>;
  /** Whose it is, where that is not the caller: one for each of these sessions, by their `sessionHash`. */
  readonly of?: { readonly identity: RowIdentity; readonly sessions: readonly string[] };
};

/** One decision of the gate. */
export type Stamp = {
  readonly requestId: string;
  readonly traceId: string;
  readonly parentSpanId?: string | undefined;
  readonly link?: { readonly traceId: string; readonly spanId: string } | undefined;
  readonly sampled: boolean;
  readonly identity?: RowIdentity | undefined;
  readonly decision: Decision;
  readonly reason: Reason;
  readonly route: string;
  readonly requirement?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly events?: readonly StampedEvent[] | undefined;
  readonly gate: RowGate;
};

/** Longest User-Agent in a stamp, in characters; what is longer is cut. */
export const MAX_USER_AGENT_CHARS = 256;
/** Roles in a stamp, in characters together: a header has to hold them. Whole roles are left out. */
export const MAX_ROLES_CHARS = 1024;
/** Longest requirement in a stamp, in characters. */
export const MAX_REQUIREMENT_CHARS = 512;
/**
 * Longest stamp that is opened at all, in characters: more than the longest that the bounds of claims,
 * roles and actors let the gate seal, whatever their characters.
 */
export const MAX_STAMP_CHARS = 65_536;

// How many parts each version has: one text, one way of taking it apart.
const SHAPE = /^(?:1|2\.[\w-]*)\.[\w-]+\.[\w-]+$/;

/** Returns the part of an identity that is sealed. Made once per session, not per request. */
export function stampedIdentity(identity: Identity): RowIdentity {
  let chars = 0;
  return {
    issuer: identity.issuer,
    subject: identity.subject,
    user: identity.user,
    ...(identity.team !== undefined && { team: identity.team }),
    roles: identity.roles.filter((role) => (chars += role.length) <= MAX_ROLES_CHARS),
    type: identity.type,
    ...(identity.actor !== undefined && { actor: identity.actor }),
    method: identity.method,
    ...(identity.sessionHash !== undefined && { sessionHash: identity.sessionHash }),
  };
}

/** Returns the User-Agent as far as a stamp holds it. */
export function boundedUserAgent(text: string): string {
  return text.slice(0, MAX_USER_AGENT_CHARS);
}

/** Returns the requirement's text as far as a stamp holds it. */
export function boundedRequirement(text: string): string {
  return text.slice(0, MAX_REQUIREMENT_CHARS);
}

/** Returns the stamp's text: printable ASCII without spaces, quotes or braces. */
export function sealStamp(stamp: Stamp, key: KeyObject): string {
  const text = spellStamp(stamp);
  return `${text}.${mac(text, stamp.requestId, key)}`;
}

/**
 * Returns the stamp, or undefined when it must not be believed: its version is unknown, no key of
 * the ring made its seal, or it belongs to another request than `requestId`. Never throws.
 */
export function openStamp(
  text: string,
  keys: readonly KeyObject[],
  requestId: string | undefined,
): Stamp | undefined {
  if (text.length > MAX_STAMP_CHARS || requestId === undefined) return undefined;
  if (!SHAPE.test(text)) return undefined;
  const dot = text.lastIndexOf('.');
  const spelled = text.slice(0, dot);
  const claimed = Buffer.from(text.slice(dot + 1));
  if (!keys.some((key) => isSame(claimed, mac(spelled, requestId, key)))) return undefined;
  const stamp = readStamp(spelled, requestId); // sealed by us: nobody else could have made it
  return stamp?.requestId === requestId ? stamp : undefined;
}

// Version 1 holds the request id. Of version 2 nothing but the id can stand behind the third dot.
function mac(spelled: string, requestId: string, key: KeyObject): string {
  const sealed = spelled.startsWith('1.') ? spelled : `${spelled}.${requestId}`;
  return createHmac('sha256', key).update(sealed).digest('base64url');
}

// Compared as text: base64url's last character has spare bits, and one seal has one spelling.
function isSame(claimed: Buffer, made: string): boolean {
  return claimed.length === made.length && timingSafeEqual(claimed, Buffer.from(made));
}
