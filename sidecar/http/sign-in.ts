// The routes under /.signet/: signing in here, signing out and `me` in files of their own. Mounted at
// the root; the paths are whole.
import { Router, type Request, type Response } from 'express';
import { explain, Fault } from '../fault.ts';
import { SESSION_COOKIE, setCookie } from '../identity/cookie.ts';
import type { Login } from '../identity/login.ts';
import type { SignInReason } from '../identity/reason.ts';
import { safeReturnUrl } from '../identity/return-url.ts';
import type { Sessions } from '../identity/session.ts';
import type { Reason } from '../policy/reason.ts';
import { me } from './me.ts';
import { signInFailedPage, signInUnavailablePage } from './pages.ts';
import { sendProblem } from './problem.ts';
import { askedToSignOut, postedSignOut, SIGNED_OUT, signedOut } from './sign-out.ts';
import {
  bySession,
  endSession,
  own,
  placeOf,
  rawQueryOf,
  redirect,
  returnOf,
  sendPage,
  type Proven,
  type SignInOutcome,
  type Visit,
} from './visit.ts';

/**
 * Runs what answers one request of signing in, so that its calls to the provider become spans of it.
 * `act` returns what came of the request: whether that is sampled is known only then.
 */
export type Within = (
  requestId: string,
  act: () => Promise<SignInOutcome | undefined>,
) => Promise<unknown>;

export type SignInOptions = {
  readonly login: Login;
  readonly sessions: Sessions;
  /** Hosts (with the port, unless it is the scheme's) that may sign in; empty: each that Caddy serves. */
  readonly hosts: readonly string[];
  /** Who is calling, for `/me`, by the same evidence as everywhere. */
  readonly identify: (req: Request) => Proven | Promise<Proven>;
  /** Called once for each request, before its answer is sent. */
  readonly onOutcome: (req: Request, res: Response, outcome: SignInOutcome) => void;
  /** Default: it is run as it is, and nothing traced. */
  readonly within?: Within;
};

/** Returns the routes `login`, `callback`, `logout`, `signed-out` and `me`. */
export function signInRoutes({
  login,
  sessions,
  hosts,
  identify,
  onOutcome,
  within = untraced,
}: SignInOptions): Router {
  const allowed = new Set(hosts.map((host) => host.toLowerCase()));

  const at =
    (act: (visit: Visit) => void | Promise<void>, run: Within = untraced) =>
    async (req: Request, res: Response) => {
      let told: SignInOutcome | undefined;
      const tell = (outcome: SignInOutcome) => {
        told = outcome;
        onOutcome(req, res, outcome);
      };
      const place = placeOf(req);
      if (place === undefined || (allowed.size > 0 && !allowed.has(place.host))) {
        tell({ decision: 'deny', reason: 'host-not-allowed', detail: 'not one of our hosts' });
        return sendPage(res, 400, signInFailedPage({ reason: 'host-not-allowed', returnTo: '/' }));
      }
      const rawQuery = rawQueryOf(req);
      const visit = { req, res, place, rawQuery, query: new URLSearchParams(rawQuery), tell };
      await run(place.requestId, async () => {
        try {
          await act(visit);
        } catch (error) {
          unavailable(visit, login, error);
        }
        return told;
      });
    };

  const router = Router({ caseSensitive: true, strict: true });
  // Or else the router would answer OPTIONS by itself, and nobody would have stamped it.
  router.use((req, _res, next) => next(req.method === 'OPTIONS' ? 'router' : undefined));
  router.get(
    '/.signet/login',
    at((visit) => signIn(visit, login, sessions), within),
  );
  router.get(
    '/.signet/callback',
    at((visit) => callback(visit, login, sessions), within),
  );
  router.get(
    '/.signet/logout',
    at((visit) => askedToSignOut(visit, sessions)),
  );
  router.post(
    '/.signet/logout',
    at((visit) => postedSignOut(visit, sessions)),
  );
  router.get(SIGNED_OUT, at(signedOut));
  router.get(
    '/.signet/me',
    at((visit) => me(visit, identify)),
  );
  return router;
}

// `me` among them: it verifies a token as any request does.
const untraced: Within = (_requestId, act) => act();

async function signIn(visit: Visit, login: Login, sessions: Sessions): Promise<void> {
  const { res, place, query } = visit;
  const prompt = query.get('prompt') ?? undefined;
  const returnTo = returnOf(visit, '/');
  const known = bySession(place, sessions);
  if (prompt === undefined && !('refused' in known)) {
    visit.tell(own(known));
    return redirect(visit, 302, returnTo);
  }
  const begun = await login.beginLogin({ ...place, returnTo, prompt });
  res.append('Set-Cookie', [...begun.setCookies]);
  if ('refused' in begun) return refuse(visit, begun, 429);
  visit.tell(own());
  redirect(visit, 302, begun.redirectTo);
}

async function callback(visit: Visit, login: Login, sessions: Sessions): Promise<void> {
  const { res, place, rawQuery } = visit;
  const finished = await login.finishLogin({ ...place, query: rawQuery });
  res.append('Set-Cookie', [...finished.setCookies]);
  if ('refused' in finished) return refuse(visit, finished, 400);
  // A new id always, and the old one dead: an id that was planted before is worth nothing.
  const earlier = bySession(place, sessions);
  endSession(place, sessions);
  const id = sessions.begin(finished.identity);
  res.append('Set-Cookie', setCookie(SESSION_COOKIE, id));
  const identity = sessions.find(id);
  visit.tell('refused' in identity ? own() : own(identity, signedIn(earlier)));
  redirect(visit, 302, finished.returnTo);
}

function signedIn(earlier: Proven): NonNullable<SignInOutcome['events']> {
  const isAgain = !('refused' in earlier);
  return [...(isAgain ? [{ event: 'session-revoked' } as const] : []), { event: 'sign-in' }];
}

function refuse(
  visit: Visit,
  refusal: { refused: SignInReason; detail: string; returnTo?: string },
  status: number,
): void {
  const { refused: reason, detail } = refusal;
  visit.tell({ decision: 'deny', reason, detail, events: failed(reason) });
  const returnTo = safeReturnUrl(refusal.returnTo ?? returnOf(visit, '/'));
  const { requestId } = visit.place;
  sendPage(visit.res, status, signInFailedPage({ reason, detail, requestId, returnTo }));
}

function failed(reason: Reason): NonNullable<SignInOutcome['events']> {
  return [{ event: 'sign-in-failed', details: { reason } }];
}

function unavailable(visit: Visit, login: Login, error: unknown): void {
  if (!(error instanceof Fault)) throw error;
  const { req, res, place, rawQuery } = visit;
  const isStore = error.code === 'ERR_SESSION_STORE';
  const reason = isStore ? 'session-store-unavailable' : 'provider-unavailable';
  const isSignIn = req.path === '/.signet/login' || req.path === '/.signet/callback';
  const events = isSignIn ? failed(reason) : undefined;
  visit.tell({ decision: 'deny', reason, detail: explain(error), ...(events && { events }) });
  res.set('Retry-After', '10');
  const why = isStore
    ? 'Sessions can’t be stored at the moment.'
    : 'The identity provider can’t be reached, or does not answer as it should.';
  const { requestId } = place;
  if (req.path === '/.signet/me') {
    const title = 'Who you are cannot be checked right now';
    return sendProblem(res, { status: 503, title, detail: why, requestId });
  }
  // A callback has no `return`; where it was to lead lies sealed in the browser.
  const returnTo = returnOf(visit, login.returnTo({ ...place, query: rawQuery }));
  sendPage(res, 503, signInUnavailablePage({ why, requestId, returnTo }));
}
