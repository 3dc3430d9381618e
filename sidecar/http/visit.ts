// One request under /.signet/: what came, as Caddy says it, and the few ways of answering it.
// Every answer is told, so that it can be stamped, before it is sent.
import type { Request, Response } from 'express';
import type { OwnOutcome, Proven } from '../gate.ts';
import {
  cookieValues,
  HOST_COOKIE,
  readCookie,
  sessionCookieName,
  type Cookie,
} from '../identity/cookie.ts';
import type { Identity } from '../identity/identity.ts';
import type { Place as SignInPlace } from '../identity/login.ts';
import { safeReturnUrl } from '../identity/return-url.ts';
import type { Awaitable } from '../sessions/store.ts';
import type { Ended, Sessions } from '../sessions/sessions.ts';
import type { Reason } from '../policy/reason.ts';
import { readOrigin, type RequestHeaders } from '../request.ts';
import type { Lang, Pages } from './pages.ts';

/** What an answer under /.signet/ is recorded as. `detail` is for the log: why, in the library's words. */
export type SignInOutcome = {
  readonly identity?: Identity;
  readonly decision: 'none' | 'deny';
  readonly reason: Reason;
  readonly events?: NonNullable<OwnOutcome['events']>;
  readonly detail?: string;
};

export type { Proven };

/** Where the browser is: what Caddy's site matched. No other header about forwarding is believed. */
export type Place = SignInPlace & { readonly requestId: string };

export type Visit = {
  readonly req: Request;
  readonly res: Response;
  readonly place: Place;
  /** Raw, without `?`: Express would turn repeated names into arrays. */
  readonly rawQuery: string;
  readonly query: URLSearchParams;
  /** Who shares the session's cookie. */
  readonly cookie: Cookie;
  /** What is shown to people, and in which language. */
  readonly pages: Pages;
  readonly lang: Lang;
  /** Says what came of it. Exactly once, and before the answer. */
  readonly tell: (outcome: SignInOutcome) => void;
};

/** An answer of Signet's own that is no refusal. */
export function own(
  identity?: Identity,
  events?: NonNullable<OwnOutcome['events']>,
): SignInOutcome {
  return {
    ...(identity !== undefined && { identity }),
    ...(events !== undefined && { events }),
    decision: 'none',
    reason: 'signet',
  };
}

/** Returns where a request came to; undefined when it was not Caddy who sent it, or the host is none. */
export function placeOf(req: Request): Place | undefined {
  const origin = readOrigin(req.headers as RequestHeaders);
  if (origin === undefined) return undefined;
  const { requestId, scheme, host } = origin;
  if (scheme !== 'https' && scheme !== 'http') return undefined;
  if (!URL.canParse(`${scheme}://${host}`)) return undefined;
  const url = new URL(`${scheme}://${host}`);
  // Anything but a host and a port (a path, a user, a second host) would show in the whole URL.
  const isHostOnly = url.href === `${url.origin}/` && !/[/\\?#@,\s]/.test(host);
  // A host that a URL would spell otherwise (`%65xample.com`, `2130706433`) is not the one Caddy matched.
  const isPlain =
    host.toLowerCase().replace(/:(80|443)$/, '') === url.host.replace(/:(80|443)$/, '');
  if (!isHostOnly || !isPlain) return undefined;
  return { requestId, host: url.host, scheme, cookies: req.headers.cookie };
}

/** Returns the query as it stands in the target, without `?`. */
export function rawQueryOf(req: Request): string {
  const mark = req.url.indexOf('?');
  return mark < 0 ? '' : req.url.slice(mark + 1);
}

/** Returns whose session's cookie the browser shows. Throws, or rejects with, Fault ERR_SESSION_STORE. */
export function bySession(
  { cookies }: Pick<Place, 'cookies'>,
  sessions: Pick<Sessions, 'find'>,
  cookie: Cookie = HOST_COOKIE,
): Awaitable<Proven> {
  const value = readCookie(cookies, sessionCookieName(cookie));
  if (value === undefined) return { refused: 'no-credentials' };
  return value === 'repeated' ? { refused: 'cookie-repeated' } : sessions.find(value);
}

/** Returns the value of the session's cookie; undefined when there is none, or two. */
export function sessionValue({
  place,
  cookie,
}: Pick<Visit, 'place' | 'cookie'>): string | undefined {
  const value = readCookie(place.cookies, sessionCookieName(cookie));
  return value === 'repeated' ? undefined : value;
}

/**
 * Ends the session whose cookie the browser shows, if there is one, and returns it. Where there are several
 * cookies, all of theirs end, and none is returned: nobody can tell which is that person's. Rejects with Fault
 * ERR_SESSION_STORE where the store can't be read, or one of several could not be written.
 */
export async function endSession(visit: Visit, sessions: Sessions): Promise<Ended | undefined> {
  const values = cookieValues(visit.place.cookies, sessionCookieName(visit.cookie));
  const ended = await Promise.all(values.map((value) => sessions.end(value)));
  if (sessionValue(visit) !== undefined) return ended[0];
  const unwritten = ended.find((one) => one?.unwritten !== undefined)?.unwritten;
  if (unwritten !== undefined) throw unwritten;
  return undefined;
}

/** Returns the page that the request wants to come back to, or `otherwise`; of this host always. */
export function returnOf({ query }: Visit, otherwise: string): string {
  return safeReturnUrl(query.get('return') ?? otherwise);
}

/**
 * For each answer on a way that codes go, redirects too: a page that has opened the window must not read a code off
 * its address, nor get it as a referrer.
 */
export function severFromOpener({ res }: Visit): void {
  res.set({
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
  });
}

/** Sends the browser on. */
export function redirect({ res }: Visit, status: 302 | 303, location: string): void {
  res.set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer', Location: location });
  res.status(status).end();
}
