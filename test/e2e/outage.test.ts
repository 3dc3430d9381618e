// A destination that is dead under load: requests and memory don't notice, and it gets everything when
// it is back. `npm run test:outage -- 600` is the long form, with strict limits: here other tests run
// beside this one on the same cores, and the limits only tell a leak or a gate that waits from noise.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createAccessLines } from '../fixtures/access-lines.ts';
import { createCollected, type Collected } from '../fixtures/collected.ts';
import { startEdge, type Edge } from '../fixtures/edge.ts';
import { outageSummary, type OutageReport } from '../fixtures/outage-report.ts';
import { runOutage } from '../fixtures/outage-run.ts';
import { startReceiver, type Receiver } from '../fixtures/receiver.ts';
import { SITE } from '../fixtures/site.ts';
import { until } from '../fixtures/until.ts';

const OUTAGE_S = 14;
const REQUESTS_PER_SECOND = 200;
const MEMORY_AT_MOST = 1.25;
/** A median may be so many times as long, or so much longer: noise is neither. */
const LONGER_AT_MOST = 3;
const GATE_LONGER_BY_US = 300;
const REQUEST_LONGER_BY_MS = 10;

describe('fourteen seconds of a dead destination under load', () => {
  let edge: Edge;
  let report: OutageReport;
  beforeAll(async () => {
    edge = await startEdge(SITE);
    report = await runOutage(edge, await edge.signIn('alice'), {
      warmUpS: 3,
      beforeS: 5,
      outageS: OUTAGE_S,
      requestsPerSecond: REQUESTS_PER_SECOND,
      dead: 'refused',
    });
    process.stdout.write(`${outageSummary(report)}\n`);
  });
  afterAll(async () => edge.stop());

  test('no request fails', () => {
    expect(report.failed).toBe(0);
  });

  test('every request has its ingress span when the destination is back', () => {
    expect(report.spans).toBe(edge.logLines().length);
  });

  test('memory stays as it is', () => {
    const { first, last } = report.memoryMiB;
    expect(last / first).toBeLessThan(MEMORY_AT_MOST);
  });

  test('the gate and the whole request take no longer', () => {
    const { gateUs, requestMs } = report;
    const limit = ({ before: { median } }: typeof gateUs, by: number) =>
      Math.max(LONGER_AT_MOST * median, median + by);
    expect(gateUs.during.median).toBeLessThan(limit(gateUs, GATE_LONGER_BY_US));
    expect(requestMs.during.median).toBeLessThan(limit(requestMs, REQUEST_LONGER_BY_MS));
  });
});

describe('three destinations at different places in the history', () => {
  const REQUESTS = 20;
  let edge: Edge;
  let alice: string;
  const destinations: Destination[] = [];
  const variables: Record<string, string> = {};
  beforeAll(async () => {
    await add();
    await add();
    edge = await startEdge(SITE, { extra: variables });
    alice = await edge.signIn('alice');
  });
  afterAll(async () => {
    await edge.stop();
    for (const { receiver } of destinations) await receiver.stop();
  });

  type Destination = { receiver: Receiver; readonly collected: Collected };

  async function add(): Promise<void> {
    destinations.push({ receiver: await startReceiver(), collected: createCollected() });
    const urls = destinations.map(({ receiver }) => receiver.endpoint);
    variables['SIGNET_DESTINATION'] = urls.join(',');
  }

  async function comeBack(destination: Destination): Promise<void> {
    destination.collected.take(destination.receiver);
    destination.receiver = await startReceiver(destination.receiver.port);
  }

  async function load(): Promise<void> {
    await Promise.all(Array.from({ length: REQUESTS }, () => edge.send('/orders', [alice])));
  }

  const requestIds = () => createAccessLines(edge.accessLog)().map(({ requestId }) => requestId);

  async function hasAll({ receiver, collected }: Destination, ids = requestIds()): Promise<void> {
    const isThere = () => {
      collected.take(receiver);
      return collected.missing(ids).length === 0;
    };
    await until('all ingress spans', isThere, 45_000);
    expect(collected.strange(ids)).toEqual([]);
  }

  test('all get all: one that is up, one that was down, one that was added later', async () => {
    const [first, second] = destinations as [Destination, Destination];
    await load();
    await hasAll(first);
    await hasAll(second);

    await second.receiver.stop();
    await load();
    await hasAll(first);

    await add();
    const [, , third] = destinations as [Destination, Destination, Destination];
    await edge.sidecar().stop();
    await edge.startSidecar();
    await load();
    await hasAll(first);
    await hasAll(third);

    await first.receiver.stop();
    await load();
    await hasAll(third);
    await comeBack(second);
    await hasAll(second);
    await comeBack(first);
    await hasAll(first);
  }, 180_000);
});
