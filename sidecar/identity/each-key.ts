// The signature of a JWT by the keys of a set, with jose: where the token names none and several might fit,
// each is tried.
import type { createLocalJWKSet, JWTVerifyOptions, JWTVerifyResult } from 'jose';
import { errors, jwtVerify } from 'jose';

/** What finds the key that a token may use, in a set. */
export type Select = ReturnType<typeof createLocalJWKSet>;

/** Returns what the first key that verifies has signed; throws jose's errors. */
export async function verifyWithEach(
  token: string,
  select: (...asked: Parameters<Select>) => ReturnType<Select>,
  options: JWTVerifyOptions,
): Promise<JWTVerifyResult> {
  try {
    return await jwtVerify(token, select, options);
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    return await verifyWithAny(token, error, options);
  }
}

async function verifyWithAny(
  token: string,
  several: errors.JWKSMultipleMatchingKeys,
  options: JWTVerifyOptions,
): Promise<JWTVerifyResult> {
  for await (const key of several) {
    try {
      return await jwtVerify(token, key, options);
    } catch (failed) {
      if (!(failed instanceof errors.JWSSignatureVerificationFailed)) throw failed;
    }
  }
  throw new errors.JWSSignatureVerificationFailed();
}
