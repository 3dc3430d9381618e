// What an issuer says of itself (OpenID Connect Discovery 1.0 section 4), as far as bearer tokens need it.
// Signing people in has its own way to it, see provider.ts.
import { Fault } from '../fault.ts';
import type { Fetch } from './bounded-fetch.ts';

export type Metadata = Readonly<Record<string, unknown>>;

/** Returns the issuer's metadata. Throws Fault ERR_PROVIDER, also when it is another issuer's. */
export async function discover(issuer: string, fetch: Fetch): Promise<Metadata> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const metadata = await fetchJson(url, fetch);
  const isRecord = typeof metadata === 'object' && metadata !== null;
  if (!isRecord || !('issuer' in metadata) || metadata.issuer !== issuer) {
    throw new Fault('ERR_PROVIDER', `${url} is not of this issuer`);
  }
  return metadata as unknown as Metadata;
}

/** Returns the URL that stands in the metadata by this name. Throws Fault ERR_PROVIDER. */
export function endpointIn(metadata: Metadata, name: string): string {
  const url = metadata[name];
  if (typeof url === 'string') return url;
  throw new Fault('ERR_PROVIDER', `the metadata of ${String(metadata.issuer)} names no ${name}`);
}

/** Returns what stands at a URL, parsed. Throws Fault ERR_PROVIDER unless it is there and is JSON. */
export async function fetchJson(url: string, fetch: Fetch): Promise<unknown> {
  const response = await fetch(url, { headers: { accept: 'application/json' } });
  if (response.status !== 200) {
    throw new Fault('ERR_PROVIDER', `${url} answered with status ${response.status}`);
  }
  return jsonOf(response, url);
}

/** Returns an answer's body, parsed. Throws Fault ERR_PROVIDER, without a word of it, if it is no JSON. */
export async function jsonOf(response: Response, url: string): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    throw new Fault('ERR_PROVIDER', `${url} answered with something that is no JSON`);
  }
}
