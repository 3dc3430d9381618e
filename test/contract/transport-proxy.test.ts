// What every transport does about a proxy, over a real one. No name of another machine is asked for here:
// the proxy takes receiver.test for this one, and 0.0.0.0 leads here without it.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { secret } from '../../sidecar/secret.ts';
import { startForwardProxy } from '../fixtures/forward-proxy.ts';
import {
  type MisbehavingReceiver,
  startMisbehavingReceiver,
} from '../fixtures/misbehaving-receiver.ts';
import { startRelay } from '../fixtures/relay.ts';
import {
  createTransportWorld,
  KINDS,
  sendUntil,
  type TransportWorld,
} from '../fixtures/transports.ts';
import { until } from '../fixtures/until.ts';

const REQUEST = Buffer.from('a request');

describe.each(KINDS)('%s', (_name, kind) => {
  let world: TransportWorld;
  let receiver: MisbehavingReceiver;

  beforeAll(async () => {
    world = createTransportWorld();
    receiver = await world.receiver(kind);
  });
  beforeEach(() => {
    receiver.calls.length = 0;
  });
  afterAll(() => world.end());

  const by = (url: string, no: string[] = []) => ({
    proxy: { [kind.scheme]: secret(url), no },
  });
  const proxy = async (password?: string) =>
    world.own(await startForwardProxy(receiver.port, password));

  test('a destination elsewhere is reached through the proxy, under its own name', async () => {
    const host = 'receiver.test';
    const pair = world.authority.issue('elsewhere', { hosts: `DNS:${host}` });
    const tls = kind.scheme === 'https' ? pair : undefined;
    const elsewhere = world.own(await startMisbehavingReceiver(kind.protocol, tls));
    const { port, asked } = world.own(await startForwardProxy(elsewhere.port));
    const transport = world.transport(
      kind,
      elsewhere.port,
      { host },
      by(`http://127.0.0.1:${port}`),
    );
    expect(await transport.send('traces', REQUEST)).toMatchObject({ kind: 'acknowledged' });
    const itself = `${host}:${elsewhere.port}`;
    expect(asked.map(({ to }) => to)).toEqual([itself]);
    expect(elsewhere.calls.map((seen) => seen.host)).toEqual([itself]);
  });

  test('a name and a password in the URL are for the proxy, and for nobody else', async () => {
    const { port, asked } = await proxy('p@ss:word');
    const options = by(`http://signet:p%40ss%3Aword@127.0.0.1:${port}`);
    const transport = world.transport(kind, receiver.port, { host: 'receiver.test' }, options);
    expect(await transport.send('traces', REQUEST)).toMatchObject({ kind: 'acknowledged' });
    expect(asked[0]?.authorization).toBe(`Basic ${btoa('signet:p@ss:word')}`);
  });

  test('a proxy that refuses us is unauthorized, and its password is not told', async () => {
    const { port } = await proxy('another');
    const options = by(`http://signet:hunter2hunter2@127.0.0.1:${port}`);
    const transport = world.transport(kind, receiver.port, { host: 'receiver.test' }, options);
    const answer = await transport.send('traces', REQUEST);
    expect(answer).toMatchObject({ kind: 'unauthorized' });
    expect(answer).toMatchObject({ problem: expect.stringMatching(/407|proxy/i) });
    expect(JSON.stringify(answer)).not.toContain('hunter2');
  });

  test.each([
    ['is in NO_PROXY', '0.0.0.0', ['0.0.0.0']],
    ['is on this machine', 'localhost', []],
  ])('a destination that %s is reached straight', async (_what, host, no) => {
    const { port, asked } = await proxy();
    const options = by(`http://127.0.0.1:${port}`, no);
    const transport = world.transport(kind, receiver.port, { host }, options);
    expect(await transport.send('traces', REQUEST)).toMatchObject({ kind: 'acknowledged' });
    expect(asked).toEqual([]);
  });

  test('a proxy that only the environment names is not used: settings decide', async () => {
    const { port, asked } = await proxy();
    const names = ['grpc_proxy', 'http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY'];
    for (const name of names) process.env[name] = `http://127.0.0.1:${port}`;
    const transport = world.transport(kind, receiver.port, { host: '0.0.0.0' });
    const answer = await transport.send('traces', REQUEST);
    for (const name of names) delete process.env[name];
    expect(answer).toMatchObject({ kind: 'acknowledged' });
    expect(asked).toEqual([]);
  });

  test('a proxy that says nothing is left after each try: no connections gather', async () => {
    const mute = world.own(await startRelay());
    const options = { ...by(`http://127.0.0.1:${mute.port}`), timeoutMs: 150 };
    const transport = world.transport(kind, receiver.port, { host: 'receiver.test' }, options);
    const kinds = await sendUntil(3, mute, transport);
    expect(new Set(kinds)).toEqual(new Set(['retry']));
    expect(mute.connections()).toBeGreaterThanOrEqual(3);
    expect(mute.connections()).toBeLessThanOrEqual(kinds.length);
    await until('their end', () => mute.open() === 0);
  });

  test('a proxy that is down is tried again', async () => {
    const gone = await startForwardProxy(receiver.port);
    await gone.stop();
    const options = by(`http://127.0.0.1:${gone.port}`);
    const transport = world.transport(kind, receiver.port, { host: 'receiver.test' }, options);
    expect(await transport.send('traces', REQUEST)).toMatchObject({ kind: 'retry' });
  });
});

test('what a proxy quotes of its own credentials is not told', async () => {
  const world = createTransportWorld();
  const quoting = createServer((request, response) => {
    response.writeHead(407, { 'content-type': 'text/plain' });
    response.end(
      `cannot authenticate ${request.headers['proxy-authorization']} (signet:hunter2hunter2)`,
    );
  }).listen(0, '127.0.0.1');
  await once(quoting, 'listening');
  const { port } = quoting.address() as AddressInfo;
  try {
    const http = secret(`http://signet:hunter2hunter2@127.0.0.1:${port}`);
    const kind = { protocol: 'http/protobuf', scheme: 'http' } as const;
    const options = { proxy: { http, no: [] } };
    const transport = world.transport(kind, 1, { host: 'receiver.test' }, options);
    const answer = await transport.send('traces', REQUEST);
    expect(answer).toMatchObject({
      kind: 'unauthorized',
      problem: expect.stringContaining('cannot authenticate'),
    });
    expect(JSON.stringify(answer)).not.toMatch(/hunter2|aHVudGVy|c2lnbmV0/);
  } finally {
    quoting.close();
    await world.end();
  }
});
