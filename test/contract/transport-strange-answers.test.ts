// Answers that are none of OTLP's: each ends the attempt, as what it is, and none ends the thread.
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { ServerHttp2Stream } from 'node:http2';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Answer } from '../../sidecar/otlp/transport.ts';
import { respond, startHttp2 } from '../fixtures/http2-answers.ts';
import { createTransportWorld, type TransportWorld } from '../fixtures/transports.ts';

const REQUEST = Buffer.from('a request');

let world: TransportWorld;

beforeEach(() => {
  world = createTransportWorld();
});
afterEach(() => world.end());

describe('gRPC', () => {
  const grpc = { protocol: 'grpc', scheme: 'http' } as const;
  const GRPC = { ':status': 200, 'content-type': 'application/grpc' };

  async function answerTo(answer: (stream: ServerHttp2Stream) => void): Promise<Answer> {
    const { port } = world.own(await startHttp2(answer));
    return world.transport(grpc, port).send('traces', REQUEST);
  }

  test('an encoding that its client does not know is unclear', async () => {
    const compressed = Buffer.from([1, 0, 0, 0, 3, 0, 0, 0]);
    const headers = { ...GRPC, 'grpc-encoding': 'zstd' };
    const answer = await answerTo((stream) =>
      respond(stream, headers, compressed, { 'grpc-status': '0' }),
    );
    expect(answer).toMatchObject({ kind: 'unclear' });
  });

  test.each([
    [302, 'misdirected'],
    [400, 'misdirected'],
    [401, 'unauthorized'],
    [404, 'misdirected'],
    [407, 'unauthorized'],
    [413, 'refused'],
    [500, 'unclear'],
    [503, 'retry'],
  ])('%d of HTTP is what it is there: %s', async (code, kind) => {
    const answer = await answerTo((stream) => respond(stream, { ':status': code }));
    expect(answer).toMatchObject({ kind, problem: expect.stringContaining(`answered ${code}`) });
  });

  test('a web page has taken nothing', async () => {
    const headers = { ':status': 200, 'content-type': 'text/html' };
    const answer = await answerTo((stream) => respond(stream, headers, '<html>Sign in'));
    expect(answer).toMatchObject({ kind: 'misdirected' });
  });
});

describe('HTTP', () => {
  const http = { protocol: 'http/protobuf', scheme: 'http' } as const;

  async function answerTo(text: string): Promise<Answer> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined).once('data', () => socket.write(text));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    world.own({ stop: async () => void server.close() });
    const { port } = server.address() as AddressInfo;
    return world.transport(http, port).send('traces', REQUEST);
  }

  test.each([
    ['with a protocol', '101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket'],
    ['without one', '101 Switching Protocols'],
    ['after a 100', '100 Continue\r\n\r\nHTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: h2c'],
  ])('a change to another protocol, %s, has taken nothing', async (_what, head) => {
    expect(await answerTo(`HTTP/1.1 ${head}\r\n\r\n`)).toMatchObject({ kind: 'misdirected' });
  });

  test.each([
    ['JSON', 'application/json', '{"code":16,"message":"no such token"}', 'unauthorized'],
    ['JSON with HTTP’s code', 'application/json', '{"code":503,"message":"later"}', 'retry'],
    ['protobuf', 'application/x-protobuf', '\x08\x03\x12\x03bad', 'refused'],
    ['JSON that is none', 'application/json', '{"code":0,"message":"ok"}', 'acknowledged'],
    ['JSON of some success', 'application/json', '{"code":200}', 'acknowledged'],
  ])('200 with an error in %s is by its code', async (_what, type, body, kind) => {
    const head = `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}`;
    expect(await answerTo(`${head}\r\n\r\n${body}`)).toMatchObject({ kind });
  });
});
