// What was decided is what was served: a client can't change what the gate is asked about, nor get
// past it. Hostile cases 7, 10–13, 49, 50, and what happens when the gate isn't there.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { ALICE, startSite } from './snippet-site.ts';
import type { Site } from './snippet-site.ts';

let site: Site;
beforeAll(async () => {
  site = await startSite();
});
afterAll(() => site.stop());
beforeEach(() => {
  site.app.seen.length = 0;
  site.questions.length = 0;
});

const CLAIMS = [
  'X-Forwarded-Uri: /public',
  'X-Forwarded-Method: TRACE',
  'X-Forwarded-Host: evil.example',
  'X-Forwarded-Proto: https',
  'X-Forwarded-For: 192.0.2.1',
  'X-Request-Id: 00000000-0000-4000-8000-000000000000',
];

test("what the gate is asked about comes from Caddy, not from the client's headers", async () => {
  const answer = await site.ask('/orders?a=b+c', ...CLAIMS, 'X-Original-URL: /public');
  expect(answer.status).toBe(401);
  const { method, url, headers } = site.questions[0]!;
  expect(method).toBe('GET');
  expect(url).toBe('/verify?require=team:payments,search+type:human&route=orders');
  expect(headers).toMatchObject({
    'x-forwarded-uri': '/orders?a=b+c',
    'x-forwarded-method': 'GET',
    'x-forwarded-host': 'localhost',
    'x-forwarded-proto': 'http',
    'x-forwarded-for': '127.0.0.1',
    'x-request-id': answer.values('x-request-id')[0],
  });
  expect(site.app.seen).toEqual([]);
});

test('under handle_path the gate hears the URI that was asked for', async () => {
  await site.ask('/prefix/page?x=1', ALICE);
  expect(site.questions[0]?.headers['x-forwarded-uri']).toBe('/prefix/page?x=1');
  expect(site.app.seen[0]?.url).toBe('/page?x=1');
});

test('/.signet/* passes on neither X-Forwarded-Uri nor X-Forwarded-Method, and the rest is Caddy’s', async () => {
  const answer = await site.ask('/.signet/me?x=1', ...CLAIMS);
  expect(answer.status).toBe(200);
  const { url, headers } = site.questions[0]!;
  expect(url).toBe('/.signet/me?x=1');
  expect(headers['x-forwarded-uri']).toBeUndefined();
  expect(headers['x-forwarded-method']).toBeUndefined();
  expect(headers['x-forwarded-host']).toBe('localhost');
  expect(headers['x-forwarded-for']).toBe('127.0.0.1');
  expect(headers['x-request-id']).toBe(answer.values('x-request-id')[0]);
});

/** Paths that two parsers like to read differently. */
const PATHS = [
  '/admin',
  '//admin',
  '/./admin',
  '/ADMIN',
  '/public/../admin',
  '/public/%2e%2e/admin',
  '/public/..;/admin',
  '/public/..%2fadmin',
  '/%61dmin',
  '%2fadmin',
  '/%2fadmin',
  '/%5cadmin',
  '/public%5c..%5cadmin',
  '/public%00/admin',
  '/public;/admin',
  '/admin/..%252fpublic',
  '/public?/../admin',
  '/orders?require=public',
  '/orders?route=public&require=public',
  '/orders%3frequire=public',
  '/orders?x=1%26require=public',
  '/orders#?require=public',
];

test.each(PATHS)('%s is served by the block that was decided, or not at all', async (path) => {
  await site.ask(path);
  await site.ask(path, ALICE);
  expect(site.app.seen.length).toBeLessThanOrEqual(site.questions.length);
  for (const { url } of site.questions) {
    expect(url).toMatch(
      /^\/verify\?require=(role:admin&route=admin|public&route=public|team:payments,search\+type:human&route=orders)$/,
    );
  }
  // Alice is no admin, so whatever was decided as `admin` was not served.
  const asAdmin = site.questions.filter(({ url }) => url.includes('route=admin'));
  if (asAdmin.length > 0) expect(site.app.seen).toEqual([]);
});

test('a client can’t ask the gate itself: the site’s own blocks take /verify', async () => {
  const { status } = await site.ask('/verify?require=public');
  expect(status).toBe(401);
  expect(site.questions[0]?.url).toMatch(/^\/verify\?require=[^&]*&route=orders$/);
  expect(site.app.seen).toEqual([]);
});

test.each(['/.signet/../verify', '/.signet/%2e%2e/verify', '/.signet/..%2fverify'])(
  'nor by %s, which nobody is asked about',
  async (path) => {
    const { status } = await site.ask(path);
    expect([status, site.questions, site.app.seen]).toEqual([400, [], []]);
  },
);

test('an upgrade and an Expect are not part of the question', async () => {
  const websocket = ['Connection: Upgrade', 'Upgrade: websocket'];
  const key = ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
  const { status } = await site.ask('/', ALICE, ...websocket, ...key);
  expect(status).toBe(101);
  expect(site.questions[0]?.headers.upgrade).toBeUndefined();
  expect(site.app.seen[0]?.values('remote-user')).toEqual(['alice']);
});

test('with the gate down protected blocks are closed, and open ones still get no Remote-User', async () => {
  const other = await startSite();
  try {
    await other.stopGate();
    const spoof = ['Remote-User: admin', 'Remote_User: admin', 'Remote.User: admin'];
    for (const path of ['/', '/public', '/admin', '/.signet/me']) {
      const answer = await other.ask(path, ALICE, ...spoof);
      expect(answer.status).toBe(502);
      expect(answer.values('x-request-id')).toHaveLength(1);
    }
    expect(other.app.seen).toEqual([]);
    expect((await other.ask('/open', ...spoof)).status).toBe(200);
    expect(other.app.seen[0]?.names().filter((name) => name.startsWith('remote'))).toEqual([]);
  } finally {
    await other.stop();
  }
});

test.each(['/run/signet/sidecar.sock', ''])(
  'a SIGNET_SOCKET of `%s`, which is no address, closes the site instead of opening it',
  async (socket) => {
    const other = await startSite({ socket });
    try {
      const { status } = await other.ask('/', ALICE);
      expect(status).toBeGreaterThanOrEqual(500);
      expect(other.app.seen).toEqual([]);
    } finally {
      await other.stop();
    }
  },
);
