// What there is of one issuer of bearer tokens for as long as it is configured as it is: its keys, whoever is
// asked about its opaque tokens, and what was verified lately. Another issuer's configuration changes nothing here.
import type { Trusted } from './access-token.ts';
import type { BearerIssuer } from './bearer-issuer.ts';
import { createBoundedFetch, type Fetch } from './bounded-fetch.ts';
import type { Identity } from './identity.ts';
import { createIntrospection, type Introspection } from './introspection.ts';
import { createKeySource } from './jwks.ts';

export type IssuerTokens = Trusted & {
  /** Undefined where nobody is asked about opaque tokens. */
  readonly asked: Introspection | undefined;
  readonly verified: VerifiedTokens;
};

/** JWTs that were verified lately, by their hashes. */
export type VerifiedTokens = {
  of(key: string): Identity | undefined;
  /** Returns the identity that holds: that of the token's first verification. */
  remember(key: string, verified: Identity): Identity;
  forget(key: string): void;
};

export type IssuerTokensOptions = {
  readonly issuer: BearerIssuer;
  readonly fetch?: Fetch;
  readonly now: () => number;
  /** Verified tokens kept; default 10,000. */
  readonly maxCached?: number;
  /** Told which of the issuer's keys can't be used, and why, when that is not what it was. */
  readonly onUnusable?: (unusable: string) => void;
};

/** Tokens of an issuer that are kept verified: some 2 KB each. */
export const MAX_CACHED_TOKENS = 10_000;
/** Discovery and what follows it must be quicker than the five seconds that Caddy gives the gate. */
const FETCH_TIMEOUT_MS = 2_000;
/**
 * A JWT is verified again after this long, with the issuer's keys as they are then: else one that was signed
 * with a stolen key would be good until the end that the thief wrote into it. As often as keys are fetched.
 */
const VERIFIED_MS = 600_000;

/** Returns what there is of an issuer; the first token fetches what is needed of it. */
export function createIssuerTokens(options: IssuerTokensOptions): IssuerTokens {
  const { issuer, now, maxCached = MAX_CACHED_TOKENS, onUnusable } = options;
  const { introspection: client } = issuer;
  const fetch = createBoundedFetch(options.fetch, { timeoutMs: FETCH_TIMEOUT_MS });
  return {
    ...issuer,
    keys: createKeySource({ issuer: issuer.issuer, fetch, now, onUnusable }),
    asked: client && createIntrospection({ issuer, client, fetch, now, maxCached }),
    verified: createVerified(maxCached, now),
  };
}

function createVerified(max: number, now: () => number): VerifiedTokens {
  const kept = new Map<string, { readonly identity: Identity; readonly atMs: number }>();

  // After a clock that was set back, what was verified before comes from the future.
  function of(key: string): Identity | undefined {
    const { identity, atMs } = kept.get(key) ?? { atMs: Infinity };
    const nowMs = now();
    const isLate = nowMs < atMs || nowMs - atMs >= VERIFIED_MS;
    return identity && !isLate && nowMs < identity.expiresAtMs ? identity : undefined;
  }

  // One token has the same claims at each verification: the first one's identity stays everybody's, for
  // what is made of an identity hangs on the object.
  function remember(key: string, verified: Identity): Identity {
    const identity = kept.get(key)?.identity ?? verified;
    kept.delete(key);
    if (kept.size >= max) kept.delete(kept.keys().next().value ?? '');
    kept.set(key, { identity, atMs: now() });
    return identity;
  }

  return { of, remember, forget: (key) => void kept.delete(key) };
}
