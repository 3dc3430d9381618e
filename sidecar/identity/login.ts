// A sign-in: `beginLogin` sends the browser to a provider, `finishLogin` judges what comes back.
// What is under way lives in sealed cookies of that browser, so the signed out can't fill a store.
import type { KeyObject } from 'node:crypto';
import * as client from 'openid-client';
import { createExchanges } from './exchanges.ts';
import { exchangeCode } from './grants.ts';
import { countSignIns, loopMarker } from './login-loop.ts';
import { createSignInsUnderWay, forgetUnderWay, type UnderWay } from './login-under-way.ts';
import type { Provider } from './provider.ts';
import { safeReturnUrl } from './return-url.ts';
import type { Begun } from './begun.ts';
import type { SignInRefusal } from './sign-in-refusal.ts';

export type LoginOptions = {
  /** The first is the main one: its callback is `/.signet/callback`, the others' have their names added. */
  readonly providers: readonly Provider[];
  /** 32 bytes each: the first seals, all open. */
  readonly keys: readonly KeyObject[];
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

/** What a sign-in is asked for with. */
export type LoginAsked = Place & {
  readonly returnTo: string;
  readonly prompt?: string | undefined;
  /** A provider's name; default: the only one. */
  readonly idp?: string | undefined;
};

/** What came back; `query` is the callback's, raw, without `?`, and `idp` the name in its path, if there is one. */
export type LoginReturned = Place & {
  /** Who came, for the bound of each client; default: only the whole is bounded. */
  readonly client?: string;
  readonly query: string;
  readonly idp?: string | undefined;
};

export type LoginBegun = { readonly redirectTo: string; readonly setCookies: readonly string[] };
/** Several providers, and none named: people choose. */
export type LoginChoice = {
  readonly choose: readonly { readonly name: string; readonly label: string }[];
};
export type LoginFinished = {
  readonly begun: Begun;
  /** The provider's name. */
  readonly provider: string;
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
  beginLogin(asked: LoginAsked): Promise<LoginBegun | LoginRefused | LoginChoice>;
  finishLogin(returned: LoginReturned): Promise<LoginFinished | LoginRefused>;
  /** Returns where a callback's sign-in was to lead, whatever became of it; `/` when that is unknown. */
  returnTo(place: Pick<LoginReturned, 'cookies' | 'query'>): string;
};

const LOOP: SignInRefusal = {
  refused: 'sign-in-loop',
  detail: 'signed in three times within seconds',
};

/** Returns the pair that signs people in at these providers. */
export function createLogin(options: LoginOptions): Login {
  const { providers, keys, now, used = new Map<string, number>() } = options;
  const underWay = createSignInsUnderWay({ keys, now, used });
  const exchanges = new Map(providers.map(({ name, issuer }) => [name, createExchanges(issuer)]));

  async function beginLogin(asked: LoginAsked): ReturnType<Login['beginLogin']> {
    const provider = named(asked.idp ?? only(providers)?.name);
    if (provider === undefined && asked.idp === undefined) return { choose: choices(providers) };
    if (provider === undefined) return { ...unknown(asked.idp), setCookies: [] };
    const prompt = asked.prompt === 'login' ? asked.prompt : undefined;
    // Who asks for a prompt chose to sign in again; that is no loop.
    const signIns = prompt ? 0 : countSignIns(asked.cookies, keys, now());
    if (signIns === 'loop') return { ...LOOP, setCookies: [loopMarker()] };
    return sendTo(provider, asked, { signIns, prompt });
  }

  async function sendTo(
    provider: Provider,
    asked: LoginAsked,
    { signIns, prompt }: { signIns: number; prompt: string | undefined },
  ): Promise<LoginBegun> {
    const state = underWay.newState(now());
    const begun: UnderWay = {
      provider: provider.name,
      issuer: provider.issuer,
      host: asked.host,
      returnTo: safeReturnUrl(asked.returnTo),
      verifier: client.randomPKCECodeVerifier(),
      nonce: client.randomNonce(),
      signIns,
      atMs: now(),
    };
    const redirectTo = client.buildAuthorizationUrl(provider.config(), {
      ...provider.parameters,
      redirect_uri: callbackUrl(asked, provider).href,
      scope: provider.scope,
      state,
      nonce: begun.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(begun.verifier),
      code_challenge_method: 'S256',
      ...(prompt && { prompt }),
    });
    const setCookies = underWay.keep(state, begun, asked.cookies);
    return { redirectTo: redirectTo.href, setCookies };
  }

  async function finishLogin(returned: LoginReturned): ReturnType<Login['finishLogin']> {
    const provider = named(returned.idp ?? providers[0]?.name);
    if (provider === undefined) return { ...unknown(returned.idp), setCookies: [] };
    const places = exchanges.get(provider.name)!;
    // Before the state is used: who is told to try again can do so with this very address.
    places.mustHaveRoom(returned.client);
    const taken = underWay.take(returned, provider);
    if ('refused' in taken) return { ...taken, setCookies: [] };
    const { state, returnTo } = taken;
    const begun = await places.run(returned.client, () => exchange(provider, returned, taken));
    const clear = forgetUnderWay(state);
    if ('refused' in begun) return { ...begun, returnTo, setCookies: [clear] };
    const marker = loopMarker({ signIns: taken.signIns, nowMs: now(), keys });
    return { begun, provider: provider.name, returnTo, setCookies: [clear, marker] };
  }

  function exchange(
    provider: Provider,
    returned: LoginReturned,
    { state, nonce, verifier }: UnderWay & { state: string },
  ): Promise<Begun | SignInRefusal> {
    const callback = callbackUrl(returned, provider);
    callback.search = new URLSearchParams(returned.query).toString();
    return exchangeCode(provider, { callback, state, nonce, verifier, nowMs: now() });
  }

  function callbackUrl({ scheme, host }: Place, { name }: Provider): URL {
    const path = name === providers[0]?.name ? '' : `/${encodeURIComponent(name)}`;
    return new URL(`${scheme}://${host}/.signet/callback${path}`);
  }

  function named(name: string | undefined): Provider | undefined {
    return providers.find((one) => one.name === name);
  }

  return { beginLogin, finishLogin, returnTo: (place) => underWay.read(place)?.returnTo ?? '/' };
}

function only(providers: readonly Provider[]): Provider | undefined {
  return providers.length === 1 ? providers[0] : undefined;
}

function choices(providers: readonly Provider[]): LoginChoice['choose'] {
  return providers.map(({ name, label }) => ({ name, label }));
}

/** Of a provider's name that there is none of: names have 64 characters at most. */
const MAX_SHOWN_CHARS = 64;

// The name is the client's own text, and may be of any length.
function unknown(name: string | undefined): SignInRefusal {
  const shown = (name ?? '').slice(0, MAX_SHOWN_CHARS).toWellFormed();
  return { refused: 'provider-unknown', detail: `no provider is called ${JSON.stringify(shown)}` };
}
