// The public keys of one issuer, found by discovery. Which key a token may use is jose's to say; no token
// can make this fetch anything but its URL. How seldom, and how long they are kept: see seldom-fetched.ts.
import type { JWTVerifyOptions, JWTVerifyResult } from 'jose';
import { createLocalJWKSet, decodeProtectedHeader, errors } from 'jose';
import { Fault } from '../fault.ts';
import type { Fetch } from './bounded-fetch.ts';
import { verifyWithEach, type Select } from './each-key.ts';
import { discover, endpointIn, fetchJson } from './metadata.ts';
import { createSeldomFetched } from './seldom-fetched.ts';
import { sortKeys } from './usable-keys.ts';

export type KeySource = {
  /**
   * Returns what a JWT says, as jose's jwtVerify. Throws its errors, and Fault ERR_PROVIDER when there are no keys
   * to look in, or when none of ours has signed it and the issuer can't be asked for newer ones.
   */
  readonly verify: (token: string, options: JWTVerifyOptions) => Promise<JWTVerifyResult>;
  /** A problem alone, too, where some of the keys can't be used: the others can. */
  state(): { ready: boolean; problem?: string };
};

export type KeySourceOptions = {
  readonly issuer: string;
  /** Bounded already. */
  readonly fetch: Fetch;
  readonly now: () => number;
  /** Told which of the keys can't be used, and why, when that is not what it was. */
  readonly onUnusable?: ((unusable: string) => void) | undefined;
};

/**
 * Keys of one issuer; those in use have a few. A token that names none is tried with each that fits, at some 100 µs,
 * and anybody can make up such a token.
 */
export const MAX_KEYS = 100;

/** Returns the keys of an issuer; the first token fetches them. */
export function createKeySource(options: KeySourceOptions): KeySource {
  let unusable: string | undefined;
  const keys = createSeldomFetched<Select>({
    what: `the keys of ${options.issuer}`,
    fetch: fetchUsable,
    now: options.now,
  });

  async function fetchUsable(): Promise<Select> {
    const sorted = await sortKeys(await fetchKeys(options));
    const isNew = sorted.unusable !== unusable;
    unusable = sorted.unusable;
    if (isNew && unusable !== undefined) options.onUnusable?.(unusable);
    return createLocalJWKSet(sorted.usable);
  }

  async function verify(token: string, checks: JWTVerifyOptions): Promise<JWTVerifyResult> {
    let known: Select | undefined;
    // Keys are fetched for what jose has not refused beforehand.
    const select = async (...asked: Parameters<Select>) => {
      known = await keys.current();
      return known(...asked);
    };
    try {
      return await verifyWithEach(token, select, checks);
    } catch (error) {
      if (known === undefined || !isOfAnotherKey(error, token)) throw error;
      const newer = await keys.newerThan(known);
      if (newer !== undefined) return verifyWithEach(token, newer, checks);
      throw unlessDown(error);
    }
  }

  // An issuer that is down may have signed with a key that we don't know yet: that is no fault of the token.
  function unlessDown(error: errors.JOSEError): Error {
    const { problem } = keys.state();
    return problem === undefined ? error : new Fault('ERR_PROVIDER', problem, { cause: error });
  }

  function state(): { ready: boolean; problem?: string } {
    const found = keys.state();
    if (found.problem !== undefined || unusable === undefined) return found;
    return { ...found, problem: `keys of ${options.issuer} that can't be used: ${unusable}` };
  }

  return { verify, state };
}

// A token that names no key is tried with the old ones: that its signature is wrong may be all that tells of new ones.
function isOfAnotherKey(error: unknown, token: string): error is errors.JOSEError {
  if (error instanceof errors.JWKSNoMatchingKey) return true;
  const isWrong = error instanceof errors.JWSSignatureVerificationFailed;
  return isWrong && decodeProtectedHeader(token).kid === undefined;
}

async function fetchKeys({ issuer, fetch }: KeySourceOptions): Promise<readonly unknown[]> {
  const url = endpointIn(await discover(issuer, fetch), 'jwks_uri');
  const { keys } = Object(await fetchJson(url, fetch)) as { keys?: unknown };
  if (!Array.isArray(keys)) throw new Fault('ERR_PROVIDER', `${url} has no list of keys`);
  if (keys.length <= MAX_KEYS) return keys as unknown[];
  throw new Fault('ERR_PROVIDER', `${url} has more than ${MAX_KEYS} keys`);
}
