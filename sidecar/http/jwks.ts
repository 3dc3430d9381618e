// `/.signet/jwks.json`: the public keys by which an app verifies its `Signet-Assertion`. Public, and the same
// for everyone; which of them signed is not said.
import type { Assertions } from '../identity/assertion.ts';
import { own, type Visit } from './visit.ts';

export const JWKS_PATH = '/.signet/jwks.json';

/**
 * How long anyone may keep the answer. A key must stand in the ring for longer than this before it signs,
 * and stay as long after it did.
 */
const JWKS_SECONDS = 300;

/**
 * Returns what answers with the keys, as RFC 7517's own media type: libraries ask for it beside
 * `application/json`, or look at none.
 */
export function jwks(
  assertions: Pick<Assertions, 'jwks'>,
): (visit: Pick<Visit, 'res' | 'tell'>) => void {
  return ({ res, tell }) => {
    tell(own());
    res.set({
      'Content-Type': 'application/jwk-set+json',
      'Cache-Control': `public, max-age=${JWKS_SECONDS}`,
      'X-Content-Type-Options': 'nosniff',
    });
    res.end(JSON.stringify(assertions.jwks()));
  };
}
