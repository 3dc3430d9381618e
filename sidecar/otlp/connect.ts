// The transport to a destination: its protocol, and the credentials as they are at each call.
import { visible } from '../visible.ts';
import { explain } from '../fault.ts';
import { credentialSources } from './credential-sources.ts';
import { createCredentials, type CallHeaders } from './credentials.ts';
import { type Destination, type Signal, urlOf } from './destination.ts';
import { createGrpcCaller } from './grpc.ts';
import { createHttpCaller } from './http.ts';
import { type Hide, hideCredentials } from './hide-credentials.ts';
import { isProxyUnauthorized, parseProxyUrl, proxyFor, type ProxySettings } from './proxy.ts';
import { hideInResponse } from './read-response.ts';
import { explainConnection } from './tls.ts';
import type { Answer, Failure, Transport } from './transport.ts';
import { explainWrongPort } from './wrong-port.ts';

/** Longest wait for an answer, connecting included (OTEL_EXPORTER_OTLP_TIMEOUT's default). */
const TIMEOUT_MS = 10_000;

export type TransportOptions = {
  /** Of Signet, for User-Agent. */
  readonly version: string;
  readonly timeoutMs?: number;
  /** Nothing: straight to every destination. */
  readonly proxy?: ProxySettings;
};

/** Returns the transport; it connects with the first request, and anew after each failure to be heard. */
export function createTransport(
  destination: Destination,
  { version, timeoutMs = TIMEOUT_MS, proxy = { no: [] } }: TransportOptions,
): Transport {
  const create = destination.protocol === 'grpc' ? createGrpcCaller : createHttpCaller;
  const caller = create({ destination, version, timeoutMs, proxy });
  const credentials = createCredentials(destination);
  const proxyCredentials = proxyHeaders(proxy);
  /** Signals that were taken: their ports are the right ones. */
  const taken = new Set<Signal>();
  let isClosed = false;

  async function send(signal: Signal, request: Buffer): Promise<Answer> {
    const headers = credentials.read();
    const answer = headers === undefined ? missing() : await attempt(signal, request, headers);
    if (answer.kind === 'unauthorized') credentials.wereRefused(headers);
    const hide = hideCredentials({ ...headers, ...proxyCredentials });
    return answer.kind === 'acknowledged'
      ? { ...answer, response: hideInResponse(answer.response, hide) }
      : named(answer, hide);
  }

  function missing(): Answer {
    return { kind: 'unauthorized', problem: credentials.problem() ?? 'there are no credentials' };
  }

  async function attempt(signal: Signal, request: Buffer, headers: CallHeaders): Promise<Answer> {
    if (isClosed) return { kind: 'retry', problem: 'its transport was closed' };
    try {
      const answer = await caller.call(signal, request, headers);
      if (answer.kind === 'acknowledged') taken.add(signal);
      return answer.kind === 'unauthorized' ? withSources(answer) : answer;
    } catch (error) {
      if (isProxyUnauthorized(error)) return { kind: 'unauthorized', problem: explain(error) };
      const problem = await wrongPort(signal, error);
      return problem === undefined
        ? { kind: 'retry', problem: explainConnection(error) }
        : { kind: 'misdirected', problem };
    }
  }

  async function wrongPort(signal: Signal, error: unknown): Promise<string | undefined> {
    if (isClosed || taken.has(signal)) return undefined;
    const { protocol, endpoint } = destination;
    const url = protocol === 'grpc' ? endpoint : urlOf(destination, signal);
    const isStraight = proxyFor(url, proxy) === undefined;
    return explainWrongPort(error, { url, protocol, isStraight });
  }

  // Those of a proxy are others.
  function withSources({ kind, problem }: Extract<Answer, { kind: 'unauthorized' }>): Answer {
    const isProxy = problem.startsWith('answered 407');
    return { kind, problem: isProxy ? problem : `${problem}; ${credentialSources(destination)}` };
  }

  function named(failure: Failure, hide: Hide): Failure {
    const problem = visible(hide(failure.problem));
    return { ...failure, problem: `${destination.name} at ${destination.endpoint}: ${problem}` };
  }

  return {
    send,
    haveCredentialsChanged: () => credentials.haveChanged(),
    problem: () => credentials.problem(),
    close: () => {
      isClosed = true;
      caller.close();
    },
  };
}

// As a proxy gets them; it may quote them just as a destination may.
function proxyHeaders({ https, http }: ProxySettings): CallHeaders {
  const urls = [https, http].map((url) =>
    url === undefined ? undefined : parseProxyUrl(url.reveal()),
  );
  const values = urls.flatMap((url) => {
    if (url === undefined || url.username === '') return [];
    const [user, password] = [url.username, url.password].map(decodeURIComponent);
    return [`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`];
  });
  return Object.fromEntries(values.map((value, at) => [`proxy-authorization-${at}`, value]));
}
