// The value of a session's cookie: random, and marked as given by us, so that one that somebody made up is told from it
// without asking the store. The mark proves no session and refuses nobody: it says who is asked about first.
import {
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

/** 192 bits: nobody guesses one. */
const RANDOM_BYTES = 24;
/** 64 bits: who guesses a mark has won a question to the store, no more. */
const MARK_BYTES = 8;
const SHAPE = /^[A-Za-z0-9_-]{43}$/;

/** Whether a text could be such a value; those of an older Signet were 32 random bytes, without a mark. */
export function isShaped(value: string): boolean {
  return SHAPE.test(value);
}

/** Returns a value that never existed, marked by the first key of the ring. */
export function newCookieValue([first]: readonly KeyObject[]): string {
  if (first === undefined) throw new TypeError('there is no key to mark with');
  const random = randomBytes(RANDOM_BYTES);
  return Buffer.concat([random, markOf(random, first)]).toString('base64url');
}

/**
 * Whether a shaped value was given by us, by a key that is still in the ring. One that was marked by a key that has
 * gone is not known to be, though its session may go on: it was sealed anew.
 */
export function isMarked(value: string, keys: readonly KeyObject[]): boolean {
  const bytes = Buffer.from(value, 'base64url');
  // The last character has two bits to spare: or else each mark had four spellings, each a session of its own to ask about.
  if (bytes.toString('base64url') !== value) return false;
  const [random, mark] = [bytes.subarray(0, RANDOM_BYTES), bytes.subarray(RANDOM_BYTES)];
  return keys.some((key) => timingSafeEqual(markOf(random, key), mark));
}

// Of a key of its own: what seals should not mark as well.
const markKeys = new WeakMap<KeyObject, KeyObject>();

function markOf(random: Uint8Array, key: KeyObject): Buffer {
  const known = markKeys.get(key) ?? markKeyOf(key);
  markKeys.set(key, known);
  return createHmac('sha256', known).update(random).digest().subarray(0, MARK_BYTES);
}

function markKeyOf(key: KeyObject): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', key, '', 'signet session cookie v1', 32)));
}
