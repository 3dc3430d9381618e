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

/** What is known of a call to the token endpoint that failed. */
export type Failed = {
  /** What it said. */
  readonly told?: TokenError | undefined;
  /** What it was sent, and must not be read by people who read its words. */
  readonly sent: readonly string[];
  /** What the sign-in named, if it was one. */
  readonly redirectUri?: string;
};

/** Returns why this error of the code exchange refuses the sign-in; throws when the provider failed. */
export function refusalOf(error: unknown, failed: Failed): SignInRefusal {
  const fault = faultIn(error);
  if (fault) throw fault;
  const { told, sent, redirectUri } = failed;
  const said = error instanceof AuthorizationResponseError ? saidInCallback(error) : told;
  if (said !== undefined && redirectUri !== undefined && isRedirectUri(said)) {
    const detail = `${inWords(said)}: register ${redirectUri} as a redirect URI of the client, exactly so`;
    return { refused: 'redirect-uri-refused', detail };
  }
  if (error instanceof AuthorizationResponseError) {
    return { refused: 'provider-refused', detail: error.error_description ?? error.error };
  }
  const clock = clockIn(error);
  if (clock !== undefined) return clock;
  const detail = told ? inWords(told) : withoutSent(detailOf(error), sent);
  return { refused: reasonOf(error), detail };
}

type Said = Pick<TokenError, 'error' | 'description'> & { readonly status?: number };

function saidInCallback({
  error,
  error_description: description,
}: AuthorizationResponseError): Said {
  return { error, ...(description !== undefined && { description }) };
}

// No code of a standard says so. Providers have codes of their own (Google's `redirect_uri_mismatch`), or name
// the parameter in their description; Entra ID has a number for it.
function isRedirectUri({ error, description = '' }: Said): boolean {
  return /redirect_uri/.test(error) || /redirect[_ ]ur[il]|AADSTS50011\b/i.test(description);
}

function inWords(told: Said): string {
  const { error, description, status } = told;
  const isClient = status !== undefined && refusesClient({ error, status });
  const advice = isClient ? "look at client_id and the client's secret" : undefined;
  return [error, description, advice].filter((text) => text !== undefined).join(': ');
}

/** Returns why this error of the userinfo request refuses the sign-in; throws when nobody answered. `sent` as above. */
export function userinfoRefusalOf(error: unknown, sent: readonly string[]): SignInRefusal {
  const fault = faultIn(error);
  if (fault) throw fault;
  return { refused: 'userinfo-invalid', detail: withoutSent(detailOf(error), sent) };
}

/** As in openid-client. */
const SKEW_SECONDS = 30;

/**
 * Returns the refusal of a token that was issued at `iatSeconds`, in the future: it comes from the provider this
 * very moment, so one of the two clocks is wrong. Undefined where the clocks agree well enough.
 */
export function clockOff(iatSeconds: number, nowMs: number): SignInRefusal | undefined {
  const aheadSeconds = Math.round(iatSeconds - nowMs / 1_000);
  return aheadSeconds > SKEW_SECONDS ? clocks(aheadSeconds) : undefined;
}

// One that had expired when it came was issued long ago by our clock. One whose times contradict each other says
// nothing of clocks.
function clockIn(error: unknown): SignInRefusal | undefined {
  if (property(error, 'code') !== 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED') return undefined;
  const evidence = evidenceOf(error);
  const [now, claims] = [property(evidence, 'now'), property(evidence, 'claims')];
  const [iat, exp] = [property(claims, 'iat'), property(claims, 'exp')];
  if (typeof now !== 'number' || typeof iat !== 'number' || typeof exp !== 'number')
    return undefined;
  const isOff = Math.abs(iat - now) > SKEW_SECONDS && iat < exp;
  return isOff ? clocks(iat - now) : undefined;
}

function clocks(aheadSeconds: number): SignInRefusal {
  const when = aheadSeconds > 0 ? 'in the future' : 'ago';
  const seconds = Math.abs(aheadSeconds);
  const found = `the ID token was issued ${seconds} seconds ${when}, by this machine's clock`;
  return { refused: 'clock-off', detail: `${found}: compare it with the provider's (date -u)` };
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

/**
 * Returns whether the provider's key itself is at fault: WebCrypto takes it for none (a DOMException, whose code is
 * a number), or it is too short for the library.
 */
export function isUnusableKey(error: unknown): boolean {
  const cause = property(error, 'cause');
  const isNone = ['DataError', 'SyntaxError'].includes(String(property(cause, 'name')));
  const isShort = has(evidenceOf(error), 'algorithm') && has(evidenceOf(error), 'usages');
  return (isNone && typeof property(cause, 'code') === 'number') || isShort;
}

function reasonOf(error: unknown): SignInReason {
  if (isUnusableKey(error)) return 'id-token-signature';
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

/** Ask again later: a timeout, too many requests (RFC 9110 section 15.5.9, RFC 6585 section 4). */
const LATER: ReadonlySet<number> = new Set([408, 429]);

// The provider did not answer, or answered with a server error.
function faultIn(error: unknown): Fault | undefined {
  for (let at = error, depth = 0; at !== undefined && depth < 5; depth++) {
    if (at instanceof Fault) return at;
    const status = answeredWith(at);
    if (status !== undefined && (status >= 500 || LATER.has(status))) {
      return new Fault('ERR_PROVIDER', `the provider answered with status ${status}`);
    }
    at = property(at, 'cause');
  }
  return undefined;
}

function answeredWith(at: unknown): number | undefined {
  const isAnswer =
    at instanceof Response ||
    at instanceof ResponseBodyError ||
    at instanceof WWWAuthenticateChallengeError;
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
