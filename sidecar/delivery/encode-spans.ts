// Spans as OTLP's trace request (opentelemetry-proto 1.x: trace_service.proto, trace.proto, common.proto).
// Each message is written from its last field to its first: see protobuf.ts. Sends nothing.
import { EXPORTED_ATTRIBUTES } from '../trace/exported.ts';
import { SCOPE } from '../trace/names.ts';
import type { AttributeValue, Span, SpanKind } from '../trace/span.ts';
import {
  bytesIn,
  createMessage,
  type Message,
  wrapField,
  writeBytes,
  writeDouble,
  writeFixed32,
  writeHex,
  writeInteger,
  writeNanoseconds,
  writeText,
  writtenBytes,
} from './protobuf.ts';

/** How long a request may become before another is begun. Receivers take 4 MiB by default. */
export const MAX_REQUEST_BYTES = 2 * 1024 * 1024;

const FIRST_ROOM_BYTES = 64 * 1024;
const KINDS: Readonly<Record<SpanKind, number>> = { INTERNAL: 1, SERVER: 2, CLIENT: 3 };
const STATUS_UNSET = 0;
const STATUS_ERROR = 2;
/** What is known of the context that is pointed to: that it is not remote. */
const LINK_FLAGS = 0x100;
/** The same of the parent; and the span is sampled (W3C). */
const SPAN_FLAGS = 0x101;

type Attributes = Readonly<Record<string, AttributeValue>>;

/** Their keys, encoded once: 0.5 µs less for each row. */
const KEYS: ReadonlyMap<string, Buffer> = new Map(
  EXPORTED_ATTRIBUTES.map((key) => {
    const field = createMessage(1);
    writeText(field, 1, key);
    return [key, writtenBytes(field)];
  }),
);

/**
 * Returns what encodes spans of one resource: as requests, in the order of the spans, most often one.
 * They lie in memory that the next call writes over, so a batch must be acknowledged before the next:
 * with a buffer for each, collecting the garbage took 2 µs a row.
 */
export function createSpanEncoder(
  resource: Attributes,
  version: string,
): (spans: readonly Span[]) => Buffer[] {
  const message = createMessage(FIRST_ROOM_BYTES);

  return (spans) => {
    message.at = message.bytes.length;
    const requests: Buffer[] = [];
    let behind = 0;
    for (const span of spans.toReversed()) {
      if (bytesIn(message) - behind >= MAX_REQUEST_BYTES) endRequest();
      writeSpan(message, span);
    }
    if (spans.length > 0) endRequest();
    return requests;

    function endRequest(): void {
      writeScopeAndResource(message, behind, resource, version);
      requests.unshift(writtenBytes(message, behind));
      behind = bytesIn(message);
    }
  };
}

function writeScopeAndResource(
  message: Message,
  behind: number,
  resource: Attributes,
  version: string,
): void {
  const spansStart = bytesIn(message);
  writeText(message, 2, version);
  writeText(message, 1, SCOPE);
  wrapField(message, 1, spansStart); // scope
  wrapField(message, 2, behind); // scope_spans
  const scopeStart = bytesIn(message);
  writeAttributes(message, 1, resource);
  wrapField(message, 1, scopeStart); // resource
  wrapField(message, 1, behind); // resource_spans
}

function writeSpan(message: Message, span: Span): void {
  const behind = bytesIn(message);
  writeFixed32(message, 16, SPAN_FLAGS);
  writeStatus(message, span.isError);
  if (span.link !== undefined) writeLink(message, span.link);
  writeAttributes(message, 9, span.attributes);
  writeNanoseconds(message, 8, span.endUs);
  writeNanoseconds(message, 7, span.startUs);
  writeInteger(message, 6, KINDS[span.kind]);
  writeText(message, 5, span.name);
  if (span.parentSpanId !== undefined) writeHex(message, 4, span.parentSpanId);
  writeHex(message, 2, span.spanId);
  writeHex(message, 1, span.traceId);
  wrapField(message, 2, behind);
}

function writeStatus(message: Message, isError: boolean): void {
  const behind = bytesIn(message);
  writeInteger(message, 3, isError ? STATUS_ERROR : STATUS_UNSET);
  wrapField(message, 15, behind);
}

function writeLink(message: Message, { traceId, spanId }: NonNullable<Span['link']>): void {
  const behind = bytesIn(message);
  writeFixed32(message, 6, LINK_FLAGS);
  writeHex(message, 2, spanId);
  writeHex(message, 1, traceId);
  wrapField(message, 13, behind);
}

function writeAttributes(message: Message, field: number, attributes: Attributes): void {
  for (const key of Object.keys(attributes).toReversed()) {
    const value = attributes[key];
    if (value === undefined) continue;
    const behind = bytesIn(message);
    writeValue(message, value);
    wrapField(message, 2, behind);
    writeKey(message, key);
    wrapField(message, field, behind);
  }
}

function writeKey(message: Message, key: string): void {
  const encoded = KEYS.get(key);
  if (encoded === undefined) writeText(message, 1, key);
  else writeBytes(message, encoded);
}

function writeValue(message: Message, value: AttributeValue): void {
  if (typeof value === 'string') writeText(message, 1, value);
  else if (typeof value === 'boolean') writeInteger(message, 2, Number(value));
  else if (typeof value === 'number') writeNumber(message, value);
  else writeTexts(message, value);
}

// A whole number that 64 bits don't hold is a double, as OpenTelemetry's own encoder has it.
function writeNumber(message: Message, value: number): void {
  const isInt64 = Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63;
  if (isInt64) writeInteger(message, 3, value);
  else writeDouble(message, 4, value);
}

function writeTexts(message: Message, texts: readonly string[]): void {
  const behind = bytesIn(message);
  for (const text of texts.toReversed()) {
    const itemStart = bytesIn(message);
    writeText(message, 1, text);
    wrapField(message, 1, itemStart);
  }
  wrapField(message, 5, behind);
}
