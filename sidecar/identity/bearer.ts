// Bearer tokens: JWT access tokens (RFC 9068, and what is found in the wild) of the configured issuers.
// Opaque tokens are not read here, and nothing here asks what a caller may do.
import { hash } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import type { CryptoKey, JWTPayload } from 'jose';
import type { EvidenceReason } from './reason.ts';
import type { Fetch } from './bounded-fetch.ts';
import { createBoundedFetch } from './bounded-fetch.ts';
import type { ClaimNames } from './claims.ts';
import { DEFAULT_CLAIM_NAMES, identityFromClaims } from './claims.ts';
import type { Identity } from './identity.ts';
import type { KeySource } from './jwks.ts';
import { createKeySource } from './jwks.ts';

export type BearerIssuer = {
  /** Exactly as in `iss`. */
  readonly issuer: string;
  /** A token must be for one of these. */
  readonly audiences: readonly string[];
  /** Default: every asymmetric one of RFC 7518 and RFC 8037. */
  readonly algorithms?: readonly string[];
  readonly names?: ClaimNames;
};

export type BearerOptions = {
  readonly issuers: readonly BearerIssuer[];
  readonly fetch?: Fetch;
  readonly now: () => number;
  /** Verified tokens kept; default 10,000. */
  readonly maxCached?: number;
};

export type BearerRefusal = { readonly refused: EvidenceReason };

export type Bearer = {
  /**
   * Returns whose token this is: at once when it was verified before, and then the same object.
   * Rejects with Fault ERR_PROVIDER when its issuer's keys can't be had.
   */
  verify(token: string): Identity | BearerRefusal | Promise<Identity | BearerRefusal>;
  /** Not ready while an issuer's keys were asked for and can't be had. */
  state(): { ready: boolean; problem?: string };
};

/** Discovery and keys together must be quicker than the five seconds that Caddy gives the gate. */
const FETCH_TIMEOUT_MS = 2_000;
/** The latest time that a Date can hold. */
const LATEST_MS = 8.64e15;
const MAX_TOKEN_CHARS = 16_384;
const TOLERANCE_SECONDS = 5;
const ALGORITHMS = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ');
// RFC 9068 section 2.1; many issuers write `JWT` or nothing.
const TYPES: readonly unknown[] = [undefined, 'at+jwt', 'jwt'];
// Claims of an ID token (OIDC Core sections 2 and 3.3.2.11) and of a logout token.
const FOREIGN_CLAIMS = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events'];
// Keycloak says in a claim what the header does not.
const FOREIGN_TYPES: readonly unknown[] = ['ID', 'Refresh', 'Offline', 'Logout'];

type Trusted = BearerIssuer & { readonly keys: KeySource };

/** Returns the verifier for the tokens of these issuers. */
export function createBearer(options: BearerOptions): Bearer {
  const { now, maxCached = 10_000 } = options;
  const fetch = createBoundedFetch(options.fetch, { timeoutMs: FETCH_TIMEOUT_MS });
  const trusted = new Map<string, Trusted>(
    options.issuers.map((issuer) => [
      issuer.issuer,
      { ...issuer, keys: createKeySource({ ...issuer, fetch, now }) },
    ]),
  );
  const cache = new Map<string, Identity>();

  function verify(token: string) {
    if (token.length > MAX_TOKEN_CHARS) return { refused: 'token-malformed' as const };
    const key = hash('sha256', token);
    const cached = cache.get(key);
    if (cached && now() < cached.expiresAtMs) return cached;
    return verifyAnew(token, key);
  }

  async function verifyAnew(token: string, key: string): Promise<Identity | BearerRefusal> {
    const issuer = issuerOf(token, trusted);
    if ('refused' in issuer) return issuer;
    const verified = await verifyWith(issuer, token, now());
    if ('refused' in verified) return verified;
    return remember(key, verified);
  }

  // Of two verifications of one token at once, the first one's identity is everybody's.
  function remember(key: string, identity: Identity): Identity {
    const known = cache.get(key);
    if (known) return known;
    if (cache.size >= maxCached) cache.delete(cache.keys().next().value ?? '');
    cache.set(key, identity);
    return identity;
  }

  function state(): { ready: boolean; problem?: string } {
    const states = [...trusted.values()].map(({ keys }) => keys.state());
    return states.find(({ ready }) => !ready) ?? states.find((s) => s.problem) ?? { ready: true };
  }

  return { verify, state };
}

// Read before it is verified, only to refuse, and to know whose keys to verify it with.
function issuerOf(token: string, trusted: ReadonlyMap<string, Trusted>): Trusted | BearerRefusal {
  const parts = readParts(token);
  if (parts === undefined) return { refused: 'token-malformed' };
  const { header, claims } = parts;
  const issuer = typeof claims.iss === 'string' ? trusted.get(claims.iss) : undefined;
  if (issuer === undefined) return { refused: 'token-issuer' };
  if (!isAccessToken(header.typ, claims)) return { refused: 'token-type' };
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

function isAccessToken(typ: unknown, claims: JWTPayload): boolean {
  const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : typ;
  if (!TYPES.includes(type) || FOREIGN_TYPES.includes(claims.typ)) return false;
  return !FOREIGN_CLAIMS.some((name) => claims[name] !== undefined);
}

async function verifyWith(
  issuer: Trusted,
  token: string,
  nowMs: number,
): Promise<Identity | BearerRefusal> {
  const options = {
    issuer: issuer.issuer,
    audience: [...issuer.audiences],
    algorithms: [...(issuer.algorithms ?? ALGORITHMS)],
    requiredClaims: ['exp', 'sub'],
    clockTolerance: TOLERANCE_SECONDS,
    currentDate: new Date(nowMs),
  };
  try {
    const { payload } = await jwtVerify(token, issuer.keys.keyFor, options).catch(
      (error: unknown) => verifyWithEach(error, (key) => jwtVerify(token, key, options)),
    );
    return identityFromClaims(payload, {
      issuer: issuer.issuer,
      method: 'bearer',
      names: issuer.names ?? DEFAULT_CLAIM_NAMES,
      expiresAtMs: Math.min(Number(payload.exp) * 1_000, LATEST_MS),
    });
  } catch (error) {
    return { refused: reasonOf(error) };
  }
}

// A token without `kid` and several keys that might fit: each is tried.
async function verifyWithEach<T>(
  error: unknown,
  verify: (key: CryptoKey) => Promise<T>,
): Promise<T> {
  if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
  for await (const key of error) {
    try {
      return await verify(key);
    } catch (failed) {
      if (!(failed instanceof errors.JWSSignatureVerificationFailed)) throw failed;
    }
  }
  throw new errors.JWSSignatureVerificationFailed();
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
  if (claim === 'aud') return 'token-audience';
  if (claim === 'nbf' && reason === 'check_failed') return 'token-not-yet-valid';
  return claim === 'iss' ? 'token-issuer' : 'token-claims';
}
