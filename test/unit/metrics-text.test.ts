// Metrics as text: by Prometheus's format and by OpenMetrics's, names as OpenTelemetry's compatibility
// rules have them, and whatever a route or a team is called, it is read back as that.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { metricsFormat } from '../../sidecar/http/metrics-format.ts';
import { INSTRUMENTS } from '../../sidecar/metrics/instruments.ts';
import { createMetrics, recorderDown } from '../../sidecar/metrics/metrics.ts';
import { familyName, prometheusName } from '../../sidecar/metrics/prometheus-names.ts';
import type { Metric, Snapshot } from '../../sidecar/metrics/snapshot.ts';
import { writeText, type TextFormat } from '../../sidecar/metrics/write-text.ts';
import { spanIdsOf } from '../../sidecar/trace/ids.ts';
import { readExposition, valueOf } from '../fixtures/exposition.ts';
import { aFullRow, anEvent, aRow, STARTED_AT_US } from '../fixtures/rows.ts';
import { aStanding } from '../fixtures/standings.ts';

const FORMATS: readonly TextFormat[] = ['openmetrics', 'prometheus'];

/** Returns a snapshot with every metric in it. */
function aSnapshot(): Snapshot {
  const metrics = createMetrics({
    startedAtUs: STARTED_AT_US,
    version: '1.2.3',
    spanIdOf: (id) => spanIdsOf(id).ingress,
  });
  metrics.observe([aRow(), aFullRow(), anEvent()]);
  const standing = aStanding();
  const otlp = { ...standing.destinations['otlp']!, leftOut: { refused: 2 } };
  metrics.set({ ...standing, destinations: { otlp } }, STARTED_AT_US);
  metrics.setChecks({ sessions: true, provider: false });
  return metrics.snapshot(STARTED_AT_US);
}

function snapshotOf(...metrics: Metric[]): Snapshot {
  return { atUs: STARTED_AT_US, metrics };
}

const written = (format: TextFormat) => writeText(aSnapshot(), format, { 'service.name': 'caddy' });

describe.each(FORMATS)('as %s', (format) => {
  test('every line is one of the format, and every metric is there', () => {
    const { types } = readExposition(written(format));
    const named = Object.values(INSTRUMENTS).map((instrument) =>
      format === 'prometheus' && instrument.kind === 'counter'
        ? `${familyName(instrument)}_total`
        : familyName(instrument),
    );
    const target = format === 'openmetrics' ? 'target' : 'target_info';
    expect([...types.keys()].toSorted()).toEqual([target, ...named].toSorted());
  });

  test('a histogram’s buckets add up, and the last one holds all', () => {
    const read = readExposition(written(format));
    const buckets = read.samples.filter(
      ({ name }) => name === 'http_server_request_duration_seconds_bucket',
    );
    const bounds = buckets.map(({ labels }) => labels['le']);
    expect(bounds).toContain(format === 'openmetrics' ? '1.0' : '1');
    expect(bounds.at(-1)).toBe('+Inf');
    const values = buckets.map(({ value }) => value);
    expect(values).toEqual(values.toSorted((a, b) => a - b));
    const labels = { http_route: 'orders', signet_decision: 'allow', signet_status_class: '2xx' };
    expect(values.at(-1)).toBe(2);
    expect(valueOf(read, 'http_server_request_duration_seconds_count', labels)).toBe(2);
    expect(valueOf(read, 'http_server_request_duration_seconds_sum', labels)).toBe(0.02469);
  });

  test('whatever the labels and values are, they are read back as they were', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('\\', '"', '\n', 'n', '{', '}', ',', '=', ' ', '#') }),
    );
    const value = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(Infinity, -Infinity, NaN));
    const points = fc.array(fc.record({ labels: fc.record({ team: text }), value }));
    fc.assert(
      fc.property(points, (some) => {
        const instrument = INSTRUMENTS.recorderLag;
        const read = readExposition(writeText(snapshotOf({ instrument, points: some }), format));
        expect(read.samples).toEqual(
          // Zero has no sign in a text.
          some.map((point) => ({
            name: 'signet_recorder_lag_seconds',
            labels: point.labels,
            value: point.value === 0 ? 0 : point.value,
          })),
        );
      }),
    );
  });

  test('attributes of the resource that have one name there are one label, in their names’ order', () => {
    const resource = {
      service_name: 'x',
      'a-b': '3',
      'service.name': 'caddy',
      a_b: '2',
      'a.b': '1',
    };
    const { samples } = readExposition(writeText(snapshotOf(), format, resource));
    const labels = { a_b: '3;1;2', service_name: 'caddy;x' };
    expect(samples).toEqual([{ name: 'target_info', labels, value: 1 }]);
  });

  test('a recorder that does not answer is a metric, and all that is known', () => {
    const read = readExposition(writeText(recorderDown(STARTED_AT_US), format));
    expect(read.samples).toEqual([{ name: 'signet_recorder_up', labels: {}, value: 0 }]);
  });
});

describe('OpenMetrics', () => {
  test('ends with its mark, and the older text has none', () => {
    expect(written('openmetrics').endsWith('\n# EOF\n')).toBe(true);
    expect(written('prometheus')).not.toContain('EOF');
  });

  test('names the unit, which the metric’s name ends with', () => {
    const { units } = readExposition(written('openmetrics'));
    expect(units.get('http_server_request_duration_seconds')).toBe('seconds');
    const endings = [...units].map(([family, unit]) => family.endsWith(`_${unit}`));
    expect(new Set(endings)).toEqual(new Set([true]));
  });

  test('has exemplars within their bucket, with trace, span and time; the older text has none', () => {
    const withExemplar = ({ samples }: ReturnType<typeof readExposition>) =>
      samples.filter(({ name, exemplar }) => /^http/.test(name) && exemplar !== undefined);
    const [bucket] = withExemplar(readExposition(written('openmetrics')));
    expect(bucket?.labels['le']).toBe('0.025');
    expect(bucket?.exemplar).toEqual({
      labels: { trace_id: aFullRow().traceId, span_id: spanIdsOf(aFullRow().requestId).ingress },
      value: 0.012345,
      atSeconds: (STARTED_AT_US + 12_345) / 1_000_000,
    });
    expect(withExemplar(readExposition(written('prometheus')))).toEqual([]);
  });

  test('has what the target is as an info, whose family is without the ending', () => {
    const read = readExposition(written('openmetrics'));
    expect(read.types.get('target')).toBe('info');
    expect(valueOf(read, 'target_info', { service_name: 'caddy' })).toBe(1);
  });
});

describe('a name', () => {
  test.each([
    ['http.server.request.duration', 'http_server_request_duration'],
    ['a..b--c', 'a_b_c'],
    ['9lives', '_9lives'],
  ])('%s is %s to Prometheus', (name, prometheus) => {
    expect(prometheusName(name)).toBe(prometheus);
  });

  test('ends with its unit once', () => {
    const instrument = { ...INSTRUMENTS.recorderLag, name: 'lag.seconds' };
    expect(familyName(instrument)).toBe('lag_seconds');
    expect(familyName(INSTRUMENTS.recorderBacklog)).toBe('signet_recorder_backlog_bytes');
  });

  test('of what is counted has no unit', () => {
    expect(familyName(INSTRUMENTS.requests)).toBe('signet_requests');
  });

  test('comes once, and no description has anything to escape', () => {
    const all = Object.values(INSTRUMENTS);
    expect(new Set(all.map(familyName)).size).toBe(all.length);
    expect(all.filter(({ description }) => /["\\\n]/.test(description))).toEqual([]);
  });
});

describe('the text that a scraper gets', () => {
  test.each([
    [
      'Prometheus 2',
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
      'openmetrics',
    ],
    [
      'Prometheus 3',
      'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
      'openmetrics',
    ],
    [
      'who wants an OpenMetrics that we have not',
      'application/openmetrics-text; version=0.0.1, text/plain',
      'prometheus',
    ],
    [
      'who wants the older text more',
      'text/plain, application/openmetrics-text; q=0.5',
      'prometheus',
    ],
    ['who refuses OpenMetrics', 'application/openmetrics-text; q=0', 'prometheus'],
    ['curl', '*/*', 'prometheus'],
    ['who says nothing', undefined, 'prometheus'],
  ])('is for %s by its Accept', (_who, accept, format) => {
    expect(metricsFormat(accept)).toBe(format);
  });
});
