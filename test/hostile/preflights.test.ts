// `+preflight` lets in whoever asks, so nothing may come with a preflight that a browser's has not: of a body
// neither a byte that is told by its length, nor one that is not, by HTTP/1.1 and HTTP/2.
import { once } from 'node:events';
import { connect } from 'node:http2';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { startUpgradingApp, type UpgradingApp } from '../fixtures/upgrading-app.ts';
import { startSite, type Site } from '../e2e/snippet-site.ts';

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
  app.seen.length = 0;
});

const PREFLIGHT = ['Origin: https://spa.example.com', 'Access-Control-Request-Method: PUT'];

test.each([
  ['of one byte', ['Content-Length: 1'], 'x'],
  ['of 3 MB', ['Content-Length: 3000000'], 'x'.repeat(3_000_000)],
  ['in pieces', ['Transfer-Encoding: chunked'], '2\r\nhi\r\n0\r\n\r\n'],
  ['whose length is asked for', ['Content-Length: 1', 'Expect: 100-continue'], 'x'],
])('a body is not handed on: %s', async (_, lines, body) => {
  await site.send('OPTIONS', '/api/orders', [...PREFLIGHT, ...lines], body);
  expect(app.seen.map((one) => one.body)).toEqual(['']);
  expect(app.seen[0]?.headers).not.toHaveProperty('content-length');
});

test('a body by HTTP/2, which needs to tell no length, is not handed on', async () => {
  const session = connect(`http://localhost:${site.port}`);
  const what = { origin: 'https://spa.example.com', 'access-control-request-method': 'PUT' };
  const request = { ':method': 'OPTIONS', ':path': '/api/orders', ...what };
  const stream = session.request(request, { endStream: false });
  stream.end('hi');
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  session.destroy();
  expect(headers[':status']).toBe(200);
  expect(app.seen.map((one) => one.body)).toEqual(['']);
});

test('the same body is the app’s where anyone may go', async () => {
  await site.send('OPTIONS', '/public', [...PREFLIGHT, 'Content-Length: 2'], 'hi');
  expect(app.seen.map((one) => one.body)).toEqual(['hi']);
});
