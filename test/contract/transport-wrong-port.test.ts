// A destination's other port is the commonest mistake: which one it is, and which setting mends it, is said
// at once, and is no failure that passes.
import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Transport } from '../../sidecar/otlp/transport.ts';
import { createTransportWorld, KINDS, type TransportWorld } from '../fixtures/transports.ts';
import { until } from '../fixtures/until.ts';

const REQUEST = Buffer.from('a request');
const TO_PLAIN = 'it speaks no TLS';
const TO_TLS = 'it speaks TLS only: https:// in the endpoint';
const TO_HTTP = 'it speaks no gRPC: is this its HTTP port? protocol: http/protobuf';
const TO_GRPC = 'it speaks no HTTP/1.1: is this its gRPC port? protocol: grpc';

const [GRPC, GRPC_TLS, HTTP, HTTPS] = KINDS.map(([, kind]) => kind) as [never, never, never, never];

let world: TransportWorld;
beforeAll(() => void (world = createTransportWorld()));
afterAll(() => world.end());

test.each([
  ['gRPC', GRPC, 'gRPC by TLS', GRPC_TLS, TO_TLS],
  ['gRPC', GRPC, 'HTTP', HTTP, TO_HTTP],
  ['gRPC', GRPC, 'HTTPS', HTTPS, TO_TLS],
  ['gRPC by TLS', GRPC_TLS, 'gRPC', GRPC, TO_PLAIN],
  ['gRPC by TLS', GRPC_TLS, 'HTTP', HTTP, TO_PLAIN],
  ['gRPC by TLS', GRPC_TLS, 'HTTPS', HTTPS, TO_HTTP],
  ['HTTP', HTTP, 'gRPC', GRPC, TO_GRPC],
  ['HTTP', HTTP, 'gRPC by TLS', GRPC_TLS, TO_TLS],
  ['HTTP', HTTP, 'HTTPS', HTTPS, TO_TLS],
  ['HTTPS', HTTPS, 'gRPC', GRPC, TO_PLAIN],
  ['HTTPS', HTTPS, 'HTTP', HTTP, TO_PLAIN],
])('%s to a port for %s', async (_name, kind, _of, other, said) => {
  const { port } = await world.receiver(other);
  expect(await world.transport(kind, port).send('traces', REQUEST)).toMatchObject({
    kind: 'misdirected',
    problem: expect.stringContaining(said),
  });
});

describe('a port that closes each connection', () => {
  let port: number;
  let connections = 0;
  beforeAll(async () => {
    const server = createServer((socket: Socket) => {
      connections += 1;
      socket.on('error', () => {}).destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
    world.own({ stop: async () => void server.close() });
  });

  test.each(KINDS)(
    'is tried again by %s, and what it speaks is not guessed',
    async (_name, kind) => {
      const answer = await world.transport(kind, port).send('traces', REQUEST);
      expect(answer).toMatchObject({ kind: 'retry' });
      expect(JSON.stringify(answer)).not.toContain('Resolution note');
      expect(connections).toBeGreaterThan(0);
    },
  );
});

test.each(KINDS)(
  '%s that was taken once is not asked what it speaks when it is down',
  async (_name, kind) => {
    const receiver = await world.receiver(kind);
    const transport: Transport = world.transport(kind, receiver.port);
    expect(await transport.send('traces', REQUEST)).toMatchObject({ kind: 'acknowledged' });
    receiver.answer(() => undefined);
    const answer = transport.send('traces', REQUEST);
    await until('the call', () => receiver.calls.length === 2);
    await receiver.stop();
    expect(await answer).toMatchObject({ kind: 'retry' });
  },
);

test.each(KINDS)(
  '%s to an address has its certificate held against it, without a warning',
  async (_name, kind) => {
    const warnings: string[] = [];
    const hear = (warning: Error) => void warnings.push(warning.message);
    process.on('warning', hear);
    const { port } = await world.receiver(kind);
    const transport = world.transport(kind, port, { host: '127.0.0.1' });
    expect(await transport.send('traces', REQUEST)).toMatchObject({ kind: 'acknowledged' });
    process.off('warning', hear);
    expect(warnings).toEqual([]);
  },
);
