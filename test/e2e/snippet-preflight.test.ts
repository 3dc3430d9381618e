// What a single-page app on another origin needs of the snippets: its preflight reaches the gate as what it
// is, and an allowed one the app, as nobody's; and a refusal tells how to sign in.
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { ALICE, CAROL_SIGNED, CHALLENGE, startSite } from './snippet-site.ts';
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

const PREFLIGHT = [
  'Origin: https://spa.example.com',
  'Access-Control-Request-Method: PUT',
  'Access-Control-Request-Headers: authorization,x-own',
];

test('the gate is asked about a preflight with what makes it one (Fetch standard, 3.3.2)', async () => {
  await site.send('OPTIONS', '/api/orders', PREFLIGHT);
  expect(site.questions).toHaveLength(1);
  const { method, headers } = site.questions[0]!;
  expect(method).toBe('GET');
  expect(headers).toMatchObject({
    'x-forwarded-method': 'OPTIONS',
    'x-forwarded-uri': '/api/orders',
    origin: 'https://spa.example.com',
    'access-control-request-method': 'PUT',
    'access-control-request-headers': 'authorization,x-own',
  });
});

test('a client can’t make a preflight of another method', async () => {
  const claims = ['X-Forwarded-Method: OPTIONS', 'X-HTTP-Method-Override: OPTIONS'];
  const { status } = await site.send('DELETE', '/api/orders', [...PREFLIGHT, ...claims]);
  expect(status).toBe(401);
  expect(site.questions[0]?.headers['x-forwarded-method']).toBe('DELETE');
  expect(site.app.seen).toEqual([]);
});

test('an allowed preflight reaches the app as it is, with nobody’s name', async () => {
  const claims = ['Remote-User: admin', 'Signet-Assertion: forged', 'Baggage: user.id=admin'];
  const { status } = await site.send('OPTIONS', '/api/orders', [...PREFLIGHT, ...claims]);
  expect(status).toBe(200);
  const request = site.app.seen[0]!;
  expect(request.method).toBe('OPTIONS');
  expect(request.values('access-control-request-method')).toEqual(['PUT']);
  expect(request.values('origin')).toEqual(['https://spa.example.com']);
  expect(request.names().filter((name) => /^(remote|signet|baggage)/.test(name))).toEqual([]);
});

test.each([
  'Cookie: app=1; b=2',
  'Authorization: Bearer of-the-app',
  'X-HTTP-Method-Override: DELETE',
  'X-HTTP-Method: DELETE',
  'x-method-override: DELETE',
  'Upgrade: websocket',
])(
  'an allowed preflight loses what a browser’s never has (Fetch standard, 4.8): %s',
  async (line) => {
    const lines = [...PREFLIGHT, 'Connection: Upgrade', line];
    expect((await site.send('OPTIONS', '/api/orders', lines)).status).toBe(200);
    expect(site.app.seen[0]?.names()).not.toContain(line.split(':')[0]?.toLowerCase());
  },
);

test.each(['/public', '/prefix/x'])(
  'where it isn’t let in as a preflight, it is the app’s with all that it has: %s',
  async (path) => {
    const own = ['Cookie: app=1', 'X-HTTP-Method-Override: PROPFIND', 'Content-Length: 2'];
    await site.send('OPTIONS', path, [...PREFLIGHT, ALICE, ...own], 'hi');
    const names = site.app.seen[0]?.names();
    const all = ['cookie', 'authorization', 'x-http-method-override', 'content-length'];
    expect(names).toEqual(expect.arrayContaining(all));
  },
);

test('a client can’t make a preflight of a request by saying so', async () => {
  const lines = ['Signet-Preflight: yes', 'Cookie: app=1', ALICE];
  await site.send('PUT', '/api/orders', lines);
  expect(site.app.seen[0]?.values('cookie')).toEqual(['app=1']);
});

test('a preflight where the block doesn’t allow it is refused, and the app not called', async () => {
  expect((await site.send('OPTIONS', '/orders', PREFLIGHT)).status).toBe(401);
  expect(site.app.seen).toEqual([]);
});

test('the line of an allowed preflight has route and stamp, and nobody’s id', async () => {
  const answer = await site.send('OPTIONS', '/api/line', PREFLIGHT);
  const line = (await site.log()).find(({ request }) => request.uri === '/api/line');
  expect(line).toMatchObject({ route: 'api', status: 200, user_id: '' });
  expect(line?.stamp).toBe(`stamp-${answer.values('x-request-id')[0]}`);
});

test('the request that follows it is the caller’s, as any other', async () => {
  await site.send('PUT', '/api/orders', ['Origin: https://spa.example.com', ALICE]);
  expect(site.app.seen[0]?.method).toBe('PUT');
  expect(site.app.seen[0]?.values('remote-user')).toEqual(['alice']);
});

test('a 401 of the gate reaches the client with its challenge, its link and its body', async () => {
  const answer = await site.ask('/api/orders', 'Accept: application/json');
  expect(answer.status).toBe(401);
  expect(answer.values('www-authenticate')).toEqual([CHALLENGE['WWW-Authenticate']]);
  expect(answer.values('link')).toEqual([CHALLENGE.Link]);
  expect(answer.body).toContain('sign in');
});

test('the challenge of the app itself, behind an allowed request, reaches the client, too', async () => {
  const answer = await site.ask('/api/status/401', CAROL_SIGNED);
  expect(answer.status).toBe(401);
  expect(answer.values('link')).toEqual([]);
});
