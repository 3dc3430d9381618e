// What leaves on the wire is OTLP (opentelemetry-proto 1.x): read by protobufjs, and field by field what
// OpenTelemetry's own encoder makes of the same spans.
import { describe, expect, test } from '@jest/globals';
import { SpanKind, SpanStatusCode, TraceFlags, type HrTime } from '@opentelemetry/api';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { spanLines } from '../../deploy/local/span-line.ts';
import { createSpanEncoder } from '../../sidecar/otlp/encode-spans.ts';
import { readRejection } from '../../sidecar/otlp/read-response.ts';
import { EXPORTED_ATTRIBUTES } from '../../sidecar/trace/exported.ts';
import { SCOPE } from '../../sidecar/trace/names.ts';
import type { AttributeValue, Span } from '../../sidecar/trace/span.ts';
import { spansOf } from '../../sidecar/trace/spans.ts';
import { aFullRow, aRow } from '../fixtures/rows.ts';
import { decodeRequest, encodeResponse } from '../fixtures/trace-service.ts';

const RESOURCE = { 'service.name': 'caddy', 'service.version': '1.2.3' };
const VERSION = '0.1.0';
const encode = createSpanEncoder(RESOURCE, VERSION);

function decoded(spans: readonly Span[]) {
  return decodeRequest(encode(spans));
}

function byOpenTelemetry(spans: readonly Span[]) {
  const resource = resourceFromAttributes(RESOURCE);
  const scope = { name: SCOPE, version: VERSION };
  const readable = spans.map((span) => ({
    ...toReadable(span),
    resource,
    instrumentationScope: scope,
  }));
  const bytes = ProtobufTraceSerializer.serializeRequest(readable);
  return decodeRequest(bytes ?? new Uint8Array());
}

function toReadable(span: Span): Omit<ReadableSpan, 'resource' | 'instrumentationScope'> {
  const { traceId, spanId, parentSpanId, link } = span;
  return {
    name: span.name,
    kind: SpanKind[span.kind],
    spanContext: () => ({ traceId, spanId, traceFlags: flagsOf(span) }),
    ...(parentSpanId !== undefined && {
      parentSpanContext: { traceId, spanId: parentSpanId, traceFlags: TraceFlags.SAMPLED },
    }),
    startTime: hrTime(span.startUs),
    endTime: hrTime(span.endUs),
    duration: hrTime(span.endUs - span.startUs),
    status: { code: span.isError ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: span.attributes as ReadableSpan['attributes'],
    links: link === undefined ? [] : [{ context: { ...link, traceFlags: TraceFlags.NONE } }],
    events: [],
    ended: true,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function flagsOf({ isSampled }: Span): TraceFlags {
  return isSampled === false ? TraceFlags.NONE : TraceFlags.SAMPLED;
}

function hrTime(us: number): HrTime {
  return [Math.floor(us / 1_000_000), (us % 1_000_000) * 1000];
}

const hex = (digits: number) =>
  fc
    .uint8Array({ minLength: digits / 2, maxLength: digits / 2 })
    .map((bytes) => Buffer.from(bytes).toString('hex'));
const context = fc.record({ traceId: hex(32), spanId: hex(16) });
const halfSurrogates = fc.string({
  unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
});
const text = fc.oneof(
  fc.string({ unit: 'grapheme-ascii', maxLength: 200 }),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  halfSurrogates,
);
const number = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(0, -0, 127, 128, -1, 2 ** 32, 2 ** 63, -(2 ** 63), 2 ** 64, -(2 ** 64)),
);
const value: fc.Arbitrary<AttributeValue> = fc.oneof(text, number, fc.boolean(), fc.array(text));
const key = fc.oneof(fc.constantFrom(...EXPORTED_ATTRIBUTES), text);
const timeUs = fc.maxSafeNat();
const span: fc.Arbitrary<Span> = fc.record(
  {
    traceId: hex(32),
    spanId: hex(16),
    parentSpanId: hex(16),
    link: context,
    name: text,
    kind: fc.constantFrom('SERVER' as const, 'CLIENT' as const, 'INTERNAL' as const),
    startUs: timeUs,
    endUs: timeUs,
    attributes: fc.dictionary(key, value),
    isError: fc.boolean(),
    isSampled: fc.constant(false as const),
  },
  {
    requiredKeys: [
      ...(['traceId', 'spanId', 'name', 'kind', 'startUs', 'endUs'] as const),
      ...(['attributes', 'isError'] as const),
    ],
  },
);

function aSpan(changes: Partial<Span> = {}): Span {
  const [ingress] = spansOf(aRow());
  return { ...ingress!, ...changes };
}

/** Returns the first span as it is read. */
function readBack(changes: Partial<Span>) {
  return spanLines(decoded([aSpan(changes)]))[0];
}

describe('a request', () => {
  test('is what OpenTelemetry’s encoder makes of the same spans, whatever they hold', () => {
    const spans = fc.array(span, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(spans, (some) => expect(decoded(some)).toEqual(byOpenTelemetry(some))),
      { numRuns: 200 },
    );
  });

  test('of a row with everything is what OpenTelemetry’s encoder makes of it', () => {
    const spans = spansOf({ ...aFullRow(), sequence: 7, hash: 'ab'.repeat(32) });
    expect(decoded(spans)).toEqual(byOpenTelemetry(spans));
  });

  test('has all spans in their order, though the memory for them has to grow', () => {
    const spans = Array.from({ length: 500 }, (_, number) => aSpan({ name: `${number} ü` }));
    const names = spanLines(decoded(spans)).map(({ name }) => name);
    expect(names).toEqual(spans.map(({ name }) => name));
  });

  test('has all spans in their order after one that was much longer than any that is sent', () => {
    encode(Array.from({ length: 200 }, () => aSpan({ name: 'x'.repeat(50_000) })));
    const names = spanLines(decoded([aSpan({ name: 'a' }), aSpan({ name: 'b' })]));
    expect(names).toMatchObject([{ name: 'a' }, { name: 'b' }]);
  });

  test('of no spans is empty', () => {
    expect(encode([])).toHaveLength(0);
  });

  test('says nothing of the batch before', () => {
    decoded([aSpan({ name: 'x'.repeat(1000) }), aSpan()]);
    const request = decoded([aSpan({ name: 'second' })]);
    expect(spanLines(request).map(({ name }) => name)).toEqual(['second']);
  });
});

describe('a span', () => {
  test('has its times to the microsecond, in nanoseconds', () => {
    const startUs = 1_795_170_914_561_234;
    expect(readBack({ startUs, endUs: startUs + 1 })).toMatchObject({
      startTimeUnixNano: '1795170914561234000',
      endTimeUnixNano: '1795170914561235000',
    });
  });

  test.each([
    ['empty', '', ''],
    ['beyond ASCII', 'Žofie', 'Žofie'],
    ['beyond 16 bits', 'a😀b', 'a😀b'],
    ['with half a pair', 'a\ud83db', 'a\ufffdb'],
    ['with a NUL', 'a\0b', 'a\0b'],
  ])('takes a text that is %s', (_what, given, read) => {
    expect(readBack({ name: given, attributes: { 'user.id': given } })).toMatchObject({
      name: read,
      attributes: { 'user.id': read },
    });
  });

  test.each([[0], [-1], [127], [128], [65_535], [2 ** 32], [2 ** 53 - 1], [-(2 ** 53)], [0.25]])(
    'takes the number %d',
    (number) => {
      expect(readBack({ attributes: { number } })?.attributes).toEqual({ number });
    },
  );

  test('has ids by their digits, in either case', () => {
    const traceId = '0aF7651916Cd43dd8448eb211c80319c';
    expect(readBack({ traceId })?.traceId).toBe(traceId.toLowerCase());
  });
});

describe('an answer', () => {
  test('with a partial success says how many spans were not kept, and why', () => {
    const partialSuccess = { rejectedSpans: 300, errorMessage: 'too old – dropped' };
    const answer = encodeResponse({ partialSuccess });
    expect(readRejection(answer, 900)).toEqual({ spans: 300, reason: 'too old – dropped' });
  });

  test('is not believed to have rejected more than was sent', () => {
    const answer = Buffer.from('0a0908ffffffffffffff0f', 'hex');
    expect(readRejection(answer, 3)).toEqual({ spans: 3, reason: '' });
  });

  test.each([
    ['is empty', Buffer.alloc(0)],
    [
      'has nothing but a warning',
      encodeResponse({ partialSuccess: { rejectedSpans: 0, errorMessage: 'slow down' } }),
    ],
    [
      'has fields that are not known',
      Buffer.from('7a02080115010203041900000000000000005801', 'hex'),
    ],
  ])('that %s rejects nothing', (_what, answer) => {
    expect(readRejection(answer, 900)).toBeUndefined();
  });

  test('says no more than a line, and nothing that a terminal would obey', () => {
    const errorMessage = `\u001b[2J\n${'x'.repeat(100_000)}`;
    const answer = encodeResponse({ partialSuccess: { rejectedSpans: 1, errorMessage } });
    const { reason = '' } = readRejection(answer, 900) ?? {};
    expect(reason.length).toBeLessThan(600);
    expect(reason).not.toMatch(/\p{Cc}/u);
  });

  test('is read past fields that are not known', () => {
    const partialSuccess = { rejectedSpans: 1, errorMessage: '' };
    const unknown = Buffer.from('7a02080115010203041900000000000000005801', 'hex');
    const answer = Buffer.concat([unknown, encodeResponse({ partialSuccess })]);
    expect(readRejection(answer, 900)).toEqual({ spans: 1, reason: '' });
  });

  test('that is no message at all rejects nothing, and harms nobody', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const rejection = readRejection(Buffer.from(bytes), 900);
        expect(rejection === undefined || rejection.spans > 0).toBe(true);
      }),
    );
  });
});
