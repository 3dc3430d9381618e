// What a transport does about a proxy that refuses and breaks off: the failure is an answer, nothing is left
// behind, and no error goes unheard (Jest fails a test for one; the recorder's thread would die of it).
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { secret } from '../../sidecar/secret.ts';
import { startBrokenProxy } from '../fixtures/broken-proxy.ts';
import {
  createTransportWorld,
  KINDS,
  sendUntil,
  type TransportWorld,
} from '../fixtures/transports.ts';
import { until } from '../fixtures/until.ts';

const REQUEST = Buffer.from('a request');
const HOST = { host: 'receiver.test' };

describe.each(KINDS)('%s', (_name, kind) => {
  let world: TransportWorld;

  beforeAll(() => {
    world = createTransportWorld();
  });
  afterAll(() => world.end());

  const by = (port: number) => {
    const url = secret(`http://127.0.0.1:${port}`);
    return { timeoutMs: 300, proxy: { [kind.scheme]: url, no: [] } };
  };

  test.each([
    ['407 Proxy Authentication Required', 0],
    ['407 Proxy Authentication Required', 1],
    ['407 Proxy Authentication Required', 3],
    ['502 Bad Gateway', 0],
    ['502 Bad Gateway', 1],
    ['200 OK', 1],
  ])('one that answers %s, and breaks off %d ms after it, harms nobody', async (status, ms) => {
    const proxy = world.own(await startBrokenProxy(status, ms));
    for (let tries = 0; tries < 5; tries++) {
      const transport = world.transport(kind, 4317, HOST, by(proxy.port));
      expect((await transport.send('traces', REQUEST)).kind).not.toBe('acknowledged');
    }
    await until('their end', () => proxy.open() === 0);
  });
});

describe.each(KINDS.filter(([, { scheme }]) => scheme === 'https'))('%s', (_name, kind) => {
  test.each(['407 Proxy Authentication Required', '502 Bad Gateway', '200 OK'])(
    'one that answers %s and no more is let go of after each try',
    async (status) => {
      const world = createTransportWorld();
      const proxy = world.own(await startBrokenProxy(status));
      const url = secret(`http://127.0.0.1:${proxy.port}`);
      const options = { timeoutMs: 100, proxy: { https: url, no: [] } };
      const transport = world.transport(kind, 4317, HOST, options);
      const kinds = await sendUntil(5, proxy, transport);
      expect(proxy.connections()).toBeGreaterThanOrEqual(5);
      expect(proxy.connections()).toBeLessThanOrEqual(kinds.length);
      await until('their end', () => proxy.open() === 0);
      await world.end();
    },
  );
});
