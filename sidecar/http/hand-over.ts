// Signing in at one host for all, as routes: the central host gives its session to the host that asked, and that
// one takes it. What may be given to whom is judged in identity/hand-over.ts.
import type { HandOver } from '../identity/hand-over.ts';
import { signInPath } from '../identity/return-url.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { changeSession } from './begin-session.ts';
import { refuse } from './refusal.ts';
import { bySession, own, redirect, sessionValue, severFromOpener, type Visit } from './visit.ts';

/** GET, at the central host: brings its session to the host that asked; signs in first, if there is none. */
export async function giveSession(
  visit: Visit,
  handOver: HandOver,
  sessions: Sessions,
): Promise<void> {
  severFromOpener(visit);
  if (isFramed(visit)) return refuse(visit, FRAMED, 400);
  const question = visit.query.get('state') ?? '';
  const given = handOver.give(visit.place, question, sessionValue(visit) ?? '');
  if ('refused' in given) return refuse(visit, given, 400);
  const known = await bySession(visit.place, sessions, visit.cookie);
  if ('refused' in known) {
    visit.tell(own());
    const back = `/.signet/hand-over?state=${encodeURIComponent(question)}`;
    return redirect(visit, 302, signInPath(back));
  }
  visit.tell(own(known));
  redirect(visit, 302, given.redirectTo);
}

/** GET, on the host that asked: takes the session, the same one as at the central host. */
export async function takeSession(
  visit: Visit,
  handOver: HandOver,
  sessions: Sessions,
): Promise<void> {
  severFromOpener(visit);
  const taken = handOver.take(visit.place, visit.query.get('code') ?? '');
  if ('refused' in taken) return refuse(visit, taken, 400);
  const { session, returnTo, setCookies } = taken;
  visit.res.append('Set-Cookie', [...setCookies]);
  const identity = await sessions.find(session);
  if ('refused' in identity) {
    const detail = `the session is gone: ${identity.refused}`;
    return refuse(visit, { refused: 'state-expired', detail, returnTo }, 400);
  }
  const revoked = await changeSession(visit, sessions, session);
  visit.tell(own(identity, revoked.length > 0 ? revoked : undefined));
  redirect(visit, 302, returnTo);
}

const FRAMED = { refused: 'state-mismatch', detail: 'asked from a frame' } as const;

// In a frame that policy does nothing: a host's page could have Caddy refuse the code's request (by too many
// cookies) before the code is used up, and read the address.
function isFramed({ req }: Visit): boolean {
  return /^(?:i?frame|fencedframe|embed|object)$/.test(req.get('Sec-Fetch-Dest') ?? '');
}
