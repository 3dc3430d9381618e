// What openid-client found wrong with a sign-in, as a reason of ours. Told by the library's codes and
// causes, never by its texts. A provider that does not work is a Fault, not a refusal.
import { isNativeError } from 'node:util/types';
import {
  AuthorizationResponseError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'openid-client';
import { Fault } from '../fault.ts';
import type { SignInReason } from './reason.ts';
import { refusesClient, withoutSent, type TokenError } from './token-error.ts';

/** `detail` may be the provider's own words: text, never markup, and none of what it was sent. */
export type SignInRefusal = { readonly refused: SignInReason; readonly detail: string };

/**
 * Returns why this error of the code exchange refuses the sign-in; throws when the provider failed. `told` is
 * what its token endpoint said, `sent` what that was sent, and must not be read by people who read its words.
 */
export function refusalOf(
  error: unknown,
  told: TokenError | undefined,
  sent: readonly string[],
): SignInRefusal {
  const fault = faultIn(error);
  if (fault) throw fault;
  if (error instanceof AuthorizationResponseError) {
    return { refused: 'provider-refused', detail: error.error_description ?? error.error };
  }
  const detail = told ? inWords(told) : withoutSent(detailOf(error), sent);
  return { refused: reasonOf(error), detail };
}

function inWords(told: TokenError): string {
  const { error, description } = told;
  const advice = refusesClient(told) ? "look at client_id and the client's secret" : undefined;
  return [error, description, advice].filter((text) => text !== undefined).join(': ');
}

/** Returns why this error of the userinfo request refuses the sign-in; throws when nobody answered. `sent` as above. */
export function userinfoRefusalOf(error: unknown, sent: readonly string[]): SignInRefusal {
  const fault = faultIn(error);
  if (fault) throw fault;
  return { refused: 'userinfo-invalid', detail: withoutSent(detailOf(error), sent) };
}

// The library's sentences, and what the provider says of an error. Never the library's evidence: that is the
// whole answer, with its tokens, or all that an ID token says of somebody.
function detailOf(error: unknown): string {
  const told: string[] = [];
  for (let at = error, depth = 0; isNativeError(at) && depth < 5; depth++) {
    told.push(...wordsOf(at).filter((text) => !told.includes(text)));
    at = at.cause;
  }
  return told.join(': ');
}

function wordsOf(error: Error): string[] {
  // V8 quotes up to 20 characters of what it could not read: a token, or the beginning of one.
  if (error.name === 'SyntaxError') return ['it is no JSON'];
  if (!(error instanceof ResponseBodyError)) return [error.message];
  return [error.error, error.error_description].filter((text) => text !== undefined);
}

function reasonOf(error: unknown): SignInReason {
  switch (property(error, 'code')) {
    case 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED':
      return claimOf(error) === 'nbf' ? 'id-token-not-yet-valid' : 'id-token-expired';
    case 'OAUTH_JWT_CLAIM_COMPARISON_FAILED':
      return reasonOfClaim(claimOf(error));
    case 'OAUTH_KEY_SELECTION_FAILED':
      return 'id-token-signature';
    case 'OAUTH_UNSUPPORTED_OPERATION':
      return reasonOfUnsupported(evidenceOf(error));
    case 'OAUTH_INVALID_RESPONSE':
      return reasonOfInvalid(evidenceOf(error));
    default:
      return 'code-refused';
  }
}

function reasonOfClaim(claim: unknown): SignInReason {
  switch (claim) {
    case 'iss':
      return 'id-token-issuer';
    case 'aud':
    case 'azp':
      return 'id-token-audience';
    case 'nonce':
      return 'id-token-nonce';
    default:
      return 'id-token-claims';
  }
}

// An algorithm that it does not know (also `none` and HS256), or a `crit` header.
function reasonOfUnsupported(evidence: unknown): SignInReason {
  const isTokenHeader = has(evidence, 'alg') || has(evidence, 'header');
  return isTokenHeader ? 'id-token-algorithm' : 'code-refused';
}

// One code for many things; what the library hands over as evidence tells them apart.
function reasonOfInvalid(evidence: unknown): SignInReason {
  if (has(evidence, 'signature')) return 'id-token-signature';
  if (has(evidence, 'header')) return 'id-token-algorithm';
  if (has(evidence, 'claims')) return reasonOfMissing(property(evidence, 'claims'));
  if (has(evidence, 'parameters')) return 'issuer-mismatch'; // state was compared before
  return has(evidence, 'body') ? 'code-refused' : 'id-token-claims';
}

// A claim that is absent or of the wrong type: some of them have a reason of their own.
function reasonOfMissing(claims: unknown): SignInReason {
  if (!has(claims, 'nonce')) return 'id-token-nonce';
  return has(claims, 'aud') ? 'id-token-claims' : 'id-token-audience';
}

// The provider did not answer, or answered with a server error.
function faultIn(error: unknown): Fault | undefined {
  for (let at = error, depth = 0; at !== undefined && depth < 5; depth++) {
    if (at instanceof Fault) return at;
    const status = answeredWith(at);
    if (status !== undefined && status >= 500) {
      return new Fault('ERR_PROVIDER', `the provider answered with status ${status}`);
    }
    at = property(at, 'cause');
  }
  return undefined;
}

function answeredWith(at: unknown): number | undefined {
  const isAnswer = at instanceof Response || at instanceof WWWAuthenticateChallengeError;
  return isAnswer ? at.status : undefined;
}

// openid-client wraps an error of oauth4webapi, whose cause is the evidence.
function evidenceOf(error: unknown): unknown {
  return property(property(error, 'cause'), 'cause');
}

function claimOf(error: unknown): unknown {
  return property(evidenceOf(error), 'claim');
}

function has(value: unknown, name: string): boolean {
  return property(value, name) !== undefined;
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)[name]
    : undefined;
}
