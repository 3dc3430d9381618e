// Metrics on their way to real receivers, by every transport: what arrives is a whole request, a failure
// is a sentence and no more, and nobody waits for it.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createTransport } from '../../sidecar/otlp/connect.ts';
import type { Protocol } from '../../sidecar/otlp/destination.ts';
import { encodeMetrics } from '../../sidecar/otlp/encode-metrics.ts';
import {
  createMetricsExport,
  type MetricsDestination,
  type MetricsExport,
} from '../../sidecar/delivery/metrics-export.ts';
import type { Transport } from '../../sidecar/otlp/transport.ts';
import { createMetrics } from '../../sidecar/metrics/metrics.ts';
import {
  startMisbehavingReceiver,
  type MisbehavingReceiver,
} from '../fixtures/misbehaving-receiver.ts';
import { aRow, STARTED_AT_US } from '../fixtures/rows.ts';
import { decodeMetrics } from '../fixtures/signal-services.ts';
import { until } from '../fixtures/until.ts';

/** Longer than a test. */
const NEVER_MS = 3_600_000;

describe.each(['grpc', 'http/protobuf'] as const)('by %s', (protocol: Protocol) => {
  let receiver: MisbehavingReceiver;
  let transport: Transport;
  let running: MetricsExport | undefined;

  beforeEach(async () => {
    receiver = await startMisbehavingReceiver(protocol);
    transport = createTransport(
      {
        name: 'otlp',
        protocol,
        endpoint: `http://127.0.0.1:${receiver.port}`,
        headers: {},
        compression: 'none',
        signals: ['metrics'],
      },
      { version: '1.2.3', timeoutMs: 60_000 },
    );
  });
  afterEach(async () => {
    await running?.finish(0);
    transport.close();
    await receiver.stop();
  });

  function start(everyMs: number, others: readonly MetricsDestination[] = []): MetricsExport {
    const metrics = createMetrics({
      startedAtUs: STARTED_AT_US,
      version: '1.2.3',
      spanIdOf: () => 'b7ad6b7169203331',
    });
    metrics.observe([aRow()]);
    running = createMetricsExport({
      destinations: [...others, { name: 'otlp', transport }],
      encode: () =>
        encodeMetrics(metrics.snapshot(STARTED_AT_US), { 'service.name': 'caddy' }, '1.2.3'),
      everyMs,
    });
    return running;
  }

  test('all metrics arrive as one request of metrics, again and again', async () => {
    start(20);
    await until('two requests', () => receiver.calls.length >= 2);
    const [first] = receiver.calls;
    expect(first?.signal).toBe('metrics');
    const [resource] = decodeMetrics(first?.body ?? Buffer.alloc(0))['resourceMetrics']!;
    const names = resource!['scopeMetrics']![0]!['metrics']!.map((metric) =>
      String(metric['name']),
    );
    expect(names).toContain('signet.requests');
  });

  test('the last are sent when it ends, and are there when it has ended', async () => {
    await start(NEVER_MS).finish(10_000);
    expect(receiver.calls).toHaveLength(1);
  });

  test('a refusal is told in a sentence, until they are taken again', async () => {
    receiver.answer(() => ({ grpc: 16, http: 401, words: 'who are you' }));
    const metrics = start(20);
    await until('the problem', () => metrics.states()['otlp']?.problem);
    expect(metrics.states()['otlp']?.problem).toMatch(/^metrics for otlp were not taken: .*/);
    receiver.answer(() => ({}));
    await until('no problem', () => metrics.states()['otlp']?.problem === undefined);
  });

  test('a receiver that says nothing is not asked again while it is waited for, and others are', async () => {
    const silent: Transport['send'] = () => new Promise(() => {});
    let asked = 0;
    const send: Transport['send'] = (...request) => {
      asked += 1;
      return silent(...request);
    };
    start(10, [{ name: 'silent', transport: { send } }]);
    await until('many requests to the other', () => receiver.calls.length >= 5);
    expect(asked).toBe(1);
  });

  test('a receiver that says nothing holds up the end no longer than the deadline', async () => {
    receiver.answer(() => undefined);
    const begun = performance.now();
    await start(NEVER_MS).finish(100);
    expect(performance.now() - begun).toBeLessThan(30_000);
  });
});
