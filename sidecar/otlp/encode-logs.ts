// Log records as OTLP's request (opentelemetry-proto 1.x: logs_service.proto, logs.proto). Each message is
// written from its last field to its first: see protobuf.ts. Sends nothing.
import { type Attributes, writeAttributes, writeScopeAndResource } from './encode-attributes.ts';
import type { LogRecord, Severity } from './log-record.ts';
import {
  bytesIn,
  createMessage,
  emptyMessage,
  type Message,
  wrapField,
  writeFixed32,
  writeHex,
  writeInteger,
  writeNanoseconds,
  writeText,
  writtenBytes,
} from './protobuf.ts';

const FIRST_ROOM_BYTES = 64 * 1024;
const SEVERITY_NUMBERS: Readonly<Record<Severity, number>> = { INFO: 9, WARN: 13, ERROR: 17 };
/** The trace is sampled (W3C). */
const SAMPLED = 0x01;

/**
 * Returns what encodes log records of one resource as one request, in their order. It lies in memory
 * that the next call writes over.
 */
export function createLogEncoder(
  resource: Attributes,
  version: string,
): (records: readonly LogRecord[]) => Buffer {
  const message = createMessage(FIRST_ROOM_BYTES);

  return (records) => {
    emptyMessage(message);
    for (const record of records.toReversed()) writeRecord(message, record);
    if (records.length > 0) writeScopeAndResource(message, 0, resource, version);
    return writtenBytes(message);
  };
}

function writeRecord(message: Message, record: LogRecord): void {
  const { traceId, spanId } = record;
  const behind = bytesIn(message);
  writeText(message, 12, record.eventName);
  writeNanoseconds(message, 11, record.observedUs);
  if (spanId !== undefined) writeHex(message, 10, spanId);
  if (traceId !== undefined) writeHex(message, 9, traceId);
  if (record.isSampled) writeFixed32(message, 8, SAMPLED);
  writeAttributes(message, 6, record.attributes);
  writeText(message, 3, record.severity);
  writeInteger(message, 2, SEVERITY_NUMBERS[record.severity]);
  writeNanoseconds(message, 1, record.timeUs);
  wrapField(message, 2, behind); // log_records
}
