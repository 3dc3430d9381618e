// Bearer tokens of the configured issuers: which way each is verified, and what is remembered of it. A JWT
// goes by its signature, an opaque token by asking its issuer. Nothing here asks what a caller may do.
import { hash } from 'node:crypto';
import { isJwtShaped, verifyAccessToken, type Trusted } from './access-token.ts';
import type { BearerIssuer } from './bearer-issuer.ts';
import type { Fetch } from './bounded-fetch.ts';
import { createBoundedFetch } from './bounded-fetch.ts';
import type { Identity } from './identity.ts';
import { createIntrospection, type Introspection } from './introspection.ts';
import { createKeySource } from './jwks.ts';
import type { TokenRefusal } from './token-claims.ts';

export type { BearerIssuer, IntrospectionClient } from './bearer-issuer.ts';

export type BearerOptions = {
  readonly issuers: readonly BearerIssuer[];
  readonly fetch?: Fetch;
  readonly now: () => number;
  /** Verified tokens kept; default 10,000. */
  readonly maxCached?: number;
};

export type BearerRefusal = TokenRefusal;

type Verified = Identity | BearerRefusal;

export type Bearer = {
  /**
   * Returns whose token this is: at once when it was verified a while ago, and the same object as long as
   * it is good. Rejects with Fault ERR_PROVIDER when its issuer's keys can't be had, or the issuer can't be asked.
   */
  verify(token: string): Verified | Promise<Verified>;
  /** Not ready while an issuer was asked for something that can't be had, or refuses our client. */
  state(): { ready: boolean; problem?: string };
};

/** Discovery and what follows it must be quicker than the five seconds that Caddy gives the gate. */
const FETCH_TIMEOUT_MS = 2_000;
const MAX_TOKEN_CHARS = 16_384;
/**
 * A JWT is verified again after this long, with the issuer's keys as they are then: else one that was signed
 * with a stolen key would be good until the end that the thief wrote into it. As often as keys are fetched.
 */
const VERIFIED_MS = 600_000;
/** Opaque tokens hold nothing: those of providers are under 2,000 characters. */
const MAX_OPAQUE_CHARS = 4_096;
/** RFC 6750 section 2.1. */
const B64TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

/** Returns the verifier for the tokens of these issuers. */
export function createBearer(options: BearerOptions): Bearer {
  const { issuers, now, maxCached = 10_000 } = options;
  const fetch = createBoundedFetch(options.fetch, { timeoutMs: FETCH_TIMEOUT_MS });
  const trusted = new Map<string, Trusted>(
    issuers.map((issuer) => [
      issuer.issuer,
      { ...issuer, keys: createKeySource({ ...issuer, fetch, now }) },
    ]),
  );
  const introspecting = issuers.flatMap((issuer): Introspecting[] => {
    const { introspection: client } = issuer;
    if (client === undefined) return [];
    const introspection = createIntrospection({ issuer, client, fetch, now, maxCached });
    return [{ prefix: client.tokenPrefix, introspection }];
  });
  const cache = new Map<string, { readonly identity: Identity; readonly atMs: number }>();

  function verify(token: string): Verified | Promise<Verified> {
    if (token.length > MAX_TOKEN_CHARS) return { refused: 'token-malformed' };
    const key = hash('sha256', token);
    return verifiedLately(key) ?? (isJwtShaped(token) ? verifyJwt : verifyOpaque)(token, key);
  }

  // After a clock that was set back, what was verified before comes from the future.
  function verifiedLately(key: string): Identity | undefined {
    const { identity, atMs } = cache.get(key) ?? { atMs: Infinity };
    const nowMs = now();
    const isLate = nowMs < atMs || nowMs - atMs >= VERIFIED_MS;
    return identity && !isLate && nowMs < identity.expiresAtMs ? identity : undefined;
  }

  async function verifyJwt(token: string, key: string): Promise<Verified> {
    const verified = await verifyAccessToken(token, trusted, now());
    if (!('refused' in verified)) return remember(key, verified);
    cache.delete(key);
    return verified;
  }

  function verifyOpaque(token: string, key: string): Verified | Promise<Verified> {
    const isSound = token.length <= MAX_OPAQUE_CHARS && B64TOKEN.test(token);
    if (!isSound || introspecting.length === 0) return { refused: 'token-malformed' };
    const issuer = issuerFor(token, introspecting);
    return issuer?.verify(token, key) ?? { refused: 'token-issuer' };
  }

  // One token has the same claims at each verification: the first one's identity stays everybody's, for
  // what is made of an identity hangs on the object.
  function remember(key: string, verified: Identity): Identity {
    const identity = cache.get(key)?.identity ?? verified;
    cache.delete(key);
    if (cache.size >= maxCached) cache.delete(cache.keys().next().value ?? '');
    cache.set(key, { identity, atMs: now() });
    return identity;
  }

  function state(): { ready: boolean; problem?: string } {
    const parts = [...trusted.values()].map(({ keys }) => keys);
    const states = [...parts, ...introspecting.map((one) => one.introspection)].map((part) =>
      part.state(),
    );
    return states.find(({ ready }) => !ready) ?? states.find((s) => s.problem) ?? { ready: true };
  }

  return { verify, state };
}

type Introspecting = {
  readonly prefix: string | undefined;
  readonly introspection: Introspection;
};

// A token is a secret of its issuer's: it is shown to that one only. Where that isn't clear, to nobody.
function issuerFor(token: string, all: readonly Introspecting[]): Introspection | undefined {
  const meant = all.filter(({ prefix }) =>
    prefix === undefined ? all.length === 1 : token.startsWith(prefix),
  );
  return meant.length === 1 ? meant[0]?.introspection : undefined;
}
