// The routes under /.signet/, and what they have in common: the place, the hosts, one outcome for each request.
// What each of them does is in a file of its own. Mounted at the root; the paths are whole.
import { Router, type Request, type Response } from 'express';
import type { Assertions } from '../identity/assertion.ts';
import { HOST_COOKIE, isCookieHost, type Cookie } from '../identity/cookie.ts';
import type { HandOver } from '../identity/hand-over.ts';
import type { Login } from '../identity/login.ts';
import type { Provider } from '../identity/provider.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { backChannelLogout, refuseLogout, type BackChannel } from './back-channel-logout.ts';
import { beginLogin } from './begin-login.ts';
import { callback } from './callback.ts';
import { giveSession, takeSession } from './hand-over.ts';
import { jwks, JWKS_PATH } from './jwks.ts';
import { me } from './me.ts';
import { sendPage } from './page.ts';
import { createPages, type Pages } from './pages.ts';
import { SIGNED_IN } from './problem.ts';
import { unavailable } from './refusal.ts';
import { askedToSignOut, postedSignOut, SIGNED_OUT, signedOut } from './sign-out.ts';
import { own, placeOf, rawQueryOf, type Proven, type SignInOutcome, type Visit } from './visit.ts';

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
  /** Who shares the session's cookie; default: each host has its own. */
  readonly cookie?: Cookie;
  /** Needed where one host signs in for all. */
  readonly handOver?: HandOver;
  /** Who verifies logout tokens, by the name in the path; default: nobody posts any. */
  readonly backChannel?: BackChannel;
  /** Of whom some sign out when somebody does here; default: none. */
  readonly providers?: readonly Provider[];
  /** Whose public keys `jwks.json` shows; default: there is none. */
  readonly assertions?: Pick<Assertions, 'jwks'>;
  /** Default: as they come with Signet. */
  readonly pages?: Pages;
};

type Act = (visit: Visit) => void | Promise<void>;
type At = (act: Act, how?: { within?: Within; onWrongHost?: Act }) => ReturnType<typeof toHandler>;

// A name of a provider, as configuration allows it; anything else is no path of ours.
const CALLBACK = /^\/\.signet\/callback(?:\/([\w.-]{1,64}))?$/;
const BACK_CHANNEL = /^\/\.signet\/back-channel-logout(?:\/([\w.-]{1,64}))?$/;

/** Returns the routes `login`, `callback`, `logout` and the others under `/.signet/`. */
export function signInRoutes(options: SignInOptions): Router {
  const { login, sessions, identify, within, handOver, assertions } = options;
  // Or else each host would sign in for itself, at redirect URIs that nobody has registered.
  if (options.cookie?.kind === 'central' && handOver === undefined) {
    throw new TypeError('one host signs in for all, and nothing hands over');
  }
  const signsOut = { sessions, providers: options.providers ?? [] };
  const whole = { ...options, pages: options.pages ?? createPages() };
  const at: At = (act, how) => toHandler(act, whole, how);
  const router = Router({ caseSensitive: true, strict: true });
  // Or else the router would answer OPTIONS by itself, and nobody would have stamped it.
  router.use((req, _res, next) => next(req.method === 'OPTIONS' ? 'router' : undefined));

  const begins = { login, sessions, handOver };
  const traced = within && { within };
  router.get(
    '/.signet/login',
    at((visit) => beginLogin(visit, begins), traced),
  );
  router.get(
    CALLBACK,
    at((visit) => callback(visit, login, sessions, nameIn(visit, CALLBACK)), traced),
  );
  router.get(
    '/.signet/logout',
    at((visit) => askedToSignOut(visit, signsOut)),
  );
  router.post(
    '/.signet/logout',
    at((visit) => postedSignOut(visit, signsOut)),
  );
  router.get(SIGNED_OUT, at(signedOut));
  router.get(SIGNED_IN, at(signedIn));
  router.get(
    '/.signet/me',
    at((visit) => me(visit, identify)),
  );
  if (options.backChannel) mountBackChannel(router, at, options.backChannel, sessions);
  if (handOver) mountHandOver(router, at, handOver, sessions);
  if (assertions) router.get(JWKS_PATH, at(jwks(assertions)));
  return router;
}

function mountBackChannel(
  router: Router,
  at: At,
  backChannel: BackChannel,
  sessions: Sessions,
): void {
  const logOut = backChannelLogout(backChannel, sessions);
  const how = { onWrongHost: refuseLogout };
  router.post(
    BACK_CHANNEL,
    at((visit) => logOut(visit, nameIn(visit, BACK_CHANNEL) ?? ''), how),
  );
}

function mountHandOver(router: Router, at: At, handOver: HandOver, sessions: Sessions): void {
  router.get(
    '/.signet/hand-over',
    at((visit) => giveSession(visit, handOver, sessions)),
  );
  router.get(
    '/.signet/accept',
    at((visit) => takeSession(visit, handOver, sessions)),
  );
}

function nameIn({ req }: Visit, path: RegExp): string | undefined {
  return path.exec(req.path)?.[1];
}

function signedIn(visit: Visit): void {
  visit.tell(own());
  sendPage(visit.res, 200, visit.pages.signedIn(visit.lang));
}

function toHandler(
  act: Act,
  options: SignInOptions & { pages: Pages },
  { within = untraced, onWrongHost = wrongHost }: Parameters<At>[1] = {},
) {
  const { cookie = HOST_COOKIE, pages, onOutcome } = options;
  const allowed = new Set(options.hosts.map((host) => host.toLowerCase()));
  const isOurs = (host: string) =>
    (allowed.size === 0 || allowed.has(host)) && isCookieHost(cookie, host);

  return async (req: Request, res: Response) => {
    let told: SignInOutcome | undefined;
    const tell = (outcome: SignInOutcome) => {
      told = outcome;
      onOutcome(req, res, outcome);
    };
    const found = placeOf(req);
    const place = found ?? NOWHERE;
    const rawQuery = rawQueryOf(req);
    const query = new URLSearchParams(rawQuery);
    const lang = req.get('Accept-Language');
    const visit: Visit = { req, res, place, rawQuery, query, cookie, pages, lang, tell };
    if (found === undefined || !isOurs(found.host)) return onWrongHost(visit);
    await within(place.requestId, async () => {
      try {
        await act(visit);
      } catch (error) {
        unavailable(visit, { login: options.login, handOver: options.handOver }, error);
      }
      return told;
    });
  };
}

// `me` among them: it verifies a token as any request does.
const untraced: Within = (_requestId, act) => act();

const NOWHERE: Visit['place'] = { requestId: '', host: '', scheme: 'https', cookies: undefined };

function wrongHost({ res, pages, lang, tell }: Visit): void {
  tell({ decision: 'deny', reason: 'host-not-allowed', detail: 'not one of our hosts' });
  sendPage(res, 400, pages.signInFailed(lang, { reason: 'host-not-allowed', returnTo: '/' }));
}
