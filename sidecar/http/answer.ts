// The public answer to a verdict: says little; the row and the span get all of it.
import type { ServerResponse } from 'node:http';
import type { Verdict } from '../gate.ts';
import { signInPath } from '../identity/return-url.ts';
import { inWords, type Requirement } from '../policy/requirement.ts';
import { sendPage } from './page.ts';
import { createPages, type Pages } from './pages.ts';
import { sendProblem, sendUnauthorized } from './problem.ts';

const BUILT_IN = createPages();

/** Answers one subrequest of `forward_auth`: 204 with the app's headers, or what the client gets. */
export function answer(res: ServerResponse, verdict: Verdict, pages: Pages = BUILT_IN): void {
  switch (verdict.decision) {
    case 'allow':
      return allow(res, verdict);
    case 'login':
      return sendToSignIn(res, verdict);
    case 'deny':
      return refuse(res, verdict, pages);
  }
}

// 204 and no body: Caddy can then use the connection again. The headers all at once, and without those that
// only Caddy would see and read: Date, Connection and Keep-Alive, which HTTP/1.1 has no need of.
function allow(res: ServerResponse, verdict: Verdict): void {
  const { stamp, identityHeaders, assertion, trace } = verdict;
  const { traceparent, tracestate, baggage } = trace.headers;
  const headers = ['Signet-Stamp', stamp, ...identityHeaders, 'traceparent', traceparent];
  headers.push('Server-Timing', trace.serverTiming);
  if (assertion !== undefined) headers.push('Signet-Assertion', assertion);
  // The snippet then hands on what a preflight has, and nothing besides.
  if (verdict.reason === 'preflight') headers.push('Signet-Preflight', 'yes');
  if (tracestate !== undefined) headers.push('tracestate', tracestate);
  if (baggage !== undefined) headers.push('baggage', baggage);
  res.sendDate = false;
  if (res.req.httpVersionMinor > 0) res.removeHeader('Connection');
  res.writeHead(204, headers);
  res.end();
}

function mark(res: ServerResponse, { stamp, trace }: Verdict): void {
  res.setHeader('Signet-Stamp', stamp);
  res.setHeader('Server-Timing', trace.serverTiming);
}

function sendToSignIn(res: ServerResponse, verdict: Verdict): void {
  res.statusCode = 302;
  mark(res, verdict);
  res.setHeader('Location', signInPath(verdict.uri, undefined, verdict.signInAt));
  res.setHeader('Cache-Control', 'no-store');
  res.end();
}

function refuse(res: ServerResponse, verdict: Verdict, pages: Pages): void {
  mark(res, verdict);
  switch (verdict.reason) {
    case 'provider-unavailable':
    case 'session-store-unavailable':
      return unavailable(res, verdict, pages);
    case 'requirement-invalid':
      return misconfigured(res, verdict, pages);
    default:
      return verdict.identity === undefined
        ? unauthorized(res, verdict)
        : forbidden(res, verdict, pages);
  }
}

function unauthorized(res: ServerResponse, { reason, requestId }: Verdict): void {
  sendUnauthorized(res, { isToken: reason.startsWith('token-'), requestId });
}

function forbidden(res: ServerResponse, verdict: Verdict, pages: Pages): void {
  const { identity, requirement, reason, requestId, uri: returnTo } = verdict;
  if (verdict.isNavigation && identity !== undefined) {
    const content = { identity, requirement, reason, requestId, returnTo };
    return sendPage(res, 403, pages.forbidden(langOf(res), content));
  }
  if (reason === 'scope-not-allowed') {
    res.setHeader('WWW-Authenticate', `Bearer realm="signet", ${scopeError(requirement)}`);
  }
  const detail =
    reason === 'groups-incomplete'
      ? 'The provider left the groups out of the token (groups overage), so it cannot be told.'
      : `You would need to ${inWords(requirement)}.`;
  sendProblem(res, { status: 403, title: 'Not allowed', detail, requestId });
}

/** What a scope may be made of (RFC 6749 section 3.3): the rest can't stand in a challenge. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

// RFC 6750 section 3.1: `scope` may say which ones are needed. It knows no "one of these".
function scopeError(requirement: Requirement): string {
  const error = 'error="insufficient_scope"';
  const conditions = requirement.level === 'signed-in' ? requirement.conditions : [];
  const needed = conditions.flatMap((one) => (one.kind === 'scope' ? [one.anyOf] : []));
  const scopes = needed.map(([only = '', ...others]) => (others.length === 0 ? only : ''));
  const canSay = scopes.every((scope) => SCOPE.test(scope));
  return canSay ? `${error}, scope="${scopes.join(' ')}"` : error;
}

function misconfigured(res: ServerResponse, verdict: Verdict, pages: Pages): void {
  const { isNavigation, requestId } = verdict;
  if (isNavigation) {
    const page = pages.problem(langOf(res), { problem: 'misconfigured', requestId });
    return sendPage(res, 403, page);
  }
  const detail = 'This page is closed until its operator has mended its requirement.';
  sendProblem(res, { status: 403, title: 'Not allowed', detail, requestId });
}

function unavailable(res: ServerResponse, verdict: Verdict, pages: Pages): void {
  const { isNavigation, requestId } = verdict;
  res.setHeader('Retry-After', '1');
  if (isNavigation) {
    const page = pages.problem(langOf(res), { problem: 'uncheckable', requestId });
    return sendPage(res, 503, page);
  }
  const title = 'Who you are cannot be checked right now';
  const detail = 'Nothing is wrong with your request; try again shortly.';
  sendProblem(res, { status: 503, title, detail, requestId });
}

// Caddy hands the client's header over as it came. Read here, where a page is made: an allowed request never pays for it.
function langOf(res: ServerResponse): string | undefined {
  return res.req.headers['accept-language'];
}
