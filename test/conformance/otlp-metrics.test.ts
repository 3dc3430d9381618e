// Metrics leave as OTLP (opentelemetry-proto 1.x): read by protobufjs, and field by field what
// OpenTelemetry's own encoder makes of the same. It has no exemplars; those are held against the proto.
import { describe, expect, test } from '@jest/globals';
import { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import fc from 'fast-check';
import { encodeMetrics } from '../../sidecar/otlp/encode-metrics.ts';
import { INSTRUMENTS } from '../../sidecar/metrics/instruments.ts';
import type {
  Exemplar,
  HistogramMetric,
  Labels,
  Metric,
  NumberMetric,
  Snapshot,
} from '../../sidecar/metrics/snapshot.ts';
import { SCOPE } from '../../sidecar/trace/names.ts';
import { decodeMetrics, type Decoded } from '../fixtures/signal-services.ts';

const RESOURCE = { 'service.name': 'caddy', 'service.version': '1.2.3' };
const VERSION = '0.1.0';
const AT_US = 1_795_170_914_561_234;

const decoded = (snapshot: Snapshot) => decodeMetrics(encodeMetrics(snapshot, RESOURCE, VERSION));

type ResourceMetrics = Parameters<typeof ProtobufMetricsSerializer.serializeRequest>[0];
type MetricData = ResourceMetrics['scopeMetrics'][number]['metrics'][number];

/** As @opentelemetry/sdk-metrics numbers them. */
const HISTOGRAM = 0;
const GAUGE = 2;
const SUM = 3;
const CUMULATIVE = 1;
const INT = 0;
const DOUBLE = 1;

function byOpenTelemetry({ atUs, metrics }: Snapshot) {
  const bytes = ProtobufMetricsSerializer.serializeRequest({
    resource: resourceFromAttributes(RESOURCE),
    scopeMetrics: [
      {
        scope: { name: SCOPE, version: VERSION },
        metrics: metrics.map((metric) => toMetricData(metric, atUs)),
      },
    ],
  });
  return decodeMetrics(bytes ?? new Uint8Array());
}

function toMetricData(metric: Metric, atUs: number): MetricData {
  const { name, unit, description, kind, isWhole } = metric.instrument;
  const place = (labels: Labels) => ({
    attributes: labels,
    startTime: hrTime(metric.startedAtUs ?? 0),
    endTime: hrTime(atUs),
  });
  const common = {
    descriptor: { name, unit, description, valueType: isWhole ? INT : DOUBLE },
    aggregationTemporality: CUMULATIVE,
  };
  if ('histograms' in metric) {
    const dataPoints = metric.histograms.map(({ labels, count, sum, counts }) => ({
      ...place(labels),
      value: { count, sum, buckets: { counts, boundaries: metric.bounds } },
    }));
    return { ...common, dataPointType: HISTOGRAM, dataPoints } as unknown as MetricData;
  }
  const dataPoints = metric.points.map(({ labels, value }) => ({ ...place(labels), value }));
  const type = kind === 'counter' ? SUM : GAUGE;
  return { ...common, dataPointType: type, isMonotonic: true, dataPoints } as unknown as MetricData;
}

const hrTime = (us: number) => [Math.floor(us / 1_000_000), (us % 1_000_000) * 1000];

const labels: fc.Arbitrary<Labels> = fc.dictionary(
  fc.string({ unit: 'grapheme' }),
  fc.oneof(fc.string({ unit: 'binary' }), fc.boolean()),
);
const timeUs = fc.maxSafeNat();
const whole = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 52));
const counter: fc.Arbitrary<NumberMetric> = fc.record(
  {
    instrument: fc.constantFrom(INSTRUMENTS.requests, INSTRUMENTS.decisionsOpen),
    startedAtUs: timeUs,
    points: fc.array(fc.record({ labels, value: whole })),
  },
  { requiredKeys: ['instrument', 'points'] },
);
const gauge: fc.Arbitrary<NumberMetric> = fc.record({
  instrument: fc.constant(INSTRUMENTS.clockSkew),
  points: fc.array(fc.record({ labels, value: fc.double() })),
});
const histogram: fc.Arbitrary<HistogramMetric> = fc.record({
  instrument: fc.constant(INSTRUMENTS.duration),
  startedAtUs: timeUs,
  bounds: fc.array(fc.double()),
  histograms: fc.array(
    fc.record({
      labels,
      count: whole,
      sum: fc.double(),
      counts: fc.array(whole),
      exemplars: fc.constant([]),
    }),
  ),
});
const snapshot: fc.Arbitrary<Snapshot> = fc.record({
  atUs: timeUs,
  metrics: fc.array(fc.oneof(counter, gauge, histogram), { maxLength: 5 }),
});

const EXEMPLAR: Exemplar = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  value: 0.012,
  atUs: AT_US - 5,
};

/** Returns the only metric of a request. */
function metricOf(metric: Metric): Decoded {
  const request = decoded({ atUs: AT_US, metrics: [metric] });
  return request['resourceMetrics']![0]!['scopeMetrics']![0]!['metrics']![0]!;
}

describe('a request', () => {
  test('is what OpenTelemetry’s encoder makes of the same metrics, whatever they hold', () => {
    fc.assert(
      fc.property(snapshot, (some) => expect(decoded(some)).toEqual(byOpenTelemetry(some))),
      { numRuns: 200 },
    );
  });

  test('lies in memory of its own: the next one does not write over it', () => {
    const of = (value: number): Snapshot => ({
      atUs: AT_US,
      metrics: [{ instrument: INSTRUMENTS.decisionsOpen, points: [{ labels: {}, value }] }],
    });
    const first = encodeMetrics(of(1), RESOURCE, VERSION);
    const before = Buffer.from(first);
    encodeMetrics(of(2), RESOURCE, VERSION);
    expect(first.equals(before)).toBe(true);
  });
});

describe('a metric', () => {
  test('that counts is a cumulative sum that never falls, since when it counts', () => {
    const { sum } = metricOf({
      instrument: INSTRUMENTS.requests,
      startedAtUs: AT_US - 1_000_000,
      points: [{ labels: { team: 'payments' }, value: 2 ** 33 + 1 }],
    });
    expect(sum).toMatchObject({ aggregationTemporality: 'CUMULATIVE', isMonotonic: true });
    expect(sum!['dataPoints']![0]).toMatchObject({
      startTimeUnixNano: '1795170913561234000',
      timeUnixNano: '1795170914561234000',
      asInt: '8589934593',
    });
  });

  test('that goes on from before the process has no start', () => {
    const points = [{ labels: {}, value: 3 }];
    const { sum } = metricOf({ instrument: INSTRUMENTS.decisionsLost, points });
    expect(sum!['dataPoints']![0]).toMatchObject({ startTimeUnixNano: '0', asInt: '3' });
  });

  test('of other series says so by a label that is true, not by a text', () => {
    const points = [{ labels: { 'otel.metric.overflow': true }, value: 1 }];
    const { sum } = metricOf({ instrument: INSTRUMENTS.requests, points });
    expect(sum!['dataPoints']![0]!['attributes']![0]).toMatchObject({
      key: 'otel.metric.overflow',
      value: { boolValue: true },
    });
  });

  test('that is a histogram has its exemplars, by trace and span', () => {
    const point = { labels: {}, count: 2, sum: 0.5, counts: [1, 1, 0] };
    const metric = metricOf({
      instrument: INSTRUMENTS.duration,
      startedAtUs: 0,
      bounds: [0.1, 1],
      histograms: [{ ...point, exemplars: [undefined, EXEMPLAR, { ...EXEMPLAR, value: 7 }] }],
    });
    const [read] = metric['histogram']!['dataPoints']!;
    expect(read!['exemplars']!.map(plainExemplar)).toEqual([EXEMPLAR, { ...EXEMPLAR, value: 7 }]);
    expect(read).toMatchObject({ bucketCounts: ['1', '1', '0'], explicitBounds: [0.1, 1] });
  });
});

function plainExemplar(exemplar: Decoded): Exemplar {
  const { traceId, spanId, asDouble, timeUnixNano } = exemplar as unknown as {
    traceId: Uint8Array;
    spanId: Uint8Array;
    asDouble: number;
    timeUnixNano: string;
  };
  return {
    traceId: Buffer.from(traceId).toString('hex'),
    spanId: Buffer.from(spanId).toString('hex'),
    value: asDouble,
    atUs: Number(BigInt(timeUnixNano) / 1000n),
  };
}
