// Cases 36, 38–40, 42 and 49–51 of the hostile list, through a real Caddy and the real sidecar: asserted on the
// app's raw headers, in the audit row, and in the spans. Cases 1–6 are in identity-headers.test.ts.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { until } from '../fixtures/until.ts';
import { startEdge, type Edge, type Reply } from '../fixtures/edge.ts';
import { fatesOf, namedOf, toldOf } from '../fixtures/hostile.ts';
import { SITE } from '../fixtures/site.ts';
import { SPELLINGS } from '../fixtures/spellings.ts';

let edge: Edge;
let alice: string;
beforeAll(async () => {
  edge = await startEdge(SITE);
  alice = await edge.signIn('alice');
});
afterAll(async () => edge.stop());
beforeEach(() => {
  edge.app.seen.length = 0;
});

test('case 49: an unprotected block, signed in and out: the app is told of nobody', async () => {
  const trials = SPELLINGS.flatMap(([, lines]) => [
    { target: '/open/x', lines: [...lines] },
    { target: '/open/x', lines: [...lines, alice] },
  ]);
  for (const fate of await fatesOf(edge, trials)) {
    const { lines, reply, row } = fate;
    expect({ lines, status: reply.status, told: toldOf(fate) }).toEqual({
      ...{ lines, status: 200, told: [[]] },
    });
    expect(row).toMatchObject({ reason: 'unprotected' });
    expect(namedOf(fate)).toEqual([undefined]);
  }
});

const OVERRIDES = [
  'X-Forwarded-Uri: /public/x',
  'X-Forwarded-Method: OPTIONS',
  'X-Original-URL: /public/x',
  'X-Rewrite-URL: /public/x',
  'X-HTTP-Method-Override: OPTIONS',
  'X-Forwarded-Prefix: /public',
];

test('cases 11 and 50: forwarding headers change nothing under /.signet/', async () => {
  const lies = [
    ...OVERRIDES,
    'X-Forwarded-Host: evil.example',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Port: 1',
    'Forwarded: host=evil.example;proto=https',
  ];
  const reply = await edge.send('/.signet/login', lies);
  const redirect = new URL(reply.headers.get('location') ?? '').searchParams.get('redirect_uri');
  expect(redirect).toBe(`http://localhost:${edge.port}/.signet/callback`);
  expect(await edge.row(reply.requestId)).toMatchObject({
    path: '/.signet/login',
    route: 'signet',
    reason: 'signet',
  });
});

test('case 7, oauth2-proxy#3506: /verify is not to be had from outside, in no spelling', async () => {
  const targets = [
    '/verify?route=x&require=public',
    '/.signet/verify?route=x&require=public',
    '/.signet/../verify?route=x&require=public',
    '/.signet/%2e%2e/verify?route=x&require=public',
    '/.signet//verify?route=x&require=public',
  ];
  for (const target of targets) {
    const { status, headers } = await edge.send(target, []);
    expect({ target, ok: status >= 200 && status < 300 }).toEqual({ target, ok: false });
    expect([...headers.keys()]).not.toContain('signet-stamp');
  }
});

test('cases 36 and 38: cookie of alice and bearer of the agent: the agent, everywhere, once', async () => {
  const token = await edge.provider.clientCredentialsToken();
  const lies = 'baggage: user.id=admin,team=root,USER.ID=x,mine=1';
  const reply = await edge.send('/orders', [alice, `Authorization: Bearer ${token}`, lies]);
  expect(reply.status).toBe(200);
  const seen = edge.app.seen.at(-1);
  expect(seen?.values('remote-user')).toEqual(['deploy-agent']);
  expect(seen?.values('baggage')).toEqual([
    'user.id=deploy-agent,team=platform,user_type=agent,mine=1',
  ]);
  expect((await edge.row(reply.requestId)).identity).toMatchObject({
    user: 'deploy-agent',
    type: 'agent',
    method: 'bearer',
  });
  for (const span of await edge.spans(reply.requestId, 3)) {
    expect(span.attributes['user.id']).toBe('deploy-agent');
  }
});

test('case 42: newlines, ANSI codes, JSON and invalid UTF-8 make one row each, and forge nothing', async () => {
  const agents = [
    'User-Agent: %1b[31mred","status":200,"stamp":"x","uuid":"y',
    'User-Agent: \xff\xfe\xc3\x28',
    `User-Agent: ${'é'.repeat(2000)}`,
  ];
  for (const agent of agents) {
    const target = '/orders/%0a%1b[31m%22,%22stamp%22:%22x%22?x=%00%ff"},{"a":"b';
    const reply = await edge.send(target, [agent, alice]);
    expect(reply.status).toBe(200);
    const row = await edge.row(reply.requestId);
    expect(row).toMatchObject({ identity: { user: 'alice' }, decision: 'allow', status: 200 });
    expect((row.userAgent ?? '').length).toBeLessThanOrEqual(256);
    expect(edge.rows().filter(({ requestId }) => requestId === reply.requestId)).toHaveLength(1);
    const spans = await edge.spans(reply.requestId, 3);
    expect(spans).toHaveLength(3);
  }
});

describe('case 39: a traceparent of whatever shape', () => {
  const trace = 'a'.repeat(32);
  const span = 'b'.repeat(16);
  test.each([
    ['version ff', [`traceparent: ff-${trace}-${span}-01`], false],
    ['zeros', [`traceparent: 00-${'0'.repeat(32)}-${span}-01`], false],
    ['upper case', [`traceparent: 00-${trace.toUpperCase()}-${span}-01`], false],
    ['54 characters', [`traceparent: 00-${trace}-${span}-0`], false],
    ['56 characters', [`traceparent: 00-${trace}-${span}-011`], false],
    [
      'two headers',
      [`traceparent: 00-${trace}-${span}-01`, `traceparent: 00-${trace}-${span}-01`],
      false,
    ],
    ['flags ff', [`traceparent: 00-${trace}-${span}-ff`], true],
  ])('%s', async (_, lines, isValid) => {
    const token = await edge.provider.clientCredentialsToken();
    const reply = await edge.send('/orders', [`Authorization: Bearer ${token}`, ...lines]);
    expect(reply.status).toBe(200);
    const own = reply.requestId.replaceAll('-', '');
    const [sent] = edge.app.seen.at(-1)?.values('traceparent') ?? [];
    const [id, flags] = isValid ? [trace, '03'] : [own, '03'];
    expect(sent).toBe(`00-${id}-${own.slice(16)}-${flags}`);
    expect((await edge.row(reply.requestId)).traceId).toBe(id);
  });
});

test('case 40: a tracestate of 40 members is discarded, a baggage of 20 KB cut, the request served', async () => {
  const token = await edge.provider.clientCredentialsToken();
  const state = Array.from({ length: 40 }, (_, i) => `k${i}=v`).join(',');
  const baggage = Array.from({ length: 200 }, (_, i) => `k${i}=${'v'.repeat(95)}`).join(',');
  const reply = await edge.send('/orders', [
    `Authorization: Bearer ${token}`,
    `traceparent: 00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    `tracestate: ${state}`,
    `baggage: ${baggage}`,
  ]);
  expect(reply.status).toBe(200);
  const seen = edge.app.seen.at(-1);
  // W3C's own suite: test_tracestate_member_count_limit.
  expect(seen?.values('tracestate')).toEqual([]);
  const sent = seen?.values('baggage').join() ?? '';
  expect(sent.length).toBeLessThanOrEqual(8192);
  expect(sent.split(',').length).toBeLessThanOrEqual(64);
  expect(sent.match(/user\.id=/g)).toHaveLength(1);
});

test('case 51: a line with a key twice is set aside and counted; the recorder lives', async () => {
  const { appendFileSync } = await import('node:fs');
  await edge.row((await edge.send('/public/before', [])).requestId);
  const before = edge.rows().length;
  const line =
    '{"level":"info","ts":1,"logger":"http.log.access","msg":"handled request","request":{"method":"GET",' +
    '"host":"h","uri":"/"},"duration":1,"size":0,"status":200,"stamp":"a","stamp":"b"}';
  appendFileSync(edge.accessLog, `${line}\n{"half":\nnot json at all\n`);
  const reply: Reply = await edge.send('/public/after', []);
  await edge.row(reply.requestId);
  expect(edge.rows()).toHaveLength(before + 1);
  const counted = async () => {
    const ready = await fetch(`http://127.0.0.1:${edge.healthPort}/readyz`);
    const body = (await ready.json()) as { checks: { recorder: { setAside: number } } };
    return body.checks.recorder.setAside === 3;
  };
  await until('three lines set aside', counted);
});

test.each(['OPTIONS', 'DELETE', 'TRACE'])(
  'a %s to a path of Signet’s own is stamped, and no alarm',
  async (method) => {
    for (const target of ['/.signet/login', '/.signet/me', '/.signet/nothing']) {
      const { requestId } = await edge.send(target, [], method);
      expect(await edge.row(requestId)).toMatchObject({ decision: 'none', reason: 'signet' });
    }
  },
);

test('a request with 1,100 headers is decided like any other', async () => {
  const many = Array.from({ length: 1100 }, () => 'a: b');
  const reply = await edge.send('/orders', [...many, alice]);
  // The app's own HTTP server may refuse so many; the gate does not, and knows who it was.
  expect(await edge.row(reply.requestId)).toMatchObject({
    decision: 'allow',
    identity: { user: 'alice' },
  });
});

test('requests that are made to be slow to read keep nobody else’s row waiting', async () => {
  const target = `/public/?${'a'.repeat(30_000)}`;
  for (let i = 0; i < 60; i++) expect((await edge.send(target)).status).toBe(200);
  const { requestId } = await edge.send(target);
  // Waited for ten seconds at most: a search that takes the square of the length would need thirty.
  expect((await edge.row(requestId)).query?.length).toBeLessThan(5000);
});
