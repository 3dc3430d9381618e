// Sealing what others keep for us, a browser or a store: AES-256-GCM. Whoever keeps it can neither read,
// nor change, nor move it to another place. Says nothing about age or use; the contents do.
import type { KeyObject } from 'node:crypto';
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** What was sealed, and whether by the key that seals now. */
export type Unsealed = { readonly value: unknown; readonly isByFirst: boolean };

/** Returns a JSON value, sealed for the place of this name under the first key (32 bytes), as base64url. */
export function seal(value: unknown, name: string, keys: readonly KeyObject[]): string {
  const key = keys[0];
  if (key === undefined) throw new TypeError('there is no key to seal with');
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(name));
  const sealed = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
}

/** Returns what was sealed for the place of this name under one of the keys, else undefined. */
export function unseal(text: string, name: string, keys: readonly KeyObject[]): unknown {
  return unsealBy(text, name, keys)?.value;
}

/** As `unseal`, and says whether it was the first key. */
export function unsealBy(
  text: string,
  name: string,
  keys: readonly KeyObject[],
): Unsealed | undefined {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length <= IV_BYTES + TAG_BYTES) return undefined;
  for (const key of keys) {
    const value = open(bytes, name, key);
    if (value !== undefined) return { value, isByFirst: key === keys[0] };
  }
  return undefined;
}

function open(bytes: Buffer, name: string, key: KeyObject): unknown {
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(name));
  decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  try {
    const text = decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES), undefined, 'utf8');
    return JSON.parse(text + decipher.final('utf8'));
  } catch {
    return undefined; // another key, or not ours
  }
}
