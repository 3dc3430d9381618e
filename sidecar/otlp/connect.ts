// The transport to a destination: its protocol, and the credentials as they are at each call.
import { visible } from '../audit/format-text.ts';
import { createCredentials, withoutCredentials, type CallHeaders } from './credentials.ts';
import type { Destination, Signal } from './destination.ts';
import { createGrpcCaller } from './grpc.ts';
import { createHttpCaller } from './http.ts';
import { isProxyUnauthorized, type ProxySettings } from './proxy.ts';
import { explainConnection } from './tls.ts';
import type { Answer, Failure, Transport } from './transport.ts';

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
  let isClosed = false;

  async function send(signal: Signal, request: Buffer): Promise<Answer> {
    const headers = credentials.read();
    const answer = headers === undefined ? missing() : await attempt(signal, request, headers);
    if (answer.kind === 'unauthorized') credentials.wereRefused(headers);
    return answer.kind === 'acknowledged' ? answer : named(answer, headers ?? {});
  }

  function missing(): Answer {
    return { kind: 'unauthorized', problem: credentials.problem() ?? 'there are no credentials' };
  }

  async function attempt(signal: Signal, request: Buffer, headers: CallHeaders): Promise<Answer> {
    if (isClosed) return { kind: 'retry', problem: 'its transport was closed' };
    try {
      return await caller.call(signal, request, headers);
    } catch (error) {
      const kind = isProxyUnauthorized(error) ? 'unauthorized' : 'retry';
      return { kind, problem: explainConnection(error) };
    }
  }

  function named(failure: Failure, headers: CallHeaders): Failure {
    const problem = visible(withoutCredentials(failure.problem, headers));
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
