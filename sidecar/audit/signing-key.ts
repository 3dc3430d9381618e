// The keys that sign a chain's heads (Ed25519, RFC 8032): made from seeds, and as text for an auditor
// who has no key ring. Pure; what is signed is in head.ts.
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

export type SigningKey = {
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
};

/** Public keys by their id. */
export type PublicKeys = ReadonlyMap<string, KeyObject>;

/** Bytes of a seed, and of a raw public key. */
const KEY_BYTES = 32;
/** PKCS#8 of an Ed25519 key, up to its seed (RFC 8410, section 7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/**
 * Returns a key pair for each seed of 32 bytes, in their order.
 * @throws {TypeError} if a seed has another length.
 */
export function signingKeys(seeds: readonly (KeyObject | Uint8Array)[]): SigningKey[] {
  return seeds.map((seed) => {
    const bytes = seed instanceof Uint8Array ? seed : seed.export();
    if (bytes.length !== KEY_BYTES) throw new TypeError(`a seed has ${KEY_BYTES} bytes`);
    const der = Buffer.concat([PKCS8_PREFIX, bytes]);
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    const publicKey = createPublicKey(privateKey);
    return { id: keyIdOf(publicKey), privateKey, publicKey };
  });
}

/** Returns the first 16 hex digits of the SHA-256 of the raw public key. */
export function keyIdOf(publicKey: KeyObject): string {
  return createHash('sha256').update(rawOf(publicKey)).digest('hex').slice(0, 16);
}

/** Returns the public keys by their id. */
export function publicKeysOf(keys: Iterable<KeyObject>): PublicKeys {
  return new Map(Array.from(keys, (key) => [keyIdOf(key), key]));
}

/** Returns the raw 32 bytes of the public key as base64url. */
export function publicKeyText(publicKey: KeyObject): string {
  return rawOf(publicKey).toString('base64url');
}

/** Returns the public key of such a text, or undefined if it is none. */
export function parsePublicKey(text: string): KeyObject | undefined {
  if (!isBase64Url(text, KEY_BYTES)) return undefined;
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: text }, format: 'jwk' });
}

/** Returns whether a text is the one base64url spelling of so many bytes, without padding. */
export function isBase64Url(text: unknown, bytes: number): text is string {
  if (typeof text !== 'string' || text.length !== Math.ceil((bytes * 4) / 3)) return false;
  return Buffer.from(text, 'base64url').toString('base64url') === text;
}

function rawOf(publicKey: KeyObject): Buffer {
  return Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
}
