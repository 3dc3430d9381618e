// Asks the site one question, as a client of it would: bounded in time and bytes, on a connection of its own,
// and no redirect is followed. A certificate that does not hold is told, and the rest is looked at all the same:
// nothing secret is ever sent. What an answer means is judged elsewhere.
import { lookup as lookupEach } from 'node:dns';
import { lookup } from 'node:dns/promises';
import {
  request as requestPlain,
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { request as requestTls } from 'node:https';
import type { LookupFunction } from 'node:net';
import { TLSSocket } from 'node:tls';
import { setTimeout as delay } from 'node:timers/promises';
import { wordsOf } from './ask-words.ts';

/** Where the site is asked. */
export type Site = {
  readonly url: URL;
  /** PEM of the authorities to trust instead of Node's own. */
  readonly ca?: Buffer;
  /** By `performance.now()`: no question goes on after it. */
  readonly endsAtMs?: number;
};

/** What the connection says of itself. */
export type Tls = {
  /** `TLSv1.3`. */
  readonly protocol: string;
  /** Node's code of what does not hold: of the chain, the host name, the time. */
  readonly problem?: string;
  readonly issuer: string;
  /** Milliseconds since the epoch. */
  readonly validFromMs: number;
  readonly validToMs: number;
};

export type Reply = {
  readonly status: number;
  /** Each value under its name in lower case. */
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>;
  /** All header lines, as they came. */
  readonly head: string;
  /** A character for each byte; the first MAX_BODY_BYTES. */
  readonly body: string;
  /** There was more, or it did not come in time. */
  readonly isCut: boolean;
  readonly tls?: Tls;
  /** Milliseconds since the epoch, by this machine's clock. */
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
};

export type Failed = {
  readonly problem: string;
  /** Nobody was asked: the time for all questions was over. */
  readonly isUnasked?: true;
};

/** For all of it. A gate that hangs is Caddy's 504 after 5 s, which is to be seen. */
const WITHIN_MS = 10_000;
/** Of a page; what is longer is cut. */
const MAX_BODY_BYTES = 256 * 1024;
/** Of an answer's headers; beyond it there is no answer. */
const MAX_HEADER_BYTES = 64 * 1024;
const LOOKUP_MS = 5000;

export type How = {
  /** Default: GET. */
  readonly method?: 'CONNECT';
  readonly withinMs?: number | undefined;
};

/** Returns the answer, or why there is none, within a time. Never rejects. */
export async function ask(
  site: Site,
  target: string,
  headers: Readonly<Record<string, string>> = {},
  { method, withinMs = WITHIN_MS }: How = {},
): Promise<Reply | Failed> {
  const leftMs = Math.floor((site.endsAtMs ?? Infinity) - performance.now());
  if (leftMs <= 0)
    return { problem: 'its other answers took all the time there is', isUnasked: true };
  const options = { method, headers, path: target };
  return askWithin(site, options, Math.min(withinMs, leftMs));
}

function askWithin(
  { url, ca }: Site,
  asking: RequestOptions,
  withinMs: number,
): Promise<Reply | Failed> {
  const sentAtMs = Date.now();
  const signal = AbortSignal.timeout(withinMs);
  // As it is spelled: what is no path must not be made one.
  const of = { ...asking, signal, agent: false, lookup: lookupHere } as const;
  const options = { ...of, maxHeaderSize: MAX_HEADER_BYTES };
  const trust = { rejectUnauthorized: false, ...(ca && { ca }) };
  const { promise, resolve } = Promise.withResolvers<Reply | Failed>();
  try {
    const asked =
      url.protocol === 'https:'
        ? requestTls(url.origin, { ...options, ...trust })
        : requestPlain(url.origin, options);
    listen(asked, signal, (end) => {
      if ('error' in end) resolve({ problem: wordsOf(end.error, withinMs) });
      else resolve('problem' in end ? end : { ...end, sentAtMs });
    });
    asked.end();
  } catch (error) {
    resolve({ problem: wordsOf(error, withinMs) });
  }
  return promise;
}

type End = Failed | { readonly error: unknown } | Omit<Reply, 'sentAtMs'>;

function listen(asked: ClientRequest, signal: AbortSignal, end: (end: End) => void): void {
  let hasHead = false;
  // Of an answer that has begun, what there is of it is told.
  asked.on('error', (error) => void (hasHead || end({ error })));
  asked.on('upgrade', (_response, socket) => {
    socket.destroy();
    end({ problem: 'it answers 101 to what asked for no other protocol' });
  });
  // Whatever it is answered; a refusal's words are nobody's concern.
  asked.on('connect', (response, socket) => {
    end({ ...headOf(response), answeredAtMs: Date.now(), body: '', isCut: true });
    socket.destroy();
  });
  asked.on('response', (response) => {
    hasHead = true;
    const known = { ...headOf(response), answeredAtMs: Date.now() };
    read(response, (body, isCut) => {
      // A body without a length has ended when the connection does, even if it was we who cut it.
      end({ ...known, body, isCut: isCut || signal.aborted });
      asked.destroy();
    });
  });
}

function headOf(response: IncomingMessage): Pick<Reply, 'status' | 'headers' | 'head' | 'tls'> {
  const { statusCode = 0, headersDistinct, rawHeaders, socket } = response;
  const tls = socket instanceof TLSSocket ? tlsOf(socket) : undefined;
  const head = rawHeaders.map((text, at) => text + (at % 2 === 0 ? ': ' : '\n')).join('');
  return { status: statusCode, headers: headersDistinct, head, ...(tls && { tls }) };
}

function read(response: IncomingMessage, end: (body: string, isCut: boolean) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const ended = (isCut: boolean) =>
    end(Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES).toString('latin1'), isCut);
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) ended(true);
  });
  response.once('end', () => ended(false));
  response.on('error', () => undefined);
  response.once('close', () => ended(true));
}

function tlsOf(socket: TLSSocket): Tls {
  const certificate = socket.getPeerX509Certificate();
  // A code, whatever its type says.
  const error: unknown = socket.authorizationError;
  const problem = Object(error).code ?? error;
  return {
    protocol: socket.getProtocol() ?? 'an unknown protocol',
    ...(!socket.authorized && { problem: String(problem) }),
    issuer: certificate?.issuer.replaceAll('\n', ', ') ?? 'nobody',
    validFromMs: Date.parse(certificate?.validFrom ?? ''),
    validToMs: Date.parse(certificate?.validTo ?? ''),
  };
}

// Names below `localhost` are this machine (RFC 6761, section 6.3), which not every name server knows.
function hereOf(host: string): string {
  return host.toLowerCase().endsWith('.localhost') ? 'localhost' : host;
}

const lookupHere: LookupFunction = (host, options, done) => lookupEach(hereOf(host), options, done);

/** Returns the addresses of a URL's host, or why there are none. Never rejects. */
export async function addressesOf({ hostname }: URL): Promise<readonly string[] | Failed> {
  const host = hostname.replace(/^\[|\]$/g, '');
  const waiting = new AbortController();
  const late = delay(LOOKUP_MS, undefined, { signal: waiting.signal }).catch(() => undefined);
  try {
    const found = await Promise.race([lookup(hereOf(host), { all: true }), late]);
    if (found === undefined) return { problem: `no answer within ${LOOKUP_MS / 1000} s` };
    return [...new Set(found.map(({ address }) => address))];
  } catch (error) {
    return { problem: wordsOf(error, LOOKUP_MS) };
  } finally {
    waiting.abort();
  }
}
