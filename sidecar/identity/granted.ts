// An answer of a token endpoint, sound already, as what a session keeps of it: who it is about, and the tokens
// that will be needed again. Asks nobody.
import type * as client from 'openid-client';
import type { Claims } from './claims.ts';
import { identityFromClaims } from './claims.ts';
import type { Identity } from './identity.ts';
import type { Provider } from './provider.ts';
import type { Begun, SessionTokens } from './begun.ts';
import type { SignInRefusal } from './sign-in-refusal.ts';

export type Granted = Awaited<ReturnType<typeof client.refreshTokenGrant>>;

/** Returns who these claims of the provider describe, or why they are of no use. */
export function toIdentity(
  { issuer, name, names }: Provider,
  claims: Claims,
  nowMs: number,
): Identity | SignInRefusal {
  // When it expires, the session says.
  const context = { issuer, provider: name, method: 'session', names, expiresAtMs: nowMs } as const;
  const identity = identityFromClaims(claims, context);
  if (!('refused' in identity)) return identity;
  return { refused: 'id-token-claims', detail: 'sub or act is missing or unusable' };
}

/** Returns what a session keeps of an answer; what this one does not have anew stays as it was `before`. */
export function toBegun(
  provider: Provider,
  identity: Identity,
  granted: Granted,
  idToken: Claims | undefined,
  before: Partial<Begun> = {},
): Begun {
  const sid = typeof idToken?.sid === 'string' ? idToken.sid : before.sid;
  const tokens = toTokens(provider, granted, before.tokens);
  return { identity, ...(tokens && { tokens }), ...(sid !== undefined && { sid }) };
}

// An ID token is kept for signing out at the provider, and for nothing else.
function toTokens(
  provider: Provider,
  granted: Granted,
  before: SessionTokens | undefined,
): SessionTokens | undefined {
  const refreshToken = granted.refresh_token ?? before?.refreshToken;
  const idToken =
    provider.signOut === 'provider' ? (granted.id_token ?? before?.idToken) : undefined;
  if (refreshToken === undefined && idToken === undefined) return undefined;
  return { ...(refreshToken && { refreshToken }), ...(idToken && { idToken }) };
}
