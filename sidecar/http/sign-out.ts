// Signing out: ends Signet's session, then the provider's, where that is wanted and possible. A link does it, a
// foreign page can't.
import { explain, Fault } from '../fault.ts';
import { setSessionCookie } from '../identity/cookie.ts';
import { signOutUrl } from '../identity/grants.ts';
import { providerOf } from '../identity/refresh.ts';
import type { Provider } from '../identity/provider.ts';
import type { Begun } from '../identity/begun.ts';
import type { Identity } from '../identity/identity.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { sendPage } from './page.ts';
import { bySession, endSession, own, redirect, returnOf, type Visit } from './visit.ts';

export type SignsOut = {
  readonly sessions: Sessions;
  /** Of whom some sign out, too; empty: signing out ends here. */
  readonly providers: readonly Provider[];
};

const SIGN_OUT = [{ event: 'sign-out' }] as const;

/** Path of the page that says so. */
export const SIGNED_OUT = '/.signet/signed-out';
/** `state` of whoever comes back from the provider's sign-out. */
const FROM_PROVIDER = 'provider';

/** GET: signs out who comes here by a link of this site; whoever was brought here is asked first. */
export async function askedToSignOut(visit: Visit, parts: SignsOut): Promise<void> {
  if (isOwnNavigation(visit)) return signOut(visit, parts);
  visit.tell(own());
  const { res, pages, lang } = visit;
  sendPage(res, 200, pages.confirmSignOut(lang, { returnTo: returnOf(visit, SIGNED_OUT) }));
}

/** POST: signs out, if the form was of this site. */
export async function postedSignOut(visit: Visit, parts: SignsOut): Promise<void> {
  const { req, res, place, pages, lang } = visit;
  const isOwn = req.get('Origin')?.toLowerCase() === `${place.scheme}://${place.host}`;
  if (isOwn || req.get('Sec-Fetch-Site') === 'same-origin') return signOut(visit, parts);
  visit.tell({ decision: 'deny', reason: 'request-invalid' });
  sendPage(res, 403, pages.problem(lang, { problem: 'foreign-sign-out' }));
}

/** GET: says that the session has ended; the provider's, too, if it was the provider who sent the browser here. */
export function signedOut(visit: Visit): void {
  visit.tell(own());
  const atProvider = visit.query.get('state') === FROM_PROVIDER;
  sendPage(visit.res, 200, visit.pages.signedOut(visit.lang, { atProvider }));
}

// Here first: whatever the provider does then, this session is dead.
async function signOut(visit: Visit, { sessions, providers }: SignsOut): Promise<void> {
  const { req, res, cookie, pages, lang } = visit;
  const isHead = req.method === 'HEAD';
  // Not found first: a session that ends here is not worth waiting for its provider.
  const ended = isHead ? undefined : await endSession(visit, sessions).catch(toStoreFault);
  if (ended instanceof Fault) return unwritten(visit, ended);
  if (ended?.unwritten !== undefined) {
    const url = providersUrl(ended, signedOutUrl(visit), providers);
    return unwritten(visit, ended.unwritten, { identity: ended.identity, url });
  }
  const known = isHead ? await bySession(visit.place, sessions, cookie) : ended?.identity;
  res.append('Set-Cookie', setSessionCookie(cookie, ''));
  visit.tell(!known || 'refused' in known ? own() : own(known, isHead ? undefined : SIGN_OUT));
  const url = ended && providersUrl(ended, signedOutUrl(visit), providers);
  if (url === undefined) return redirect(visit, 303, returnOf(visit, SIGNED_OUT));
  if (req.method !== 'POST') return redirect(visit, 303, url);
  // Our pages' `form-action 'self'` holds for the redirects behind a form, too, in Chromium.
  sendPage(res, 200, pages.leaving(lang, { to: url }));
}

// The cookie goes whatever the store does: what this browser has is ours to take.
function unwritten(
  visit: Visit,
  fault: Fault,
  { identity, url }: { identity?: Identity; url?: string | undefined } = {},
): void {
  const { res, cookie, pages, lang, place, tell } = visit;
  res.append('Set-Cookie', setSessionCookie(cookie, ''));
  const whose = identity && { identity, events: SIGN_OUT };
  const reason = 'session-store-unavailable';
  tell({ decision: 'deny', reason, detail: explain(fault), ...whose });
  const { requestId } = place;
  sendPage(res, 503, pages.signedOutHere(lang, { requestId, endHref: url }));
}

function toStoreFault(error: unknown): Fault {
  if (error instanceof Fault && error.code === 'ERR_SESSION_STORE') return error;
  throw error;
}

function providersUrl(
  { identity, tokens }: Begun,
  returnTo: string,
  providers: readonly Provider[],
): string | undefined {
  const provider = providerOf(providers, identity);
  const url = provider && signOutUrl(provider, { idToken: tokens?.idToken, returnTo });
  url?.searchParams.set('state', FROM_PROVIDER);
  return url?.href;
}

// A provider sends nobody to a URL that it does not know: one for all, where one host signs in for all.
function signedOutUrl({ place, cookie }: Visit): string {
  const host = cookie.kind === 'central' ? cookie.host : place.host;
  return `${place.scheme}://${host}${SIGNED_OUT}`;
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
