// `baggage` (W3C Baggage): ours say who is calling, once each; a trusted caller's others go along.
import { actorDepth, type Identity } from '../identity/identity.ts';
import { NAMES } from './names.ts';

/** Most members (W3C Baggage, section 3.3.2). */
export const MAX_MEMBERS = 64;
/** Longest header value in bytes (section 3.3.2). Whole members are dropped, never part of one. */
export const MAX_BYTES = 8192;

const OURS = new Set(['user.id', 'team', 'user_type']);
/** Every name that begins so is ours, whatever it goes on with. */
const OUR_PREFIX = 'signet.';
const KEY = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/;

/** Who is calling, as far as baggage says it. */
type Caller = Pick<Identity, 'user' | 'team' | 'type' | 'actor'>;

/**
 * Returns our members as they stand on the wire; what is unknown is left out. Of a chain of actors it is
 * the latest, and how many there are.
 */
export function identityBaggage(who: Caller): string {
  const members = [`user.id=${encode(who.user)}`];
  if (who.team !== undefined) members.push(`team=${encode(who.team)}`);
  members.push(`user_type=${encode(who.type)}`);
  if (who.actor !== undefined) {
    members.push(`${NAMES.actorSubject}=${encode(who.actor.subject)}`);
    members.push(`${NAMES.actorDepth}=${actorDepth(who)}`);
  }
  return members.join(',');
}

/**
 * Returns the header for the app: our members first, then a trusted caller's others as far as the
 * limits go. A caller's members of our names, and malformed ones, are dropped.
 */
export function joinBaggage(ours: string, callers: string | undefined): string {
  if (callers === undefined) return ours;
  const members = ours === '' ? [] : ours.split(',');
  let bytes = ours.length;
  for (const raw of callers.split(',')) {
    const member = raw.trim();
    if (!isForeign(member)) continue;
    if (members.length === MAX_MEMBERS) break;
    if (bytes + member.length + 1 > MAX_BYTES) continue;
    members.push(member);
    bytes += member.length + 1;
  }
  return members.join(',');
}

function isForeign(member: string): boolean {
  const [pair = '', ...properties] = member.split(';');
  const equals = pair.indexOf('=');
  if (equals < 1) return false;
  const key = pair.slice(0, equals).trim();
  if (!KEY.test(key) || isOurs(key) || !VALUE.test(pair.slice(equals + 1).trim())) return false;
  return properties.every((property) => /^[\x20-\x7e\t]*$/.test(property));
}

// Some readers percent-decode keys or ignore their case: a look-alike of ours must not ride along.
function isOurs(key: string): boolean {
  const name = decoded(key).toLowerCase();
  return OURS.has(name) || name.startsWith(OUR_PREFIX);
}

function decoded(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

function encode(value: string): string {
  return encodeURIComponent(value.toWellFormed());
}
