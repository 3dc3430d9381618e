// OTLP over gRPC (OTLP 1.x, "OTLP/gRPC"): unary calls, one attempt each, several at once over one
// connection. What a status means is in grpc-status.ts.
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { type Caller, type CallerOptions, noAnswer, understood } from './caller.ts';
import type { CallHeaders } from './credentials.ts';
import type { Signal } from './destination.ts';
import { hungUp } from './grpc-connection.ts';
import { closeLine, isBroken, type Line, openLine } from './grpc-line.ts';
import { answerOfStatus } from './grpc-status.ts';
import { hideCredentials } from './hide-credentials.ts';
import { quote } from './quote.ts';
import type { Answer } from './transport.ts';

const METHODS: Readonly<Record<Signal, string>> = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
};

const NO_RESPONSE = Buffer.alloc(0);
/** How much later than its deadline a call is given up that should have ended by it. */
const GRACE_MS = 2000;

/** Returns the caller. After a failure of the connection the next call has another one. */
export function createGrpcCaller(options: CallerOptions): Caller {
  /** Those with calls under way, and the current one. */
  const lines = new Set<Line>();
  let current: Line | undefined;

  function call(signal: Signal, request: Buffer, headers: CallHeaders): Promise<Answer> {
    const line = (current ??= open());
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const under = start(line, signal, request, headers, (error, response = NO_RESPONSE) =>
      resolve(understood(() => ended(line, under, headers, error) ?? taken(response))),
    );
    line.calls.add(under);
    // Its client keeps deadlines, too; what waits for an answer must not depend on it.
    const late = setTimeout(() => {
      resolve({ kind: 'retry', problem: noAnswer(options.timeoutMs) });
      end(line, under, true);
      under.cancel();
    }, options.timeoutMs + GRACE_MS);
    return promise.finally(() => clearTimeout(late));
  }

  // Undefined: without an error.
  function ended(
    line: Line,
    under: { cancel(): void },
    headers: CallHeaders,
    error: ServiceError | null,
  ): Answer | Promise<Answer> | undefined {
    const isLost = error !== null && isBroken(line, error);
    end(line, under, isLost);
    if (error === null) return undefined;
    if (isLost && isUnreached(error) && line.error()) return Promise.reject(line.error());
    if (isLost && isHungUp(error)) return Promise.reject(hungUp());
    const { code, metadata } = error;
    const details = hideCredentials(headers)(String(error.details ?? ''));
    return answerOf({ code, details, metadata }, isLost, options.timeoutMs);
  }

  function start(
    { client }: Line,
    signal: Signal,
    request: Buffer,
    headers: CallHeaders,
    done: (error: ServiceError | null, response?: Buffer) => void,
  ) {
    const deadline = Date.now() + options.timeoutMs;
    const metadata = metadataOf(headers);
    const method = METHODS[signal];
    return client.makeUnaryRequest(method, asItIs, asItIs, request, metadata, { deadline }, done);
  }

  function open(): Line {
    const line = openLine(options);
    lines.add(line);
    return line;
  }

  // Other calls on a line that is given up may still be answered: it is closed after the last of them.
  function end(line: Line, under: { cancel(): void }, isLost: boolean): void {
    line.calls.delete(under);
    if (isLost && current === line) current = undefined;
    if (current === line || line.calls.size > 0) return;
    closeLine(line);
    lines.delete(line);
  }

  function close(): void {
    current = undefined;
    for (const line of lines) {
      for (const under of line.calls) under.cancel();
      if (line.calls.size === 0) closeLine(line);
    }
  }

  return { call, close };
}

const taken = (response: Buffer): Answer => ({ kind: 'acknowledged', response });

const asItIs = (bytes: Buffer) => bytes as Buffer<ArrayBuffer>;

type Told = Pick<ServiceError, 'code' | 'details' | 'metadata'>;

/** The time that grpc-js puts into its words would make each failure a new problem. */
const TIME = / \(\d{4}-\d\d-\d\dT[\d:.]+Z\)/g;
/** What it puts around them, with no end where the DNS had nothing to note. */
const FRAME = /^No connection established\. Last error: | Resolution note: ?;?$/g;

function answerOf(error: Told, isLost: boolean, timeoutMs: number): Answer {
  const { code, details, metadata } = error;
  const [extra] = metadata.get('grpc-status-details-bin');
  const answer = answerOfStatus(code, details, Buffer.isBuffer(extra) ? extra : undefined);
  if (code === status.DEADLINE_EXCEEDED) return { ...answer, problem: noAnswer(timeoutMs) };
  if (!isLost || code !== status.UNAVAILABLE) return answer;
  return { ...answer, problem: quote(details.replaceAll(TIME, '').replaceAll(FRAME, '')) };
}

// grpc-js's words for a connection that was closed before it said anything.
function isHungUp({ code, details }: ServiceError): boolean {
  return code === status.UNAVAILABLE && details.includes('Failed to connect');
}

function isUnreached({ code }: ServiceError): boolean {
  return code === status.UNAVAILABLE || code === status.DEADLINE_EXCEEDED;
}

function metadataOf(headers: CallHeaders): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return metadata;
}
