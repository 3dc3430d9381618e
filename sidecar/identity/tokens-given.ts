// What a token endpoint gave for a refresh token, as it came over the wire: read before anything is checked,
// because the old refresh token is spent by then. Judges nothing of it.
import * as client from 'openid-client';

/** Of no use but to be shown to the provider again: nothing in it is checked. */
export type TokensGiven = { readonly refreshToken?: string; readonly idToken?: string };

/**
 * Has this configuration, which must be of one call, note what is given for what it posts; returns what tells
 * it, undefined while nothing was given.
 */
export function noteTokens(config: client.Configuration): () => TokensGiven | undefined {
  let given: TokensGiven | undefined;
  const inner = config[client.customFetch];
  if (inner === undefined) throw new TypeError('there is no fetch to listen to');
  config[client.customFetch] = async (url, options) => {
    const response = await inner(url, options);
    // Keys are fetched by GET.
    if (options.method === 'POST' && response.ok) given = await tokensIn(response.clone());
    return response;
  };
  return () => given;
}

async function tokensIn(response: Response): Promise<TokensGiven | undefined> {
  const body: unknown = await response.json().catch(() => undefined);
  if (typeof body !== 'object' || body === null) return undefined;
  const { refresh_token: refreshToken, id_token: idToken } = body as Record<string, unknown>;
  return {
    ...(isText(refreshToken) && { refreshToken }),
    ...(isText(idToken) && { idToken }),
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
