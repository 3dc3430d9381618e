// The way back from the provider: judges what it brought, and begins a session.
import type { Login } from '../identity/login.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { changeSession } from './begin-session.ts';
import { clientOf } from './client-of.ts';
import { refuse } from './refusal.ts';
import { own, redirect, severFromOpener, type Visit } from './visit.ts';

/** GET: signs in whom the provider names, and leads to the page that was asked for. `idp` is the path's provider. */
export async function callback(
  visit: Visit,
  login: Login,
  sessions: Sessions,
  idp: string | undefined,
): Promise<void> {
  const { req, res, place, rawQuery: query } = visit;
  const client = clientOf(req.get('X-Forwarded-For') ?? '');
  const returned = { ...place, query, client, ...(idp !== undefined && { idp }) };
  const finished = await login.finishLogin(returned);
  res.append('Set-Cookie', [...finished.setCookies]);
  if ('refused' in finished) {
    // The code in this address may still be good, in the browser of whoever made somebody come here.
    severFromOpener(visit);
    return refuse(visit, finished, 400);
  }
  const { begun, provider, returnTo } = finished;
  // A new id always, and the old one dead: an id that was planted before is worth nothing.
  const session = await sessions.begin(begun);
  // Before its cookie is on the answer: one that fails signs nobody in.
  const identity = await sessions.find(session);
  const revoked = await changeSession(visit, sessions, session);
  const events = [...revoked, { event: 'sign-in', details: { provider } } as const];
  visit.tell('refused' in identity ? own() : own(identity, events));
  redirect(visit, 302, returnTo);
}
