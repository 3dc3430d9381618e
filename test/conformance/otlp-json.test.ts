// Bytes read back as OTLP's JSON: what OpenTelemetry's own encoders make of the same spans, once as
// protobuf and once as JSON, is the same; and what no specification knows of is seen.
import { describe, expect, test } from '@jest/globals';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { decodeRequest } from '../../sidecar/review/decode.ts';
import type { Signal } from '../../sidecar/otlp/destination.ts';

const context = (digit: string) => ({
  traceId: digit.repeat(32),
  spanId: digit.repeat(16),
  traceFlags: 1,
});

const SPAN: ReadableSpan = {
  name: 'GET orders',
  kind: SpanKind.SERVER,
  spanContext: () => context('a'),
  parentSpanContext: context('b'),
  startTime: [1_795_170_914, 561_234_567],
  endTime: [1_795_170_915, 1],
  duration: [0, 0],
  status: { code: SpanStatusCode.ERROR, message: 'it failed' },
  attributes: {
    text: 'grün',
    whole: 42,
    negative: -7,
    large: 2 ** 52,
    broken: 0.25,
    yes: true,
    list: ['a', 'b'],
    numbers: [1, 2.5],
  },
  links: [{ context: context('c'), attributes: { why: 'restarted' } }],
  events: [{ name: 'thrown', time: [1_795_170_914, 7], attributes: { depth: 3 } }],
  ended: true,
  droppedAttributesCount: 1,
  droppedEventsCount: 2,
  droppedLinksCount: 3,
  resource: resourceFromAttributes({ 'service.name': 'caddy' }),
  instrumentationScope: { name: 'signet', version: '1.2.3' },
};

/** What protobuf leaves out is as good as its default; 64 bits may be a text or a number in JSON. */
function comparable(value: unknown): unknown {
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, each]) => [name, comparable(each)] as const);
  const isDefault = (each: unknown) => each === '0' || each === '' || JSON.stringify(each) === '[]';
  return Object.fromEntries(entries.filter(([, each]) => !isDefault(each)));
}

function decode(signal: Signal, ...bytes: number[]) {
  const seen: string[] = [];
  const json = decodeRequest(signal, Buffer.from(bytes), (where, name) =>
    seen.push(`${where} ${name}`),
  );
  return { json, seen };
}

describe('a request as JSON', () => {
  test('is what OpenTelemetry’s JSON encoder makes of the same span', () => {
    const bytes = Buffer.from(ProtobufTraceSerializer.serializeRequest([SPAN]) ?? []);
    const json: unknown = JSON.parse(
      Buffer.from(JsonTraceSerializer.serializeRequest([SPAN]) ?? []).toString(),
    );
    expect(comparable(decodeRequest('traces', bytes, () => {}))).toEqual(comparable(json));
  });

  test('names the keys of attributes by the message that they are in', () => {
    const seen = new Set<string>();
    const bytes = Buffer.from(ProtobufTraceSerializer.serializeRequest([SPAN]) ?? []);
    decodeRequest('traces', bytes, (where, name) => seen.add(`${where} ${name}`));
    const expected = [
      'resource.attributes service.name',
      'span.attributes whole',
      'link.attributes why',
      'span_event.attributes depth',
      'span_event.name thrown',
      'scope.name signet',
      'span trace_id',
    ];
    expect(expected.filter((name) => !seen.has(name))).toEqual([]);
  });
});

describe('a reader that misses nothing', () => {
  // resource_spans { scope_spans { spans { … } } }, each of up to 127 bytes.
  const span = (...bytes: number[]) => {
    const wrapped = (tag: number, inner: number[]) => [tag, inner.length, ...inner];
    return wrapped(0x0a, wrapped(0x12, wrapped(0x12, bytes)));
  };

  test('shows a field that the specification doesn’t know', () => {
    const { json, seen } = decode('traces', ...span(0xca, 0x02, 0x01, 0x41));
    expect(seen).toContain('span field 41');
    expect(JSON.stringify(json)).toContain('"field41":"QQ=="');
  });

  test('shows a value of a kind that holds names of its own', () => {
    // attributes { key: "a" value { kvlist_value { values { key: "b" } } } }
    const pair = [0x0a, 0x03, 0x0a, 0x01, 0x62];
    const value = [0x32, pair.length, ...pair];
    const attribute = [0x0a, 0x01, 0x61, 0x12, value.length, ...value];
    const { seen } = decode('traces', ...span(0x4a, attribute.length, ...attribute));
    expect(seen).toEqual(
      expect.arrayContaining(['span.attributes a', 'value kvlist_value', 'kvlist.values b']),
    );
  });

  test('reads numbers of 64 bits whole', () => {
    const { json } = decode('traces', ...span(0x39, 1, 0, 0, 0, 0, 0, 0, 0x80));
    expect(JSON.stringify(json)).toContain('"startTimeUnixNano":"9223372036854775809"');
  });

  test.each([
    ['a field that is longer than its message', [0x0a, 0x05, 0x01]],
    ['a number without an end', [0x0a, 0xff]],
    ['a type that is none', [0x0f]],
  ])('%s is no request', (_name, bytes) => {
    expect(() => decode('traces', ...bytes)).toThrow(RangeError);
  });

  test('reads numbers that are packed, and those that are not', () => {
    // resource_metrics.scope_metrics.metrics.histogram.data_points { bucket_counts: [1], then 2 alone }
    const point = [0x32, 8, 1, 0, 0, 0, 0, 0, 0, 0, 0x31, 2, 0, 0, 0, 0, 0, 0, 0];
    const layers = [0x0a, 0x4a, 0x12, 0x12, 0x0a];
    const bytes = layers.reduce((inner, tag) => [tag, inner.length, ...inner], point);
    expect(JSON.stringify(decode('metrics', ...bytes).json)).toContain('"bucketCounts":["1","2"]');
  });
});
