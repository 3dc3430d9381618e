// Which keys of an issuer's set can verify a signature at all. Those that can't are taken out of it, as RFC 7517
// section 5 has it: whoever names one in a token is refused like one who names a key that isn't there.
import type { JSONWebKeySet, JWK } from 'jose';
import { compactVerify, createLocalJWKSet, errors } from 'jose';
import { explain } from '../fault.ts';
import { ALGORITHMS } from './algorithms.ts';

/** A set in two: what may be used, and what can't. */
export type SortedKeys = {
  /** With those that are for something else, which no signature asks for. */
  readonly usable: JSONWebKeySet;
  /** Which are meant to verify signatures and can't, and why, in words; undefined where there is none. */
  readonly unusable?: string;
};

/** So many are named, and so much of each name: it is the issuer's text. */
const MAX_NAMED = 3;
const MAX_KID_CHARS = 64;

/** Returns the set without the keys that can't be used. Never throws for what a key is. */
export async function sortKeys(keys: readonly unknown[]): Promise<SortedKeys> {
  const whys = await Promise.all(keys.map(whyUnusable));
  const usable = { keys: keys.filter((_, at) => whys[at] === undefined) as JWK[] };
  const told = whys.flatMap((why, at) =>
    why === undefined ? [] : [`${nameOf(keys[at], at)} (${why})`],
  );
  return told.length === 0 ? { usable } : { usable, unusable: listed(told) };
}

// Tried as it would be used, with a signature that is wrong: it has to be refused for that. What jose and
// WebCrypto throw of a key otherwise (DataError, SyntaxError, TypeError …) says that the key is at fault.
async function whyUnusable(key: unknown): Promise<string | undefined> {
  try {
    mustBeSafe(key);
    const select = createLocalJWKSet({ keys: [key as JWK] });
    for (const algorithm of ALGORITHMS) {
      if (await canVerify(algorithm, select)) return undefined;
    }
    return undefined;
  } catch (error) {
    return explain(error);
  }
}

// False where the key is not for this algorithm. Throws what is wrong with it.
async function canVerify(
  algorithm: string,
  select: ReturnType<typeof createLocalJWKSet>,
): Promise<boolean> {
  try {
    await compactVerify(wronglySigned(algorithm), select);
    throw new Error('it takes a signature that is wrong');
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return false;
    if (error instanceof errors.JWSSignatureVerificationFailed) return true;
    throw error;
  }
}

function wronglySigned(algorithm: string): string {
  const header = Buffer.from(JSON.stringify({ alg: algorithm })).toString('base64url');
  return `${header}.e30.${Buffer.alloc(64, 1).toString('base64url')}`;
}

// RFC 8017 section 3.1: `e` is odd, and 3 at least. With 1 anybody signs, and the libraries take it.
function mustBeSafe(key: unknown): void {
  const { kty, e } = Object(key) as JWK;
  if (kty !== 'RSA' || typeof e !== 'string') return;
  const exponent = BigInt(`0x0${Buffer.from(e, 'base64url').toString('hex')}`);
  if (exponent < 3n || exponent % 2n === 0n) throw new Error('its exponent is none of RSA');
}

function nameOf(key: unknown, at: number): string {
  const { kid } = Object(key) as JWK;
  if (typeof kid !== 'string') return `number ${at + 1}, without a kid`;
  return JSON.stringify(kid.slice(0, MAX_KID_CHARS).toWellFormed());
}

function listed(told: readonly string[]): string {
  const more = told.length - MAX_NAMED;
  return `${told.slice(0, MAX_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
