// Every request leaves a line with its id, and a decided one its stamp, however it ends; and no line
// holds a credential. Hostile cases 22 and 44, as far as the snippets carry them.
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { until } from '../fixtures/until.ts';
import { ALICE, startSite } from './snippet-site.ts';
import type { LogLine, Site } from './snippet-site.ts';
import { REDACTED_PARAMETERS } from '../../sidecar/trace/redact.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let site: Site;
beforeAll(async () => {
  site = await startSite();
});
afterAll(() => site.stop());
beforeEach(() => {
  site.app.seen.length = 0;
});

/** The one line of a request to this path; `path` must be the test's own. */
async function lineOf(path: string): Promise<LogLine> {
  const ofPath = (lines: LogLine[]) => lines.filter(({ request }) => request.uri === path);
  await until(`a line for ${path}`, async () => ofPath(await site.log()).length > 0);
  const lines = ofPath(await site.log());
  expect(lines).toHaveLength(1);
  return lines[0]!;
}

function expectStamped(line: LogLine, route: string) {
  expect(line.uuid).toMatch(UUID);
  expect(line.stamp).toBe(`stamp-${line.uuid}`);
  expect(line.route).toBe(route);
}

test('an allowed request has route, stamp, user and the call to the app', async () => {
  const answer = await site.ask('/allowed', ALICE);
  const line = await lineOf('/allowed');
  expectStamped(line, 'orders');
  expect(answer.values('x-request-id')).toEqual([line.uuid]);
  expect(site.app.seen[0]?.values('x-request-id')).toEqual([line.uuid]);
  expect(line).toMatchObject({
    status: 200,
    user_id: 'alice',
    upstream: site.app.address,
    retries: 0,
  });
  expect(Number(line.proxied_ms)).toBeGreaterThan(0);
  expect(line.upstream_duration_ms).toBeGreaterThan(0);
});

test('a refused one has its stamp and no call to the app', async () => {
  await site.ask('/admin/refused', ALICE);
  const line = await lineOf('/admin/refused');
  expectStamped(line, 'admin');
  expect(line).toMatchObject({ status: 403, user_id: '' });
  expect(line.proxied_ms).toBeUndefined();
});

test('an answer of Signet’s own has the route `signet` and its stamp', async () => {
  await site.ask('/.signet/own');
  expectStamped(await lineOf('/.signet/own'), 'signet');
});

test.each(['/open/line', '/open-dead/line', '/alone'])(
  'an unprotected block (%s) has a line with uuid and without a stamp',
  async (path) => {
    const answer = await site.ask(path, 'Signet-Stamp: forged', 'Remote-User: admin');
    const line = await lineOf(path);
    expect(line.uuid).toMatch(UUID);
    expect(answer.values('x-request-id')).toEqual([line.uuid]);
    expect(line).toMatchObject({ user_id: '' });
    expect(line.stamp).toBeUndefined();
    expect(line.route).toBeUndefined();
  },
);

test('an app that is not there leaves a stamped line and a 502 that carries the request id', async () => {
  const answer = await site.ask('/dead/app', ALICE);
  const line = await lineOf('/dead/app');
  expectStamped(line, 'dead');
  expect(line.status).toBe(502);
  expect(answer.values('x-request-id')).toEqual([line.uuid]);
});

test('an app that dies in mid-body leaves a stamped line', async () => {
  await site.ask('/abort', ALICE);
  const line = await lineOf('/abort');
  expectStamped(line, 'orders');
  expect(line.user_id).toBe('alice');
});

test.each(['/stream', '/big'])('a client that leaves %s leaves a stamped line', async (path) => {
  const socket = connect(site.port, '127.0.0.1');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${ALICE}\r\n\r\n`);
  await once(socket, 'data');
  socket.destroy();
  const line = await lineOf(path);
  expectStamped(line, 'orders');
  expect(Number(line.proxied_ms)).toBeGreaterThan(0);
});

test('a WebSocket is one stamped line with status 101', async () => {
  const socket = new WebSocket(`ws://localhost:${site.port}/socket`, {
    headers: { Authorization: 'Bearer alice' },
  });
  await once(socket, 'open');
  socket.send('hello');
  const [message] = (await once(socket, 'message')) as [Buffer];
  expect(message.toString()).toBe('hello');
  socket.close();
  await once(socket, 'close');
  const line = await lineOf('/socket');
  expectStamped(line, 'orders');
  expect(line.status).toBe(101);
});

test('Expect: foo over HTTP/2 does not make the gate’s server answer 417: the line is stamped', async () => {
  const session = connectHttp2(`http://localhost:${site.port}`);
  const request = session.request({ ':path': '/expect', expect: 'foo' });
  const [headers] = (await once(request, 'response')) as [Record<string, unknown>];
  session.destroy();
  expect(headers[':status']).toBe(401);
  expectStamped(await lineOf('/expect'), 'orders');
});

test('Expect: foo over HTTP/1.1 is answered 417 by Go before Caddy: no app, no line', async () => {
  expect((await site.ask('/expect-1', ALICE, 'Expect: foo')).status).toBe(417);
  await site.ask('/after-expect-1');
  await lineOf('/after-expect-1');
  expect((await site.log()).filter(({ request }) => request.uri === '/expect-1')).toEqual([]);
  expect(site.app.seen).toEqual([]);
});

test('cookies too large for the gate’s server are refused by 502, as it answers without a mark; the line has uuid and route', async () => {
  const answer = await site.ask('/large', ALICE, `Cookie: a=${'x'.repeat(20_000)}`);
  expect(answer.status).toBe(502);
  const line = await lineOf('/large');
  expect(line.uuid).toMatch(UUID);
  expect(line.route).toBe('orders');
  expect(site.app.seen).toEqual([]);
});

test.each([
  ['__Host-signet=secret', ''],
  ['__Host-signet=secret; a=1', 'a=1'],
  ['a=1; __Host-signet=secret', 'a=1'],
  ['a=1;__Host-signet=secret', 'a=1'],
  ['a=1;__Host-signet=secret;b=2', 'a=1;b=2'],
  ['a=1; __Host-signet-login-x=secret; b=2', 'a=1; b=2'],
  ['__Host-signet=secret; __Host-signet=secret; a=1', 'a=1'],
  ['a=1;\t__Host-signet =secret==; b=2', 'a=1; b=2'],
  ['a="__Host-signet"; b=2', 'a="__Host-signet"; b=2'],
  ['__Secure-signet=secret; a=1', 'a=1'],
  ['a=1;__Secure-signet=secret;b=2', 'a=1;b=2'],
  ['__Secure-signet=secret; __Host-signet-login-x=secret; a=1; __Secure-signet=secret', 'a=1'],
  [
    '__Secure-signature=1; __Secure-a=2; Secure-signet=3',
    '__Secure-signature=1; __Secure-a=2; Secure-signet=3',
  ],
])('of the cookies `%s` the app gets `%s`', async (sent, expected) => {
  await site.ask('/cookies', ALICE, `Cookie: ${sent}`);
  expect(site.app.seen[0]?.values('cookie')).toEqual([expected]);
});

test('the session is taken out of each Cookie header, also over HTTP/2', async () => {
  const session = connectHttp2(`http://localhost:${site.port}`);
  const cookie = ['__Host-signet=secret', 'a=1', '__Host-signet-login-x=secret'];
  const request = session.request({ ':path': '/c2', authorization: 'Bearer alice', cookie });
  await once(request, 'response');
  session.destroy();
  await site.ask('/c1', ALICE, 'Cookie: __Host-signet=secret', 'Cookie: a=1');
  const cookies = site.app.seen.map((request) =>
    request.values('cookie').filter((one) => one !== ''),
  );
  expect(cookies).toEqual([['a=1'], ['a=1']]);
});

const SECRET_PARAMETERS = [
  'code',
  'state',
  'id_token',
  'id_token_hint',
  'access_token',
  'token',
  'sig',
  'Signature',
  'X-Amz-Signature',
  'X-Amz-Credential',
  'X-Amz-Security-Token',
  'X-Goog-Signature',
  'X-Goog-Credential',
];

test('no line holds headers, cookies, tokens or the credentials of a query', async () => {
  const query = SECRET_PARAMETERS.map((name) => `${name}=s3cr3t&${name}=s3cr3t`).join('&');
  await site.ask(
    `/.signet/callback?${query}&return=%2Fpage%3Ftoken%3Ds3cr3t`,
    'Cookie: __Host-signet=s3cr3t',
  );
  await site.ask(`/redacted?${query}`, 'Authorization: Bearer s3cr3t');
  await until('both lines', async () => (await site.logText()).includes('/redacted?'));
  const text = await site.logText();
  expect(text).toContain('return=REDACTED');
  expect(text).not.toContain('s3cr3t');
  expect(text).not.toContain('Bearer');
  for (const { request } of await site.log()) expect(request.headers).toBeUndefined();
});

test('credentials are found in every spelling that the filter reads, and in an absolute target', async () => {
  const targets = [
    '/spelled?CODE=s3cr3t&Token=s3cr3t',
    '/spelled?a=1;token=s3cr3t',
    '//x:y/spelled?code=s3cr3t',
    `http://bob:s3cr3t@localhost/spelled`,
  ];
  for (const target of targets) await site.ask(target);
  const spelled = async () => (await site.logText()).match(/spelled/g)?.length === targets.length;
  await until('their lines', spelled);
  expect(await site.logText()).not.toContain('s3cr3t');
});

test('the rest of a query is logged as the app got it: in order, with what no parser takes', async () => {
  const query = 'z=1&a=2;b=DROP&bad=%zz&tok%65n%00=x&z=%41';
  await site.ask(`/verbatim?${query}`);
  await until('its line', async () => (await site.logText()).includes('/verbatim'));
  const lines = await site.log();
  const logged = lines.map(({ request }) => request.uri).find((uri) => uri.includes('verbatim'));
  expect(logged).toBe(`/verbatim?${query}`);
});

test('the log and the rows redact the same parameters', async () => {
  const names = REDACTED_PARAMETERS.map((name) => `${name}=s3cr3t`).join('&');
  await site.ask(`/both?${names}`);
  await until('its line', async () => (await site.logText()).includes('/both'));
  expect(await site.logText()).not.toContain('s3cr3t');
});

test('every line so far has a uuid of its own', async () => {
  const ids = (await site.log()).map(({ uuid }) => uuid);
  for (const id of ids) expect(id).toMatch(UUID);
  expect(new Set(ids).size).toBe(ids.length);
});
