// JWT access tokens (RFC 9068, and what is found in the wild): signature first, meaning second. Which
// issuer's keys are tried, the token says; which issuers there are, the configuration.
import { decodeJwt, decodeProtectedHeader, errors } from 'jose';
import { TOLERANCE_SECONDS, type BearerIssuer } from './bearer-issuer.ts';
import type { Identity } from './identity.ts';
import { ALGORITHMS } from './algorithms.ts';
import type { KeySource } from './jwks.ts';
import type { EvidenceReason } from './reason.ts';
import { callerOf, isForUs, refusedKind, type TokenRefusal } from './token-claims.ts';

/** An issuer and its keys. */
export type Trusted = BearerIssuer & { readonly keys: KeySource };

// RFC 9068 section 2.1; many issuers write `JWT` or nothing.
const TYPES = ['at+jwt', 'jwt', ''];

/**
 * Returns whether a text is meant to be a JWT, sound or not: its first part of several is a JSON object.
 * Such a text is never shown to anybody as an opaque token.
 */
export function isJwtShaped(token: string): boolean {
  const [header = '', ...others] = token.split('.', 3);
  return others.length === 2 && /^\s*\{\s*["}]/.test(Buffer.from(header, 'base64url').toString());
}

/** Returns whose token it is. Throws Fault ERR_PROVIDER when the issuer's keys can't be had. */
export async function verifyAccessToken(
  token: string,
  trusted: ReadonlyMap<string, Trusted>,
  nowMs: number,
): Promise<Identity | TokenRefusal> {
  const issuer = issuerOf(token, trusted);
  return 'refused' in issuer ? issuer : verifyWith(issuer, token, nowMs);
}

// Read before it is verified, only to refuse, and to know whose keys to verify it with.
function issuerOf(token: string, trusted: ReadonlyMap<string, Trusted>): Trusted | TokenRefusal {
  const parts = readParts(token);
  if (parts === undefined) return { refused: 'token-malformed' };
  const { header, claims } = parts;
  const issuer = typeof claims.iss === 'string' ? trusted.get(claims.iss) : undefined;
  if (issuer === undefined) return { refused: 'token-issuer' };
  const isOurs = isOfType(header.typ, issuer.types ?? TYPES);
  const refused = isOurs ? refusedKind(claims) : 'token-type';
  if (refused !== undefined) return { refused };
  const { alg } = header;
  const algorithms = issuer.algorithms ?? ALGORITHMS;
  return algorithms.some((one) => one === alg) ? issuer : { refused: 'token-algorithm' };
}

function readParts(token: string) {
  try {
    return { header: decodeProtectedHeader(token), claims: decodeJwt(token) };
  } catch {
    return undefined;
  }
}

// RFC 7515 section 4.1.9: a media type, in any case, `application/` left out or not, on both sides.
function isOfType(typ: unknown, types: readonly string[]): boolean {
  if (typ === undefined) return types.includes('');
  const bare = typeof typ === 'string' ? bareType(typ) : '';
  return bare !== '' && types.some((type) => bareType(type) === bare);
}

function bareType(type: string): string {
  return type.toLowerCase().replace(/^application\//, '');
}

async function verifyWith(
  issuer: Trusted,
  token: string,
  nowMs: number,
): Promise<Identity | TokenRefusal> {
  const options = {
    issuer: issuer.issuer,
    algorithms: [...(issuer.algorithms ?? ALGORITHMS)],
    requiredClaims: ['exp', 'sub'],
    clockTolerance: issuer.toleranceSeconds ?? TOLERANCE_SECONDS,
    currentDate: new Date(nowMs),
  };
  try {
    const { payload } = await issuer.keys.verify(token, options);
    return isForUs(payload, issuer) ? callerOf(payload, issuer) : { refused: 'token-audience' };
  } catch (error) {
    return { refused: reasonOf(error) };
  }
}

const REASONS: ReadonlyMap<string, EvidenceReason> = new Map([
  ['ERR_JWT_EXPIRED', 'token-expired'],
  ['ERR_JOSE_ALG_NOT_ALLOWED', 'token-algorithm'],
  ['ERR_JWKS_NO_MATCHING_KEY', 'token-signature'],
  ['ERR_JWS_SIGNATURE_VERIFICATION_FAILED', 'token-signature'],
]);

/** Throws what is no fault of the token. */
function reasonOf(error: unknown): EvidenceReason {
  if (error instanceof errors.JWTClaimValidationFailed) return reasonOfClaim(error);
  if (error instanceof TypeError) return 'token-signature'; // the key does not fit the algorithm
  if (!(error instanceof errors.JOSEError)) throw error;
  // Also an unknown `crit`, RFC 7515 section 4.1.11.
  return REASONS.get(error.code) ?? 'token-malformed';
}

function reasonOfClaim({ claim, reason }: errors.JWTClaimValidationFailed): EvidenceReason {
  if (claim === 'nbf' && reason === 'check_failed') return 'token-not-yet-valid';
  return claim === 'iss' ? 'token-issuer' : 'token-claims';
}
