// Refusals for programs: RFC 9457 problem details, and the challenge of RFC 6750 with a way for a page's own script.
import type { ServerResponse } from 'node:http';
import { signInPath } from '../identity/return-url.ts';

/** What a program is told: a status, a title, a sentence, and the id to quote. */
export type Problem = {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly requestId?: string;
  /** A path on this host where a person can sign in, in a window of its own. */
  readonly signIn?: string;
};

/** Path of the page that a window ends on which was opened to sign in. */
export const SIGNED_IN = '/.signet/signed-in';

/** Sends `application/problem+json`; the request id and `sign_in` are members of their own (section 3.2). */
export function sendProblem(
  res: ServerResponse,
  { status, title, detail, requestId, signIn }: Problem,
): void {
  const body = JSON.stringify({
    title,
    status,
    detail,
    ...(requestId !== undefined && { request_id: requestId }),
    ...(signIn !== undefined && { sign_in: signIn }),
  });
  res.statusCode = status;
  res.setHeader('Content-Type', 'application/problem+json');
  res.setHeader('Cache-Control', 'no-store');
  res.setHeader('X-Content-Type-Options', 'nosniff');
  res.setHeader('Content-Length', Buffer.byteLength(body));
  res.end(body);
}

/**
 * Sends 401. RFC 6750 section 3: a challenge has at least one parameter, and no error code when no token came;
 * `invalid_token` when one did not hold. Without a token it may be a page's own script that asks, whose person
 * can sign in: told in the body, and by the relation `authenticate` of draft-ietf-httpapi-authentication-link (RFC 8288).
 */
export function sendUnauthorized(
  res: ServerResponse,
  { isToken, requestId }: { readonly isToken: boolean; readonly requestId: string },
): void {
  const problem = { status: 401, title: 'Sign-in is needed', requestId };
  if (isToken) {
    res.setHeader('WWW-Authenticate', 'Bearer realm="signet", error="invalid_token"');
    return sendProblem(res, { ...problem, detail: 'The bearer token was not accepted.' });
  }
  const signIn = signInPath(SIGNED_IN);
  res.setHeader('WWW-Authenticate', 'Bearer realm="signet"');
  res.setHeader('Link', `<${signIn}>; rel="authenticate"`);
  const detail = 'Send a bearer token, or sign in with a browser.';
  sendProblem(res, { ...problem, detail, signIn });
}
