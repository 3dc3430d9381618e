// What an app gets signed: who is calling, and for which route (RFC 7519, EdDSA by RFC 8037). Made once and
// handed out for minutes, so that a request costs a look into a map. Verifies nothing; that is the app's.
import { createPrivateKey, createPublicKey, hash, sign, type KeyObject } from 'node:crypto';
import { callerClaims, fittingClaims } from './assertion-claims.ts';
import type { Identity } from './identity.ts';

/** The header `typ`: no issuer's access token and no ID token is called so, and this passes for neither. */
export const ASSERTION_TYPE = 'signet+jwt';

/** Seconds for which an assertion holds: whoever reads it in the app's log has no longer than this. */
const ASSERTION_SECONDS = 300;

/** Where fewer seconds are left, a new one is made: an app may take this long before it verifies. */
const LEAST_LEFT_SECONDS = 60;

/** Of one for somebody whose proof ends now: long enough to arrive, and within bearer's clock tolerance. */
const LEAST_SECONDS = 5;

/**
 * Longest assertion in bytes, as a header: with what else a request has it must fit into an app's bound, which
 * is 8 KiB for all headers of many servers, and 16 KiB for Node's.
 */
export const MAX_ASSERTION_BYTES = 6 * 1024;

/** Of these, what stands behind the claims: a point, and 64 bytes of signature in base64url. */
const SIGNATURE_BYTES = 87;

/** Most routes that one identity's assertions are kept for: a Caddyfile has some ten. */
const MAX_ROUTES = 64;

/** PKCS#8 of an Ed25519 key, up to its seed (RFC 8410, section 7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A public key as RFC 7517 has it. */
export type AssertionJwk = {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly use: 'sig';
  readonly alg: 'EdDSA';
  /** The key's thumbprint (RFC 7638). */
  readonly kid: string;
};

export type Assertions = {
  /**
   * Returns the assertion for this caller and route: a compact JWS, the same one until a minute before its
   * end. Undefined where it would be too long even without roles and inner actors.
   */
  of(identity: Identity, route: string): string | undefined;
  /** Returns the public keys of the whole ring: those that are not yet or no longer used for signing, too. */
  jwks(): { readonly keys: readonly AssertionJwk[] };
};

export type AssertionOptions = {
  /**
   * Ed25519 seeds of 32 bytes; the first signs. Asked each time, so that another ring holds at once: what
   * another key signed is not handed out any more.
   */
  readonly keys: () => readonly KeyObject[];
  /** `iss`: the URL under which apps know this site. */
  readonly issuer: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
};

type Signer = {
  readonly privateKey: KeyObject;
  readonly jwk: AssertionJwk;
  readonly header: string;
};
type Made = {
  readonly text: string | undefined;
  readonly signer: Signer;
  readonly madeAtMs: number;
  readonly renewAtMs: number;
};

/** Returns what signs. Throws TypeError at the first use when there is no key, or it has another length. */
export function createAssertions({ keys, issuer, now }: AssertionOptions): Assertions {
  const signers = new WeakMap<KeyObject, Signer>();
  const made = new WeakMap<Identity, Map<string, Made>>();

  function signerOf(seed: KeyObject): Signer {
    const known = signers.get(seed) ?? toSigner(seed);
    signers.set(seed, known);
    return known;
  }

  function of(identity: Identity, route: string): string | undefined {
    const seed = keys()[0];
    if (seed === undefined) throw new TypeError('there is no key to sign with');
    const signer = signerOf(seed);
    const nowMs = now();
    const known = made.get(identity)?.get(route);
    if (known?.signer === signer && isFresh(known, nowMs)) return known.text;
    const fresh = make(identity, route, signer, nowMs);
    keep(identity, route, fresh);
    return fresh.text;
  }

  function make(identity: Identity, route: string, signer: Signer, nowMs: number): Made {
    const iat = Math.floor(nowMs / 1000);
    const exp = endOf(identity, iat);
    const common = { iss: issuer, aud: route, iat, exp, ...callerClaims(identity) };
    const claims = fittingClaims(common, identity, roomFor(signer));
    const renewAtMs = (exp - Math.min(LEAST_LEFT_SECONDS, (exp - iat) / 2)) * 1000;
    return { text: claims && signed(claims, signer), signer, madeAtMs: nowMs, renewAtMs };
  }

  function keep(identity: Identity, route: string, fresh: Made): void {
    const routes = made.get(identity) ?? new Map<string, Made>();
    if (routes.size >= MAX_ROUTES) routes.clear();
    made.set(identity, routes.set(route, fresh));
  }

  return { of, jwks: () => ({ keys: keys().map((seed) => signerOf(seed).jwk) }) };
}

// After a clock that was set back, what was made before comes from the future.
function isFresh({ madeAtMs, renewAtMs }: Made, nowMs: number): boolean {
  return nowMs >= madeAtMs && nowMs < renewAtMs;
}

// Never longer than what proves the caller.
function endOf({ expiresAtMs }: Identity, iat: number): number {
  const end = Math.min(iat + ASSERTION_SECONDS, Math.floor(expiresAtMs / 1000));
  return Math.max(end, iat + LEAST_SECONDS);
}

// Bytes of JSON that the claims may have: base64url makes four of three.
function roomFor({ header }: Signer): number {
  return Math.floor(((MAX_ASSERTION_BYTES - header.length - 1 - SIGNATURE_BYTES) * 3) / 4);
}

function signed(claims: object, { header, privateKey }: Signer): string {
  const input = `${header}.${base64url(claims)}`;
  return `${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`;
}

function toSigner(seed: KeyObject): Signer {
  const bytes = seed.export();
  if (bytes.length !== 32) throw new TypeError('a seed has 32 bytes');
  const der = Buffer.concat([PKCS8_PREFIX, bytes]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const x = createPublicKey(privateKey).export({ format: 'jwk' }).x ?? '';
  const base = { crv: 'Ed25519', kty: 'OKP', x } as const;
  // RFC 7638 section 3: the required members, in the order of the alphabet.
  const kid = hash('sha256', JSON.stringify(base), 'base64url');
  const header = base64url({ alg: 'EdDSA', typ: ASSERTION_TYPE, kid });
  return { privateKey, jwk: { ...base, use: 'sig', alg: 'EdDSA', kid }, header };
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
