// Downloads one file over https into memory, bounded in size, in silence and in time, and tells how far it
// is. Follows redirects, to https only. Knows nothing of what it downloads.
import type { IncomingMessage } from 'node:http';
import { Agent, get } from 'node:https';
import { type Bounds, type Patience, withPatience } from './patience.ts';
import { describeUnreachable } from './unreachable.ts';

/** The silence is that until there is an answer, and between its parts. */
export type Download = Bounds & {
  readonly url: URL;
  /** HTTPS_PROXY and NO_PROXY, in either case, name the proxy; Node reads them (24.5 and later). */
  readonly env: NodeJS.ProcessEnv;
  readonly maxBytes: number;
  /** Whom to believe in place of Node's authorities, PEM. */
  readonly ca?: string | undefined;
};

const PROGRESS_EVERY_MS = 2_000;
const MAX_REDIRECTS = 5;
const REDIRECTS = [301, 302, 303, 307, 308];

/**
 * Returns the file's bytes; throws an Error that says in one line why not. `say` hears every two seconds how
 * much is there.
 */
export async function download(
  what: Download,
  say: (line: string) => void = () => {},
): Promise<Buffer> {
  const agent = createAgent(what);
  try {
    return await withPatience(what, async (patience) => {
      const response = await follow(what.url, { agent, patience });
      const heard = () => patience.waitFor(what.url.host);
      return await readWhole(response, { maxBytes: what.maxBytes, heard, say });
    });
  } finally {
    agent.destroy();
  }
}

function createAgent({ env, ca, silenceMs }: Download): Agent {
  try {
    // A proxy that does not answer is given up by this timeout only: no signal reaches that far.
    return new Agent({ proxyEnv: env, ca, timeout: silenceMs });
  } catch {
    // What Node says of it quotes the URL, and with it the password.
    throw new Error('the proxy that HTTPS_PROXY or HTTP_PROXY names is no URL');
  }
}

type Way = { readonly agent: Agent; readonly patience: Patience };

async function follow(url: URL, way: Way, redirects = MAX_REDIRECTS): Promise<IncomingMessage> {
  const response = await ask(url, way);
  const { statusCode = 0, statusMessage, headers } = response;
  if (statusCode === 200) return response;
  response.destroy();
  // Without the query, which can hold a credential.
  const from = `${url.origin}${url.pathname}`;
  if (!REDIRECTS.includes(statusCode)) throw new Error(`${from}: ${statusCode} ${statusMessage}`);
  if (redirects === 0) throw new Error(`${from}: redirected more than ${MAX_REDIRECTS} times`);
  return follow(redirection(from, headers.location), way, redirects - 1);
}

function redirection(from: string, location: string | undefined): URL {
  // Without one it would be the same URL again.
  const to = location ? URL.parse(location, from) : null;
  if (to?.protocol === 'https:') return to;
  throw new Error(`${from}: redirected to ${to?.origin ?? 'no URL'}, which is not https`);
}

function ask(url: URL, { agent, patience }: Way): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  patience.waitFor(url.host);
  const headers = { 'accept-encoding': 'identity', 'user-agent': 'signet' };
  get(url, { agent, headers, signal: patience.signal }, resolve).on('error', (error) =>
    reject(new Error(`${url.host} can't be reached: ${describeUnreachable(error)}`)),
  );
  return promise;
}

type Reading = {
  readonly maxBytes: number;
  readonly heard: () => void;
  readonly say: (line: string) => void;
};

async function readWhole(response: IncomingMessage, reading: Reading): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const length = Number(response.headers['content-length'] ?? Number.NaN);
  const soFar = () => describeProgress(bytes, length);
  const progress = setInterval(() => reading.say(`  ${soFar()}`), PROGRESS_EVERY_MS);
  try {
    demandRoom(length, reading);
    for await (const chunk of response as AsyncIterable<Buffer>) {
      reading.heard();
      bytes += chunk.length;
      demandRoom(bytes, reading);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    if (response.errored === null) throw error;
    throw new Error(`the connection broke off after ${soFar()}`);
  } finally {
    clearInterval(progress);
    response.destroy();
  }
}

function demandRoom(bytes: number, { maxBytes }: Reading): void {
  if (bytes > maxBytes) throw new Error(`it is larger than ${inMegabytes(maxBytes)} MB`);
}

function describeProgress(bytes: number, length: number): string {
  if (Number.isNaN(length)) return `${inMegabytes(bytes)} MB`;
  const percent = Math.floor((100 * bytes) / length);
  return `${inMegabytes(bytes)} of ${inMegabytes(length)} MB, ${percent} %`;
}

function inMegabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
