// A sign-in: `beginLogin` sends the browser to the provider, `finishLogin` judges what comes back.
// What is under way lives in sealed cookies of that browser, so the signed out can't fill a store.
import type { KeyObject } from 'node:crypto';
import { randomBytes } from 'node:crypto';
import * as client from 'openid-client';
import type { Claims, ClaimNames } from './claims.ts';
import { identityFromClaims } from './claims.ts';
import { clearCookie, cookieNames, readCookie, setCookie } from './cookie.ts';
import type { Identity } from './identity.ts';
import { countSignIns, loopMarker } from './login-loop.ts';
import type { Provider } from './provider.ts';
import { safeReturnUrl } from './return-url.ts';
import { seal, unseal } from './sealed.ts';
import type { SignInRefusal } from './sign-in-refusal.ts';
import { refusalOf, userinfoRefusalOf } from './sign-in-refusal.ts';
import { tokenErrorIn } from './token-error.ts';

export type LoginOptions = {
  readonly provider: Provider;
  /** 32 bytes each: the first seals, all open. */
  readonly keys: readonly KeyObject[];
  readonly names: ClaimNames;
  readonly now: () => number;
  /** States that were used, and when each was begun; a memory of its own by default. */
  readonly used?: Map<string, number>;
};

/** Where the browser is, as Caddy says. `host` with its port, `cookies` the raw header. */
export type Place = {
  readonly host: string;
  readonly scheme: 'http' | 'https';
  readonly cookies: string | undefined;
};

export type LoginBegun = { readonly redirectTo: string; readonly setCookies: readonly string[] };
export type LoginFinished = {
  readonly identity: Identity;
  readonly returnTo: string;
  readonly setCookies: readonly string[];
};
export type LoginRefused = SignInRefusal & {
  readonly setCookies: readonly string[];
  /** Where this sign-in would have led, when that is known. */
  readonly returnTo?: string;
};

/** Both throw Fault ERR_PROVIDER when the provider can't be had. */
export type Login = {
  beginLogin(
    place: Place & { returnTo: string; prompt?: string | undefined },
  ): Promise<LoginBegun | LoginRefused>;
  /** `query` is the callback's, raw, without `?`. */
  finishLogin(place: Place & { query: string }): Promise<LoginFinished | LoginRefused>;
  /** Returns where a callback's sign-in was to lead, whatever became of it; `/` when that is unknown. */
  returnTo(place: Place & { query: string }): string;
};

const PREFIX = '__Host-signet-login-';
const STATE = /^[0-9a-z]{8,10}-[A-Za-z0-9_-]{32}$/;
const LIFETIME_MS = 600_000;
// The cookie outlives what it holds, so that a late callback is told that it is late.
const COOKIE_SECONDS = 1_200;
const MAX_UNDER_WAY = 5;
const MAX_USED = 10_000;
const SKEW_SECONDS = 30; // as in openid-client

const LOOP: SignInRefusal = {
  refused: 'sign-in-loop',
  detail: 'signed in three times within seconds',
};

/** A sign-in under way, as it lies sealed in the browser. */
type UnderWay = {
  readonly issuer: string;
  readonly host: string;
  readonly returnTo: string;
  readonly verifier: string;
  readonly nonce: string;
  readonly signIns: number;
  readonly atMs: number;
};

/** Returns the pair that signs people in at this provider. */
export function createLogin(options: LoginOptions): Login {
  const { provider, keys, names, now, used = new Map<string, number>() } = options;

  async function beginLogin(place: Parameters<Login['beginLogin']>[0]) {
    const prompt = place.prompt === 'login' ? place.prompt : undefined;
    const nowMs = now();
    // Who asks for a prompt chose to sign in again; that is no loop.
    const signIns = prompt ? 0 : countSignIns(place.cookies, keys, nowMs);
    if (signIns === 'loop') return { ...LOOP, setCookies: [loopMarker()] };
    const config = provider.config();
    const state = `${nowMs.toString(36)}-${randomBytes(24).toString('base64url')}`;
    const { issuer } = provider;
    const underWay: UnderWay = {
      issuer,
      host: place.host,
      returnTo: safeReturnUrl(place.returnTo),
      verifier: client.randomPKCECodeVerifier(),
      nonce: client.randomNonce(),
      signIns,
      atMs: nowMs,
    };
    const redirectTo = client.buildAuthorizationUrl(config, {
      redirect_uri: callbackUrl(place).href,
      scope: provider.scope,
      state,
      nonce: underWay.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(underWay.verifier),
      code_challenge_method: 'S256',
      ...(prompt && { prompt }),
    });
    const name = PREFIX + state;
    const cookie = setCookie(name, seal(underWay, name, keys), COOKIE_SECONDS);
    return { redirectTo: redirectTo.href, setCookies: [...crowdedOut(place.cookies), cookie] };
  }

  async function finishLogin(place: Parameters<Login['finishLogin']>[0]) {
    const query = new URLSearchParams(place.query);
    const state = stateOf(place.query);
    const underWay = findUnderWay(place, state);
    if ('refused' in underWay) return { ...underWay, setCookies: [] };
    // Marked before the exchange: of two callbacks at once, one is refused.
    markUsed(state, underWay.atMs);
    const answer = await exchange(place, query, state, underWay);
    const clear = clearCookie(PREFIX + state);
    const { returnTo } = underWay;
    if ('refused' in answer) return { ...answer, returnTo, setCookies: [clear] };
    const marker = loopMarker({ signIns: underWay.signIns, nowMs: now(), keys });
    return { identity: answer, returnTo, setCookies: [clear, marker] };
  }

  function returnTo({ cookies, query }: Parameters<Login['returnTo']>[0]): string {
    return readUnderWay(cookies, stateOf(query))?.returnTo ?? '/';
  }

  function readUnderWay(cookies: string | undefined, state: string): UnderWay | undefined {
    const name = PREFIX + state;
    const sealed = STATE.test(state) ? readCookie(cookies, name) : undefined;
    const underWay = sealed === undefined ? undefined : unseal(sealed, name, keys);
    return isUnderWay(underWay) ? underWay : undefined;
  }

  function findUnderWay(place: Place, state: string): UnderWay | SignInRefusal {
    const none = cookieNames(place.cookies, PREFIX).length === 0;
    if (none)
      return { refused: 'state-missing', detail: 'no sign-in of this browser is under way' };
    const underWay = readUnderWay(place.cookies, state);
    if (underWay === undefined) return mismatch('the state is not one of this browser');
    if (underWay.host !== place.host) return mismatch('the state belongs to another host');
    if (underWay.issuer !== provider.issuer) return mismatch('the state is of another provider');
    if (used.has(state)) return { refused: 'state-used', detail: 'the state was used before' };
    const ageMs = now() - underWay.atMs;
    if (ageMs <= LIFETIME_MS) return underWay;
    return { refused: 'state-expired', detail: `begun ${Math.round(ageMs / 60_000)} minutes ago` };
  }

  function markUsed(state: string, begunAtMs: number): void {
    const oldest = used.entries().next().value;
    const isPast = oldest !== undefined && now() - oldest[1] > LIFETIME_MS;
    if (oldest && (isPast || used.size >= MAX_USED)) used.delete(oldest[0]);
    used.set(state, begunAtMs);
  }

  async function exchange(
    place: Place,
    query: URLSearchParams,
    expectedState: string,
    { verifier: pkceCodeVerifier, nonce: expectedNonce }: UnderWay,
  ): Promise<Identity | SignInRefusal> {
    const config = provider.config();
    const url = callbackUrl(place);
    url.search = query.toString();
    const checks = { expectedState, expectedNonce, pkceCodeVerifier, idTokenExpected: true };
    const granted = await exchangeCode(provider, url, checks);
    if ('refused' in granted) return granted;
    const { accessToken, idToken } = granted;
    if (idToken.iat > now() / 1_000 + SKEW_SECONDS) {
      return { refused: 'id-token-not-yet-valid', detail: 'the ID token is of the future' };
    }
    const userinfo = await readUserinfo(config, accessToken, idToken.sub);
    if ('refused' in userinfo) return userinfo;
    return toIdentity({ ...userinfo.claims, ...idToken });
  }

  function toIdentity(claims: Claims): Identity | SignInRefusal {
    const { issuer } = provider;
    const identity = identityFromClaims(claims, {
      issuer,
      method: 'session',
      names,
      expiresAtMs: now(), // the session sets it
    });
    if (!('refused' in identity)) return identity;
    return { refused: 'id-token-claims', detail: 'sub or act is missing or unusable' };
  }

  return { beginLogin, finishLogin, returnTo };
}

async function exchangeCode(
  provider: Provider,
  url: URL,
  checks: client.AuthorizationCodeGrantChecks & { readonly pkceCodeVerifier: string },
): Promise<{ accessToken: string; idToken: client.IDToken } | SignInRefusal> {
  try {
    const tokens = await client.authorizationCodeGrant(provider.config(), url, checks);
    await provider.noteAnswer(undefined);
    const idToken = tokens.claims();
    if (idToken) return { accessToken: tokens.access_token, idToken };
    return { refused: 'code-refused', detail: 'the provider sent no ID token' };
  } catch (error) {
    const secret = provider.clientSecret?.reveal() ?? '';
    const sent = [secret, url.searchParams.get('code') ?? '', checks.pkceCodeVerifier];
    const told = await tokenErrorIn(error, sent);
    if (told !== undefined) await provider.noteAnswer(told);
    return refusalOf(error, told, sent);
  }
}

async function readUserinfo(
  config: client.Configuration,
  accessToken: string,
  subject: string,
): Promise<{ claims: Claims } | SignInRefusal> {
  if (config.serverMetadata().userinfo_endpoint === undefined) return { claims: {} };
  try {
    return { claims: await client.fetchUserInfo(config, accessToken, subject) };
  } catch (error) {
    // One that is no header's value is quoted by whoever refuses it, and trimmed before.
    return userinfoRefusalOf(error, [accessToken, accessToken.trim()]);
  }
}

// Two of them match no cookie's name.
function stateOf(query: string): string {
  return new URLSearchParams(query).getAll('state').join(' ');
}

// Makes room for one more: the oldest go, told by the time in their names.
function crowdedOut(cookies: string | undefined): string[] {
  const names = cookieNames(cookies, PREFIX).toSorted();
  return names.slice(0, Math.max(0, names.length - MAX_UNDER_WAY + 1)).map(clearCookie);
}

function callbackUrl({ scheme, host }: Place): URL {
  return new URL(`${scheme}://${host}/.signet/callback`);
}

function mismatch(detail: string): SignInRefusal {
  return { refused: 'state-mismatch', detail };
}

// The seal has proved that it is ours; an older Signet's may have another shape.
function isUnderWay(value: unknown): value is UnderWay {
  return typeof value === 'object' && value !== null && 'verifier' in value && 'atMs' in value;
}
