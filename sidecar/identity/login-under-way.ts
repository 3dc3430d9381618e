// Sign-ins under way: sealed in cookies of the browser that began them, bound to host and provider, good once.
// Knows nothing of what the provider answers.
import type { KeyObject } from 'node:crypto';
import { randomBytes } from 'node:crypto';
import { clearCookie, cookieNames, readCookie, setCookie } from './cookie.ts';
import { createOnce } from './once.ts';
import { seal, unseal } from './sealed.ts';
import type { SignInRefusal } from './sign-in-refusal.ts';

/** A sign-in under way, as it lies sealed in the browser. */
export type UnderWay = {
  /** The provider's name; absent in one that a Signet of a single provider began. */
  readonly provider?: string;
  readonly issuer: string;
  readonly host: string;
  readonly returnTo: string;
  readonly verifier: string;
  readonly nonce: string;
  readonly signIns: number;
  readonly atMs: number;
};

/** Where a callback came, and with what. */
export type Came = {
  readonly host: string;
  readonly cookies: string | undefined;
  readonly query: string;
};

export type SignInsUnderWay = {
  /** Returns a state for the authorization request. */
  newState(nowMs: number): string;
  /** Returns the `Set-Cookie` headers that keep it in the browser, and make room where there are too many. */
  keep(state: string, underWay: UnderWay, cookies: string | undefined): string[];
  /** Returns what a callback belongs to, whatever became of it. */
  read(came: Omit<Came, 'host'>): UnderWay | undefined;
  /** Returns the same once, or why it is none: of two callbacks at once, one is refused. */
  take(
    came: Came,
    of: { readonly name: string; readonly issuer: string },
  ): (UnderWay & { readonly state: string }) | SignInRefusal;
};

const PREFIX = '__Host-signet-login-';
const STATE = /^[0-9a-z]{8,10}-[A-Za-z0-9_-]{32}$/;
const LIFETIME_MS = 600_000;
// The cookie outlives what it holds, so that a late callback is told that it is late.
const COOKIE_SECONDS = 1_200;
/** Sign-ins of one browser: five of their cookies, each below 4,096 bytes, still fit into a header. */
export const MAX_UNDER_WAY = 5;

/** Returns the sign-ins under way; `used` has the states that came back, and until when each would have held. */
export function createSignInsUnderWay(options: {
  readonly keys: readonly KeyObject[];
  readonly now: () => number;
  readonly used: Map<string, number>;
}): SignInsUnderWay {
  const { keys, now } = options;
  const used = createOnce(options.used, now);

  function keep(state: string, underWay: UnderWay, cookies: string | undefined): string[] {
    const name = PREFIX + state;
    const cookie = setCookie(name, seal(underWay, name, keys), COOKIE_SECONDS);
    return [...crowdedOut(cookies), cookie];
  }

  function read({ cookies, query }: Omit<Came, 'host'>): UnderWay | undefined {
    const state = stateOf(query);
    const name = PREFIX + state;
    const sealed = STATE.test(state) ? readCookie(cookies, name) : undefined;
    const underWay = sealed === undefined ? undefined : unseal(sealed, name, keys);
    return isUnderWay(underWay) ? underWay : undefined;
  }

  function find(came: Came, of: { name: string; issuer: string }): UnderWay | SignInRefusal {
    if (namesIn(came.cookies).length === 0) {
      return { refused: 'state-missing', detail: 'no sign-in of this browser is under way' };
    }
    const underWay = read(came);
    if (underWay === undefined) return mismatch('the state is not one of this browser');
    if (underWay.host !== came.host) return mismatch('the state belongs to another host');
    // RFC 9700 section 4.4: each provider has a callback of its own, so a mix-up shows in the path.
    const isSame = underWay.issuer === of.issuer && (underWay.provider ?? of.name) === of.name;
    if (!isSame) return mismatch('the state is of another provider');
    if (used.has(stateOf(came.query))) {
      return { refused: 'state-used', detail: 'the state was used before' };
    }
    const ageMs = now() - underWay.atMs;
    if (ageMs <= LIFETIME_MS) return underWay;
    return { refused: 'state-expired', detail: `begun ${Math.round(ageMs / 60_000)} minutes ago` };
  }

  function take(came: Came, of: { name: string; issuer: string }) {
    const underWay = find(came, of);
    if ('refused' in underWay) return underWay;
    const state = stateOf(came.query);
    // As long as its cookie, so that who comes with it late is told that it was used.
    used.add(state, underWay.atMs + COOKIE_SECONDS * 1_000);
    return { ...underWay, state };
  }

  return { newState, keep, read, take };
}

/** Returns the `Set-Cookie` header that forgets a sign-in of this state. */
export function forgetUnderWay(state: string): string {
  return clearCookie(PREFIX + state);
}

// The time goes first, so that the oldest is told by its cookie's name.
function newState(nowMs: number): string {
  return `${nowMs.toString(36)}-${randomBytes(24).toString('base64url')}`;
}

// Two of them match no cookie's name.
function stateOf(query: string): string {
  return new URLSearchParams(query).getAll('state').join(' ');
}

// Makes room for one more: the oldest go.
function crowdedOut(cookies: string | undefined): string[] {
  const names = namesIn(cookies).toSorted();
  return names.slice(0, Math.max(0, names.length - MAX_UNDER_WAY + 1)).map(clearCookie);
}

// Others of Signet's cookies begin alike.
function namesIn(cookies: string | undefined): string[] {
  return cookieNames(cookies, PREFIX).filter((name) => STATE.test(name.slice(PREFIX.length)));
}

function mismatch(detail: string): SignInRefusal {
  return { refused: 'state-mismatch', detail };
}

// The seal has proved that it is ours; an older Signet's may have another shape.
function isUnderWay(value: unknown): value is UnderWay {
  return typeof value === 'object' && value !== null && 'verifier' in value && 'atMs' in value;
}
