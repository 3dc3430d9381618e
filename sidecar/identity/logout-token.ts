// Logout tokens, as a provider posts them when somebody signs out there: OpenID Connect Back-Channel Logout 1.0,
// section 2.6. Says whom a token names; ends nothing.
import { decodeJwt, decodeProtectedHeader, errors } from 'jose';
import type { JWTPayload } from 'jose';
import { ALGORITHMS } from './algorithms.ts';
import type { KeySource } from './jwks.ts';
import { createOnce } from './once.ts';
import type { EvidenceReason } from './reason.ts';

export type LogoutTokenOptions = {
  /** Exactly as in `iss`. */
  readonly issuer: string;
  /** Whom it must be for, and nobody besides. */
  readonly clientId: string;
  /** Default: every asymmetric one of RFC 7518 and RFC 8037. */
  readonly algorithms?: readonly string[];
  /** The provider's. Its `verify` rejects with Fault ERR_PROVIDER when they can't be had. */
  readonly keys: Pick<KeySource, 'verify'>;
  readonly now: () => number;
  /** Tokens that were taken, and until when (ms) they would hold; a memory of its own by default. */
  readonly used?: Map<string, number>;
};

/** Whose sessions end: that of `sid`, or all of `subject`; never neither. */
export type LogoutNamed = {
  readonly issuer: string;
  readonly subject?: string;
  readonly sid?: string;
  /**
   * What began later is not meant: when the token was made, and as much as clocks may differ. Another sidecar,
   * or this one after a restart, doesn't remember that a token was used.
   */
  readonly begunByMs: number;
  readonly jti: string;
};

export type LogoutTokenRefusal = { readonly refused: EvidenceReason; readonly detail: string };

export type LogoutTokens = {
  /** Returns whom a token names, once. Rejects with Fault ERR_PROVIDER when it can't be verified now. */
  verify(token: string): Promise<LogoutNamed | LogoutTokenRefusal>;
  /** Lets the token be used again: what it asked for could not be done. */
  forget(named: LogoutNamed): void;
};

/** Name of the one event that it must tell, section 2.4. */
const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';
/** Longest token, in characters. */
export const MAX_LOGOUT_TOKEN_CHARS = 8_192;
/** RFC 7515 section 7.1: jose's decoder takes line breaks and other alphabets, too. */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]*$/;
/** One that was made so long ago is not about now. Section 2.4 recommends two minutes for `exp`. */
const MAX_AGE_SECONDS = 300;
const SKEW_SECONDS = 30; // as for ID tokens
// Section 2.4 recommends the first; an access token has `at+jwt`.
const TYPES: readonly unknown[] = [undefined, 'logout+jwt', 'jwt'];

/** Returns the verifier for one provider's tokens. */
export function createLogoutTokens(options: LogoutTokenOptions): LogoutTokens {
  const { issuer, clientId, keys, now } = options;
  const used = createOnce(options.used ?? new Map(), now);
  const algorithms = [...(options.algorithms ?? ALGORITHMS)];

  async function verify(token: string): Promise<LogoutNamed | LogoutTokenRefusal> {
    const beforehand = refusalBefore(token, issuer, algorithms);
    if (beforehand !== undefined) return beforehand;
    const checks = {
      issuer,
      audience: clientId,
      algorithms,
      requiredClaims: ['iat', 'exp', 'jti'],
      maxTokenAge: MAX_AGE_SECONDS,
      clockTolerance: SKEW_SECONDS,
      currentDate: new Date(now()),
    };
    try {
      const { payload } = await keys.verify(token, checks);
      return remember(payload) ?? namedBy(payload);
    } catch (error) {
      return refusalOf(error);
    }
  }

  function namedBy({ sub, sid, jti, iat = 0 }: JWTPayload): LogoutNamed {
    return {
      issuer,
      ...(typeof sub === 'string' && { subject: sub }),
      ...(typeof sid === 'string' && { sid }),
      begunByMs: (iat + SKEW_SECONDS) * 1_000,
      jti: String(jti),
    };
  }

  // Step 8. Only as long as the token would hold otherwise: later it is too old. A second more, because its age is
  // counted in whole ones.
  function remember({ jti, exp = 0, iat = 0 }: JWTPayload): LogoutTokenRefusal | undefined {
    const key = keyOf(String(jti));
    if (used.has(key)) return refused('token-used', 'a token with this jti was used before');
    used.add(key, (Math.min(exp, iat + MAX_AGE_SECONDS) + SKEW_SECONDS + 1) * 1_000);
    return undefined;
  }

  const keyOf = (jti: string) => JSON.stringify([issuer, clientId, jti]);
  return { verify, forget: ({ jti }) => used.forget(keyOf(jti)) };
}

// What costs nothing to see comes before the signature, which does: anyone may post here.
function refusalBefore(
  token: string,
  issuer: string,
  algorithms: readonly string[],
): LogoutTokenRefusal | undefined {
  const isShaped = token.length <= MAX_LOGOUT_TOKEN_CHARS && COMPACT.test(token);
  const parts = isShaped ? readParts(token) : undefined;
  if (parts === undefined) return refused('token-malformed', 'this is no signed JWT');
  const { header, claims } = parts;
  const { alg, typ } = header;
  const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : typ;
  if (!TYPES.includes(type)) return refused('token-type', 'typ is not logout+jwt');
  if (!algorithms.some((one) => one === alg)) {
    return refused('token-algorithm', 'alg is not one of those that are allowed');
  }
  if (claims.iss !== issuer) return refused('token-issuer', 'iss is another one');
  return refusalOfClaims(claims);
}

function readParts(token: string) {
  try {
    return { header: decodeProtectedHeader(token), claims: decodeJwt(token) };
  } catch {
    return undefined;
  }
}

// Steps 5 to 7, and `aud` as narrow as for an ID token (OIDC Core 3.1.3.7, step 3).
function refusalOfClaims(claims: JWTPayload): LogoutTokenRefusal | undefined {
  if (!isLogout(claims.events)) return refused('token-type', 'events does not tell of a logout');
  if (claims['nonce'] !== undefined) return refused('token-type', 'nonce makes it an ID token');
  const { sub, sid, jti, aud } = claims;
  if (!isNameOrNone(sub) || !isNameOrNone(sid)) {
    return refused('token-claims', 'sub or sid is no text');
  }
  if (sub === undefined && sid === undefined) {
    return refused('token-claims', 'it names nobody: neither sub nor sid');
  }
  if (jti === undefined || !isNameOrNone(jti)) return refused('token-claims', 'jti is missing');
  const isForOthers = Array.isArray(aud) && aud.length > 1;
  return isForOthers ? refused('token-audience', 'it is for others, too') : undefined;
}

function isLogout(events: unknown): boolean {
  if (typeof events !== 'object' || events === null) return false;
  const event = (events as Record<string, unknown>)[LOGOUT_EVENT];
  return typeof event === 'object' && event !== null && !Array.isArray(event);
}

function isNameOrNone(value: unknown): boolean {
  return value === undefined || (typeof value === 'string' && value !== '');
}

/** Throws what is no fault of the token. */
function refusalOf(error: unknown): LogoutTokenRefusal {
  if (error instanceof TypeError) return refused('token-signature', 'no key fits its algorithm');
  if (!(error instanceof errors.JOSEError)) throw error;
  return refused(reasonOf(error), error.message);
}

function reasonOf(error: errors.JOSEError): EvidenceReason {
  if (error instanceof errors.JWTExpired) return 'token-expired';
  if (error instanceof errors.JWTClaimValidationFailed) return reasonOfClaim(error);
  const isSignature =
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWSSignatureVerificationFailed;
  return isSignature ? 'token-signature' : 'token-malformed';
}

function reasonOfClaim({ claim, reason }: errors.JWTClaimValidationFailed): EvidenceReason {
  if (claim === 'iss') return 'token-issuer';
  if (claim === 'aud') return 'token-audience';
  const isTime = (claim === 'iat' || claim === 'nbf') && reason === 'check_failed';
  return isTime ? 'token-not-yet-valid' : 'token-claims';
}

function refused(reason: EvidenceReason, detail: string): LogoutTokenRefusal {
  return { refused: reason, detail };
}
