// The public keys of one issuer, found by discovery. Which key a token may use is jose's to say; no token
// can make this fetch anything but its URL. How seldom, and how long they are kept: see seldom-fetched.ts.
import type { CryptoKey, FlattenedJWSInput, JWTHeaderParameters } from 'jose';
import { createLocalJWKSet, errors } from 'jose';
import { Fault } from '../fault.ts';
import type { Fetch } from './bounded-fetch.ts';
import { discover, endpointIn, fetchJson } from './metadata.ts';
import { createSeldomFetched } from './seldom-fetched.ts';

export type KeySource = {
  /**
   * Returns jose's key for a token. Throws Fault ERR_PROVIDER when there are no keys to look in, or when it
   * isn't among those that we have and the issuer can't be asked for newer ones.
   */
  readonly keyFor: (header: JWTHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>;
  state(): { ready: boolean; problem?: string };
};

export type KeySourceOptions = {
  readonly issuer: string;
  /** Bounded already. */
  readonly fetch: Fetch;
  readonly now: () => number;
};

type Select = ReturnType<typeof createLocalJWKSet>;

/** Returns the keys of an issuer; the first token fetches them. */
export function createKeySource(options: KeySourceOptions): KeySource {
  const keys = createSeldomFetched<Select>({
    what: `the keys of ${options.issuer}`,
    fetch: () => fetchKeys(options),
    now: options.now,
  });

  async function keyFor(header: JWTHeaderParameters, token: FlattenedJWSInput) {
    const select = await keys.current();
    try {
      return await select(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      const newer = await keys.newerThan(select);
      if (newer !== undefined) return newer(header, token);
      throw unlessDown(error);
    }
  }

  // An issuer that is down may have signed with a key that we don't know yet: that is no fault of the token.
  function unlessDown(error: errors.JWKSNoMatchingKey): Error {
    const { problem } = keys.state();
    return problem === undefined ? error : new Fault('ERR_PROVIDER', problem, { cause: error });
  }

  return { keyFor, state: () => keys.state() };
}

async function fetchKeys({ issuer, fetch }: KeySourceOptions): Promise<Select> {
  const url = endpointIn(await discover(issuer, fetch), 'jwks_uri');
  // createLocalJWKSet checks the shape of what it is given.
  return createLocalJWKSet(
    (await fetchJson(url, fetch)) as Parameters<typeof createLocalJWKSet>[0],
  );
}
