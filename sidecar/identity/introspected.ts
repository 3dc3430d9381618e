// What an issuer's answer about an opaque token (RFC 7662 section 2.2) makes of its caller. Pure. The
// answer is held to what a JWT is held to: an issuer that says "active" has not yet said "for you".
import { TOLERANCE_SECONDS, type BearerIssuer } from './bearer-issuer.ts';
import type { Claims } from './claims.ts';
import type { Identity } from './identity.ts';
import type { EvidenceReason } from './reason.ts';
import { callerOf, isForUs, refusedKind, type TokenRefusal } from './token-claims.ts';

/** Returns whose token it is, or why nobody's. */
export function judgeIntrospected(
  claims: Claims,
  issuer: BearerIssuer,
  nowMs: number,
): Identity | TokenRefusal {
  const refused =
    refusedAsSuch(claims) ?? refusedFor(claims, issuer) ?? refusedAt(claims, issuer, nowMs);
  return refused === undefined ? callerOf(claims, issuer) : { refused };
}

function refusedAsSuch(claims: Claims): EvidenceReason | undefined {
  if (claims.active !== true) return 'token-inactive'; // `true` itself: "true" is a text
  return refusedKind(claims);
}

function refusedFor(claims: Claims, issuer: BearerIssuer): EvidenceReason | undefined {
  if (claims.iss !== undefined && claims.iss !== issuer.issuer) return 'token-issuer';
  return isForUs(claims, issuer) ? undefined : 'token-audience';
}

function refusedAt(
  { exp, nbf }: Claims,
  { toleranceSeconds = TOLERANCE_SECONDS }: BearerIssuer,
  nowMs: number,
): EvidenceReason | undefined {
  const nowSeconds = Math.floor(nowMs / 1_000);
  if (!isTime(exp) || (nbf !== undefined && !isTime(nbf))) return 'token-claims';
  // To the second as jose does it, for JWTs.
  if (exp <= nowSeconds - toleranceSeconds) return 'token-expired';
  return nbf !== undefined && nbf > nowSeconds + toleranceSeconds
    ? 'token-not-yet-valid'
    : undefined;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
