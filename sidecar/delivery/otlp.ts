// The OTLP/gRPC wire: a batch of spans in, acknowledged or not out. The connection is gRPC's own client.
// It does not retry and keeps nothing: the cursor in the store is the queue (see deliver.ts).
import { readFileSync } from 'node:fs';
import {
  Client,
  compressionAlgorithms,
  credentials,
  Metadata,
  status as grpcStatus,
  type ServiceError,
} from '@grpc/grpc-js';
import { Fault } from '../fault.ts';
import type { Span } from '../trace/span.ts';
import { isOnThisMachine, type Destination } from './destination.ts';
import { createSpanEncoder } from './encode-spans.ts';
import { readRejection, type Rejection } from './read-response.ts';

/** Longest wait for a request's acknowledgement. */
const EXPORT_TIMEOUT_MS = 10_000;

const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';

export type Wire = {
  /**
   * Resolves when the destination has acknowledged, to what it did not keep; rejects with ERR_DELIVERY
   * or ERR_DELIVERY_REFUSED. One batch after the other.
   */
  send(spans: readonly Span[]): Promise<readonly Rejection[]>;
  close(): Promise<void>;
};

/**
 * Returns the wire to one destination; it connects with the first batch. What goes to another machine
 * is compressed (gzip: a tenth of the bytes for 11 µs a request); within this one that would be lost.
 */
export function createOtlpWire(
  destination: Destination,
  resource: Readonly<Record<string, string>>,
  version: string,
  timeoutMs = EXPORT_TIMEOUT_MS,
): Wire {
  const encode = createSpanEncoder(resource, version);
  const metadata = metadataOf(destination);
  const secured = channelCredentials(destination);
  let client: Client | undefined;

  async function send(spans: readonly Span[]): Promise<readonly Rejection[]> {
    const rejections: Rejection[] = [];
    for (const request of encode(spans)) {
      const rejection = readRejection(await call(request), spans.length);
      if (rejection !== undefined) rejections.push(rejection);
    }
    return rejections;
  }

  function call(request: Buffer): Promise<Buffer> {
    client ??= connect(destination, secured, version);
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const deadline = Date.now() + timeoutMs;
    const done = (error: ServiceError | null, response?: Buffer) => {
      if (error === null) return resolve(response ?? Buffer.alloc(0));
      if (error.code === grpcStatus.DEADLINE_EXCEEDED) disconnect();
      reject(refusal(destination, error));
    };
    client.makeUnaryRequest(EXPORT, asItIs, asItIs, request, metadata, { deadline }, done);
    return promise;
  }

  // A connection on which nobody answers may be dead without a word, for a quarter of an hour.
  function disconnect(): void {
    client?.close();
    client = undefined;
  }

  return { send, close: async () => disconnect() };
}

function connect(
  destination: Destination,
  secured: ReturnType<typeof channelCredentials>,
  version: string,
): Client {
  const { identity, gzip } = compressionAlgorithms;
  return new Client(destination.endpoint.replace(/^https?:\/\//, ''), secured, {
    'grpc.default_compression_algorithm': isOnThisMachine(destination) ? identity : gzip,
    'grpc.primary_user_agent': `signet/${version}`,
  });
}

const asItIs = (bytes: Buffer): Buffer => bytes;

function channelCredentials({ endpoint, certificateFile }: Destination) {
  if (endpoint.startsWith('http://')) return credentials.createInsecure();
  return credentials.createSsl(
    certificateFile === undefined ? null : readFileSync(certificateFile),
  );
}

function metadataOf(destination: Destination): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(destination.metadata)) {
    metadata.set(name, value.reveal());
  }
  return metadata;
}

// The batch itself is at fault (OTLP: not retryable): sent again as it is, it would block for good.
const PERMANENT: ReadonlySet<number> = new Set([
  grpcStatus.INVALID_ARGUMENT,
  grpcStatus.OUT_OF_RANGE,
]);

// A refused token and a place that can't be reached want different hands: say which it is.
function refusal(destination: Destination, error: ServiceError): Fault {
  const { code } = error;
  const name = grpcStatus[code] ?? `status ${code}`;
  const isToken = code === grpcStatus.UNAUTHENTICATED || code === grpcStatus.PERMISSION_DENIED;
  const hint = isToken ? 'the token was refused: check it' : 'it will be tried again';
  return new Fault(
    PERMANENT.has(code) ? 'ERR_DELIVERY_REFUSED' : 'ERR_DELIVERY',
    `${destination.name} at ${destination.endpoint} answered ${name}; ${hint}`,
    { cause: error },
  );
}
