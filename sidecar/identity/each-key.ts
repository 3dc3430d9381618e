// A token that names no key, where several of its issuer's might fit: each is tried, with jose.
import { errors } from 'jose';
import type { CryptoKey } from 'jose';

/** Returns what `verify` makes of the first key that verifies; throws `error` again if that isn't about several keys. */
export async function verifyWithEach<T>(
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
