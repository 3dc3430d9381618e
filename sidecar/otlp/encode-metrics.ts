// A snapshot of metrics as OTLP's request (opentelemetry-proto 1.x: metrics_service.proto, metrics.proto):
// cumulative sums, explicit histograms with exemplars, and gauges. Sends nothing.
import type {
  Exemplar,
  HistogramMetric,
  HistogramPoint,
  Metric,
  NumberMetric,
  NumberPoint,
  Snapshot,
} from '../metrics/snapshot.ts';
import { type Attributes, writeAttributes, writeScopeAndResource } from './encode-attributes.ts';
import {
  bytesIn,
  createMessage,
  type Message,
  wrapField,
  writeBytes,
  writeDouble,
  writeFixed64,
  writeHex,
  writeInteger,
  writeNanoseconds,
  writeText,
  writtenBytes,
} from './protobuf.ts';

const FIRST_ROOM_BYTES = 64 * 1024;
const CUMULATIVE = 2;

/** Returns the request, in memory of its own: it is made once a minute, for all destinations. */
export function encodeMetrics(snapshot: Snapshot, resource: Attributes, version: string): Buffer {
  const message = createMessage(FIRST_ROOM_BYTES);
  for (const metric of snapshot.metrics.toReversed()) writeMetric(message, metric, snapshot.atUs);
  writeScopeAndResource(message, 0, resource, version);
  return writtenBytes(message);
}

function writeMetric(message: Message, metric: Metric, atUs: number): void {
  const { name, unit, description } = metric.instrument;
  const behind = bytesIn(message);
  if ('histograms' in metric) writeHistogram(message, metric, atUs);
  else if (metric.instrument.kind === 'counter') writeSum(message, metric, atUs);
  else writeGauge(message, metric, atUs);
  if (unit !== '') writeText(message, 3, unit);
  writeText(message, 2, description);
  writeText(message, 1, name);
  wrapField(message, 2, behind); // metrics
}

function writeGauge(message: Message, metric: NumberMetric, atUs: number): void {
  const behind = bytesIn(message);
  writeNumberPoints(message, metric, atUs);
  wrapField(message, 5, behind);
}

function writeSum(message: Message, metric: NumberMetric, atUs: number): void {
  const behind = bytesIn(message);
  writeInteger(message, 3, 1); // is_monotonic
  writeInteger(message, 2, CUMULATIVE);
  writeNumberPoints(message, metric, atUs);
  wrapField(message, 7, behind);
}

function writeNumberPoints(message: Message, metric: NumberMetric, atUs: number): void {
  for (const point of metric.points.toReversed()) writeNumberPoint(message, metric, point, atUs);
}

function writeNumberPoint(
  message: Message,
  { instrument, startedAtUs }: NumberMetric,
  { labels, value }: NumberPoint,
  atUs: number,
): void {
  const behind = bytesIn(message);
  writeAttributes(message, 7, labels);
  if (instrument.isWhole) writeFixed64(message, 6, value);
  else writeDouble(message, 4, value);
  writeNanoseconds(message, 3, atUs);
  if (startedAtUs !== undefined) writeNanoseconds(message, 2, startedAtUs);
  wrapField(message, 1, behind);
}

function writeHistogram(message: Message, metric: HistogramMetric, atUs: number): void {
  const behind = bytesIn(message);
  writeInteger(message, 2, CUMULATIVE);
  for (const point of metric.histograms.toReversed()) {
    writeHistogramPoint(message, metric, point, atUs);
  }
  wrapField(message, 9, behind);
}

function writeHistogramPoint(
  message: Message,
  { bounds, startedAtUs }: HistogramMetric,
  { labels, count, sum, counts, exemplars }: HistogramPoint,
  atUs: number,
): void {
  const behind = bytesIn(message);
  writeAttributes(message, 9, labels);
  for (const exemplar of exemplars.toReversed()) {
    if (exemplar !== undefined) writeExemplar(message, exemplar);
  }
  writePacked(message, 7, bounds, (bytes, bound, at) => bytes.writeDoubleLE(bound, at));
  writePacked(message, 6, counts, (bytes, each, at) => bytes.writeBigUInt64LE(BigInt(each), at));
  writeDouble(message, 5, sum);
  writeFixed64(message, 4, count);
  writeNanoseconds(message, 3, atUs);
  writeNanoseconds(message, 2, startedAtUs);
  wrapField(message, 1, behind);
}

function writeExemplar(message: Message, { traceId, spanId, value, atUs }: Exemplar): void {
  const behind = bytesIn(message);
  writeHex(message, 5, traceId);
  writeHex(message, 4, spanId);
  writeDouble(message, 3, value);
  writeNanoseconds(message, 2, atUs);
  wrapField(message, 8, behind);
}

// Numbers of eight bytes each, one behind the other (protobuf, "Packed Repeated Fields").
function writePacked(
  message: Message,
  field: number,
  numbers: readonly number[],
  write: (bytes: Buffer, number: number, at: number) => void,
): void {
  const behind = bytesIn(message);
  const bytes = Buffer.alloc(8 * numbers.length);
  for (const [index, number] of numbers.entries()) write(bytes, number, 8 * index);
  writeBytes(message, bytes);
  wrapField(message, field, behind);
}
