// What a JWT and an introspected token have in common: claims that make it another kind of token, and
// whose it is. Signature, issuer, audience and times were checked before.
import type { BearerIssuer } from './bearer-issuer.ts';
import { DEFAULT_CLAIM_NAMES, identityFromClaims, type Claims } from './claims.ts';
import type { Identity } from './identity.ts';
import type { EvidenceReason } from './reason.ts';

export type TokenRefusal = { readonly refused: EvidenceReason };

/** The latest time that a Date can hold. */
const LATEST_MS = 8.64e15;

// Claims of an ID token (OIDC Core sections 2 and 3.3.2.11) and of a logout token.
const FOREIGN_CLAIMS = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events'];
// Keycloak says in a claim what the header does not.
const FOREIGN_TYPES: readonly unknown[] = ['ID', 'Refresh', 'Offline', 'Logout'];
// So do Cognito and Ory Hydra; Cognito's ID tokens may have no other mark.
const FOREIGN_USES: readonly unknown[] = ['id', 'id_token', 'refresh', 'refresh_token'];

/** Returns whether claims are those of another token than an access token. */
export function isForeign(claims: Claims): boolean {
  if (FOREIGN_TYPES.includes(claims.typ) || FOREIGN_USES.includes(claims.token_use)) return true;
  return FOREIGN_CLAIMS.some((name) => claims[name] !== undefined);
}

/**
 * Returns whether a token is for us. An `aud` decides wherever there is one (RFC 7519 section 4.1.3); the
 * issuer's own claim only where there is none, so a token for somebody else is never saved by it.
 */
export function isForUs(claims: Claims, { audiences, audienceClaim }: BearerIssuer): boolean {
  const hasOwn = audienceClaim !== undefined && Object.hasOwn(claims, audienceClaim);
  const named = claims.aud === undefined && hasOwn ? claims[audienceClaim] : claims.aud;
  const all: unknown[] = Array.isArray(named) ? named : [named];
  return audiences.some((audience) => all.includes(audience));
}

/**
 * Returns whose token it is. One that is bound to a key or a certificate (`cnf`: RFC 9449 section 6, RFC
 * 8705 section 3) is refused: whoever only carries it has proved nothing, and the proof isn't read here.
 */
export function callerOf(claims: Claims, issuer: BearerIssuer): Identity | TokenRefusal {
  if (claims.cnf !== undefined) return { refused: 'token-bound' };
  return identityFromClaims(claims, {
    issuer: issuer.issuer,
    provider: issuer.name,
    method: 'bearer',
    names: issuer.names ?? DEFAULT_CLAIM_NAMES,
    forPeople: issuer.forPeople,
    expiresAtMs: Math.min(Number(claims.exp) * 1_000, LATEST_MS),
  });
}
