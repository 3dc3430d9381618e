// The public answer to a verdict: says little; the row and the span get all of it.
import type { ServerResponse } from 'node:http';
import type { Verdict } from '../gate.ts';
import { signInPath } from '../identity/return-url.ts';
import { inWords } from '../policy/requirement.ts';
import { forbiddenPage, problemPage } from './pages.ts';
import { sendProblem } from './problem.ts';
import { sendPage } from './visit.ts';

/** Answers one subrequest of `forward_auth`: 204 with the app's headers, or what the client gets. */
export function answer(res: ServerResponse, verdict: Verdict): void {
  switch (verdict.decision) {
    case 'allow':
      return allow(res, verdict);
    case 'login':
      return sendToSignIn(res, verdict);
    case 'deny':
      return refuse(res, verdict);
  }
}

// 204 and no body: Caddy can then use the connection again. The headers all at once, and without those that
// only Caddy would see and read: Date, Connection and Keep-Alive, which HTTP/1.1 has no need of.
function allow(res: ServerResponse, { stamp, identityHeaders, trace }: Verdict): void {
  const { traceparent, tracestate, baggage } = trace.headers;
  const headers = ['Signet-Stamp', stamp, ...identityHeaders, 'traceparent', traceparent];
  headers.push('Server-Timing', trace.serverTiming);
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
  res.setHeader('Location', signInPath(verdict.uri));
  res.setHeader('Cache-Control', 'no-store');
  res.end();
}

function refuse(res: ServerResponse, verdict: Verdict): void {
  mark(res, verdict);
  switch (verdict.reason) {
    case 'provider-unavailable':
    case 'session-store-unavailable':
      return unavailable(res, verdict);
    case 'requirement-invalid':
      return misconfigured(res, verdict);
    default:
      return verdict.identity === undefined ? unauthorized(res, verdict) : forbidden(res, verdict);
  }
}

// RFC 6750 section 3: no error code when no token came; `invalid_token` when one did not hold.
function unauthorized(res: ServerResponse, verdict: Verdict): void {
  const isToken = verdict.reason.startsWith('token-');
  res.setHeader('WWW-Authenticate', isToken ? 'Bearer error="invalid_token"' : 'Bearer');
  sendProblem(res, {
    status: 401,
    title: 'Sign-in is needed',
    detail: isToken
      ? 'The bearer token was not accepted.'
      : 'Send a bearer token, or sign in with a browser.',
    requestId: verdict.requestId,
  });
}

function forbidden(res: ServerResponse, verdict: Verdict): void {
  const { identity, requestId } = verdict;
  if (verdict.isNavigation && identity !== undefined) {
    const page = forbiddenPage({
      identity,
      requirementInWords: inWords(verdict.requirement),
      requestId,
      returnTo: verdict.uri,
    });
    return sendPage(res, 403, page);
  }
  if (verdict.reason === 'scope-not-allowed') {
    res.setHeader('WWW-Authenticate', 'Bearer error="insufficient_scope"');
  }
  sendProblem(res, {
    status: 403,
    title: 'Not allowed',
    detail: `You would need to ${inWords(verdict.requirement)}.`,
    requestId,
  });
}

function misconfigured(res: ServerResponse, verdict: Verdict): void {
  const title = 'Not allowed';
  const detail = 'This page is closed until its operator has mended its requirement.';
  refuseWith(res, verdict, 403, title, detail);
}

function unavailable(res: ServerResponse, verdict: Verdict): void {
  res.setHeader('Retry-After', '1');
  const title = 'Who you are cannot be checked right now';
  refuseWith(res, verdict, 503, title, 'Nothing is wrong with your request; try again shortly.');
}

function refuseWith(
  res: ServerResponse,
  { isNavigation, requestId }: Verdict,
  status: number,
  title: string,
  detail: string,
): void {
  if (isNavigation) return sendPage(res, status, problemPage({ title, text: detail, requestId }));
  sendProblem(res, { status, title, detail, requestId });
}
