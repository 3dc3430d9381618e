// A destination that quotes our credentials: people don't read them, however it says them, and however much
// it says before them.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { readRejection } from '../../sidecar/otlp/read-response.ts';
import { secret } from '../../sidecar/secret.ts';
import type { MisbehavingReceiver } from '../fixtures/misbehaving-receiver.ts';
import { encodeResponse } from '../fixtures/trace-service.ts';
import { createTransportWorld, KINDS, type TransportWorld } from '../fixtures/transports.ts';

const TOKEN = 'SUPERSECRETTOKEN0123456789abcdefghijklmnopqrstuvwxyz';
const REQUEST = Buffer.from('a request');

describe.each(KINDS)('%s', (_name, kind) => {
  let world: TransportWorld;
  let receiver: MisbehavingReceiver;

  beforeAll(async () => {
    world = createTransportWorld();
    receiver = await world.receiver(kind);
  });
  afterAll(() => world.end());

  const send = () =>
    world
      .transport(kind, receiver.port, { headers: { 'x-team': secret(TOKEN) } })
      .send('traces', REQUEST);

  test('a token at which its words are cut is not told by half', async () => {
    const words = `${'x'.repeat(270)}${TOKEN}`;
    receiver.answer(() => ({ grpc: status.UNAVAILABLE, http: 503, words }));
    const answer = await send();
    expect(answer).toMatchObject({ kind: 'retry', problem: expect.stringContaining('[secret]') });
    expect(JSON.stringify(answer)).not.toContain('SUPER');
  });

  test('the reason of a partial success does not tell one either, and its count stays', async () => {
    const errorMessage = `${'x'.repeat(480)}${TOKEN} is over its quota`;
    const response = encodeResponse({ partialSuccess: { rejectedSpans: 7, errorMessage } });
    receiver.answer(() => ({ response }));
    const answer = await send();
    const taken = answer.kind === 'acknowledged' ? answer.response : Buffer.alloc(0);
    const rejection = readRejection(taken, 10);
    expect(rejection).toMatchObject({ spans: 7, reason: expect.stringContaining('[secret]') });
    expect(rejection?.reason).not.toContain('SUPER');
  });
});
