// `fetch` for talking to a provider: bounded in time and size, follows no redirect, and speaks plain
// HTTP to this machine only. A provider is somebody else's server, and so are its redirects.
import { isIPv4 } from 'node:net';
import { Fault } from '../fault.ts';
import { traceCall } from './traced-call.ts';

/** What the libraries and our own code call; a subset of the global `fetch`. */
export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** Of one answer of a provider's: metadata, keys and claims are some 100 KB at most. */
export const MAX_ANSWER_BYTES = 1_048_576;
const TIMEOUT_MS = 5_000;

export type FetchBounds = {
  /** From the call to the last byte of the body; default 5,000. */
  readonly timeoutMs?: number;
  /** Of the body, after decompression; default 1 MiB. */
  readonly maxBytes?: number;
};

const BODYLESS = new Set([204, 205, 304]);

/** Returns whether a host, as a URL writes it, is this machine: `localhost`, `127.…`, `[::1]`. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  return bare === 'localhost' || bare === '::1' || (isIPv4(bare) && bare.startsWith('127.'));
}

/** Returns whether an issuer, or an endpoint of one, may be spoken to: https, or http on loopback. */
export function isAllowedUrl(url: URL): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
}

/**
 * Returns a `fetch` within these bounds. Whatever goes wrong on the way is a Fault ERR_PROVIDER. Each
 * call is a span of the request that it is made for, if that one is traced.
 */
export function createBoundedFetch(inner: Fetch = fetch, bounds: FetchBounds = {}): Fetch {
  const { timeoutMs = TIMEOUT_MS, maxBytes = MAX_ANSWER_BYTES } = bounds;
  return async (url, init) => {
    if (!URL.canParse(url) || !isAllowedUrl(new URL(url))) {
      throw new Fault('ERR_PROVIDER', `${url} is neither https nor http on this machine`);
    }
    return traceCall(new URL(url), init?.method ?? 'GET', () => fetchWithin(url, init));
  };

  async function fetchWithin(url: string, init: RequestInit | undefined): Promise<Response> {
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = init?.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
    try {
      const response = await inner(url, { ...init, signal, redirect: 'manual' });
      return await withBoundedBody(response, maxBytes);
    } catch (cause) {
      if (cause instanceof Fault) throw cause;
      const why = timeout.aborted ? `did not answer in full within ${timeoutMs} ms` : 'failed';
      throw new Fault('ERR_PROVIDER', `the request to ${url} ${why}`, { cause });
    }
  }
}

async function withBoundedBody(response: Response, maxBytes: number): Promise<Response> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) {
      throw new Fault('ERR_PROVIDER', `${response.url} answered with more than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  const { status, statusText, headers } = response;
  const body = BODYLESS.has(status) ? null : Buffer.concat(chunks);
  return new Response(body, { status, statusText, headers });
}
