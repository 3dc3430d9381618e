// What every destination can rely on, over real connections and a real store: at least once, in order,
// with the same ids, and nothing that was acknowledged sent again. How it goes on with those that
// misbehave is in delivery-misbehaving.test.ts.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { MAX_IN_FLIGHT } from '../../sidecar/delivery/deliver.ts';
import { createSpanFeed } from '../../sidecar/delivery/feed.ts';
import { MAX_REQUEST_BYTES } from '../../sidecar/delivery/flight.ts';
import { PAGE_ROWS } from '../../sidecar/delivery/source.ts';
import type { Transport } from '../../sidecar/otlp/transport.ts';
import { createVolume, volumeNote } from '../../sidecar/delivery/volume.ts';
import { spansOf } from '../../sidecar/trace/spans.ts';
import { openOutgoing, RESOURCE, type Outgoing } from '../fixtures/deliveries.ts';
import { startReceiver, type Receiver } from '../fixtures/receiver.ts';
import { anEvent, aRow } from '../fixtures/rows.ts';
import { KINDS, createTransportWorld, type TransportWorld } from '../fixtures/transports.ts';
import { until } from '../fixtures/until.ts';

const GRPC = KINDS[0]![1];

let folder: string;
let outgoing: Outgoing;
let receiver: Receiver;
let world: TransportWorld;
let transport: Transport;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signet-'));
  outgoing = await openOutgoing(folder);
  receiver = await startReceiver();
  world = createTransportWorld();
  transport = world.transport(GRPC, receiver.port);
});

afterEach(async () => {
  await outgoing.end();
  await world.end();
  await receiver.stop();
  rmSync(folder, { recursive: true });
});

const tracesAt = ({ spans }: Receiver) =>
  spans.filter(({ kind }) => kind === 'SERVER').map(({ traceId }) => traceId);

test('rows become spans with their resource, scope, ids and times; the cursor follows', async () => {
  const one = aRow({ startedAtUs: 1_700_000_000_123_456, durationUs: 654_321 });
  await outgoing.store.commit({ rows: [one] });
  const delivery = outgoing.deliver(transport);
  delivery.wake();
  await until('the cursor', () => delivery.state().cursor === 1);
  const ingress = receiver.spans.find(({ kind }) => kind === 'SERVER');
  expect(ingress).toMatchObject({
    traceId: one.traceId,
    startTimeUnixNano: '1700000000123456000',
    endTimeUnixNano: '1700000000777777000',
    resource: RESOURCE,
    scope: 'signet',
  });
  expect(await outgoing.store.cursor('one')).toBe(1);
});

test('while all is well its state says how many spans were taken, and no problem', async () => {
  await outgoing.record(2);
  const delivery = outgoing.deliver(transport);
  delivery.wake();
  await until('the cursor', () => delivery.state().cursor === 2);
  const sent = receiver.spans.length;
  expect(sent).toBeGreaterThan(0);
  const state = { cursor: 2, status: 'delivering', inFlight: 0, sent, leftOut: {} };
  expect(delivery.state()).toEqual(state);
});

test('batches of what there is follow each other five times a second: more is gathered meanwhile', async () => {
  const delivery = outgoing.deliver(transport, { pauses: {} });
  const startMs = performance.now();
  for (let count = 1; count <= 3; count++) {
    await outgoing.record(1);
    delivery.wake();
    await until('the cursor', () => delivery.state().cursor === count);
  }
  expect(performance.now() - startMs).toBeGreaterThan(390);
});

test('a row that comes in the same turn as the wake-up that found nothing is sent', async () => {
  const delivery = outgoing.deliver(transport);
  delivery.wake();
  await outgoing.record(1);
  delivery.wake();
  await until('the cursor', () => delivery.state().cursor === 1);
});

test('all pages of a backlog arrive, each row once', async () => {
  const traces = await outgoing.record(2.5 * MAX_IN_FLIGHT * PAGE_ROWS);
  const delivery = outgoing.deliver(transport);
  delivery.wake();
  await until('the cursor', () => delivery.state().cursor === traces.length);
  expect(tracesAt(receiver).toSorted()).toEqual(traces.toSorted());
});

test('no more is read than four pages beyond the cursor, whatever waits', async () => {
  const { store } = outgoing;
  const pageRows = 10;
  await outgoing.record(20 * pageRows);
  let held = 0;
  let most = 0;
  const outbox = {
    ...store,
    rowsAfter: async (sequence: number, limit: number) => {
      const rows = await store.rowsAfter(sequence, limit);
      most = Math.max(most, (held += rows.length));
      return rows;
    },
    moveCursor: async (...moved: Parameters<typeof store.moveCursor>) => {
      held -= moved[1] - (await store.cursor(moved[0]));
      await store.moveCursor(...moved);
    },
  };
  const delivery = outgoing.deliver(transport, { outbox, pageRows });
  delivery.wake();
  await until('the cursor', () => delivery.state().cursor === 20 * pageRows);
  expect(most).toBe(MAX_IN_FLIGHT * pageRows);
});

test('rows with long URLs and a User-Agent of 8 KB are sent in requests that a receiver of 4 MiB takes', async () => {
  const long = 'x'.repeat(8000);
  const overrides = { path: `/${long}`, query: long, userAgent: long };
  const traces = await outgoing.record(PAGE_ROWS, overrides);
  const lengths: number[] = [];
  const send: Transport['send'] = (signal, request) => {
    lengths.push(request.length);
    return transport.send(signal, request);
  };
  const delivery = outgoing.deliver({ ...transport, send });
  delivery.wake();
  await until('the cursor', () => delivery.state().cursor === traces.length);
  expect(tracesAt(receiver).toSorted()).toEqual(traces.toSorted());
  expect(lengths.length).toBeGreaterThan(1);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(MAX_REQUEST_BYTES);
});

test('what was acknowledged is not sent again by the next run', async () => {
  await outgoing.record(2);
  const first = outgoing.deliver(transport);
  first.wake();
  await until('the cursor', () => first.state().cursor === 2);
  await first.finish(1000);
  const [third] = await outgoing.record(1);
  const second = outgoing.deliver(transport);
  second.wake();
  await until('the cursor', () => second.state().cursor === 3);
  expect(tracesAt(receiver)).toHaveLength(3);
  expect(tracesAt(receiver).at(-1)).toBe(third);
});

describe('a row without spans', () => {
  test('moves the cursor and sends nothing, where it is not sampled', async () => {
    await outgoing.record(1, { sampled: false });
    const delivery = outgoing.deliver(transport);
    delivery.wake();
    await until('the cursor', () => delivery.state().cursor === 1);
    expect(receiver.calls).toEqual([]);
  });

  test('moves the cursor and sends nothing, where it is an event', async () => {
    await outgoing.store.commit({ rows: [anEvent()] });
    const delivery = outgoing.deliver(transport);
    delivery.wake();
    await until('the cursor', () => delivery.state().cursor === 1);
    expect(receiver.calls).toEqual([]);
  });
});

test('an error that was not sampled has its ingress span, which says so', async () => {
  await outgoing.record(1, { sampled: false, status: 502 });
  const delivery = outgoing.deliver(transport);
  delivery.wake();
  await until('the cursor', () => delivery.state().cursor === 1);
  expect(receiver.spans).toMatchObject([
    { kind: 'SERVER', attributes: { 'signet.sampled_late': 'error' } },
  ]);
});

test('the volume is kept with the cursor', async () => {
  await outgoing.record(3);
  const volume = createVolume(undefined);
  const nowMs = () => Date.UTC(2026, 10, 20, 12);
  const delivery = outgoing.deliver(transport, { volume, nowMs });
  delivery.wake();
  await until('the cursor', async () => (await outgoing.store.cursor('one')) === 3);
  const kept = createVolume(await outgoing.store.note(volumeNote('one')));
  expect(kept.day(nowMs())).toEqual({ sent: receiver.spans.length, leftOut: {} });
});

test('a store that fails for a while is tried again: nothing is lost, and nothing sent twice', async () => {
  const { store } = outgoing;
  const traces = await outgoing.record(30);
  let faults = 6;
  const failing = async () => {
    if (--faults >= 0) throw new Error('the disk is full');
  };
  const outbox = {
    ...store,
    rowsAfter: async (...asked: Parameters<typeof store.rowsAfter>) => {
      if (faults % 2 === 0) await failing();
      return store.rowsAfter(...asked);
    },
    moveCursor: async (...moved: Parameters<typeof store.moveCursor>) => {
      await failing();
      return store.moveCursor(...moved);
    },
  };
  const delivery = outgoing.deliver(transport, { outbox, pageRows: 10 });
  delivery.wake();
  await until('the fault', () => delivery.state().problem?.includes('the disk is full'));
  expect(delivery.state().status).toBe('retrying');
  await until('the cursor', () => delivery.state().cursor === 30);
  expect(tracesAt(receiver).toSorted()).toEqual(traces.toSorted());
  expect(delivery.state().problem).toBeUndefined();
});

test('a row that cannot be encoded is set aside, and holds up nobody', async () => {
  const traces = await outgoing.record(9);
  const feed = () =>
    createSpanFeed(RESOURCE, '1.2.3', (row) => {
      if (row.traceId === traces[4]) throw new Error('no such row');
      return spansOf(row);
    });
  const delivery = outgoing.deliver(transport, { feed });
  delivery.wake();
  await until('the cursor', () => delivery.state().cursor === 9);
  expect(tracesAt(receiver)).toHaveLength(8);
  expect(delivery.state().problem).toContain('no such row');
});

describe('finishing', () => {
  test('sends what is left', async () => {
    await outgoing.record(7);
    const delivery = outgoing.deliver(transport);
    await delivery.finish(5000);
    expect(await outgoing.store.cursor('one')).toBe(7);
  });

  test('ends where the destination fails, and leaves the rest to the next run', async () => {
    await outgoing.record(7);
    const gone = world.transport(GRPC, 1);
    const delivery = outgoing.deliver(gone, { pauses: {} });
    delivery.wake();
    await until('the failure', () => delivery.state().status === 'retrying');
    const startMs = performance.now();
    await delivery.finish(60_000);
    expect(performance.now() - startMs).toBeLessThan(30_000);
    expect(await outgoing.store.cursor('one')).toBe(0);
  });

  test('tries a destination that is back once more, without its pause', async () => {
    await outgoing.record(7);
    const { port } = receiver;
    await receiver.stop();
    const pauses = { firstBackoffMs: 1_000_000, longestBackoffMs: 1_000_000 };
    const delivery = outgoing.deliver(transport, { pauses });
    delivery.wake();
    await until('the failure', () => delivery.state().status === 'retrying');
    receiver = await startReceiver(port);
    await delivery.finish(10_000);
    expect(await outgoing.store.cursor('one')).toBe(7);
  });

  test('waits no longer than it may for a destination that says nothing', async () => {
    await outgoing.record(1);
    const send = () => new Promise<never>(() => {});
    const delivery = outgoing.deliver({ ...transport, send });
    delivery.wake();
    await until('the request', () => delivery.state().inFlight === 1);
    await delivery.finish(50);
    expect(await outgoing.store.cursor('one')).toBe(0);
  });
});

test('of a person who is forgotten while a destination is away no more is sent than the store has', async () => {
  const traces = await outgoing.record(3);
  let isAway = true;
  const send: Transport['send'] = async (signal, request) =>
    isAway ? { kind: 'retry', problem: 'away' } : transport.send(signal, request);
  const delivery = outgoing.deliver({ ...transport, send });
  delivery.wake();
  await until('the failure', () => delivery.state().status === 'retrying');
  await outgoing.forget('alice');
  isAway = false;
  await until('the cursor', () => delivery.state().cursor >= traces.length);
  expect(tracesAt(receiver).toSorted()).toEqual(traces.toSorted());
  expect(JSON.stringify(receiver.spans)).not.toMatch(/alice|orders\/17|192\.0\.2/);
});
