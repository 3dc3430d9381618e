// Case 7 of the hostile list: the sidecar believes what Caddy says, so nobody else may say it: its unix socket
// stands in a folder that others can't enter, and over TCP only the shared key opens.
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePort, rawRequest } from '../fixtures/caddy.ts';
import { startEdge, type Edge } from '../fixtures/edge.ts';
import { BLOCKS, fatesOf } from '../fixtures/hostile.ts';
import { startMortalSidecar } from '../fixtures/edge.ts';

const KEY = 'a-key-of-the-gate-with-more-than-32-characters';

let byKey: Edge;
let port: number;
let alice: string;
beforeAll(async () => {
  port = await freePort();
  const address = `127.0.0.1:${port}`;
  byKey = await startEdge(BLOCKS, {
    extra: { SIGNET_SOCKET: address, SIGNET_GATE_KEY: KEY },
    gate: address,
    gateKey: KEY,
  });
  alice = await byKey.signIn('alice');
});
afterAll(async () => byKey?.stop());

/** All that Caddy says, and as somebody who would have it say something else. */
const AS_CADDY = [
  'X-Request-Id: 4d032074-7bbc-4e5d-964f-a0f15a34b6f6',
  'X-Forwarded-Method: GET',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Host: app.example.com',
  'X-Forwarded-Uri: /admin',
  'X-Forwarded-For: 127.0.0.1',
];
const TARGETS = [
  '/verify?route=admin&require=public',
  '/verify?route=admin&require=any',
  '/.signet/me',
  '/.signet/login',
  '/.signet/logout',
  '/',
];

async function ask(target: string, lines: readonly string[]): Promise<string> {
  const head = [`GET ${target} HTTP/1.1`, 'Host: x', 'Connection: close', ...lines];
  return (await rawRequest({ port, bytes: `${head.join('\r\n')}\r\n\r\n` })).toString('latin1');
}

test.each<[string, readonly string[]]>([
  ['without a key', []],
  ['with an empty key', ['Signet-Key:']],
  ['with a part of it', [`Signet-Key: ${KEY.slice(0, -1)}`]],
  ['with more than it', [`Signet-Key: ${KEY}x`]],
  ['in another case', [`Signet-Key: ${KEY.toUpperCase()}`]],
  ['with another key', [`Signet-Key: ${'x'.repeat(KEY.length)}`]],
  ['with the right one after a wrong one', ['Signet-Key: x', `Signet-Key: ${KEY}`]],
  ['with it under other names', [`Signet_Key: ${KEY}`, `X-Signet-Key: ${KEY}`, `Key: ${KEY}`]],
  ['with it as a bearer token', [`Authorization: Bearer ${KEY}`]],
  ['with it as a cookie', [`Cookie: Signet-Key=${KEY}`]],
  ['with it in the target’s place', [`X-Forwarded-Uri: /?Signet-Key=${KEY}`]],
])(
  'case 7, oauth2-proxy#3506: over TCP whoever asks %s is refused, whatever he says of the request',
  async (_, lines) => {
    for (const target of TARGETS) {
      for (const more of [[], [alice], ['Remote-User: admin', 'Forwarded: for=127.0.0.1']]) {
        const answer = await ask(target, [...AS_CADDY, ...lines, ...more]);
        expect({ target, answer: answer.split('\r\n')[0] }).toEqual({
          ...{ target, answer: 'HTTP/1.1 403 Forbidden' },
        });
        expect(answer).not.toMatch(/^(signet-stamp|remote-|location|set-cookie)/im);
        expect(answer).not.toContain('alice');
      }
    }
  },
);

test('case 7, oauth2-proxy#3506: Caddy, which has the key, is answered, and a client’s own key counts for nothing', async () => {
  const fates = await fatesOf(byKey, [
    { target: '/orders', lines: [alice, 'Signet-Key: x'] },
    { target: '/orders', lines: [`Signet-Key: ${KEY}`] },
    { target: '/.signet/me', lines: [`Signet-Key: ${KEY}`] },
  ]);
  expect(fates.map(({ reply, row }) => [reply.status, row?.identity?.user])).toEqual([
    [200, 'alice'],
    [401, undefined],
    [401, undefined],
  ]);
  expect(byKey.app.seen.flatMap((seen) => seen.rawHeaders).join()).not.toContain(KEY);
  expect(byKey.logLines().join('')).not.toContain(KEY);
});

test('case 7, oauth2-proxy#3506: a request that leaves a header of Caddy’s out is not answered, even with the key', async () => {
  for (const left of AS_CADDY) {
    const rest = AS_CADDY.filter((line) => line !== left);
    const answer = await ask(TARGETS[0] ?? '', [...rest, `Signet-Key: ${KEY}`]);
    expect({ left, answer: answer.split('\r\n')[0] }).toEqual({
      ...{ left, answer: 'HTTP/1.1 400 Bad Request' },
    });
  }
});

test('case 7, oauth2-proxy#3506: it listens on TCP to nobody without a key', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'signet-keyless-'));
  const sidecar = startMortalSidecar(folder, {
    SIGNET_ISSUER: byKey.provider.issuer,
    ...{ SIGNET_CLIENT_ID: 'signet', SIGNET_CLIENT_SECRET: 'x', SIGNET_DESTINATION: 'none' },
    SIGNET_SOCKET: `127.0.0.1:${await freePort()}`,
  });
  try {
    expect(await sidecar.exited).toBe(78);
    expect(sidecar.printed()).toContain('SIGNET_GATE_KEY');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('case 7, oauth2-proxy#3506: the unix socket and its folder are closed to others, and who gets there must say all that Caddy says', async () => {
  const edge = await startEdge(BLOCKS);
  try {
    const path = join(edge.folder, 'run', 'sidecar.sock');
    expect(statSync(path).mode & 0o007).toBe(0);
    expect(statSync(dirname(path)).mode & 0o007).toBe(0);
    for (const lines of [[], ...AS_CADDY.map((left) => AS_CADDY.filter((line) => line !== left))]) {
      const socket = connect(path).setEncoding('latin1');
      const head = ['GET /verify?route=x&require=public HTTP/1.1', 'Host: x', 'Connection: close'];
      socket.write(`${[...head, ...lines].join('\r\n')}\r\n\r\n`);
      const [answer] = (await once(socket, 'data')) as [string];
      socket.destroy();
      expect(answer).toMatch(/^HTTP\/1.1 400/);
    }
  } finally {
    await edge.stop();
  }
});
