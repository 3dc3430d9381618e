// Case 50 of the hostile list, through a real Caddy: on Signet's own paths nothing that a client says of host, method
// or URI counts, neither for the answer nor for the row.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Reply } from '../fixtures/edge.ts';
import { startMisledEdge, type MisledEdge } from '../fixtures/misled-edge.ts';

const OURS = 'app.example.com';
const LIES = [
  ...['X-Forwarded-Uri: /orders', 'X-Forwarded-Method: POST', `X-Forwarded-Host: ${OURS}`],
  ...['X-Forwarded-Proto: https', 'X-Forwarded-Port: 443', 'X-Forwarded-For: 203.0.113.9'],
  ...[`Forwarded: host=${OURS};proto=https`, `X-Original-Host: ${OURS}`, 'X-Original-URL: /orders'],
  ...['X-HTTP-Method-Override: POST', 'X-Forwarded-Prefix: /orders', `X-Host: ${OURS}`],
];
const PATHS = [
  ...['/.signet/login?idp=main&return=/x', '/.signet/callback?code=x&state=y', '/.signet/logout'],
  ...['/.signet/me', '/.signet/signed-out', '/.signet/nothing'],
];

let edge: MisledEdge;
/** The same, where only another host is ours: it is reached by a name that Caddy lets through and we don't know. */
let strange: MisledEdge;
beforeAll(async () => {
  [edge, strange] = await Promise.all([
    startMisledEdge(),
    startMisledEdge({ settings: `hosts: [${OURS}]\n` }),
  ]);
});
afterAll(async () => {
  await Promise.all([edge?.stop(), strange?.stop()]);
});

/** What is the same for the same request. */
function essence({ status, headers }: Reply) {
  const place = headers.get('location')?.replaceAll(/(state|nonce|code_challenge)=[^&]*/g, '$1=');
  const cookies = headers.get('set-cookie')?.replaceAll(/login-[^;]*/g, 'login-');
  return { status, place, cookies, type: headers.get('content-type') };
}

test.each(PATHS)(
  'case 50, CVE-2026-40575: %s answers and records the same, whatever is forwarded',
  async (path) => {
    const plain = await edge.send(path);
    for (const lie of [...LIES.map((line) => [line]), LIES]) {
      const told = await edge.send(path, lie);
      expect([lie, essence(told)]).toEqual([lie, essence(plain)]);
    }
    const { requestId } = await edge.send(path, LIES);
    const row = await edge.row(requestId);
    expect(row).toMatchObject({
      ...{ path: path.split('?')[0], method: 'GET', route: 'signet', scheme: 'http' },
      ...{ host: `localhost:${edge.port}`, clientAddress: '127.0.0.1' },
    });
  },
);

test.each(['login?idp=main', 'callback?code=x&state=y', 'logout'])(
  'case 50, CVE-2024-21499: /.signet/%s at a host that is not ours is refused, though the client names one that is',
  async (path) => {
    for (const lie of [[], ...LIES.map((line) => [line]), LIES]) {
      const told = await strange.send(`/.signet/${path}`, lie);
      expect([lie, told.status, told.headers.get('location')]).toEqual([lie, 400, undefined]);
      expect(told.headers.get('set-cookie')).toBeUndefined();
    }
    const { requestId } = await strange.send(`/.signet/${path}`, LIES);
    expect(await strange.row(requestId)).toMatchObject({ reason: 'host-not-allowed' });
  },
);
