// Log records leave as OTLP (opentelemetry-proto 1.x): read by protobufjs, and field by field what
// OpenTelemetry's own encoder makes of the same records. What is in them is held against the conventions.
import { describe, expect, test } from '@jest/globals';
import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import fc from 'fast-check';
import { EVENT_NAMES } from '../../sidecar/audit/event.ts';
import type { EventRow, StoredRow } from '../../sidecar/audit/row.ts';
import { createLogEncoder } from '../../sidecar/otlp/encode-logs.ts';
import { createLogFeed } from '../../sidecar/delivery/log-feed.ts';
import { LOG_ATTRIBUTES, LOG_EVENTS, LOG_FIELDS } from '../../sidecar/otlp/log-names.ts';
import { logRecordOf, type LogRecord } from '../../sidecar/otlp/log-record.ts';
import { EXPORTED_ATTRIBUTES, PERSONAL_ATTRIBUTES } from '../../sidecar/trace/exported.ts';
import { NAMES, SCOPE } from '../../sidecar/trace/names.ts';
import { spansOf } from '../../sidecar/trace/spans.ts';
import { aFullRow, anEvent, aStoredRow, requestId, STARTED_AT_US } from '../fixtures/rows.ts';
import { decodeLogs, type Decoded } from '../fixtures/signal-services.ts';

const RESOURCE = { 'service.name': 'caddy', 'service.version': '1.2.3' };
const VERSION = '0.1.0';
const encode = createLogEncoder(RESOURCE, VERSION);
const SEVERITIES = { INFO: 9, WARN: 13, ERROR: 17 } as const;

const decoded = (records: readonly LogRecord[]) => decodeLogs(encode(records));

type Readable = Parameters<typeof ProtobufLogsSerializer.serializeRequest>[0][number];

function byOpenTelemetry(records: readonly LogRecord[]) {
  const place = {
    resource: resourceFromAttributes(RESOURCE),
    instrumentationScope: { name: SCOPE, version: VERSION },
  };
  const readable = records.map((record) => ({ ...toReadable(record), ...place }));
  return decodeLogs(ProtobufLogsSerializer.serializeRequest(readable) ?? new Uint8Array());
}

function toReadable(record: LogRecord): Omit<Readable, 'resource' | 'instrumentationScope'> {
  const { traceId, spanId, isSampled, severity } = record;
  // A context without a span is none to its types, and written as it is all the same.
  const context = { traceId, spanId, traceFlags: isSampled ? 1 : 0 };
  return {
    hrTime: hrTime(record.timeUs),
    hrTimeObserved: hrTime(record.observedUs),
    severityNumber: SEVERITIES[severity] as NonNullable<Readable['severityNumber']>,
    severityText: severity,
    eventName: record.eventName,
    spanContext: context as NonNullable<Readable['spanContext']>,
    attributes: record.attributes as Readable['attributes'],
    droppedAttributesCount: 0,
  };
}

function hrTime(us: number): [number, number] {
  return [Math.floor(us / 1_000_000), (us % 1_000_000) * 1000];
}

const hex = (digits: number) =>
  fc
    .uint8Array({ minLength: digits / 2, maxLength: digits / 2 })
    .map((bytes) => Buffer.from(bytes).toString('hex'));
const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }));
const value = fc.oneof(text, fc.integer(), fc.double(), fc.boolean(), fc.array(text));
const key = fc.oneof(fc.constantFrom(...EXPORTED_ATTRIBUTES, ...LOG_ATTRIBUTES), text);
const record: fc.Arbitrary<LogRecord> = fc.record(
  {
    eventName: fc.string({ unit: 'grapheme', minLength: 1 }),
    severity: fc.constantFrom('INFO' as const, 'WARN' as const, 'ERROR' as const),
    timeUs: fc.maxSafeNat(),
    observedUs: fc.maxSafeNat(),
    traceId: hex(32),
    spanId: hex(16),
    isSampled: fc.boolean(),
    attributes: fc.dictionary(key, value),
  },
  {
    requiredKeys: ['eventName', 'severity', 'timeUs', 'observedUs', 'isSampled', 'attributes'],
  },
);

/** Returns an event with its place in the store. */
function aStoredEvent(changes: Partial<EventRow> = {}): StoredRow {
  return { ...anEvent(changes), sequence: 7, hash: 'cd'.repeat(32) };
}

const lost: Partial<EventRow> = {
  kind: 'lost',
  event: 'decision-lost',
  requestId: 'decision-lost:boot-1:7',
  user: 'alice',
  details: { cause: 'sidecar-killed', first: 7, request: requestId(1) },
};

describe('a request', () => {
  test('is what OpenTelemetry’s encoder makes of the same records, whatever they hold', () => {
    const records = fc.array(record, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(records, (some) => expect(decoded(some)).toEqual(byOpenTelemetry(some))),
      { numRuns: 200 },
    );
  });

  test('has a record for every row, in their order, sampled or not', () => {
    const rows = [
      aStoredRow({ sampled: false }),
      aStoredEvent(),
      aStoredEvent(lost),
      aStoredRow({ kind: 'unexplained' }),
    ];
    const feed = createLogFeed(RESOURCE, VERSION);
    const { bytes, items } = feed.encode(rows);
    expect(items).toBe(4);
    expect(recordsOf(decodeLogs(bytes)).map(({ eventName }) => eventName)).toEqual([
      'signet.request',
      'signet.sign_in',
      'signet.decision_lost',
      'signet.unexplained',
    ]);
  });

  test('of no rows holds nothing to send', () => {
    expect(createLogFeed(RESOURCE, VERSION).encode([])).toMatchObject({ items: 0 });
  });

  test('says nothing of the one before', () => {
    const feed = createLogFeed(RESOURCE, VERSION);
    feed.encode([aStoredEvent(), aStoredRow({ path: '/x'.repeat(5000) })]);
    const { bytes } = feed.encode([aStoredEvent()]);
    expect(recordsOf(decodeLogs(bytes))).toHaveLength(1);
  });

  test('has the resource and the scope of the spans', () => {
    const of = decoded([logRecordOf(aStoredRow())])['resourceLogs']![0]!;
    const names = of['resource']!['attributes']!.map((attribute) => String(attribute['key']));
    expect(names).toEqual(Object.keys(RESOURCE));
    expect(of['scopeLogs']![0]!['scope']).toMatchObject({ name: SCOPE, version: VERSION });
  });
});

function recordsOf(request: Decoded): readonly Decoded[] {
  return request['resourceLogs']!.flatMap((of) =>
    of['scopeLogs']!.flatMap((scope) => [...scope['logRecords']!]),
  );
}

describe('the record of a request', () => {
  const row = { ...aStoredRow(), ...aFullRow() };
  const [ingress] = spansOf(row);

  test('hangs on the ingress span, by trace, span and sampled flag', () => {
    expect(logRecordOf(row)).toMatchObject({
      traceId: ingress?.traceId,
      spanId: ingress?.spanId,
      isSampled: true,
    });
    expect(logRecordOf({ ...row, sampled: false }).isSampled).toBe(false);
  });

  test('begins when the span does, and is observed when that ends', () => {
    const { timeUs, observedUs } = logRecordOf(row);
    expect([timeUs, observedUs]).toEqual([ingress?.startUs, ingress?.endUs]);
  });

  test('has the attributes of the ingress span, and how long it took in whole microseconds', () => {
    expect(logRecordOf(row).attributes).toEqual({
      ...ingress?.attributes,
      'signet.duration_us': row.durationUs,
      'signet.gate.duration_us': row.gate?.durationUs,
    });
  });

  test('has its place in the chain: a repeat is known by it', () => {
    expect(logRecordOf(row).attributes).toMatchObject({
      'signet.audit.sequence': row.sequence,
      'signet.audit.hash': row.hash,
    });
  });
});

describe('a severity', () => {
  test.each([
    ['allowed', aStoredRow(), 'INFO'],
    ['not found', aStoredRow({ status: 404 }), 'INFO'],
    ['sent to sign in', aStoredRow({ decision: 'login', status: 302 }), 'INFO'],
    ['refused', aStoredRow({ decision: 'deny', status: 403 }), 'WARN'],
    ['an error', aStoredRow({ status: 502 }), 'ERROR'],
    ['refused because something is down', aStoredRow({ decision: 'deny', status: 503 }), 'ERROR'],
    ['served with no decision', aStoredRow({ kind: 'unexplained' }), 'ERROR'],
    ['a sign-in', aStoredEvent(), 'INFO'],
    ['a sign-in that failed', aStoredEvent({ event: 'sign-in-failed' }), 'WARN'],
    ['a decision that was lost', aStoredEvent(lost), 'WARN'],
    ['a verification', verification(0), 'INFO'],
    ['a verification that found something', verification(2), 'WARN'],
  ])('of what is %s is as declared', (_what, given, severity) => {
    expect(logRecordOf(given).severity).toBe(severity);
  });
});

function verification(findings: number): StoredRow {
  const details = { rows: 10, findings, upTo: 10 };
  return aStoredEvent({ event: 'verification-run', details });
}

describe('the record of an event', () => {
  test('of a request hangs on that request’s ingress span', () => {
    const record = logRecordOf(aStoredEvent());
    const [ingress] = spansOf(aStoredRow());
    expect(record).toMatchObject({ traceId: ingress?.traceId, spanId: ingress?.spanId });
    expect(record.attributes).toMatchObject({ 'signet.request_id': requestId(1) });
  });

  test('of a decision that was lost has its trace, and no span: there is none', () => {
    const { traceId, spanId } = logRecordOf(aStoredEvent(lost));
    expect([traceId, spanId]).toEqual([requestId(1).replaceAll('-', ''), undefined]);
  });

  test('of no trace has no span, whatever its id is', () => {
    const { traceId: _, ...event } = anEvent({ event: 'deployment-marked' });
    const marked = { ...event, requestId: `deployment-marked:${requestId(1)}` };
    const record = logRecordOf({ ...marked, sequence: 7, hash: 'cd'.repeat(32) });
    expect([record.traceId, record.spanId]).toEqual([undefined, undefined]);
  });

  test('has its place in the chain', () => {
    expect(logRecordOf(aStoredEvent()).attributes).toMatchObject({
      'signet.audit.sequence': 7,
      'signet.audit.hash': 'cd'.repeat(32),
    });
  });

  test('says who it was, by identity or by name only', () => {
    expect(logRecordOf(aStoredEvent()).attributes).toMatchObject({
      'user.id': 'alice',
      team: 'payments',
      'signet.issuer': 'https://login.example.com',
    });
    const { identity: _, ...nobody } = anEvent(lost);
    const stored = { ...nobody, sequence: 7, hash: 'cd'.repeat(32) };
    expect(logRecordOf(stored).attributes).toMatchObject({ 'user.id': 'alice' });
  });

  test('has its code, when it was, and its details by name', () => {
    const record = logRecordOf(verification(2));
    expect(record).toMatchObject({ timeUs: STARTED_AT_US, observedUs: STARTED_AT_US });
    expect(record.attributes).toMatchObject({
      'signet.event.code': 'SIG-304',
      'signet.detail.findings': 2,
      'signet.detail.up_to': 10,
    });
  });

  test('that only a newer Signet knows has a name by the same rule, and no code', () => {
    const event = 'moon-risen' as EventRow['event'];
    const [record] = recordsOf(decoded([logRecordOf(aStoredEvent({ event }))]));
    expect(record?.['eventName']).toBe('signet.moon_risen');
    expect(JSON.stringify(record)).not.toContain('signet.event.code');
  });

  test('is made of a kind of row that only a newer Signet knows, too', () => {
    const { details: _details, event: _event, ...rest } = anEvent();
    const stored = { ...rest, kind: 'eclipse', sequence: 7, hash: 'cd'.repeat(32) };
    const record = logRecordOf(stored as unknown as StoredRow);
    expect(record).toMatchObject({ eventName: 'signet.event', severity: 'INFO' });
  });

  test('has no detail that is more than one value, whatever a newer Signet nests there', () => {
    const nested = {
      what: { email: 'a@b.example' },
      why: ['c@d.example', 1],
      cause: null,
      first: 7,
    };
    const details = nested as unknown as EventRow['details'];
    const { bytes } = createLogFeed(RESOURCE, VERSION).encode([aStoredEvent({ details })]);
    const text = JSON.stringify(recordsOf(decodeLogs(bytes)));
    expect(text).toContain('signet.detail.first');
    expect(text).not.toMatch(/@|signet\.detail\.(?:what|why|cause)/);
  });

  test('has no detail that was not declared', () => {
    const { attributes } = logRecordOf(aStoredEvent({ details: { email: 'a@b.example' } }));
    expect(JSON.stringify(attributes)).not.toContain('a@b.example');
  });
});

describe('what leaves on a log record', () => {
  const everything: StoredRow[] = [
    { ...aStoredRow(), ...aFullRow(), status: 503, method: 'PROPFIND' },
    ...EVENT_NAMES.map((event) => aStoredEvent({ event, details: { reason: 'state-unknown' } })),
  ];

  test('is declared: every attribute, and every name of an event', () => {
    const declared = new Set([...EXPORTED_ATTRIBUTES, ...LOG_ATTRIBUTES]);
    const records = everything.map(logRecordOf);
    const names = records.flatMap(({ attributes }) => Object.keys(attributes));
    expect(names.filter((name) => !declared.has(name))).toEqual([]);
    expect(records.filter(({ eventName }) => !LOG_EVENTS.includes(eventName))).toEqual([]);
  });

  test('is declared: every field on the wire, and there is no body', () => {
    const fields = recordsOf(decoded(everything.map(logRecordOf))).flatMap((read) =>
      Object.entries(read).flatMap(([field, given]) => (isDefault(given) ? [] : [field])),
    );
    const declared = LOG_FIELDS.map((field) =>
      field.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    );
    expect(new Set(fields)).toEqual(new Set([...declared, 'attributes']));
  });

  test('is about a person only in the attributes that are declared so', () => {
    const records = everything.map(logRecordOf);
    const bare = records.map(({ attributes, ...rest }) => ({
      ...rest,
      attributes: Object.entries(attributes).filter(
        ([name]) => !PERSONAL_ATTRIBUTES.includes(name),
      ),
    }));
    for (const personal of ['alice', 'a-1', '192.0.2.7', '/orders/17', 'curl', 'deploy-agent']) {
      expect(JSON.stringify(bare)).not.toContain(personal);
    }
    expect(PERSONAL_ATTRIBUTES).toContain(NAMES.user);
  });
});

function isDefault(given: unknown): boolean {
  if (given === null || given === 0 || given === '0' || given === '') return true;
  return given instanceof Uint8Array && given.length === 0;
}
