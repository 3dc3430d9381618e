// The traffic in metrics, as `signet status` reads it: from what our own metrics write.
import { expect, test } from '@jest/globals';
import { readTraffic } from '../../sidecar/commands/status-traffic.ts';
import { createMetrics, recorderDown } from '../../sidecar/metrics/metrics.ts';
import { writeText } from '../../sidecar/metrics/write-text.ts';
import type { Row } from '../../sidecar/audit/row.ts';
import { aRow, STARTED_AT_US } from '../fixtures/rows.ts';

function metricsOf(rows: readonly Row[]): string {
  const metrics = createMetrics({
    startedAtUs: STARTED_AT_US,
    version: '1',
    spanIdOf: () => 'b7ad6b7169203331',
  });
  metrics.observe(rows);
  return writeText(metrics.snapshot(STARTED_AT_US), 'prometheus');
}

const taking = (ms: number, decision: 'allow' | 'deny' = 'allow', route = 'orders') =>
  aRow({ durationUs: ms * 1000, decision, route });

test('requests are counted by decision, over all routes, most first', () => {
  const rows = [taking(1), taking(1, 'deny'), taking(1, 'deny', 'find')];
  const traffic = readTraffic(metricsOf(rows));
  expect(traffic).toMatchObject({ requests: 3, byDecision: { deny: 2, allow: 1 } });
  expect(Object.keys(traffic?.byDecision ?? {})).toEqual(['deny', 'allow']);
});

test('95 % are within a time that lies in the bucket where it must', () => {
  const rows = [...Array.from({ length: 95 }, () => taking(1)), ...Array(5).fill(taking(80))];
  expect(readTraffic(metricsOf(rows))?.p95Seconds).toBeCloseTo(0.005);
  const slower = [...Array.from({ length: 90 }, () => taking(1)), ...Array(10).fill(taking(80))];
  expect(readTraffic(metricsOf(slower))?.p95Seconds).toBeCloseTo(0.0875);
});

test('beyond the last bucket nothing is said of how long they took', () => {
  expect(readTraffic(metricsOf([taking(60_000)]))).toEqual({
    requests: 1,
    byDecision: { allow: 1 },
  });
});

test('a route that looks like a label changes nothing', () => {
  const route = 'x",signet_decision="deny';
  expect(readTraffic(metricsOf([taking(1, 'allow', route)]))?.byDecision).toEqual({ allow: 1 });
});

test('before the first request there is none', () => {
  expect(readTraffic(metricsOf([]))).toEqual({ requests: 0, byDecision: {} });
});

test('without the recorder nothing is known', () => {
  expect(readTraffic(writeText(recorderDown(STARTED_AT_US), 'prometheus'))).toBeUndefined();
});

test.each(['1e308', 'NaN', '1.2.3', '-5', '-5e30'])(
  'a count of %s is none, and then the traffic is not known',
  (count) => {
    const series = `signet_requests_total{signet_decision="allow"} ${count}\n`;
    const text = `# TYPE signet_requests_total counter\n${series}`;
    expect(readTraffic(text)?.requests ?? 0).toBe(0);
  },
);
