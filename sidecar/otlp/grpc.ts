// OTLP over gRPC (OTLP 1.x, "OTLP/gRPC"): unary calls, one attempt each, several at once over one
// connection. What a status means is in grpc-status.ts.
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { type Caller, type CallerOptions, noAnswer } from './caller.ts';
import type { CallHeaders } from './credentials.ts';
import type { Signal } from './destination.ts';
import { closeLine, isBroken, type Line, openLine } from './grpc-line.ts';
import { answerOfStatus } from './grpc-status.ts';
import { quote } from './quote.ts';
import type { Answer } from './transport.ts';

const METHODS: Readonly<Record<Signal, string>> = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
};

const NO_RESPONSE = Buffer.alloc(0);

/** Returns the caller. After a failure of the connection the next call has another one. */
export function createGrpcCaller(options: CallerOptions): Caller {
  /** Those with calls under way, and the current one. */
  const lines = new Set<Line>();
  let current: Line | undefined;

  function call(signal: Signal, request: Buffer, headers: CallHeaders): Promise<Answer> {
    const line = (current ??= open());
    return new Promise((resolve, reject) => {
      const under = start(line, signal, request, headers, (error, response = NO_RESPONSE) => {
        const isLost = error !== null && isBroken(line, error);
        end(line, under, isLost);
        if (error === null) resolve({ kind: 'acknowledged', response });
        else if (isLost && isUnreached(error) && line.error()) reject(line.error());
        else resolve(answerOf(error, isLost, options.timeoutMs));
      });
      line.calls.add(under);
    });
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

const asItIs = (bytes: Buffer) => bytes as Buffer<ArrayBuffer>;

/** The time that grpc-js puts into its words would make each failure a new problem. */
const TIME = / \(\d{4}-\d\d-\d\dT[\d:.]+Z\)/g;

function answerOf(error: ServiceError, isLost: boolean, timeoutMs: number): Answer {
  const { code, details, metadata } = error;
  const [extra] = metadata.get('grpc-status-details-bin');
  const answer = answerOfStatus(code, details, Buffer.isBuffer(extra) ? extra : undefined);
  if (code === status.DEADLINE_EXCEEDED) return { ...answer, problem: noAnswer(timeoutMs) };
  if (!isLost || code !== status.UNAVAILABLE) return answer;
  return { ...answer, problem: quote(details.replaceAll(TIME, '')) };
}

function isUnreached({ code }: ServiceError): boolean {
  return code === status.UNAVAILABLE || code === status.DEADLINE_EXCEEDED;
}

function metadataOf(headers: CallHeaders): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return metadata;
}
