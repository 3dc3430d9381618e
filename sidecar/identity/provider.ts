// An OpenID provider that people sign in at: found by discovery, in the background, for as long as it
// takes. Holds its configuration; what is asked of it is in login.ts and grants.ts.
import { setTimeout as delay } from 'node:timers/promises';
import * as client from 'openid-client';
import { Fault, explain } from '../fault.ts';
import type { Secret } from '../secret.ts';
import type { Fetch } from './bounded-fetch.ts';
import { createBoundedFetch } from './bounded-fetch.ts';
import type { ClaimNames } from './claims.ts';
import { createClientStanding } from './client-standing.ts';
import { asCustomFetch, configured, discover } from './discover.ts';
import { createKeySource, type KeySource } from './jwks.ts';
import { RESERVED_PARAMETERS } from './reserved-parameters.ts';
import type { TokenError } from './token-error.ts';

export type ProviderOptions = {
  /** What `idp:` calls it, and the path of its callback: unique among the configured ones. */
  readonly name: string;
  /** What people read where they choose among several; default: the name. */
  readonly label?: string;
  /** Exactly as in `iss`: https, or http on loopback. */
  readonly issuer: string;
  readonly clientId: string;
  /** Absent for a public client. */
  readonly clientSecret?: Secret;
  /** `openid` is always asked for. */
  readonly scopes: readonly string[];
  readonly names: ClaimNames;
  /** Further parameters of the authorization request; those of RESERVED_PARAMETERS are left out. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Whether signing out here signs out at the provider, too; default `local`: it does not. */
  readonly signOut?: 'local' | 'provider';
  readonly fetch?: Fetch;
  /** Told which of its keys can't be used, and why, when that is not what it was. */
  readonly onUnusable?: (unusable: string) => void;
};

export type Provider = {
  readonly name: string;
  readonly label: string;
  readonly issuer: string;
  readonly names: ClaimNames;
  readonly signOut: 'local' | 'provider';
  /** Space-separated, as in the authorization request. */
  readonly scope: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** What it knows us by, and nobody is to read in its words. */
  readonly clientSecret?: Secret;
  readonly clientId: string;
  /** Its signing keys, for what it sends by itself (logout tokens); the first use fetches them. */
  readonly keys: KeySource;
  /** Whether people can sign in now, for `/readyz`. */
  state(): { ready: boolean; problem?: string };
  /**
   * Returns openid-client's configuration, one for each call: a key that the provider has put in place since
   * is found at once. Throws Fault ERR_PROVIDER until discovery has succeeded.
   */
  config(): client.Configuration;
  /** The same for refreshing: a refresh token that was sent may be spent, so its answer is waited for. */
  patientConfig(): client.Configuration;
  /**
   * Told what the token endpoint said to the code of a sign-in, undefined when it gave tokens: one that refuses
   * us as a client is a problem until it takes a code. Never rejects.
   */
  noteAnswer(error: TokenError | undefined): Promise<void>;
  /** Resolves when the first attempt at discovery has ended, well or not. */
  readonly tried: Promise<void>;
  /** Ends the attempts at discovery. */
  close(): void;
};

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;
/**
 * How long a token endpoint may take to refresh; nobody waits for it. Keys and the user endpoint have five seconds
 * each, so that all of it stays well within REFRESH_MS.
 */
const REFRESH_TIMEOUT_MS = 30_000;

/** Returns the provider, not yet discovered: that goes on in the background until it succeeds. */
export function createProvider(options: ProviderOptions): Provider {
  const { name, issuer, clientId, clientSecret, names } = options;
  const closing = new AbortController();
  let configurations: (() => client.Configuration) | undefined;
  let problem = `${issuer} has not answered yet`;
  const steadyMs = () => performance.now();
  const standing = createClientStanding(steadyMs);
  const fetch = createBoundedFetch(options.fetch);
  const patientFetch = asCustomFetch(
    createBoundedFetch(options.fetch, { timeoutMs: REFRESH_TIMEOUT_MS }),
  );
  const ours = { issuer, clientId, ...(clientSecret && { clientSecret }), fetch };
  const { promise: tried, resolve: endTry } = Promise.withResolvers<void>();

  async function discoverUntilDone(): Promise<void> {
    for (let waitMs = FIRST_RETRY_MS; !closing.signal.aborted;) {
      try {
        const metadata = await discover(ours);
        configurations = withLatestKeys(() => configured(ours, metadata), steadyMs);
        return;
      } catch (error) {
        problem = `discovery of ${issuer}: ${explain(error)}`;
      } finally {
        endTry();
      }
      await delay(waitMs, undefined, { ref: false, signal: closing.signal });
      waitMs = Math.min(waitMs * 2, LONGEST_RETRY_MS);
    }
  }

  function state(): ReturnType<Provider['state']> {
    const wrong = configurations ? standing.problem() : problem;
    return wrong === undefined ? { ready: true } : { ready: false, problem: wrong };
  }

  function config(): client.Configuration {
    if (configurations) return configurations();
    throw new Fault('ERR_PROVIDER', problem);
  }

  function patientConfig(): client.Configuration {
    const own = config();
    const quick = asCustomFetch(fetch);
    // Keys are fetched by GET.
    own[client.customFetch] = (url, call) =>
      call.method === 'POST' ? patientFetch(url, call) : quick(url, call);
    return own;
  }

  discoverUntilDone().catch((error: unknown) => {
    if (!closing.signal.aborted) problem = explain(error);
  });
  return {
    name,
    label: options.label ?? name,
    issuer,
    names,
    signOut: options.signOut ?? 'local',
    clientId,
    ...(clientSecret && { clientSecret }),
    scope: [...new Set(['openid', ...options.scopes])].join(' '),
    parameters: withoutReserved(options.parameters ?? {}),
    keys: createKeySource({ issuer, fetch, now: steadyMs, onUnusable: options.onUnusable }),
    state,
    config,
    patientConfig,
    noteAnswer: async (error) => {
      const sent = [clientSecret?.reveal() ?? ''];
      if (configurations) await standing.noteAnswer(error, configurations, sent);
    },
    tried,
    close: () => closing.abort(),
  };
}

function withoutReserved(parameters: Readonly<Record<string, string>>): Record<string, string> {
  const own = Object.entries(parameters).filter(([name]) => !RESERVED_PARAMETERS.has(name));
  return Object.fromEntries(own);
}

/** Keys this old are fetched anew. Until then an outage of the provider's key endpoint harms no sign-in. */
const KEYS_MS = 3_600_000;
/** From this age on the library fetches again when it meets a key that it does not know. */
const LOOKS_AGAIN_SECONDS = 60;
/** So many configurations are looked through for keys that were fetched by one of them: more are not in use at once. */
const MAX_HANDED_OUT = 100;

// The library would refuse a new key for a minute after it fetched the old ones, and the code or refresh token
// would be spent. Nobody can make us fetch by this: its ID tokens come from the token endpoint alone.
function withLatestKeys(
  make: () => client.Configuration,
  steadyMs: () => number,
): () => client.Configuration {
  const handedOut = new Map<client.Configuration, number>();
  let keys: { readonly jwks: client.JWKS; readonly atMs: number } | undefined;

  function learn(): void {
    for (const [config, uat] of handedOut) {
      const used = client.getJwksCache(config);
      if (used === undefined || used.uat === uat) continue;
      keys = { jwks: used.jwks, atMs: steadyMs() };
      handedOut.delete(config);
    }
    if (keys && steadyMs() - keys.atMs > KEYS_MS) keys = undefined;
  }

  return () => {
    learn();
    const config = make();
    const uat = Math.floor(Date.now() / 1_000) - LOOKS_AGAIN_SECONDS;
    if (keys) client.setJwksCache(config, { jwks: keys.jwks, uat });
    const [oldest] = handedOut.keys();
    if (oldest && handedOut.size >= MAX_HANDED_OUT) handedOut.delete(oldest);
    handedOut.set(config, uat);
    return config;
  };
}
