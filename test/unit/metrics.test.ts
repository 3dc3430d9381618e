// What is counted and measured of rows, and how the recorder's standing becomes metrics.
import { describe, expect, test } from '@jest/globals';
import type { EventRow, RequestRow, Row } from '../../sidecar/audit/row.ts';
import type { DeliveryState } from '../../sidecar/delivery/delivery-state.ts';
import { INSTRUMENTS, LABELS, type Instrument } from '../../sidecar/metrics/instruments.ts';
import {
  createMetrics,
  GATE_BOUNDS_US,
  MAX_SERIES,
  type Metrics,
} from '../../sidecar/metrics/metrics.ts';
import { MAX_LABEL_CHARS } from '../../sidecar/metrics/series.ts';
import type { HistogramPoint, Labels, NumberPoint } from '../../sidecar/metrics/snapshot.ts';
import { STATUSES, type Standing } from '../../sidecar/metrics/standing.ts';
import { spanIdsOf } from '../../sidecar/trace/ids.ts';
import { aFullRow, anEvent, aRow, requestId, STARTED_AT_US } from '../fixtures/rows.ts';
import { aDeliveryStanding, aStanding } from '../fixtures/standings.ts';

const SECOND_US = 1_000_000;

function someMetrics(maxSeries?: number): Metrics {
  return createMetrics({
    startedAtUs: STARTED_AT_US,
    version: '1.2.3',
    spanIdOf: (id) => spanIdsOf(id).ingress,
    ...(maxSeries !== undefined && { maxSeries }),
  });
}

function observed(...rows: Row[]): Metrics {
  const metrics = someMetrics();
  metrics.observe(rows);
  return metrics;
}

function standing(changes: Partial<Standing>): Metrics {
  const metrics = someMetrics();
  metrics.set(aStanding(changes), STARTED_AT_US);
  return metrics;
}

function pointsOf(metrics: Metrics, { name }: Instrument, nowUs = STARTED_AT_US): NumberPoint[] {
  const found = metrics.snapshot(nowUs).metrics.find(({ instrument }) => instrument.name === name);
  return found !== undefined && 'points' in found ? [...found.points] : [];
}

function histogramsOf(metrics: Metrics, { name }: Instrument): HistogramPoint[] {
  const { metrics: all } = metrics.snapshot(STARTED_AT_US);
  const found = all.find(({ instrument }) => instrument.name === name);
  return found !== undefined && 'histograms' in found ? [...found.histograms] : [];
}

const gate = (durationUs: number): NonNullable<RequestRow['gate']> => ({
  ...{ bootId: 'boot-1', number: 1, startedAtUs: STARTED_AT_US },
  durationUs,
});

describe('requests', () => {
  test('are counted by route, team, user type, decision and status class', () => {
    const metrics = observed(aRow({}, 1), aRow({}, 2), aRow({ status: 404 }, 3));
    const labels = {
      'http.route': 'orders',
      team: 'payments',
      user_type: 'human',
      'signet.decision': 'allow',
    };
    expect(pointsOf(metrics, INSTRUMENTS.requests)).toEqual([
      { labels: { ...labels, 'signet.status_class': '2xx' }, value: 2 },
      { labels: { ...labels, 'signet.status_class': '4xx' }, value: 1 },
    ]);
  });

  test('of nobody, of no route and without an answer have no such labels', () => {
    const { identity: _, route: __, ...bare } = aRow({ status: 0, decision: 'none' });
    expect(pointsOf(observed(bare), INSTRUMENTS.requests)).toEqual([
      { labels: { 'signet.decision': 'none' }, value: 1 },
    ]);
  });

  test('that took as long as a bound are in its bucket, and those that took longer in the next', () => {
    const took = (durationUs: number) => aRow({ durationUs });
    const metrics = observed(took(5_000), took(5_001), took(60 * SECOND_US));
    const [histogram] = histogramsOf(metrics, INSTRUMENTS.duration);
    expect(histogram?.counts).toEqual([1, 1, ...Array.from({ length: 12 }, () => 0), 1]);
    expect(histogram).toMatchObject({ count: 3, sum: 60.010001 });
  });

  test('give the time of the gate by decision, where the gate decided', () => {
    const metrics = observed(
      aRow({ gate: gate(25) }),
      aRow({ gate: gate(26), decision: 'deny' }),
      aRow(),
    );
    const histograms = histogramsOf(metrics, INSTRUMENTS.gateDuration);
    expect(histograms.map(({ labels, count }) => ({ labels, count }))).toEqual([
      { labels: { 'signet.decision': 'allow' }, count: 1 },
      { labels: { 'signet.decision': 'deny' }, count: 1 },
    ]);
    expect(GATE_BOUNDS_US[0]).toBe(25);
    expect(histograms.map(({ counts }) => counts.indexOf(1))).toEqual([0, 1]);
  });

  test('are rows like events, which are no requests', () => {
    const unexplained = aRow({ kind: 'unexplained' });
    const metrics = observed(aRow(), unexplained, anEvent());
    const kinds = pointsOf(metrics, INSTRUMENTS.rows).map(({ labels, value }) => [
      labels[LABELS.rowKind],
      value,
    ]);
    expect(kinds).toEqual([
      ['request', 1],
      ['unexplained', 1],
      ['event', 1],
    ]);
    const counted = pointsOf(metrics, INSTRUMENTS.requests).map(({ value }) => value);
    expect(counted).toEqual([2]);
  });
});

describe('events', () => {
  const countsOf = (...rows: Row[]) =>
    Object.fromEntries(
      pointsOf(observed(...rows), INSTRUMENTS.events).map(({ labels, value }) => [
        labels[LABELS.event],
        value,
      ]),
    );

  test('of the access log count from 0, so that the first is an increase', () => {
    expect(countsOf(aRow())).toEqual({
      'sign-in': 0,
      'sign-in-failed': 0,
      'sign-out': 0,
      'session-revoked': 0,
      'recorder-gap': 0,
    });
  });

  test('are counted by name', () => {
    const failed = (number: number) => anEvent({ event: 'sign-in-failed' }, number);
    expect(countsOf(anEvent(), failed(1), failed(2))).toMatchObject({
      'sign-in': 1,
      'sign-in-failed': 2,
    });
  });
});

describe('an exemplar', () => {
  const exemplarsOf = (...rows: Row[]) =>
    histogramsOf(observed(...rows), INSTRUMENTS.duration)[0]?.exemplars.filter(
      (exemplar) => exemplar !== undefined,
    );

  test('is the latest request of its bucket, by trace and ingress span', () => {
    const id = requestId(2);
    expect(exemplarsOf(aRow({}, 1), aRow({ durationUs: 12_346 }, 2))).toEqual([
      {
        traceId: id.replaceAll('-', ''),
        spanId: spanIdsOf(id).ingress,
        value: 0.012346,
        atUs: STARTED_AT_US + 12_346,
      },
    ]);
  });

  test('is never one that was not sampled: nobody could look it up', () => {
    const traceIds = exemplarsOf(aRow({}, 1), aRow({ sampled: false }, 2))?.map(
      ({ traceId }) => traceId,
    );
    expect(traceIds).toEqual([requestId(1).replaceAll('-', '')]);
  });
});

describe('series', () => {
  const routes = (count: number) =>
    Array.from({ length: count }, (_, n) => aRow({ route: `r${n}` }));

  test('beyond the most are one, which says so, and no request is uncounted', () => {
    const metrics = someMetrics(3);
    metrics.observe(routes(10));
    const points = pointsOf(metrics, INSTRUMENTS.requests);
    expect(points.map(({ value }) => value)).toEqual([1, 1, 8]);
    expect(points.at(-1)?.labels).toEqual({ 'otel.metric.overflow': true });
  });

  test('that were there before go on beside the one for others', () => {
    const metrics = someMetrics(3);
    metrics.observe([...routes(10), ...routes(10)]);
    expect(pointsOf(metrics, INSTRUMENTS.requests).map(({ value }) => value)).toEqual([2, 2, 16]);
  });

  test('are 2,000 at the most for each instrument, as in OpenTelemetry’s SDKs', () => {
    const metrics = someMetrics();
    metrics.observe(routes(3000));
    expect(MAX_SERIES).toBe(2000);
    expect(pointsOf(metrics, INSTRUMENTS.requests)).toHaveLength(2000);
    expect(histogramsOf(metrics, INSTRUMENTS.duration)).toHaveLength(2000);
  });

  const teamsOf = (...teams: string[]) => {
    const { identity } = aFullRow();
    const metrics = observed(...teams.map((team) => aRow({ identity: { ...identity!, team } })));
    return pointsOf(metrics, INSTRUMENTS.requests).map(({ labels, value }) => [
      labels['team'],
      value,
    ]);
  };

  test('with a value that is too long are one with all that begin alike', () => {
    const long = 'x'.repeat(MAX_LABEL_CHARS);
    expect(teamsOf(`${long}a`, `${long}b`, long)).toEqual([
      [`${'x'.repeat(MAX_LABEL_CHARS - 1)}…`, 2],
      [long, 1],
    ]);
  });

  test('with half a surrogate pair are one with those that it looks like', () => {
    expect(teamsOf('a\ud83d', 'a\ufffd', 'a\ude00')).toEqual([['a\ufffd', 3]]);
  });

  test('with an empty value are one with those that have none', () => {
    expect(teamsOf('')).toEqual([[undefined, 1]]);
  });

  test('never have a label that is about a person', () => {
    const everything = { ...aFullRow(), kind: 'unexplained' } as const;
    const lost = { ...anEvent(), kind: 'lost', user: 'alice' } as EventRow;
    const metrics = observed(everything, lost, anEvent());
    metrics.set(aStanding(), STARTED_AT_US);
    const { metrics: all } = metrics.snapshot(STARTED_AT_US);
    const labels = all.flatMap((metric): readonly { readonly labels: Labels }[] =>
      'points' in metric ? metric.points : metric.histograms,
    );
    const text = JSON.stringify(labels.map((point) => point.labels));
    for (const personal of ['alice', 'a-1', '192.0.2.7', '/orders/17', 'curl', 'robot']) {
      expect(text).not.toContain(personal);
    }
  });
});

describe('how the recorder stands', () => {
  const valueOf = (metrics: Metrics, instrument: Instrument, nowUs?: number) =>
    pointsOf(metrics, instrument, nowUs).map(({ value }) => value);

  test.each([
    ['linesSetAside', { setAside: 3 }, 3],
    ['decisionsLost', { lost: 4 }, 4],
    ['unexplained', { unexplained: 5 }, 5],
    ['invalidStamps', { invalidStamps: 6 }, 6],
    ['recorderBacklog', { lagBytes: 7 }, 7],
    ['clockSkew', { clockSkewUs: -1500 }, -0.0015],
    ['decisionsOpen', { decisions: { open: 2, overdue: 1 } }, 2],
    ['decisionsOverdue', { decisions: { open: 2, overdue: 1 } }, 1],
    ['recorderProblem', { problem: 'the disk is full' }, 1],
    ['recorderProblem', {}, 0],
  ] as const)('is told as %s: %j', (metric, changes, value) => {
    expect(valueOf(standing(changes), INSTRUMENTS[metric])).toEqual([value]);
  });

  test('says of a delivery how many rows it is behind, and what it sent and left out', () => {
    const otlp = aDeliveryStanding({
      cursor: 7,
      sent: 21,
      leftOut: { refused: 2 },
      inFlight: 3,
    });
    const metrics = standing({ lastSequence: 12, destinations: { otlp } });
    const labels = { 'signet.destination': 'otlp', 'signet.signal': 'traces' };
    expect(pointsOf(metrics, INSTRUMENTS.deliveryBacklog)).toEqual([{ labels, value: 5 }]);
    expect(pointsOf(metrics, INSTRUMENTS.deliverySent)).toEqual([{ labels, value: 21 }]);
    expect(pointsOf(metrics, INSTRUMENTS.deliveryInFlight)).toEqual([{ labels, value: 3 }]);
    expect(pointsOf(metrics, INSTRUMENTS.deliveryLeftOut)).toEqual([
      { labels: { ...labels, 'signet.left_out.reason': 'rejected' }, value: 0 },
      { labels: { ...labels, 'signet.left_out.reason': 'refused' }, value: 2 },
    ]);
  });

  test('has a series for each status of a delivery, and 1 in the one that holds', () => {
    const otlp = aDeliveryStanding({ status: 'unauthorized' });
    const points = pointsOf(standing({ destinations: { otlp } }), INSTRUMENTS.deliveryStatus);
    const holds = points.filter(({ value }) => value === 1);
    expect(points).toHaveLength(STATUSES.length);
    expect(holds.map(({ labels }) => labels['signet.status'])).toEqual(['unauthorized']);
  });

  test('knows every status that a delivery may have', () => {
    const known: Readonly<Record<DeliveryState['status'], true>> = {
      ...{
        delivering: true,
        refusing: true,
        retrying: true,
        unauthorized: true,
        misdirected: true,
      },
    };
    expect([...STATUSES].toSorted()).toEqual(Object.keys(known).toSorted());
  });

  test('knows the delivery of logs as a signal of the same destination', () => {
    const metrics = standing({ destinations: { 'otlp/logs': aDeliveryStanding() } });
    expect(pointsOf(metrics, INSTRUMENTS.deliverySent)[0]?.labels).toEqual({
      'signet.destination': 'otlp',
      'signet.signal': 'logs',
    });
  });

  test('has no metrics of deliveries where there are none', () => {
    expect(pointsOf(standing({ destinations: {} }), INSTRUMENTS.deliverySent)).toEqual([]);
  });

  describe('its lag', () => {
    const lag = (metrics: Metrics, nowUs: number) =>
      valueOf(metrics, INSTRUMENTS.recorderLag, nowUs)[0];

    test('is how old the newest row’s end is, while there is something to read', () => {
      const metrics = observed(aRow({ durationUs: SECOND_US }));
      metrics.set(aStanding({ lagBytes: 1 }), STARTED_AT_US + 2 * SECOND_US);
      expect(lag(metrics, STARTED_AT_US + 6 * SECOND_US)).toBe(5);
    });

    test('is 0 while there is nothing to read, however long nobody came', () => {
      const metrics = observed(aRow());
      const laterUs = STARTED_AT_US + 3600 * SECOND_US;
      metrics.set(aStanding(), laterUs);
      expect(lag(metrics, laterUs + SECOND_US)).toBe(0);
    });

    test('grows while a fault keeps the recorder from looking, though it had read all by then', () => {
      const metrics = observed(aRow());
      metrics.set(aStanding({ problem: 'the disk is full' }), STARTED_AT_US);
      expect(lag(metrics, STARTED_AT_US + 60 * SECOND_US)).toBe(60);
    });

    test('does not begin before there is something to read again', () => {
      const metrics = observed(aRow());
      const laterUs = STARTED_AT_US + 3600 * SECOND_US;
      metrics.set(aStanding(), laterUs);
      metrics.set(aStanding({ lagBytes: 1 }), laterUs + SECOND_US / 4);
      expect(lag(metrics, laterUs + SECOND_US / 4)).toBe(0.25);
    });
  });
});
