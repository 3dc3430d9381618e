// The OTLP/gRPC wire, by OpenTelemetry's own exporter: a batch of spans in, acknowledged or not out.
// It does not retry and keeps nothing: the cursor in the store is the queue (see deliver.ts).
import { readFileSync } from 'node:fs';
import { SpanKind, SpanStatusCode, TraceFlags, type HrTime, type Link } from '@opentelemetry/api';
import { credentials, Metadata, status as grpcStatus, type ServiceError } from '@grpc/grpc-js';
import { ExportResultCode } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { resourceFromAttributes, type Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { Fault } from '../fault.ts';
import { SCOPE } from '../trace/names.ts';
import type { Span, SpanKind as Kind } from '../trace/span.ts';
import type { Destination } from './destination.ts';

/** Longest wait for one batch's acknowledgement. */
export const EXPORT_TIMEOUT_MS = 10_000;

export type Wire = {
  /** Resolves when the destination has acknowledged; rejects with ERR_DELIVERY or ERR_DELIVERY_REFUSED. */
  send(spans: readonly Span[]): Promise<void>;
  close(): Promise<void>;
};

/** Returns the wire to one destination; it connects with the first batch. */
export function createOtlpWire(
  destination: Destination,
  resourceAttributes: Readonly<Record<string, string>>,
  version: string,
): Wire {
  const resource = resourceFromAttributes(resourceAttributes);
  const exporter = new OTLPTraceExporter({
    url: destination.endpoint,
    credentials: channelCredentials(destination),
    metadata: metadataOf(destination),
    compression: CompressionAlgorithm.GZIP,
    timeoutMillis: EXPORT_TIMEOUT_MS,
  });
  return {
    send: (spans) =>
      new Promise((resolve, reject) => {
        const readable = spans.map((span) => toReadable(span, resource, version));
        exporter.export(readable, ({ code, error }) => {
          if (code === ExportResultCode.SUCCESS) resolve();
          else reject(refusal(destination, error));
        });
      }),
    close: () => exporter.shutdown(),
  };
}

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
function refusal(destination: Destination, error: Error | undefined): Fault {
  const code = (error as Partial<ServiceError> | undefined)?.code;
  const name = code === undefined ? 'no answer' : (grpcStatus[code] ?? `status ${code}`);
  const isToken = code === grpcStatus.UNAUTHENTICATED || code === grpcStatus.PERMISSION_DENIED;
  const hint = isToken ? 'the token was refused: check it' : 'it will be tried again';
  return new Fault(
    code !== undefined && PERMANENT.has(code) ? 'ERR_DELIVERY_REFUSED' : 'ERR_DELIVERY',
    `${destination.name} at ${destination.endpoint} answered ${name}; ${hint}`,
    { cause: error },
  );
}

const KINDS: Record<Kind, SpanKind> = {
  SERVER: SpanKind.SERVER,
  CLIENT: SpanKind.CLIENT,
  INTERNAL: SpanKind.INTERNAL,
};

function toReadable(span: Span, resource: Resource, version: string): ReadableSpan {
  const { traceId, spanId, parentSpanId } = span;
  const links: Link[] =
    span.link === undefined ? [] : [{ context: { ...span.link, traceFlags: TraceFlags.NONE } }];
  return {
    name: span.name,
    kind: KINDS[span.kind],
    spanContext: () => ({ traceId, spanId, traceFlags: TraceFlags.SAMPLED }),
    ...(parentSpanId !== undefined && {
      parentSpanContext: { traceId, spanId: parentSpanId, traceFlags: TraceFlags.SAMPLED },
    }),
    startTime: hrTime(span.startUs),
    endTime: hrTime(span.endUs),
    duration: hrTime(span.endUs - span.startUs),
    status: { code: span.isError ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: span.attributes as ReadableSpan['attributes'],
    links,
    events: [],
    ended: true,
    resource,
    instrumentationScope: { name: SCOPE, version },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function hrTime(us: number): HrTime {
  return [Math.floor(us / 1_000_000), (us % 1_000_000) * 1000];
}
