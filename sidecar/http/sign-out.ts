// Signing out: ends Signet's session, not the provider's. A link does it, a foreign page can't.
import { clearCookie, SESSION_COOKIE } from '../identity/cookie.ts';
import type { Sessions } from '../identity/session.ts';
import { confirmSignOutPage, problemPage, signedOutPage } from './pages.ts';
import { bySession, endSession, own, redirect, returnOf, sendPage, type Visit } from './visit.ts';

const SIGN_OUT = [{ event: 'sign-out' }] as const;

/** Path of the page that says so. */
export const SIGNED_OUT = '/.signet/signed-out';

/** GET: signs out who comes here by a link of this site; whoever was brought here is asked first. */
export function askedToSignOut(visit: Visit, sessions: Sessions): void {
  if (isOwnNavigation(visit)) return signOut(visit, sessions);
  visit.tell(own());
  sendPage(visit.res, 200, confirmSignOutPage(returnOf(visit, SIGNED_OUT)), 'same-origin');
}

/** POST: signs out, if the form was of this site. */
export function postedSignOut(visit: Visit, sessions: Sessions): void {
  const { req, res, place } = visit;
  const isOwn = req.get('Origin')?.toLowerCase() === `${place.scheme}://${place.host}`;
  if (isOwn || req.get('Sec-Fetch-Site') === 'same-origin') return signOut(visit, sessions);
  visit.tell({ decision: 'deny', reason: 'request-invalid' });
  const text = 'This request came from another site.';
  sendPage(res, 403, problemPage({ title: 'You are still signed in', text }));
}

/** GET: says that the session has ended. */
export function signedOut(visit: Visit): void {
  visit.tell(own());
  sendPage(visit.res, 200, signedOutPage());
}

function signOut(visit: Visit, sessions: Sessions): void {
  const known = bySession(visit.place, sessions);
  if (visit.req.method !== 'HEAD') endSession(visit.place, sessions);
  visit.res.append('Set-Cookie', clearCookie(SESSION_COOKIE));
  const hasEnded = !('refused' in known) && visit.req.method !== 'HEAD';
  visit.tell('refused' in known ? own() : own(known, hasEnded ? SIGN_OUT : undefined));
  redirect(visit, 303, returnOf(visit, SIGNED_OUT));
}

// Not another site's link, an image of this one's, or a page that is fetched in advance: they would
// sign out whoever comes near. A browser without Fetch Metadata may still tell where it comes from.
function isOwnNavigation({ req, place }: Visit): boolean {
  const [site, dest] = [req.get('Sec-Fetch-Site'), req.get('Sec-Fetch-Dest')];
  if (req.get('Sec-Purpose')?.includes('prefetch')) return false;
  if (dest !== undefined && dest !== 'document') return false;
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const referer = req.get('Referer');
  return referer === undefined || referer.startsWith(`${place.scheme}://${place.host}/`);
}
