// Finds what a provider says of itself, and makes openid-client's configuration of it. Knows nothing of
// retries (provider.ts) or of people.
import type { ClientAuth, CustomFetch, ServerMetadata } from 'openid-client';
import * as client from 'openid-client';
import { Fault } from '../fault.ts';
import type { Secret } from '../secret.ts';
import type { Fetch } from './bounded-fetch.ts';
import { isAllowedUrl } from './bounded-fetch.ts';

export type Client = {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret?: Secret;
  /** Bounded already. */
  readonly fetch: Fetch;
};

/** Returns the provider's metadata; throws Fault ERR_PROVIDER where it is not as it should be. */
export async function discover({ issuer, clientId, fetch }: Client): Promise<ServerMetadata> {
  if (!URL.canParse(issuer) || !isAllowedUrl(new URL(issuer))) {
    throw new Fault('ERR_PROVIDER', 'an issuer is https, or http on this machine');
  }
  const found = await client.discovery(new URL(issuer), clientId, undefined, client.None(), {
    execute: isPlain(issuer) ? [client.allowInsecureRequests] : [],
    [client.customFetch]: asCustomFetch(fetch),
  });
  const metadata = found.serverMetadata();
  if (metadata.issuer !== issuer) {
    // The library forgives a slash at the end; a token's `iss` is compared as text.
    throw new Fault(
      'ERR_PROVIDER',
      `it calls itself ${metadata.issuer}; write the issuer exactly so`,
    );
  }
  return metadata;
}

/** Returns a configuration of this client at the provider; ID tokens' signatures are checked. */
export function configured(made: Client, metadata: ServerMetadata): client.Configuration {
  const { issuer, clientId, clientSecret, fetch } = made;
  const auth = clientSecret ? confidential(clientSecret) : client.None();
  const configuration = new client.Configuration(metadata, clientId, undefined, auth);
  configuration[client.customFetch] = asCustomFetch(fetch);
  client.enableNonRepudiationChecks(configuration);
  if (isPlain(issuer)) client.allowInsecureRequests(configuration);
  return configuration;
}

function isPlain(issuer: string): boolean {
  return new URL(issuer).protocol === 'http:';
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

/** Returns a `fetch` as the library calls it. */
export function asCustomFetch(fetch: Fetch): CustomFetch {
  return (url, { method, headers, body, signal }) =>
    fetch(url, { method, headers, body: body ?? null, ...(signal && { signal }) });
}
