// The question about one opaque token on the wire: RFC 7662 section 2, with our client's credentials. What
// is wrong with us or with the issuer is a Fault here; what is wrong with the token, its answer says.
import { Fault } from '../fault.ts';
import type { IntrospectionClient } from './bearer-issuer.ts';
import type { Fetch } from './bounded-fetch.ts';
import type { Claims } from './claims.ts';
import { discover, endpointIn, jsonOf } from './metadata.ts';

export type IntrospectionEndpoint = {
  readonly url: string;
  /** Whether the client's secret goes into the form; else into the header (RFC 6749 section 2.3.1). */
  readonly isSecretPosted: boolean;
};

/** Returns where an issuer is asked, by its metadata (RFC 8414). Throws Fault ERR_PROVIDER. */
export async function introspectionEndpoint(
  issuer: string,
  fetch: Fetch,
): Promise<IntrospectionEndpoint> {
  const metadata = await discover(issuer, fetch);
  const url = endpointIn(metadata, 'introspection_endpoint');
  const methods: unknown = metadata.introspection_endpoint_auth_methods_supported;
  const knows = (method: string) => Array.isArray(methods) && methods.includes(method);
  const isSecretPosted = knows('client_secret_post') && !knows('client_secret_basic');
  return { url, isSecretPosted };
}

/** What an issuer says of a token; or that it answers, but not about this one. */
export type Said = { readonly claims: Claims } | { readonly declined: Fault };

/** Returns what the issuer says of a token. Throws Fault ERR_PROVIDER if it, or our client, does not work. */
export async function askIntrospection(
  { url, isSecretPosted }: IntrospectionEndpoint,
  client: IntrospectionClient,
  token: string,
  fetch: Fetch,
): Promise<Said> {
  const form = new URLSearchParams({ token, token_type_hint: 'access_token' });
  const headers = { accept: 'application/json', ...(!isSecretPosted && basic(client)) };
  if (isSecretPosted) {
    form.set('client_id', client.clientId);
    form.set('client_secret', client.clientSecret.reveal());
  }
  const response = await fetch(url, { method: 'POST', headers, body: form });
  if (response.status !== 200) return refusal(response, url);
  const claims = await jsonOf(response, url);
  if (isRecord(claims)) return { claims };
  throw new Fault('ERR_PROVIDER', `${url} answered with something that is no object`);
}

// RFC 6749 section 2.3.1: each in the encoding of forms, which a colon must not break apart.
function basic({ clientId, clientSecret }: IntrospectionClient) {
  const [id, secret] = [clientId, clientSecret.reveal()].map((value) =>
    new URLSearchParams({ '': value }).toString().slice('='.length),
  );
  return { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` };
}

// RFC 7662 section 2.3: 401 is about whoever asks, never about the token. Another 4xx may come of
// the token, or of many made-up ones (429): whoever sends such must not make the gate look broken. Of the body
// only a known word is quoted: the rest may repeat what was sent.
async function refusal(response: Response, url: string): Promise<Said> {
  const { status } = response;
  const body = await jsonOf(response, url).catch(() => undefined);
  const isClient = isRecord(body) && body['error'] === 'invalid_client';
  if (!isClient && status !== 401 && status !== 403) {
    const fault = new Fault('ERR_PROVIDER', `${url} answered with status ${status}`);
    if (status >= 400 && status < 500) return { declined: fault };
    throw fault;
  }
  const mend = "look at introspection's client_id and the client's secret";
  throw new Fault('ERR_PROVIDER', `${url} refuses this client (status ${status}): ${mend}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
