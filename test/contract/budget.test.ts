// A destination with a budget, over a real store, the real engine and real gRPC: what arrives is the budget,
// errors first, whatever is restarted in the middle.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openAuditStore } from '../../sidecar/audit/open.ts';
import type { RequestRow } from '../../sidecar/audit/row.ts';
import type { AuditStore } from '../../sidecar/audit/store.ts';
import { createBudgetedSource } from '../../sidecar/delivery/budgeted-source.ts';
import { createTransport } from '../../sidecar/otlp/connect.ts';
import { createDelivery, type Delivery } from '../../sidecar/delivery/deliver.ts';
import type { Budget, Destination } from '../../sidecar/otlp/destination.ts';
import { createSpanFeed } from '../../sidecar/delivery/feed.ts';
import type { Transport } from '../../sidecar/otlp/transport.ts';
import { createVolume, volumeNote } from '../../sidecar/delivery/volume.ts';
import { createSpanCount } from '../../sidecar/trace/span-count.ts';
import { createSpansOf, worthOf } from '../../sidecar/trace/worth.ts';
import { SLOW_US, T0_US } from '../fixtures/budgets.ts';
import { startReceiver, type Receiver } from '../fixtures/receiver.ts';
import { aFullRow } from '../fixtures/rows.ts';
import { until } from '../fixtures/until.ts';

const REQUESTS_PER_SECOND = 2000;
const SECONDS = 10;
const SPANS_PER_SECOND = 100;
/** Of an allowed request: the request's, the gate's, the app's. */
const SPANS_PER_REQUEST = 3;
const HOUR_MS = 3_600_000;

let folder: string;
let store: AuditStore;
let receiver: Receiver;
let nowMs: number;
let begun: { delivery: Delivery; transport: Transport }[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signet-'));
  store = await openAuditStore({ path: join(folder, 'audit.db') });
  receiver = await startReceiver();
  nowMs = T0_US / 1000;
  begun = [];
});

afterEach(async () => {
  for (const { delivery, transport } of begun) {
    await delivery.finish(0);
    transport.close();
  }
  await store.close();
  await receiver.stop();
  rmSync(folder, { recursive: true });
});

async function deliver(budget: Budget): Promise<Delivery> {
  const destination: Destination = {
    name: 'lightstep',
    protocol: 'grpc',
    endpoint: receiver.endpoint,
    headers: {},
    compression: 'none',
    signals: ['traces'],
    budget,
  };
  const { name } = destination;
  const transport = createTransport(destination, { version: '1.2.3' });
  const volume = createVolume(await store.note(volumeNote(name)));
  const clock = () => nowMs;
  const source = (after: number) =>
    createBudgetedSource({
      outbox: store,
      after,
      budget,
      volume,
      worthOf: (row) => worthOf(row, SLOW_US),
      spansIn: createSpanCount(SLOW_US),
      nowMs: clock,
    });
  const feed = () => createSpanFeed({}, '1.2.3', createSpansOf(SLOW_US));
  const delivery = createDelivery({
    name,
    outbox: store,
    transport,
    feed,
    source,
    volume,
    nowMs: clock,
  });
  begun.push({ delivery, transport });
  delivery.wake();
  return delivery;
}

/** Records requests as they come in one second after another, each hundredth an error. */
async function record(seconds = SECONDS): Promise<RequestRow[]> {
  const rows = Array.from({ length: seconds * REQUESTS_PER_SECOND }, (_, number) =>
    aRequest(Math.floor((number / REQUESTS_PER_SECOND) * 1e6), number % 100 === 17),
  );
  for (let at = 0; at < rows.length; at += 500) {
    await store.commit({ rows: rows.slice(at, at + 500) });
  }
  return rows;
}

function aRequest(atUs: number, isError: boolean): RequestRow {
  const requestId = crypto.randomUUID();
  const { parentSpanId: _parent, link: _link, ...row } = aFullRow();
  return {
    ...row,
    requestId,
    traceId: requestId.replaceAll('-', ''),
    startedAtUs: T0_US + atUs - row.durationUs,
    status: isError ? 503 : 200,
  };
}

const endsIn = (row: RequestRow) => Math.floor((row.startedAtUs + row.durationUs) / 1e6);
const arrived = () => new Set(receiver.spans.map(({ spanId }) => spanId)).size;
const arrivedTraces = () => new Set(receiver.spans.map(({ traceId }) => traceId));

/** Waits until all is dealt with; the last second is closed by the clock. */
async function dealtWith(delivery: Delivery, rows: number): Promise<void> {
  await until('the rows to be read', () => delivery.state().cursor >= rows - REQUESTS_PER_SECOND);
  nowMs += HOUR_MS;
  await until('the cursor', () => delivery.state().cursor === rows);
}

test('of 2,000 requests a second, 1 % of them errors, 100 spans a second arrive, all errors among them', async () => {
  const rows = await record();
  const delivery = await deliver({ spansPerSecond: SPANS_PER_SECOND });
  await dealtWith(delivery, rows.length);
  expect(arrived()).toBeGreaterThanOrEqual(0.95 * SPANS_PER_SECOND * SECONDS);
  expect(arrived()).toBeLessThanOrEqual(SPANS_PER_SECOND * SECONDS);
  const traces = arrivedTraces();
  const errors = rows.filter(({ status }) => status === 503);
  expect(errors).toHaveLength(0.01 * rows.length);
  expect(errors.filter(({ traceId }) => !traces.has(traceId))).toEqual([]);
  const spans = SPANS_PER_REQUEST * rows.length;
  expect(delivery.state()).toMatchObject({
    sent: arrived(),
    leftOut: { 'budget-second:other': spans - arrived() },
  });
});

test('a trace arrives whole, or not at all', async () => {
  const rows = await record(2);
  await dealtWith(await deliver({ spansPerSecond: SPANS_PER_SECOND }), rows.length);
  expect(receiver.spans).toHaveLength(SPANS_PER_REQUEST * arrivedTraces().size);
});

test('restarts in the middle of seconds send no second more than its budget', async () => {
  const rows = await record();
  for (const share of [0.2, 0.5, 0.8]) {
    const delivery = await deliver({ spansPerSecond: SPANS_PER_SECOND });
    await until('some', () => arrived() >= share * SPANS_PER_SECOND * SECONDS);
    await delivery.finish(0);
  }
  await dealtWith(await deliver({ spansPerSecond: SPANS_PER_SECOND }), rows.length);
  const traces = arrivedTraces();
  const bySecond = Map.groupBy(
    rows.filter(({ traceId }) => traces.has(traceId)),
    endsIn,
  );
  expect(bySecond.size).toBe(SECONDS);
  for (const its of bySecond.values()) {
    expect(SPANS_PER_REQUEST * its.length).toBeLessThanOrEqual(SPANS_PER_SECOND);
    expect(its.filter(({ status }) => status === 503)).toHaveLength(0.01 * REQUESTS_PER_SECOND);
  }
});

test('after an outage each second of the backlog has its own budget', async () => {
  const { port } = receiver;
  await receiver.stop();
  const rows = await record(3);
  const delivery = await deliver({ spansPerSecond: SPANS_PER_SECOND });
  await until('a problem', () => delivery.state().problem !== undefined);
  receiver = await startReceiver(port);
  await dealtWith(delivery, rows.length);
  expect(arrived()).toBeGreaterThanOrEqual(0.95 * SPANS_PER_SECOND * 3);
});

test('the budget of a day holds across a restart; what is left above the shares is for errors', async () => {
  const spansPerDay = 3000;
  const first = await record(1);
  const delivery = await deliver({ spansPerDay });
  await until('the cursor', () => delivery.state().cursor === first.length);
  await delivery.finish(0);
  const afterFirst = receiver.spans.length;
  const errors = SPANS_PER_REQUEST * 0.01 * REQUESTS_PER_SECOND;
  expect(afterFirst).toBeLessThanOrEqual(0.8 * spansPerDay + errors);
  expect(afterFirst).toBeGreaterThanOrEqual(0.8 * spansPerDay - SPANS_PER_REQUEST);

  const second = await record(1);
  const again = await deliver({ spansPerDay });
  await until('the cursor', () => again.state().cursor === first.length + second.length);
  const traces = arrivedTraces();
  const arrivedOfSecond = second.filter(({ traceId }) => traces.has(traceId));
  expect(arrivedOfSecond).toEqual(second.filter(({ status }) => status === 503));
  expect(receiver.spans.length - afterFirst).toBe(errors);
});

test('the next day has a budget of its own', async () => {
  const spansPerDay = 300;
  const rows = await record(1);
  const delivery = await deliver({ spansPerDay });
  await until('the cursor', () => delivery.state().cursor === rows.length);
  const before = receiver.spans.length;
  nowMs += 24 * HOUR_MS;
  await store.commit({ rows: [aRequest(0, false)] });
  delivery.wake();
  await until('the cursor', () => delivery.state().cursor === rows.length + 1);
  expect(receiver.spans.length - before).toBe(SPANS_PER_REQUEST);
});
