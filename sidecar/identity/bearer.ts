// Bearer tokens of the configured issuers: which way each is verified. A JWT goes by its signature, an opaque
// token by asking its issuer. Nothing here asks what a caller may do; what is remembered, each issuer has.
import { hash } from 'node:crypto';
import { isJwtShaped, verifyAccessToken } from './access-token.ts';
import type { IssuerTokens } from './bearer-tokens.ts';
import type { Identity } from './identity.ts';
import type { Introspection } from './introspection.ts';
import type { TokenRefusal } from './token-claims.ts';

export type { BearerIssuer, IntrospectionClient } from './bearer-issuer.ts';

type Verified = Identity | TokenRefusal;

export type Bearer = {
  /**
   * Returns whose token this is: at once when it was verified a while ago, and the same object as long as
   * it is good. Rejects with Fault ERR_PROVIDER when its issuer's keys can't be had, or the issuer can't be asked.
   */
  verify(token: string): Verified | Promise<Verified>;
  /** Not ready while an issuer was asked for something that can't be had, or refuses our client. */
  state(): { ready: boolean; problem?: string };
};

/** Longest token that is looked at; a header of Caddy's holds 32 KiB. */
export const MAX_TOKEN_CHARS = 16_384;
/** Opaque tokens hold nothing: those of providers are under 2,000 characters. */
export const MAX_OPAQUE_CHARS = 4_096;
/** RFC 6750 section 2.1. */
const B64TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

/** Returns the verifier for the tokens of these issuers. Its state is theirs. */
export function createBearer(issuers: readonly IssuerTokens[], now: () => number): Bearer {
  const trusted = new Map(issuers.map((one) => [one.issuer, one]));
  const introspecting = issuers.flatMap(({ asked, introspection }): Introspecting[] =>
    asked === undefined ? [] : [{ prefix: introspection?.tokenPrefix, asked }],
  );

  function verify(token: string): Verified | Promise<Verified> {
    if (token.length > MAX_TOKEN_CHARS) return { refused: 'token-malformed' };
    const key = hash('sha256', token);
    return verifiedLately(key) ?? (isJwtShaped(token) ? verifyJwt : verifyOpaque)(token, key);
  }

  function verifiedLately(key: string): Identity | undefined {
    for (const { verified } of issuers) {
      const known = verified.of(key);
      if (known !== undefined) return known;
    }
    return undefined;
  }

  async function verifyJwt(token: string, key: string): Promise<Verified> {
    const answer = await verifyAccessToken(token, trusted, now());
    if (!('refused' in answer)) {
      return trusted.get(answer.issuer)?.verified.remember(key, answer) ?? answer;
    }
    for (const { verified } of issuers) verified.forget(key);
    return answer;
  }

  function verifyOpaque(token: string, key: string): Verified | Promise<Verified> {
    const isSound = token.length <= MAX_OPAQUE_CHARS && B64TOKEN.test(token);
    if (!isSound || introspecting.length === 0) return { refused: 'token-malformed' };
    return issuerFor(token, introspecting)?.verify(token, key) ?? { refused: 'token-issuer' };
  }

  function state(): { ready: boolean; problem?: string } {
    const parts = [...issuers.map(({ keys }) => keys), ...introspecting.map(({ asked }) => asked)];
    const states = parts.map((part) => part.state());
    return states.find(({ ready }) => !ready) ?? states.find((s) => s.problem) ?? { ready: true };
  }

  return { verify, state };
}

type Introspecting = { readonly prefix: string | undefined; readonly asked: Introspection };

// A token is a secret of its issuer's: it is shown to that one only. Where that isn't clear, to nobody.
function issuerFor(token: string, all: readonly Introspecting[]): Introspection | undefined {
  const meant = all.filter(({ prefix }) =>
    prefix === undefined ? all.length === 1 : token.startsWith(prefix),
  );
  return meant.length === 1 ? meant[0]?.asked : undefined;
}
