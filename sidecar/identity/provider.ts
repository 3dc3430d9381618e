// The OpenID provider that people sign in at: found by discovery, in the background, for as long as it
// takes. Holds its configuration; the sign-in itself is in login.ts.
import { setTimeout as delay } from 'node:timers/promises';
import type { ClientAuth, CustomFetch } from 'openid-client';
import * as client from 'openid-client';
import { Fault, explain } from '../fault.ts';
import type { Secret } from '../secret.ts';
import type { Fetch } from './bounded-fetch.ts';
import { createBoundedFetch, isAllowedUrl } from './bounded-fetch.ts';
import { createClientStanding } from './client-standing.ts';
import type { TokenError } from './token-error.ts';

export type ProviderOptions = {
  /** Exactly as in `iss`: https, or http on loopback. */
  readonly issuer: string;
  readonly clientId: string;
  /** Absent for a public client. */
  readonly clientSecret?: Secret;
  /** `openid` is always asked for. */
  readonly scopes: readonly string[];
  readonly fetch?: Fetch;
};

export type Provider = {
  readonly issuer: string;
  /** Space-separated, as in the authorization request. */
  readonly scope: string;
  /** What it knows us by, and nobody is to read in its words. */
  readonly clientSecret?: Secret;
  /** Whether people can sign in now, for `/readyz`. */
  state(): { ready: boolean; problem?: string };
  /** Returns openid-client's configuration; throws Fault ERR_PROVIDER until discovery has succeeded. */
  config(): client.Configuration;
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

/** Returns the provider, not yet discovered: that goes on in the background until it succeeds. */
export function createProvider(options: ProviderOptions): Provider {
  const { issuer } = options;
  const closing = new AbortController();
  let configuration: client.Configuration | undefined;
  let problem = `${issuer} has not answered yet`;
  const standing = createClientStanding(() => performance.now());
  const { promise: tried, resolve: endTry } = Promise.withResolvers<void>();

  async function discoverUntilDone(): Promise<void> {
    for (let waitMs = FIRST_RETRY_MS; !closing.signal.aborted;) {
      try {
        configuration = await discover(options);
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
    const wrong = configuration ? standing.problem() : problem;
    return wrong === undefined ? { ready: true } : { ready: false, problem: wrong };
  }

  discoverUntilDone().catch((error: unknown) => {
    if (!closing.signal.aborted) problem = explain(error);
  });
  return {
    issuer,
    ...(options.clientSecret && { clientSecret: options.clientSecret }),
    scope: [...new Set(['openid', ...options.scopes])].join(' '),
    state,
    config: () => {
      if (configuration) return configuration;
      throw new Fault('ERR_PROVIDER', problem);
    },
    noteAnswer: async (error) => {
      const sent = [options.clientSecret?.reveal() ?? ''];
      if (configuration) await standing.noteAnswer(error, configuration, sent);
    },
    tried,
    close: () => closing.abort(),
  };
}

async function discover(options: ProviderOptions): Promise<client.Configuration> {
  const { issuer, clientId, clientSecret, fetch } = options;
  if (!URL.canParse(issuer) || !isAllowedUrl(new URL(issuer))) {
    throw new Fault('ERR_PROVIDER', 'an issuer is https, or http on this machine');
  }
  const insecure = new URL(issuer).protocol === 'http:' ? [client.allowInsecureRequests] : [];
  const configuration = await client.discovery(
    new URL(issuer),
    clientId,
    undefined,
    clientSecret ? confidential(clientSecret) : client.None(),
    {
      execute: [client.enableNonRepudiationChecks, ...insecure],
      [client.customFetch]: asCustomFetch(createBoundedFetch(fetch)),
    },
  );
  const found = configuration.serverMetadata().issuer;
  if (found !== issuer) {
    // The library forgives a slash at the end; a token's `iss` is compared as text.
    throw new Fault('ERR_PROVIDER', `it calls itself ${found}; write the issuer exactly so`);
  }
  return configuration;
}

// RFC 8414 section 2: `client_secret_basic` when a provider announces nothing.
function confidential(secret: Secret): ClientAuth {
  return (server, metadata, body, headers) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const authenticate = methods.includes('client_secret_basic')
      ? client.ClientSecretBasic(secret.reveal())
      : client.ClientSecretPost(secret.reveal());
    authenticate(server, metadata, body, headers);
  };
}

function asCustomFetch(fetch: Fetch): CustomFetch {
  return (url, { method, headers, body, signal }) =>
    fetch(url, { method, headers, body: body ?? null, ...(signal && { signal }) });
}
