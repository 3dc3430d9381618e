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
/** A `%` stands for itself nowhere (section 3.3.1.3). */
const VALUE = /^(?:[\x21\x23\x24\x26-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]|%[0-9A-Fa-f]{2})*$/;
const VISIBLE = /^[\t\x20-\x7e]*$/;

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

// Whole or not at all: there are readers that take nothing of a header in which one member is malformed, and ours
// stand in the same.
function isForeign(member: string): boolean {
  if (!VISIBLE.test(member)) return false; // `trim` takes more than the section's space and tab
  const [pair = '', ...properties] = member.split(';');
  const [key, value] = keyAndValue(pair);
  if (value === undefined || !KEY.test(key) || isOurs(key) || !VALUE.test(value)) return false;
  return properties.every(isProperty);
}

function isProperty(text: string): boolean {
  const [key, value = ''] = keyAndValue(text);
  return KEY.test(key) && VALUE.test(value);
}

function keyAndValue(text: string): [key: string, value?: string] {
  const equals = text.indexOf('=');
  if (equals < 0) return [text.trim()];
  return [text.slice(0, equals).trim(), text.slice(equals + 1).trim()];
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
