// Destinations that each misbehave in one way, over every transport: nothing that was acknowledged is sent
// again, nothing that can be retried is lost, and what is wrong is told.
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, afterAll, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { MAX_IN_FLIGHT, type Delivery } from '../../sidecar/delivery/deliver.ts';
import { MAX_SUSPECT } from '../../sidecar/delivery/flight.ts';
import { openRefusals, refusedNote } from '../../sidecar/delivery/refusals.ts';
import { createAuthority } from '../fixtures/certificates.ts';
import { openOutgoing, SHORT_PAUSES, type Outgoing } from '../fixtures/deliveries.ts';
import type { MisbehavingReceiver } from '../fixtures/misbehaving-receiver.ts';
import { startRelay } from '../fixtures/relay.ts';
import { retryInfo } from '../fixtures/retry-info.ts';
import { takingsOf, type Takings } from '../fixtures/takings.ts';
import { encodeResponse } from '../fixtures/trace-service.ts';
import {
  createTransportWorld,
  KINDS,
  SECURE_KINDS,
  type TransportWorld,
} from '../fixtures/transports.ts';
import { until } from '../fixtures/until.ts';

const AWAY = { grpc: status.UNAVAILABLE, http: 503, words: 'as told' };
const BUSY = { grpc: status.RESOURCE_EXHAUSTED, http: 429, words: 'as told' };
const REFUSED = { grpc: status.INVALID_ARGUMENT, http: 400, words: 'as told' };
const BROKEN = { grpc: status.INTERNAL, http: 500, words: 'as told' };
const UNAUTHORIZED = { grpc: status.UNAUTHENTICATED, http: 401, words: 'as told' };
const MISDIRECTED = { grpc: status.UNIMPLEMENTED, http: 404, words: 'as told' };

let world: TransportWorld;
let outgoing: Outgoing;

beforeAll(() => void (world = createTransportWorld()));
afterAll(() => world.end());
beforeEach(async () => void (outgoing = await openOutgoing(world.folder)));
afterEach(() => outgoing.end());

async function cursorAt(delivery: Delivery, sequence: number): Promise<void> {
  delivery.wake();
  await until('the cursor', () => delivery.state().cursor === sequence, 20_000);
}

/** Exactly these, each once. */
function expectOnce(takings: Takings, expected: readonly string[]): void {
  expect(takings.traces().toSorted()).toEqual(expected.toSorted());
}

describe.each(KINDS)('by %s, a destination', (_name, kind) => {
  let receiver: MisbehavingReceiver;
  let takings: Takings;

  beforeEach(async () => {
    receiver = await world.receiver(kind);
    takings = takingsOf(receiver);
  });
  afterEach(() => receiver.stop());

  const to = (changes = {}, options = {}) => world.transport(kind, receiver.port, changes, options);

  test('that is slow gets several requests at once, and each row once', async () => {
    const traces = await outgoing.record(80);
    takings.answer(() => new Promise((resolve) => setTimeout(resolve, 50, {})));
    await cursorAt(outgoing.deliver(to(), { pageRows: 10 }), 80);
    expectOnce(takings, traces);
    expect(takings.mostAtOnce()).toBe(MAX_IN_FLIGHT);
  });

  test('that is down gets everything once it is up', async () => {
    const traces = await outgoing.record(50);
    await receiver.stop();
    const delivery = outgoing.deliver(to(), { pageRows: 10 });
    delivery.wake();
    await until('the failure', () => delivery.state().status === 'retrying');
    expect(delivery.state().problem).toMatch(/ECONNREFUSED.*; it will be tried again$/);
    receiver = await world.receiver(kind, receiver.port);
    takings = takingsOf(receiver);
    await cursorAt(delivery, 50);
    expectOnce(takings, traces);
    expect(delivery.state()).toMatchObject({ status: 'delivering', leftOut: {} });
    expect(delivery.state().problem).toBeUndefined();
  });

  test('that is away is tried with one request at a time until it is back', async () => {
    const traces = await outgoing.record(80);
    const companies: number[] = [];
    let atOnce = 0;
    takings.answer(async (_traces, call) => {
      atOnce += 1;
      if (call >= MAX_IN_FLIGHT && call <= 8) companies.push(atOnce);
      await new Promise((resolve) => setTimeout(resolve, 10));
      atOnce -= 1;
      return call < 8 ? AWAY : {};
    });
    await cursorAt(outgoing.deliver(to(), { pageRows: 10 }), 80);
    expectOnce(takings, traces);
    expect(companies).toEqual([1, 1, 1, 1, 1]);
  });

  test.each([
    ['is away', AWAY],
    ['has had enough', BUSY],
  ])('that %s and says when to come back is left alone until then', async (_what, reply) => {
    const traces = await outgoing.record(20);
    const calledMs: number[] = [];
    takings.answer((_traces, call) => {
      calledMs.push(performance.now());
      if (call > 0) return {};
      return { ...reply, statusDetails: retryInfo(1), headers: { 'retry-after': '1' } };
    });
    const delivery = outgoing.deliver(to());
    delivery.wake();
    await until('the failure', () => delivery.state().status === 'retrying');
    await cursorAt(delivery, 20);
    expect((calledMs[1] ?? 0) - (calledMs[0] ?? 0)).toBeGreaterThan(990);
    expectOnce(takings, traces);
  });

  test('that has had enough and says no time gets everything later', async () => {
    const traces = await outgoing.record(40);
    takings.answer((_traces, call) => (call < 6 ? BUSY : {}));
    const delivery = outgoing.deliver(to(), { pageRows: 10 });
    await cursorAt(delivery, 40);
    expectOnce(takings, traces);
    expect(delivery.state().leftOut).toEqual({});
  });

  test('that refuses the token is left alone until its file changes, and then gets everything', async () => {
    const path = join(world.folder, crypto.randomUUID());
    const replace = (token: string) => {
      writeFileSync(`${path}.new`, token);
      renameSync(`${path}.new`, path);
    };
    replace('old');
    const traces = await outgoing.record(40);
    receiver.answer(({ headers }) =>
      headers['authorization'] === 'Bearer new' ? {} : UNAUTHORIZED,
    );
    const tokenFile = { header: 'authorization', prefix: 'Bearer ', path };
    const transport = to({ tokenFile });
    let looks = 0;
    const haveCredentialsChanged = () => {
      looks += 1;
      return transport.haveCredentialsChanged();
    };
    const delivery = outgoing.deliver({ ...transport, haveCredentialsChanged });
    delivery.wake();
    await until('the state', () => delivery.state().status === 'unauthorized');
    expect(delivery.state().problem).toMatch(/as told.*; a file is read anew when it changes/);
    await until('a second try', () => receiver.calls.length === 2);
    const calls = receiver.calls.length;
    await until('some looks at the file', () => looks > 5);
    expect(receiver.calls).toHaveLength(calls);
    replace('new');
    await cursorAt(delivery, traces.length);
    expect(receiver.calls).toHaveLength(calls + 1);
    expect(delivery.state().status).toBe('delivering');
  });

  test('that refuses the token of the environment is tried again after a while', async () => {
    const traces = await outgoing.record(4);
    takings.answer((_traces, call) => (call < 3 ? UNAUTHORIZED : {}));
    const pauses = { ...SHORT_PAUSES, unauthorizedMs: 50 };
    await cursorAt(outgoing.deliver(to(), { pauses }), 4);
    expectOnce(takings, traces);
  });

  test('that takes no such signal says so, and gets everything when it is mended', async () => {
    const traces = await outgoing.record(4);
    let isMended = false;
    takings.answer(() => (isMended ? {} : MISDIRECTED));
    const delivery = outgoing.deliver(to());
    delivery.wake();
    await until('the state', () => delivery.state().status === 'misdirected');
    expect(delivery.state().problem).toMatch(/as told.*check its endpoint and protocol/);
    isMended = true;
    await cursorAt(delivery, 4);
    expectOnce(takings, traces);
  });

  test('that refuses one row for good gets all others, once; the row is set aside with the reason', async () => {
    const traces = await outgoing.record(301);
    const bad = traces[150] ?? '';
    takings.answer((some) => (some.includes(bad) ? REFUSED : {}));
    const delivery = outgoing.deliver(to());
    await cursorAt(delivery, 301);
    expectOnce(takings, traces.toSpliced(150, 1));
    expect(delivery.state().leftOut).toEqual({ refused: expect.any(Number) });
    expect(delivery.state().problem).toMatch(/^refused for good and set aside: .*as told/);
    const note = await outgoing.store.note(refusedNote('one'));
    const reason = expect.stringMatching(/^(INVALID_ARGUMENT|400)$/);
    expect(openRefusals(note, undefined)).toMatchObject([{ sequence: 151, reason }]);
  });

  test('that fails over one row gets all others; the row is set aside after some tries', async () => {
    const traces = await outgoing.record(31);
    const more: string[] = [];
    const bad = traces[15] ?? '';
    let tries = 0;
    takings.answer((some) => {
      if (!some.includes(bad)) return {};
      if (some.length === 1) tries += 1;
      return BROKEN;
    });
    const delivery = outgoing.deliver(to(), { pageRows: 10 });
    // Without others nobody could say that it isn't the destination.
    await until('the row to be set aside', async () => {
      more.push(...(await outgoing.record(1)));
      delivery.wake();
      return delivery.state().leftOut['refused'] !== undefined;
    });
    await cursorAt(delivery, 31 + more.length);
    expectOnce(takings, [...traces.toSpliced(15, 1), ...more]);
    expect(tries).toBeGreaterThanOrEqual(MAX_SUSPECT);
    const note = await outgoing.store.note(refusedNote('one'));
    expect(openRefusals(note, undefined)).toMatchObject([{ sequence: 16 }]);
  });

  test('that fails over everything for a while gets everything later', async () => {
    const traces = await outgoing.record(31);
    takings.answer((_traces, call) => (call < 8 ? BROKEN : {}));
    const delivery = outgoing.deliver(to(), { pageRows: 10 });
    await cursorAt(delivery, 31);
    expectOnce(takings, traces);
    expect(delivery.state().leftOut).toEqual({});
  });

  test('that acknowledges spans and does not keep them is told of; they are not sent again', async () => {
    const traces = await outgoing.record(20);
    const partialSuccess = { rejectedSpans: 3, errorMessage: 'older than a day' };
    takings.answer((_traces, call) =>
      call === 0 ? { response: encodeResponse({ partialSuccess }) } : {},
    );
    const delivery = outgoing.deliver(to(), { pageRows: 10 });
    await cursorAt(delivery, 20);
    expectOnce(takings, traces);
    expect(delivery.state()).toMatchObject({
      sent: takings.spans.length - 3,
      leftOut: { rejected: 3 },
      problem: 'acknowledged but not kept: 3, the last for: older than a day',
    });
  });

  test('that accepts connections and says nothing is told of, and loses nothing', async () => {
    const mute = world.own(await startRelay());
    await outgoing.record(5);
    const delivery = outgoing.deliver(world.transport(kind, mute.port, {}, { timeoutMs: 200 }));
    delivery.wake();
    await until('the state', () => delivery.state().status === 'retrying');
    expect(delivery.state()).toMatchObject({ cursor: 0, sent: 0, leftOut: {} });
    expect(delivery.state().problem).toMatch(/it will be tried again$/);
  });

  test('behind a connection that fell silent gets everything on another', async () => {
    const relay = world.own(await startRelay(receiver.port));
    // Long enough for what does answer: a request that was given up too early is sent twice.
    const transport = world.transport(kind, relay.port, {}, { timeoutMs: 2000 });
    const delivery = outgoing.deliver(transport);
    const first = await outgoing.record(5);
    await cursorAt(delivery, 5);
    relay.fallSilent();
    const second = await outgoing.record(5);
    await cursorAt(delivery, 10);
    expectOnce(takings, [...first, ...second]);
  });
});

describe.each(SECURE_KINDS)('by %s, a destination', (_name, kind) => {
  test('with a certificate that nobody vouches for gets nothing, and it is told what mends that', async () => {
    const receiver = await world.receiver(kind);
    const takings = takingsOf(receiver);
    const traces = await outgoing.record(5);
    const { certificateFile } = createAuthority(world.folder, crypto.randomUUID());
    const wrong = outgoing.deliver(world.transport(kind, receiver.port, { certificateFile }));
    wrong.wake();
    await until('the failure', () => wrong.state().status === 'retrying');
    expect(wrong.state().problem).toContain('certificate_file');
    await wrong.finish(0);
    expect(takings.traces()).toEqual([]);
    await cursorAt(outgoing.deliver(world.transport(kind, receiver.port)), 5);
    expectOnce(takings, traces);
  });
});

test('two destinations stand at different places, and neither waits for the other', async () => {
  const [[, grpc], , [, http]] = KINDS as never as [[string, never], unknown, [string, never]];
  const [bad, good] = [await world.receiver(grpc), await world.receiver(http)];
  const takings = takingsOf(good);
  bad.answer(() => AWAY);
  const traces = await outgoing.record(5);
  const stuck = outgoing.deliver(world.transport(grpc, bad.port), { name: 'stuck' });
  const well = outgoing.deliver(world.transport(http, good.port), { name: 'well' });
  stuck.wake();
  await cursorAt(well, 5);
  expectOnce(takings, traces);
  await until('the failure', () => stuck.state().status === 'retrying');
  expect(stuck.state().cursor).toBe(0);
  expect(well.state().status).toBe('delivering');
  expect(await outgoing.store.cursor('stuck')).toBe(0);
});
