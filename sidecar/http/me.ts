// `/.signet/me`: who Signet says is calling. No token, no cookie, nothing that opens anything.
import type { Request } from 'express';
import type { Identity } from '../identity/identity.ts';
import { sendProblem } from './problem.ts';
import { own, type Proven, type Visit } from './visit.ts';

/** Answers with the identity as JSON, or 401. */
export async function me(
  visit: Visit,
  identify: (req: Request) => Proven | Promise<Proven>,
): Promise<void> {
  const known = await identify(visit.req);
  if ('refused' in known) return refuse(visit, known.refused.startsWith('token-'), known);
  visit.tell(own(known));
  visit.res.set({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' });
  // Not by `res.json`, which would answer a client's `If-None-Match: *` with 304.
  visit.res.type('json').end(JSON.stringify(publicIdentity(known)));
}

function refuse(
  { res, place, tell }: Visit,
  isToken: boolean,
  { refused }: Exclude<Proven, Identity>,
): void {
  tell({ decision: 'deny', reason: refused });
  res.set('WWW-Authenticate', isToken ? 'Bearer error="invalid_token"' : 'Bearer');
  sendProblem(res, {
    status: 401,
    title: 'Sign-in is needed',
    detail: isToken ? 'The bearer token was not accepted.' : 'Nobody is signed in.',
    requestId: place.requestId,
  });
}

function publicIdentity(identity: Identity) {
  const { scopes: _scopes, sessionHash: _sessionHash, expiresAtMs, ...who } = identity;
  return { ...who, expires: new Date(expiresAtMs).toISOString() };
}
