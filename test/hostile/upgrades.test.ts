// After an app's 101 Caddy copies bytes, so an upgrade to HTTP/2 would be a way around the gate, its deletions
// and the record (h2c smuggling). Through a real Caddy, to an app that takes whatever upgrade it is offered.
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startUpgradingApp, type UpgradingApp } from '../fixtures/upgrading-app.ts';
import { ALICE, startSite, type Site } from '../e2e/snippet-site.ts';

let app: UpgradingApp;
let site: Site;
beforeAll(async () => {
  app = await startUpgradingApp();
  site = await startSite({ appAddress: app.address });
});
afterAll(async () => {
  await site.stop();
  await app.stop();
});
beforeEach(() => {
  app.upgrades.length = app.seen.length = 0;
});

const SETTINGS = 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA';
const PREFLIGHT = ['Origin: https://spa.example.com', 'Access-Control-Request-Method: PUT'];

type Way = readonly [where: string, method: string, path: string, ...lines: string[]];
const OPEN: Way = ['no `protect`', 'GET', '/open'];
const PUBLIC: Way = ['public', 'GET', '/public'];
const ANY: Way = ['any', 'GET', '/prefix/x', ALICE];
const ASKED_FIRST: Way = ['any+preflight', 'OPTIONS', '/api/x', ...PREFLIGHT];
const OWN: Way = ['Signet’s own', 'GET', '/.signet/me'];
const WAYS = [OPEN, PUBLIC, ANY, ASKED_FIRST, OWN];

const utf8 = (text: string) => Buffer.from(text).toString('latin1');

const SPELLINGS: readonly string[][] = [
  ['Upgrade: h2c'],
  ['upgrade:\tH2C\t'],
  ['Upgrade: h2'],
  ['Upgrade: HTTP/2.0'],
  ['Upgrade: TLS/1.0'],
  ['Upgrade: whatever'],
  ['Upgrade: h2c, websocket'],
  ['Upgrade: websocket, h2c'],
  ['Upgrade: websocket,\r\n h2c'],
  ['Upgrade: websocket,'],
  ['Upgrade: h2c', 'Upgrade: websocket'],
  ['Upgrade: websocket', 'Upgrade: h2c'],
  ['Upgrade: ', 'Upgrade: h2c'],
  ['Upgrade: websocket', 'Upgrade: '],
  ['Upgrade: websocket/13'],
  ['Upgrade: "websocket"'],
  ['Upgrade: websocket h2c'],
  ['Upgrade: xwebsocket'],
  ['Upgrade: websocketx'],
  [utf8('Upgrade: web\u017focket')],
  [utf8('Upgrade: websoc\u212aet')],
];
const CONNECTIONS: readonly string[][] = [
  ['Connection: Upgrade'],
  ['Connection: keep-alive, UPGRADE'],
  ['Connection: keep-alive', 'connection: upgrade'],
  ['Connection: Upgrade, HTTP2-Settings'],
];

/** Sends a request that asks for an upgrade; resolves to the answer's status and its connection. */
async function offer(
  [, method, path, ...lines]: Way,
  upgrade: readonly string[],
  version = '1.1',
): Promise<{ status: number; socket: Socket }> {
  const socket = connect(site.port, '127.0.0.1').on('error', () => undefined);
  const all = [`${method} ${path} HTTP/${version}`, 'Host: localhost', ...lines, ...upgrade];
  socket.write(Buffer.from(`${all.join('\r\n')}\r\n\r\n`, 'latin1'));
  let head = '';
  while (!head.endsWith('\r\n\r\n') && !socket.readableEnded) {
    const byte = socket.read(1) as Buffer | null;
    if (byte === null) await Promise.race([once(socket, 'readable'), once(socket, 'end')]);
    else head += byte.toString('latin1');
  }
  return { status: Number(head.split(' ')[1]), socket };
}

/** The status of a request whose upgrade, if any, is of no interest after that. */
async function statusOf(...asked: Parameters<typeof offer>): Promise<number> {
  const { status, socket } = await offer(...asked);
  socket.destroy();
  return status;
}

describe.each(WAYS)(
  '%s: what would upgrade to anything but WebSocket is a plain request',
  (...way) => {
    test.each(SPELLINGS)('%j', async (...lines) => {
      for (const connection of CONNECTIONS) {
        expect(await statusOf(way, [...connection, ...lines, SETTINGS])).toBe(200);
      }
      expect(app.upgrades).toEqual([]);
    });

    test('by HTTP/1.0', async () => {
      const lines = ['Connection: Upgrade', 'Upgrade: h2c', SETTINGS];
      expect(await statusOf(way, lines, '1.0')).toBe(200);
      expect(app.upgrades).toEqual([]);
    });
  },
);

test.each([OPEN, PUBLIC, ANY])(
  '%s: an app that is offered WebSocket and goes on with h2c gets no client',
  async (where, method, path, ...lines) => {
    const way: Way = [where, method, `${path}/as-h2c`, ...lines];
    const asked = ['Connection: Upgrade', 'Upgrade: websocket'];
    expect(await statusOf(way, asked)).not.toBe(101);
    expect(app.upgrades).toEqual(['websocket']);
  },
);

describe.each([OPEN, PUBLIC, ANY])('%s: WebSocket is let through', (...way) => {
  test.each(['websocket', 'WebSocket', 'WEBSOCKET', '\twebsocket '])('as %j', async (spelled) => {
    for (const connection of CONNECTIONS.slice(0, 3)) {
      expect(await statusOf(way, [...connection, `Upgrade: ${spelled}`])).toBe(101);
    }
    expect(app.upgrades).toEqual(Array(3).fill('websocket'));
  });
});

test.each([OPEN, PUBLIC, ANY])(
  '%s: no app gets HTTP2-Settings',
  async (_, method, path, ...lines) => {
    await site.send(method, path, [...lines, SETTINGS]);
    expect(app.seen.map(({ headers }) => headers['http2-settings'])).toEqual([undefined]);
  },
);

test('a preflight is no WebSocket either', async () => {
  const lines = ['Connection: Upgrade', 'Upgrade: websocket'];
  expect(await statusOf(ASKED_FIRST, lines)).toBe(200);
  expect(app.upgrades).toEqual([]);
});

test.each(['h2c', 'websocket'])(
  'extended CONNECT (RFC 8441) to %s by HTTP/2 reaches no app',
  async (protocol) => {
    const session = connectHttp2(`http://localhost:${site.port}`).on('error', () => undefined);
    const target = { ':method': 'CONNECT', ':path': '/open', ':scheme': 'http' };
    const authority = `localhost:${site.port}`;
    const stream = session.request({ ...target, ':authority': authority, ':protocol': protocol });
    await expect(once(stream, 'response')).rejects.toThrow('NGHTTP2_PROTOCOL_ERROR');
    session.destroy();
    expect(app.upgrades).toEqual([]);
  },
);
