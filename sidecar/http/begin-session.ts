// What becomes of the session that a browser has when it gets another one: nothing that was there before a
// sign-in is worth anything after it.
import { setSessionCookie } from '../identity/cookie.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { bySession, endSession, sessionValue, type SignInOutcome, type Visit } from './visit.ts';

type Events = NonNullable<SignInOutcome['events']>;

/** Gives the browser this session; ends another one that it shows, and returns the event of that. */
export async function changeSession(
  visit: Visit,
  sessions: Sessions,
  session: string,
): Promise<Events> {
  const revoked = sessionValue(visit) === session ? [] : await endEarlier(visit, sessions);
  visit.res.append('Set-Cookie', setSessionCookie(visit.cookie, session));
  return revoked;
}

async function endEarlier(visit: Visit, sessions: Sessions): Promise<Events> {
  const earlier = await bySession(visit.place, sessions, visit.cookie);
  await endSession(visit, sessions);
  return 'refused' in earlier ? [] : [{ event: 'session-revoked', details: { why: 'sign-in' } }];
}
