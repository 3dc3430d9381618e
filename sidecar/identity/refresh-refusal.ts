// What of a failed refresh ends the session: the provider's refusal of the person, and an ID token that it
// made wrong. Everything else says nothing of the person, and passes.
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { Fault } from '../fault.ts';
import type { SignInReason } from './reason.ts';
import { isUnusableKey, refusalOf } from './sign-in-refusal.ts';
import type { TokenError } from './token-error.ts';

export type Ended = { readonly ended: string };

// What only the person can mend, at the provider's own page (RFC 6749 section 5.2; OpenID Connect Core 1.0,
// section 3.1.2.6, whose codes Entra ID sends here, too).
const OF_THE_PERSON: ReadonlySet<string> = new Set([
  'invalid_grant',
  'access_denied',
  'account_selection_required',
  'consent_required',
  'interaction_required',
  'login_required',
]);

/** Returns whether the token endpoint refuses the person, and in which words. */
export function refusedPerson({ error, description }: TokenError): { isOf: boolean; said: string } {
  const said = [error, description].filter((text) => text !== undefined).join(': ');
  return { isOf: OF_THE_PERSON.has(error), said };
}

// That it is not made for us, or lacks what has to be there, the provider says itself, by TLS (OpenID Connect
// Core 1.0, section 3.1.3.7, number 6): the library compares that before it looks for the key.
const WRONG: ReadonlySet<SignInReason> = new Set([
  'id-token-issuer',
  'id-token-audience',
  'id-token-nonce',
  'id-token-claims',
]);

/**
 * Returns why an answer of the token endpoint with this ID token ends the session. Throws Fault ERR_PROVIDER
 * where it does not: clocks, keys that can't be had or used or aren't among ours, and what is no ID token at all.
 */
export function endedBy(
  error: unknown,
  idToken: string | undefined,
  sent: readonly string[],
): Ended {
  const { refused, detail } = refusalOf(error, { sent });
  if (isWrong(refused, error, idToken)) {
    return { ended: `the new ID token is refused (${refused}): ${detail}` };
  }
  throw new Fault('ERR_PROVIDER', `a session can't be refreshed: ${detail}`);
}

function isWrong(refused: SignInReason, error: unknown, idToken: string | undefined): boolean {
  const header = idToken === undefined ? undefined : headerOf(idToken);
  if (header === undefined) return false;
  // One that names no key may be of a new one, which we have not seen.
  if (refused === 'id-token-signature') return header.kid !== undefined && !isWithoutKey(error);
  return WRONG.has(refused);
}

function isWithoutKey(error: unknown): boolean {
  if (isUnusableKey(error)) return true;
  return error instanceof Error && 'code' in error && error.code === 'OAUTH_KEY_SELECTION_FAILED';
}

function headerOf(idToken: string): { kid?: string } | undefined {
  try {
    decodeJwt(idToken);
    return decodeProtectedHeader(idToken) as { kid?: string };
  } catch {
    return undefined;
  }
}
