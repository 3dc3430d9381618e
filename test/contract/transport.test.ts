// What every transport does with a request and makes of the answer (OTLP 1.x, "Failures"), over real
// connections: gRPC and HTTP, in plain text and TLS.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { readRejection } from '../../sidecar/otlp/read-response.ts';
import type { Transport } from '../../sidecar/otlp/transport.ts';
import { secret } from '../../sidecar/secret.ts';
import type { MisbehavingReceiver } from '../fixtures/misbehaving-receiver.ts';
import { startRelay } from '../fixtures/relay.ts';
import { retryInfo } from '../fixtures/retry-info.ts';
import { encodeResponse } from '../fixtures/trace-service.ts';
import {
  createTransportWorld,
  KINDS,
  sendUntil,
  type TransportWorld,
} from '../fixtures/transports.ts';
import { until } from '../fixtures/until.ts';

const REQUEST = Buffer.from('a request, which nobody reads');

describe.each(KINDS)('%s', (_name, kind) => {
  let world: TransportWorld;
  let receiver: MisbehavingReceiver;
  let transport: Transport;

  beforeAll(async () => {
    world = createTransportWorld();
    receiver = await world.receiver(kind);
    transport = world.transport(kind, receiver.port);
  });
  beforeEach(() => {
    receiver.answer(() => ({}));
    receiver.calls.length = 0;
  });
  afterAll(() => world.end());

  test.each(['traces', 'logs', 'metrics'] as const)(
    '%s go to where they are taken',
    async (signal) => {
      expect(await transport.send(signal, REQUEST)).toMatchObject({ kind: 'acknowledged' });
      expect(receiver.calls).toMatchObject([{ signal, body: REQUEST }]);
    },
  );

  test('a partial success is acknowledged, and says what was not kept', async () => {
    const partialSuccess = { rejectedSpans: 7, errorMessage: 'too old' };
    receiver.answer(() => ({ response: encodeResponse({ partialSuccess }) }));
    const answer = await transport.send('traces', REQUEST);
    const response = answer.kind === 'acknowledged' ? answer.response : Buffer.alloc(0);
    expect(readRejection(response, 10)).toEqual({ spans: 7, reason: 'too old' });
  });

  test('an acknowledgement that cannot be read is one, and rejects nothing', async () => {
    receiver.answer(() => ({ response: Buffer.from('\xff\xff no protobuf at all') }));
    const answer = await transport.send('traces', REQUEST);
    const response = answer.kind === 'acknowledged' ? answer.response : undefined;
    expect(response && readRejection(response, 10)).toBeUndefined();
    expect(answer.kind).toBe('acknowledged');
  });

  test.each([
    ['is away for a while', 'retry', { grpc: status.UNAVAILABLE, http: 503 }],
    ['refuses what is in it', 'refused', { grpc: status.INVALID_ARGUMENT, http: 400 }],
    ['refuses the credentials', 'unauthorized', { grpc: status.UNAUTHENTICATED, http: 401 }],
    ['refuses them for this', 'unauthorized', { grpc: status.PERMISSION_DENIED, http: 403 }],
    ['knows no such signal', 'misdirected', { grpc: status.UNIMPLEMENTED, http: 404 }],
    ['fails', 'unclear', { grpc: status.INTERNAL, http: 500 }],
  ])('a destination that %s is answered with: %s', async (_what, expected, reply) => {
    receiver.answer(() => ({ ...reply, words: 'as told' }));
    const answer = await transport.send('traces', REQUEST);
    expect(answer).toMatchObject({ kind: expected });
    expect(answer).toMatchObject({ problem: expect.stringMatching(/^one at https?:.*as told/) });
  });

  test('a destination that says when to come back is believed', async () => {
    const busy = { grpc: status.RESOURCE_EXHAUSTED, http: 429 };
    const statusDetails = retryInfo(7);
    receiver.answer(() => ({ ...busy, statusDetails, headers: { 'retry-after': '7' } }));
    const answer = await transport.send('traces', REQUEST);
    expect(answer).toMatchObject({ kind: 'retry', afterMs: 7000 });
  });

  test('a call that is refused is sent once: whoever calls decides whether again', async () => {
    receiver.answer(() => ({ grpc: status.UNAVAILABLE, http: 503 }));
    await transport.send('traces', REQUEST);
    expect(receiver.calls).toHaveLength(1);
  });

  test('a destination that answers too late is tried again', async () => {
    receiver.answer(() => undefined);
    const hasty = world.transport(kind, receiver.port, {}, { timeoutMs: 300 });
    const problem = expect.stringMatching(/^one at .*: no answer within 300 ms$/);
    expect(await hasty.send('traces', REQUEST)).toEqual({ kind: 'retry', problem });
  });

  test('a destination that is down is tried again, and taken when it is back', async () => {
    const gone = await world.receiver(kind);
    await gone.stop();
    const { port } = gone;
    const down = world.transport(kind, port);
    const answer = await down.send('traces', REQUEST);
    expect(answer).toMatchObject({ kind: 'retry' });
    expect(answer).toMatchObject({ problem: expect.stringContaining('ECONNREFUSED') });
    await world.receiver(kind, port);
    expect(await down.send('traces', REQUEST)).toMatchObject({ kind: 'acknowledged' });
  });

  test('several calls are under way at once', async () => {
    const all = Promise.withResolvers<void>();
    receiver.answer(async (_seen, call) => {
      if (call === 7) all.resolve();
      await all.promise;
      return {};
    });
    const sent = Array.from({ length: 8 }, () => transport.send('traces', REQUEST));
    const answers = await Promise.all(sent);
    expect(answers.map(({ kind: got }) => got)).toEqual(Array(8).fill('acknowledged'));
  });

  test('a call that is too late takes no other with it', async () => {
    const first = Promise.withResolvers<void>();
    receiver.answer((_seen, call) => (call === 0 ? undefined : first.promise.then(() => ({}))));
    const patient = world.transport(kind, receiver.port, {}, { timeoutMs: 3000 });
    const startMs = performance.now();
    const late = patient.send('traces', REQUEST);
    await until('two thirds of its time', () => performance.now() > startMs + 2000);
    const other = patient.send('traces', REQUEST);
    await until('the second call', () => receiver.calls.length === 2);
    expect(await late).toMatchObject({ kind: 'retry' });
    first.resolve();
    expect(await other).toMatchObject({ kind: 'acknowledged' });
  });

  test('after a connection that fell silent the next call is on another, not on one as old', async () => {
    const relay = world.own(await startRelay(receiver.port));
    const hasty = world.transport(kind, relay.port, {}, { timeoutMs: 2000 });
    await sendTwoAtOnce(hasty);
    relay.fallSilent();
    const before = relay.connections();
    expect(await hasty.send('traces', REQUEST)).toMatchObject({ kind: 'retry' });
    expect(await hasty.send('traces', REQUEST)).toMatchObject({ kind: 'acknowledged' });
    expect(relay.connections()).toBe(before + 1);
  });

  // Over HTTP they need two connections.
  async function sendTwoAtOnce(by: Transport): Promise<void> {
    const both = Promise.withResolvers<void>();
    receiver.answer(async (_seen, call) => {
      if (call === 1) both.resolve();
      await both.promise;
      return {};
    });
    const sent = [by.send('traces', REQUEST), by.send('traces', REQUEST)];
    expect(await Promise.all(sent)).toMatchObject([
      { kind: 'acknowledged' },
      { kind: 'acknowledged' },
    ]);
  }

  test('a port that says nothing is left after each try: no connections gather', async () => {
    const mute = world.own(await startRelay());
    const hasty = world.transport(kind, mute.port, {}, { timeoutMs: 150 });
    const kinds = await sendUntil(3, mute, hasty);
    expect(new Set(kinds)).toEqual(new Set(['retry']));
    expect(mute.connections()).toBeGreaterThanOrEqual(3);
    expect(mute.connections()).toBeLessThanOrEqual(kinds.length);
    await until('their end', () => mute.open() === 0);
  });

  test.each([
    ['gzip', true],
    ['none', false],
  ] as const)(
    'with compression %s a large request is short on the wire: %s',
    async (compression, isShort) => {
      const relay = world.own(await startRelay(receiver.port));
      const request = Buffer.from('a word of many '.repeat(10_000));
      await world.transport(kind, relay.port, { compression }).send('traces', request);
      expect(receiver.calls[0]?.body.equals(request)).toBe(true);
      expect(relay.bytes() < request.length / 5).toBe(isShort);
    },
  );

  test('headers go with each call, and a User-Agent that says who it is', async () => {
    const headers = { 'x-team': secret('payments') };
    await world.transport(kind, receiver.port, { headers }).send('traces', REQUEST);
    const [seen] = receiver.calls;
    expect(seen?.headers).toMatchObject({ 'x-team': 'payments' });
    expect(seen?.headers['user-agent']).toMatch(/^signet\/1\.2\.3/);
  });

  test('a token that the destination quotes is not repeated', async () => {
    const headers = { authorization: secret('Bearer the-secret-token') };
    const refusal = { grpc: status.UNAUTHENTICATED, http: 401 };
    receiver.answer(() => ({ ...refusal, words: 'no such token: the-secret-token' }));
    const own = world.transport(kind, receiver.port, { headers });
    const answer = await own.send('traces', REQUEST);
    expect(answer).toMatchObject({ problem: expect.stringContaining('no such token: [secret]') });
  });

  test('closing ends what is under way', async () => {
    receiver.answer(() => undefined);
    const closed = world.transport(kind, receiver.port);
    const sent = closed.send('traces', REQUEST);
    await until('the call', () => receiver.calls.length === 1);
    closed.close();
    expect(await sent).toMatchObject({ kind: 'retry' });
    expect(await closed.send('traces', REQUEST)).toMatchObject({ kind: 'retry' });
  });
});
