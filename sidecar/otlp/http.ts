// OTLP over HTTP in protobuf (OTLP 1.x, "OTLP/HTTP"): POST, one attempt each, over connections that are
// kept. What an answer means is in http-status.ts.
import { setMaxListeners } from 'node:events';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Caller, type CallerOptions, understood } from './caller.ts';
import type { CallHeaders } from './credentials.ts';
import { type Signal, urlOf } from './destination.ts';
import { hideCredentials } from './hide-credentials.ts';
import { post } from './http-post.ts';
import { answerOfHttp } from './http-status.ts';
import { createTunnelAgent } from './https-agent.ts';
import { openProxyUrl, proxyFor } from './proxy.ts';
import { readCertificates } from './tls.ts';
import type { Answer } from './transport.ts';

/** Connections of one signal at most; more calls wait for one, within their own deadline. */
const MAX_CONNECTIONS = 16;
/** Balancers drop what is idle for a minute or more, some without a word: we are earlier. */
const IDLE_MS = 45_000;

const compress = promisify(gzip);

/** Returns the caller. Each signal has connections of its own: it may have a host of its own. */
export function createHttpCaller(options: CallerOptions): Caller {
  const { destination, version, timeoutMs } = options;
  const agents = new Map<Signal, HttpAgent>();
  const closing = new AbortController();
  setMaxListeners(0, closing.signal);

  async function call(signal: Signal, request: Buffer, headers: CallHeaders): Promise<Answer> {
    const url = urlOf(destination, signal);
    const isCompressed = destination.compression === 'gzip';
    const body = isCompressed ? await compress(request) : request;
    const agent = agents.get(signal) ?? connect(signal, url);
    const all = { ...headers, ...headersOf(version, isCompressed) };
    try {
      const sent = { agent, headers: all, body, timeoutMs, signal: closing.signal };
      const answer = await post(url, sent);
      return await understood(() => answerOfHttp(answer, Date.now(), hideCredentials(headers)));
    } catch (error) {
      retire(signal, agent);
      throw error;
    }
  }

  function connect(signal: Signal, url: string): HttpAgent {
    const agent = createAgent(options, url);
    agents.set(signal, agent);
    return agent;
  }

  // Where one connection failed, the idle ones may be as dead, and certificates may be others by now. Calls
  // under way on the others go on.
  function retire(signal: Signal, agent: HttpAgent): void {
    if (agents.get(signal) === agent) agents.delete(signal);
    for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
  }

  function close(): void {
    closing.abort();
    for (const agent of agents.values()) agent.destroy();
  }

  return { call, close };
}

function headersOf(version: string, isCompressed: boolean) {
  return {
    'content-type': 'application/x-protobuf',
    'user-agent': `signet/${version}`,
    ...(isCompressed && { 'content-encoding': 'gzip' }),
  };
}

// An environment without variables, not none: Node might take the process's own.
function createAgent(
  { destination, timeoutMs, ...options }: CallerOptions,
  url: string,
): HttpAgent {
  const found = proxyFor(url, options.proxy);
  const proxy = found && openProxyUrl(found);
  const kept = { keepAlive: true, maxSockets: MAX_CONNECTIONS, timeout: IDLE_MS, proxyEnv: {} };
  if (!url.startsWith('https:')) {
    return new HttpAgent({ ...kept, ...(proxy && { proxyEnv: { HTTP_PROXY: proxy.href } }) });
  }
  const secure = { ...kept, ...readCertificates(destination) };
  if (proxy === undefined) return new HttpsAgent(secure);
  const { hostname, port } = new URL(url);
  return createTunnelAgent(secure, { to: `${hostname}:${port || '443'}`, proxy, timeoutMs });
}
