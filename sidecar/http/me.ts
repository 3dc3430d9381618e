// `/.signet/me`: who Signet says is calling. No token, no cookie, nothing that opens anything.
import type { Request } from 'express';
import { actorWords, type Identity } from '../identity/identity.ts';
import { sendUnauthorized } from './problem.ts';
import { own, type Proven, type Visit } from './visit.ts';

type Asking = Pick<Visit, 'req' | 'res' | 'place' | 'tell'>;

/** Answers with the identity as JSON, or 401; where somebody acts on the user's behalf, also in words. */
export async function me(
  visit: Asking,
  identify: (req: Request) => Proven | Promise<Proven>,
): Promise<void> {
  const known = await identify(visit.req);
  if ('refused' in known) return refuse(visit, known);
  visit.tell(own(known));
  visit.res.set({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' });
  // Not by `res.json`, which would answer a client's `If-None-Match: *` with 304.
  visit.res.type('json').end(JSON.stringify(publicIdentity(known)));
}

function refuse({ res, place, tell }: Asking, { refused }: Exclude<Proven, Identity>): void {
  tell({ decision: 'deny', reason: refused });
  sendUnauthorized(res, { isToken: refused.startsWith('token-'), requestId: place.requestId });
}

function publicIdentity(identity: Identity) {
  const { scopes: _scopes, sessionHash: _sessionHash, expiresAtMs, ...who } = identity;
  const acting = who.actor && actorWords(identity);
  return { ...who, ...(acting && { acting }), expires: new Date(expiresAtMs).toISOString() };
}
