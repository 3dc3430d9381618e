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

/**
 * What an access token calls itself in a claim, in lower case, where it does at all. Nobody can list what other
 * tokens do: Keycloak's `typ` (TokenUtil) is `ID`, `Serialized-ID`, `Refresh`, `Offline`, `Logout`,
 * or the name of an action: `reset-credentials`.
 */
const ACCESS = /^access([-_ ]?token)?$/;
const OWN_NAMES: Readonly<Record<string, readonly string[]>> = {
  /** `Bearer`: Keycloak; the header's names, for issuers that repeat them. */
  typ: ['bearer', 'jwt', 'at+jwt', 'application/at+jwt'],
  /** RFC 6750 section 6.1.1; `access`: Simple JWT. */
  token_type: ['bearer'],
  /** Cognito, whose ID tokens may have no other mark (`access`), and Ory Hydra (`access_token`). */
  token_use: [],
};
// A `type` is often something else (a kind of user): only what is plain counts.
const FOREIGN_TYPE = /^(refresh|id)([-_ ]?token)?$/;

/**
 * Returns why claims are not those of an access token that whoever carries it may show, if so: it is of another
 * kind, or it is bound to a key (RFC 9449 section 5: `token_type`; Keycloak: `typ`).
 */
export function refusedKind(claims: Claims): 'token-type' | 'token-bound' | undefined {
  if (lower(claims.typ) === 'dpop' || lower(claims.token_type) === 'dpop') return 'token-bound';
  const names = Object.entries(OWN_NAMES);
  const isNamed = names.every(([name, own]) => isAccess(claims[name], own));
  const isForeign = FOREIGN_CLAIMS.some((name) => claims[name] !== undefined);
  const isRefused = !isNamed || isForeign || FOREIGN_TYPE.test(lower(claims.type));
  return isRefused ? 'token-type' : undefined;
}

function isAccess(value: unknown, own: readonly string[]): boolean {
  const name = lower(value);
  return value === undefined || ACCESS.test(name) || own.includes(name);
}

function lower(value: unknown): string {
  return typeof value === 'string' ? value.toLowerCase() : '';
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
