// Signing in at one host for all: a host asks (`begin`), the central one gives its session away (`give`), the
// host takes it (`take`). Only hosts of the list, only to the browser that asked, once, within a minute. What
// is under way lies sealed in cookies and URLs; knows nothing of sessions but the cookie's value.
import { randomBytes, type KeyObject } from 'node:crypto';
import { clearCookie, cookieNames, readCookie, setCookie } from './cookie.ts';
import type { Place } from './login.ts';
import { createOnce } from './once.ts';
import { safeReturnUrl, signInPath } from './return-url.ts';
import { seal, unseal } from './sealed.ts';
import type { SignInRefusal } from './sign-in-refusal.ts';

export type HandOverOptions = {
  /** 32 bytes each: the first seals, all open. */
  readonly keys: readonly KeyObject[];
  /** Where people sign in; with its port, unless it is the scheme's. */
  readonly central: string;
  /** Who may ask. */
  readonly hosts: readonly string[];
  readonly now: () => number;
  /** Those whose code was brought, and until when it would have held; a memory of its own by default. */
  readonly used?: Map<string, number>;
};

export type HandOverAsked = Place & {
  readonly returnTo: string;
  readonly prompt?: string | undefined;
  readonly idp?: string | undefined;
};

export type Taken = {
  /** The value of the session's cookie, as it is at the central host. */
  readonly session: string;
  readonly returnTo: string;
  readonly setCookies: readonly string[];
};

export type HandOver = {
  /** Whether this is the host where people sign in. */
  isCentral(host: string): boolean;
  /** On a host: returns where the browser goes to sign in, and what it keeps meanwhile. */
  begin(asked: HandOverAsked): {
    readonly redirectTo: string;
    readonly setCookies: readonly string[];
  };
  /** At the central host: returns where the browser brings its session, for this question (the parameter `state`). */
  give(
    place: Place,
    question: string,
    session: string,
  ): { readonly redirectTo: string } | SignInRefusal;
  /** On the host again: returns the session that a code is for. Whoever brings a code has used it up. */
  take(place: Place, code: string): Taken | (SignInRefusal & { readonly returnTo?: string });
  /** Returns where a code's browser wanted to go; `/` when that is unknown. */
  returnTo(place: Place, code: string): string;
};

const PREFIX = '__Host-signet-login-at-';
const STATE = /^[0-9a-z]{8,10}-[A-Za-z0-9_-]{32}$/;
// What is sealed for one purpose does not open for another, nor as a cookie.
const QUESTION = 'signet hand-over question';
const CODE = 'signet hand-over code';
/** A code goes from one redirect to the next. */
const CODE_MS = 60_000;
/** A question waits while somebody signs in, who has ten minutes for that. */
const QUESTION_MS = 660_000;
// The cookie outlives what it waits for, so that whoever is late is told so.
const COOKIE_SECONDS = 1_200;
/** Two sidecars' clocks may differ by so much. */
const SKEW_MS = 30_000;
/** Of one browser, as for sign-ins. */
export const MAX_UNDER_WAY = 5;
/** Longer than any that was sealed here. */
export const MAX_SEALED_CHARS = 1_024;

/** What the browser keeps, on the host that it came from. */
type Waiting = { readonly host: string; readonly returnTo: string; readonly atMs: number };
/** What the central host is asked. */
type Question = {
  readonly state: string;
  readonly host: string;
  readonly scheme: 'http' | 'https';
  readonly atMs: number;
};
/** What it answers. */
type Code = {
  readonly state: string;
  readonly host: string;
  readonly session: string;
  readonly atMs: number;
};

/** Returns the three steps between these hosts. */
export function createHandOver(options: HandOverOptions): HandOver {
  const { keys, now } = options;
  const used = createOnce(options.used ?? new Map(), now);
  const central = options.central.toLowerCase();
  const hosts = new Set(options.hosts.map((host) => host.toLowerCase()));
  const isCentral = (host: string) => host === central;

  function begin({ host, scheme, cookies, returnTo, prompt, idp }: HandOverAsked) {
    const atMs = now();
    const state = `${atMs.toString(36)}-${randomBytes(24).toString('base64url')}`;
    const waiting: Waiting = { host, returnTo: safeReturnUrl(returnTo), atMs };
    const question: Question = { state, host, scheme, atMs };
    const back = `/.signet/hand-over?state=${seal(question, QUESTION, keys)}`;
    const asked = signInPath(back, prompt === 'login' ? prompt : undefined, idp);
    const name = PREFIX + state;
    const cookie = setCookie(name, seal(waiting, name, keys), COOKIE_SECONDS);
    const setCookies = [...crowdedOut(cookies), cookie];
    return { redirectTo: `${scheme}://${central}${asked}`, setCookies };
  }

  function give({ host }: Place, sealed: string, session: string) {
    if (!isCentral(host)) return notOurs('this is not the host where people sign in');
    const question = open<Question>(sealed, QUESTION);
    if (question === undefined) return mismatch('the question is not one of ours');
    if (isLate(question.atMs, QUESTION_MS)) return late(question.atMs);
    // Asked again: the list may be another one by now.
    if (!hosts.has(question.host)) return notOurs(`${question.host} is not one of our hosts`);
    const { state, scheme } = question;
    const code: Code = { state, host: question.host, session, atMs: now() };
    const query = `code=${seal(code, CODE, keys)}`;
    return { redirectTo: `${scheme}://${question.host}/.signet/accept?${query}` };
  }

  function take(place: Place, sealed: string) {
    const code = open<Code>(sealed, CODE);
    // Before the cookie is looked at: in a browser that did not ask, a script may read it off the address and
    // bring it to the one that did.
    const isNew = code !== undefined && markUsed(code);
    if (cookieNames(place.cookies, PREFIX).length === 0) {
      return {
        refused: 'state-missing',
        detail: 'this browser did not ask for a session',
      } as const;
    }
    if (code === undefined) return mismatch('the code is not one of ours');
    if (code.host !== place.host) return mismatch('the code is for another host');
    const waiting = waitingFor(place.cookies, code.state);
    if (waiting === undefined) return mismatch('the code is for another browser');
    const { returnTo } = waiting;
    if (waiting.host !== place.host) return mismatch('another host began it');
    if (!isNew) return { ...USED, returnTo };
    if (isLate(code.atMs, CODE_MS)) return { ...late(code.atMs), returnTo };
    return { session: code.session, returnTo, setCookies: [clearCookie(PREFIX + code.state)] };
  }

  function returnTo({ cookies }: Place, sealed: string): string {
    const code = open<Code>(sealed, CODE);
    return (code && waitingFor(cookies, code.state)?.returnTo) ?? '/';
  }

  function waitingFor(cookies: string | undefined, state: string): Waiting | undefined {
    const name = PREFIX + state;
    const sealed = STATE.test(state) ? readCookie(cookies, name) : undefined;
    return sealed === undefined ? undefined : open<Waiting>(sealed, name, Infinity);
  }

  // The seal proves that it is ours, and what for: each purpose has one shape.
  function open<T>(sealed: string, purpose: string, maxChars = MAX_SEALED_CHARS): T | undefined {
    if (sealed.length > maxChars) return undefined;
    return unseal(sealed, purpose, keys) as T | undefined;
  }

  function isLate(atMs: number, lifetimeMs: number): boolean {
    const ageMs = now() - atMs;
    return ageMs > lifetimeMs || ageMs < -SKEW_MS;
  }

  function late(atMs: number): SignInRefusal {
    const seconds = Math.round((now() - atMs) / 1_000);
    return { refused: 'state-expired', detail: `begun ${seconds} seconds ago` };
  }

  // Returns whether nobody did before. By its question: no other code for that one is taken either.
  function markUsed({ state, atMs }: Code): boolean {
    if (used.has(state)) return false;
    used.add(state, atMs + QUESTION_MS + CODE_MS + SKEW_MS);
    return true;
  }

  return { isCentral, begin, give, take, returnTo };
}

const USED: SignInRefusal = { refused: 'state-used', detail: 'the code was used before' };

// Makes room for one more: the oldest go, told by the time in their names.
function crowdedOut(cookies: string | undefined): string[] {
  const names = cookieNames(cookies, PREFIX).toSorted();
  return names.slice(0, Math.max(0, names.length - MAX_UNDER_WAY + 1)).map(clearCookie);
}

function mismatch(detail: string): SignInRefusal {
  return { refused: 'state-mismatch', detail };
}

function notOurs(detail: string): SignInRefusal {
  return { refused: 'host-not-allowed', detail };
}
