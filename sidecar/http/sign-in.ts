// The routes under /.signet/ for signing in and out. They say what came of it to `onOutcome` before they
// answer. Mounted at the root; the paths are whole.
import type { Request, Response, Router as ExpressRouter } from 'express';
import { Router } from 'express';
import { Fault, explain } from '../fault.ts';
import { SESSION_COOKIE, clearCookie, readCookie, setCookie } from '../identity/cookie.ts';
import type { Identity } from '../identity/identity.ts';
import type { Login } from '../identity/login.ts';
import { safeReturnUrl } from '../identity/return-url.ts';
import { readOrigin, type RequestHeaders } from '../request.ts';
import type { Sessions } from '../identity/session.ts';
import type { EvidenceReason, SignInReason } from '../identity/reason.ts';
import type { Reason } from '../policy/reason.ts';
import * as pages from './pages.ts';
import { sendProblem } from './problem.ts';

/** What an answer under /.signet/ is recorded as. `detail` is for the log: why, in the library's words. */
export type SignInOutcome = {
  readonly identity?: Identity;
  readonly decision: 'none' | 'deny';
  readonly reason: Reason;
  readonly detail?: string;
};

type Evidence = Identity | { readonly refused: EvidenceReason };

export type SignInOptions = {
  readonly login: Login;
  readonly sessions: Sessions;
  /** Hosts (with the port, unless it is the scheme's) that may sign in; empty: each that Caddy serves. */
  readonly hosts: readonly string[];
  /** Who is calling, for `/me`; default: by the session's cookie alone. */
  readonly identify?: (req: Request) => Evidence | Promise<Evidence>;
  /** Called once for each request, before its answer is sent. */
  readonly onOutcome: (req: Request, res: Response, outcome: SignInOutcome) => void;
};

type Place = {
  requestId: string;
  host: string;
  scheme: 'http' | 'https';
  cookies: string | undefined;
};
type Act = (req: Request, res: Response, place: Place) => void | Promise<void>;

const SIGNED_OUT = '/.signet/signed-out';

/** Returns the routes `login`, `callback`, `logout`, `signed-out` and `me` under /.signet/. */
export function signInRoutes(options: SignInOptions): ExpressRouter {
  const { login, sessions, onOutcome } = options;
  const hosts = new Set(options.hosts.map((host) => host.toLowerCase()));
  const identify = options.identify ?? ((req: Request) => bySession(req.headers.cookie, sessions));

  const at = (act: Act) => async (req: Request, res: Response) => {
    const place = placeOf(req);
    if (place === undefined || (hosts.size > 0 && !hosts.has(place.host))) {
      const refusal = { refused: 'host-not-allowed' as const, detail: 'not one of our hosts' };
      return refuse(req, res, refusal, 400);
    }
    try {
      await act(req, res, place);
    } catch (error) {
      unavailable(req, res, place, error);
    }
  };

  const signIn: Act = async (req, res, place) => {
    const query = queryOf(req);
    const prompt = query.get('prompt') ?? undefined;
    const returnTo = safeReturnUrl(query.get('return') ?? '/');
    const known = bySession(place.cookies, sessions);
    if (prompt === undefined && !('refused' in known)) {
      onOutcome(req, res, { identity: known, decision: 'none', reason: 'signet' });
      return redirect(res, 302, returnTo);
    }
    const begun = await login.beginLogin({ ...place, returnTo, prompt });
    res.append('Set-Cookie', [...begun.setCookies]);
    if ('refused' in begun) return refuse(req, res, begun, 429);
    onOutcome(req, res, { decision: 'none', reason: 'signet' });
    redirect(res, 302, begun.redirectTo);
  };

  const callback: Act = async (req, res, place) => {
    const finished = await login.finishLogin({ ...place, query: rawQuery(req) });
    res.append('Set-Cookie', [...finished.setCookies]);
    if ('refused' in finished) return refuse(req, res, finished, 400);
    // A new id always, and the old one dead: an id that was planted before is worth nothing.
    endSession(place.cookies);
    const id = sessions.begin(finished.identity);
    res.append('Set-Cookie', setCookie(SESSION_COOKIE, id));
    const identity = sessions.find(id);
    onOutcome(req, res, {
      ...(!('refused' in identity) && { identity }),
      decision: 'none',
      reason: 'signet',
    });
    redirect(res, 302, finished.returnTo);
  };

  const askedToSignOut: Act = (req, res, place) => {
    if (isOwnNavigation(req)) return signOut(req, res, place);
    onOutcome(req, res, { decision: 'none', reason: 'signet' });
    const returnTo = safeReturnUrl(queryOf(req).get('return') ?? SIGNED_OUT);
    send(res, 200, pages.confirmSignOutPage(returnTo), 'same-origin');
  };

  const postedSignOut: Act = (req, res, place) => {
    const isOwn = req.get('Origin')?.toLowerCase() === `${place.scheme}://${place.host}`;
    if (isOwn || req.get('Sec-Fetch-Site') === 'same-origin') return signOut(req, res, place);
    onOutcome(req, res, { decision: 'deny', reason: 'request-invalid' });
    const text = 'This request came from another site.';
    send(res, 403, pages.problemPage({ title: 'You are still signed in', text }));
  };

  const signOut: Act = (req, res, place) => {
    const known = bySession(place.cookies, sessions);
    if (req.method !== 'HEAD') endSession(place.cookies);
    res.append('Set-Cookie', clearCookie(SESSION_COOKIE));
    onOutcome(req, res, {
      ...(!('refused' in known) && { identity: known }),
      decision: 'none',
      reason: 'signet',
    });
    redirect(res, 303, safeReturnUrl(queryOf(req).get('return') ?? SIGNED_OUT));
  };

  const signedOut: Act = (req, res) => {
    onOutcome(req, res, { decision: 'none', reason: 'signet' });
    send(res, 200, pages.signedOutPage());
  };

  const me: Act = async (req, res) => {
    const known = await identify(req);
    if ('refused' in known) {
      onOutcome(req, res, { decision: 'deny', reason: known.refused });
      res.set('WWW-Authenticate', 'Bearer');
      const detail = 'Nobody is signed in.';
      return sendProblem(res, { status: 401, title: 'Sign-in is needed', detail });
    }
    onOutcome(req, res, { identity: known, decision: 'none', reason: 'signet' });
    res.set({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' });
    // Not by `res.json`, which would answer a client's `If-None-Match: *` with 304.
    res.type('json').end(JSON.stringify(publicIdentity(known)));
  };

  function endSession(cookies: string | undefined): void {
    const value = readCookie(cookies, SESSION_COOKIE);
    if (value !== undefined) sessions.end(value);
  }

  function refuse(
    req: Request,
    res: Response,
    refusal: { refused: SignInReason; detail: string; returnTo?: string },
    status: number,
  ): void {
    const { refused: reason, detail } = refusal;
    onOutcome(req, res, { decision: 'deny', reason, detail });
    const returnTo = safeReturnUrl(refusal.returnTo ?? queryOf(req).get('return') ?? '/');
    const requestId = requestIdOf(req);
    send(res, status, pages.signInFailedPage({ reason, detail, requestId, returnTo }));
  }

  function unavailable(req: Request, res: Response, place: Place, error: unknown): void {
    if (!(error instanceof Fault)) throw error;
    const isStore = error.code === 'ERR_SESSION_STORE';
    const reason = isStore ? 'session-store-unavailable' : 'provider-unavailable';
    onOutcome(req, res, { decision: 'deny', reason, detail: explain(error) });
    res.set('Retry-After', '10');
    const why = isStore
      ? 'Sessions can’t be stored at the moment.'
      : 'The identity provider can’t be reached, or does not answer as it should.';
    if (req.path === '/.signet/me') {
      const title = 'Who you are cannot be checked right now';
      return sendProblem(res, { status: 503, title, detail: why });
    }
    // A callback has no `return`; where it was to lead lies sealed in the browser.
    const asked = queryOf(req).get('return') ?? login.returnTo({ ...place, query: rawQuery(req) });
    const content = { why, requestId: place.requestId, returnTo: safeReturnUrl(asked) };
    send(res, 503, pages.signInUnavailablePage(content));
  }

  const router = Router({ caseSensitive: true, strict: true });
  router.get('/.signet/login', at(signIn));
  router.get('/.signet/callback', at(callback));
  router.get('/.signet/logout', at(askedToSignOut));
  router.post('/.signet/logout', at(postedSignOut));
  router.get(SIGNED_OUT, at(signedOut));
  router.get('/.signet/me', at(me));
  return router;
}

function bySession(cookies: string | undefined, sessions: Sessions): Evidence {
  const value = readCookie(cookies, SESSION_COOKIE);
  if (value === undefined) return { refused: 'no-credentials' };
  return value === 'repeated' ? { refused: 'cookie-repeated' } : sessions.find(value);
}

// What Caddy's site matched; no other header about forwarding is believed.
function placeOf(req: Request): Place | undefined {
  const asked = readOrigin(req.headers as RequestHeaders);
  if (asked === undefined) return undefined;
  const { requestId, scheme, host } = asked;
  if (scheme !== 'https' && scheme !== 'http') return undefined;
  const origin = `${scheme}://${host}`;
  if (!URL.canParse(origin)) return undefined;
  const url = new URL(origin);
  // Anything but a host and a port (a path, a user, a second host) would show in the whole URL.
  const isHostOnly = url.href === `${url.origin}/` && !/[/\\?#@,\s]/.test(host);
  return isHostOnly
    ? { requestId, host: url.host, scheme, cookies: req.headers.cookie }
    : undefined;
}

// Not another site's link, nor an image of this one's: both would sign out whoever sees them.
// A browser without Fetch Metadata, and a program, say neither.
function isOwnNavigation(req: Request): boolean {
  const [site, dest] = [req.get('Sec-Fetch-Site'), req.get('Sec-Fetch-Dest')];
  const isOwn = site === undefined || site === 'same-origin' || site === 'none';
  return isOwn && (dest === undefined || dest === 'document');
}

// Read as the raw text that it is: Express would turn repeated names into arrays.
function rawQuery(req: Request): string {
  const mark = req.url.indexOf('?');
  return mark < 0 ? '' : req.url.slice(mark + 1);
}

function queryOf(req: Request): URLSearchParams {
  return new URLSearchParams(rawQuery(req));
}

function requestIdOf(req: Request): string | undefined {
  return readOrigin(req.headers as RequestHeaders)?.requestId;
}

function redirect(res: Response, status: number, location: string): void {
  res.set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer', Location: location });
  res.status(status).end();
}

function send(
  res: Response,
  status: number,
  html: string,
  referrer?: Parameters<typeof pages.pageHeaders>[0],
): void {
  res.set(pages.pageHeaders(referrer)).status(status).send(html);
}

function publicIdentity(identity: Identity) {
  const { issuer, subject, user, name, email, groups, groupsIncomplete, team, roles } = identity;
  const { type, actor, method, expiresAtMs } = identity;
  const expires = new Date(expiresAtMs).toISOString();
  const who = { issuer, subject, user, name, email, groups, groupsIncomplete, team, roles };
  return { ...who, type, actor, method, expires };
}
