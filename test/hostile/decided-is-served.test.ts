// Cases 10–13 of the hostile list: what was decided about is what is served and recorded, whatever a client says
// of it in headers, path or query. Each block tells the app its name, so that both can be held together.
import { once } from 'node:events';
import { connect, type IncomingHttpHeaders } from 'node:http2';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { startEdge, type Edge, type Reply } from '../fixtures/edge.ts';
import { BLOCK, BLOCKS, fatesOf, HOSTILE_OPTIONS, rowsOf, type Fate } from '../fixtures/hostile.ts';
import { testSeeds } from '../fixtures/random.ts';

let edge: Edge;
let alice: string;
beforeAll(async () => {
  edge = await startEdge(BLOCKS, { options: HOSTILE_OPTIONS });
  alice = await edge.signIn('alice');
});
afterAll(async () => edge?.stop());

const [seed = 0] = testSeeds(1);
const drawn = <T>(from: fc.Arbitrary<T>, count: number) =>
  fc.sample(from, { seed, numRuns: count });

/** Headers by which some proxy or framework lets a client say what it asks for. */
const OVERRIDES = [
  ...[
    'X-Forwarded-Uri',
    'X-Forwarded-Url',
    'X-Forwarded-Path',
    'X-Forwarded-Prefix',
    'X-Original-URL',
  ],
  ...[
    'X-Original-URI',
    'X-Rewrite-URL',
    'X-Replaced-Path',
    'X-Envoy-Original-Path',
    'X-Script-Name',
  ],
  ...['X-Auth-Request-Redirect', 'X-Accel-Redirect', 'X-Override-URL', 'X-WAP-Profile', 'Base-Url'],
].map((name) => `${name}: /public/x`);
const METHODS = [
  ...['X-Forwarded-Method', 'X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'],
  ...['X-Original-Method', '_method'],
].map((name) => `${name}: OPTIONS`);
/** And what it would be asked as. */
const PLACES = [
  'X-Forwarded-Host: evil.example',
  'x-forwarded-host: localhost:1, evil.example',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Scheme: https',
  'X-Forwarded-Ssl: on',
  'X-Url-Scheme: https',
  'Front-End-Https: on',
  'X-Forwarded-Port: 443',
  'X-Forwarded-Server: evil.example',
  'X-Forwarded-Prefix: //evil.example',
  'X-Forwarded-For: 192.0.2.7',
  'X-Real-IP: 192.0.2.7',
  'True-Client-IP: 192.0.2.7',
  'Forwarded: for=192.0.2.7;host=evil.example;proto=https',
  'X-Host: evil.example',
  'X-HTTP-Host-Override: evil.example',
  'X-Original-Host: evil.example',
];
/** Each by itself, twice, in other spellings, and all of them. */
const variants = (lines: readonly string[]) => [
  ...lines.map((line) => [line]),
  ...lines.map((line) => [line, line]),
  ...lines.map((line) => [line.toLowerCase()]),
  ...lines.map((line) => [line.replaceAll(/-(?=.*:)/g, '_'), line.replaceAll(/-(?=.*:)/g, '.')]),
  lines,
];

test('case 10, CVE-2026-40575: what a client’s headers say of URI and method changes neither decision nor record', async () => {
  const lies = variants([...OVERRIDES, ...METHODS]);
  const trials = lies.flatMap((lines) => [
    { target: '/admin/secret?a=1', lines: [...lines, alice] },
    { target: '/orders?a=1', lines },
    { target: '/.signet/me?a=1', lines },
  ]);
  const wanted = {
    '/admin/secret': { status: 403, route: 'admin', reason: 'role-not-allowed' },
    '/orders': { status: 401, route: 'orders', reason: 'no-credentials' },
    '/.signet/me': { status: 401, route: 'signet', reason: 'no-credentials' },
  };
  for (const { target, lines, row, seen, spans } of await fatesOf(edge, trials)) {
    const path = target.replace('?a=1', '') as keyof typeof wanted;
    expect({ lines, row }).toMatchObject({
      ...{ lines, row: { path, query: 'a=1', method: 'GET', ...wanted[path] } },
    });
    expect(seen).toEqual([]);
    const server = spans.find(({ kind }) => kind === 'SERVER');
    expect(server?.attributes).toMatchObject({ 'url.path': path, 'http.request.method': 'GET' });
  }
});

test('case 10, CVE-2026-40575: nor does the app of any block hear what a client says in the two headers of Caddy’s question', async () => {
  const said = ['X-Forwarded-Uri', 'X-Forwarded-Method'].flatMap((name) => [
    [`${name}: /public/x`],
    [`${name}: GET`, `${name.toLowerCase()}: POST`],
    [`${name.replaceAll('-', '.')}: x`, `${name.replaceAll('-', '_')}: x`],
  ]);
  const blocks = ['/public/x', '/open/x', '/marked/x', '/orders'];
  const trials = [...said, said.flat()].flatMap((lines) =>
    blocks.map((target) => ({ target, lines: [...lines, alice] })),
  );
  for (const { target, lines, seen } of await fatesOf(edge, trials)) {
    const heard = seen.map((one) =>
      one.names().filter((name) => /^x.forwarded.(uri|method)$/.test(name)),
    );
    expect({ target, lines, heard }).toEqual({ target, lines, heard: [[]] });
  }
});

test('case 10, CVE-2026-40575: nor where a sign-in returns to', async () => {
  const trials = variants([...OVERRIDES, ...METHODS]).map((lines) => ({
    ...{ target: '/orders?a=1', lines: [...lines, 'Sec-Fetch-Mode: navigate'] },
  }));
  for (const { reply, row } of await fatesOf(edge, trials)) {
    expect(reply.headers.get('location')).toBe('/.signet/login?return=%2Forders%3Fa%3D1');
    expect(row).toMatchObject({ decision: 'login', path: '/orders', status: 302 });
  }
});

/** An answer without what is new in each: ids, state, nonce, challenge, times, the sealed sign-in. */
function constantOf({ status, headers, body, requestId }: Reply): object {
  const masked = (text: string) =>
    text
      .replaceAll(requestId, 'ID')
      .replaceAll(/((?:state|nonce|code_challenge)=)[^&"]*/g, '$1*')
      .replaceAll(/__Host-signet-login-[^;]*/g, '__Host-signet-login-*');
  const kept = [...headers].filter(([name]) => !/^(date|server-timing|content-length)$/.test(name));
  const page = masked(body.replaceAll(/(^|\r\n)[0-9a-f]+\r\n/g, ''));
  return { status, headers: kept.map(([name, value]) => [name, masked(value)]), page };
}

test.each([
  ['the redirect to the provider, and its cookie', '/.signet/login?return=/orders'],
  ['the page after signing out', '/.signet/logout'],
  ['a sign-in that is refused', '/.signet/callback?code=x&state=x'],
  ['a refused person’s page', '/admin/x'],
  ['the way to the sign-in', '/orders'],
])(
  'case 11, CVE-2024-21499, CVE-2026-35051: forwarding headers of an untrusted peer change nothing in %s',
  async (_, target) => {
    const lines = ['Sec-Fetch-Mode: navigate', ...(target === '/admin/x' ? [alice] : [])];
    const plain = constantOf(await edge.send(target, lines));
    expect(JSON.stringify(plain)).not.toContain('evil');
    const trials = variants(PLACES).map((lies) => ({ target, lines: [...lies, ...lines] }));
    for (const { reply, row, lines: sent } of await fatesOf(edge, trials)) {
      expect({ sent, ...constantOf(reply) }).toEqual({ sent, ...plain });
      const host = `localhost:${edge.port}`;
      expect(row).toMatchObject({ host, scheme: 'http', clientAddress: '127.0.0.1' });
    }
  },
);

test('case 11, CVE-2024-21499: the redirect URI is the host’s that Caddy matched, and its cookie keeps all its marks', async () => {
  const { headers } = await edge.send('/.signet/login', PLACES);
  const asked = new URL(headers.get('location') ?? '').searchParams;
  expect(asked.get('redirect_uri')).toBe(`http://localhost:${edge.port}/.signet/callback`);
  const marks = headers.get('set-cookie')?.split('; ').slice(1).toSorted();
  expect(headers.get('set-cookie')).toMatch(/^__Host-signet-login-/);
  expect(marks).toEqual([
    'HttpOnly',
    expect.stringMatching(/^Max-Age=\d+$/),
    'Path=/',
    'SameSite=Lax',
    'Secure',
  ]);
});

const LINE = [
  ...[
    '//admin/x',
    '/./admin/x',
    '/public/../admin/x',
    '/public/%2e%2e/admin/x',
    '/public/.%2E/admin/x',
  ],
  ...[
    '/public/..;/admin/x',
    '/%61dmin/x',
    '/admin%2fx',
    '/%2fadmin/x',
    '/ADMIN/x',
    '/admin/../public/x',
  ],
  ...[
    '/public%5c..%5cadmin/x',
    '/public\\..\\admin/x',
    '/admin;/x',
    '/public;/../admin/x',
    '/admin//x',
  ],
  ...[
    '/open/../admin/x',
    '/public/%252e%252e/admin/x',
    '/admin%00/x',
    '/admin%23/x',
    '/public/%2e%2e%2fadmin/x',
  ],
  ...[
    '/.signet/../admin/x',
    '/.signet/%2e%2e/admin/x',
    '/.signet//../admin/x',
    '/public/x/../../admin/x',
  ],
];
const piece = fc.constantFrom(
  ...['admin', 'public', 'open', 'marked', 'orders', 'x', 'ADMIN', '%61dmin', 'adm%69n', '.signet'],
  ...[
    '/',
    '/',
    '/',
    '//',
    '/./',
    '/../',
    '..',
    '.',
    '%2e',
    '%2E%2e',
    '%2f',
    '%2F',
    '%5c',
    '\\',
    ';',
    '..;',
  ],
  ...[
    '%00',
    '%25',
    '%252f',
    '%c0%af',
    '%ef%bc%8f',
    '?',
    '&',
    '#',
    ':',
    '@',
    '%0a',
    '%09',
    '*',
    '{}',
    '%3f',
  ],
);
const path = fc.array(piece, { minLength: 1, maxLength: 9 }).map((pieces) => `/${pieces.join('')}`);

/** The block that served, by its own word, is the one that the row says was decided. */
function expectDecidedIsServed({ target, row, seen, reply }: Fate): void {
  if (row === undefined)
    return expect({ target, status: reply.status }).toEqual({ target, status: 400 });
  const served = seen.map((one) => one.values(BLOCK).join());
  const { decision, route, reason } = row;
  // Without a decision there is an open block, whose row may have no name.
  const open = decision === 'none' && reason !== 'signet' && served.length > 0 ? served : [];
  const wanted = decision === 'allow' ? [route] : open;
  expect({ seed, target, served }).toEqual({ seed, target, served: wanted });
  if (open.length > 0) expect(['open', 'marked']).toContain(served[0]);
  if (route === 'admin') expect({ target, status: reply.status }).toEqual({ target, status: 403 });
}

test('case 12, CVE-2026-33494, CVE-2021-29492: the block that Caddy serves is the block that was decided, however a path is spelled', async () => {
  const targets = [...LINE, ...drawn(path, 400)];
  const fates = await fatesOf(
    edge,
    targets.map((target) => ({ target, lines: [alice] })),
  );
  for (const fate of fates) expectDecidedIsServed(fate);
  expect(fates.filter(({ row }) => row?.route === 'admin').length).toBeGreaterThan(5);
});

// To Caddy's matchers these are `/public/x`; to apps that read a path as it came, or as a URL, some are under `/admin`.
const DOTS = ['/admin/..', '/admin/%2e%2e', '/admin/.%2E', '/admin/.', '/x/..', '/admin/..;'];
const DOTTED = [
  ...DOTS.flatMap((start) => ['/', '%2f', '%2F', '//', '\\', '%5c'].map((next) => start + next)),
  ...['/admin%2f..%2f', '/admin\\..\\..\\', '/admin%5C..%5c', '/admin//..//', '/admin/..%3b/'],
].map((start) => `${start}public/x`);

test('case 12: a path with dot segments, in whatever spelling, is refused to everybody', async () => {
  const targets = [...DOTTED, '/public/..', '/public/.', '/..', '/%2e?x', '/public/x/%2e%2e'];
  const trials = targets.flatMap((target) => [{ target }, { target, lines: [alice] }]);
  for (const { target, reply, seen, row } of await fatesOf(edge, trials)) {
    expect({ target, status: reply.status, called: seen.length, row }).toMatchObject({
      ...{ target, status: 400, called: 0 },
      row: { kind: 'request', decision: 'none', reason: 'gate-refused', route: 'signet' },
    });
  }
});

test('case 12: and dots that are no such segments, or of a query, are not', async () => {
  const targets = ['/public/.well-known/x', '/public/a..b', '/public/...', '/public/x?y=/../z'];
  for (const { target, reply, seen } of await fatesOf(
    edge,
    targets.map((target) => ({ target })),
  )) {
    expect([target, reply.status, seen.map(({ url }) => url)]).toEqual([target, 200, [target]]);
  }
});

test('case 12: a path that begins with several slashes, to some apps a host, comes with one as it was decided about', async () => {
  const targets = ['//public/admin/x', '///public/admin/x?a=//b', '//public//admin/x'];
  const came = ['/public/admin/x', '/public/admin/x?a=//b', '/public//admin/x'];
  const fates = await fatesOf(
    edge,
    targets.map((target) => ({ target })),
  );
  expect(fates.map(({ seen }) => seen.map(({ url }) => url))).toEqual(came.map((url) => [url]));
  expect(fates.map(({ row }) => row)).toEqual(
    targets.map(() => expect.objectContaining({ route: 'public', decision: 'allow' })),
  );
});

test('case 12, CVE-2026-33494: what a browser would resolve to a closed block is not open to who may not enter it', async () => {
  // A backslash is a slash to browsers and no one else; none sends it.
  const targets = [...LINE, ...drawn(path, 400)].filter((target) => !target.includes('\\'));
  const resolved = targets.filter((target) =>
    URL.parse(target.replace(/^\/+/, '/'), 'http://x')?.pathname.startsWith('/admin/'),
  );
  expect(resolved.length).toBeGreaterThan(5);
  const trials = resolved.map((target) => ({ target, lines: [alice] }));
  for (const { target, reply, seen } of await fatesOf(edge, trials)) {
    expect([400, 403]).toContain(reply.status);
    expect({ seed, target, called: seen.length }).toEqual({ seed, target, called: 0 });
  }
});

test('case 12, CVE-2026-33494: the same by HTTP/2, and by a target with a host in it', async () => {
  const session = connect(`http://localhost:${edge.port}`);
  const cookie = alice.slice('Cookie: '.length);
  edge.app.seen.length = 0;
  const answers: { path: string; status: unknown; id: string }[] = [];
  for (const path of LINE) {
    const stream = session.request({ ':path': path, cookie }).resume();
    const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
    answers.push({ path, status: headers[':status'], id: String(headers['x-request-id']) });
  }
  session.destroy();
  const rows = await rowsOf(
    edge,
    answers.map(({ id }) => id).filter((id) => id !== 'undefined'),
  );
  for (const { path, status, id } of answers) {
    const served = edge.app.seen.filter((one) => one.values('x-request-id').join() === id);
    const { decision, route } = rows.get(id) ?? {};
    const blocks = served.map((one) => one.values(BLOCK).join());
    expect({ path, status, blocks }).toEqual({
      ...{ path, status, blocks: decision === 'allow' ? [route] : [] },
    });
    if (route === 'admin') expect(status).toBe(403);
  }
  const absolute = LINE.map((target) => ({
    ...{ target: `http://localhost:${edge.port}${target}`, lines: [alice] },
  }));
  for (const fate of await fatesOf(edge, absolute)) expectDecidedIsServed(fate);
});

const APPENDED = [
  '?require=public',
  '?route=public&require=public',
  '?x&require=public',
  '?require=public#',
  '#?require=public',
  '?%72equire=public',
  '?require%3Dpublic',
  '%3Frequire=public',
  '%26require=public',
  '&require=public',
  ';require=public',
  '?require[]=public',
  '?REQUIRE=public',
  '?require=role:auditor&require=public',
  '?%00&require=public',
  '?{http.request.uri}',
  '?' + 'x'.repeat(20_000) + '&require=public',
];

test('case 13, mkuhlmann/forward-auth#12: a requirement that a client appends to its URL is not heard', async () => {
  const trials = APPENDED.flatMap((end) => [
    { target: `/admin/x${end}`, lines: [alice] },
    { target: `/admin/x${end}`, lines: [alice, `Referer: http://localhost/${end}`] },
    { target: '/admin/x', lines: [alice, `X-Forwarded-Uri: /verify${end}`, `Require: public`] },
  ]);
  for (const { target, reply, row, spans, seen } of await fatesOf(edge, trials)) {
    expect({ target, status: reply.status, called: seen.length }).toEqual({
      ...{ target, status: 403, called: 0 },
    });
    expect(row).toMatchObject({ requirement: 'role:auditor', route: 'admin', decision: 'deny' });
    const said = spans.flatMap(({ attributes }) => attributes['signet.requirement'] ?? []);
    expect(new Set(said)).toEqual(new Set(['role:auditor']));
  }
});

test.each(['/public', '/marked'])(
  'what an app answers in %s is its status in the record, also one that Caddy has for clients who left',
  async (block) => {
    const trials = ['404', '499', '503'].map((status) => ({ target: `${block}/status/${status}` }));
    for (const { target, reply, row } of await fatesOf(edge, trials)) {
      const status = Number(target.split('/').at(-1));
      expect({ target, status: reply.status, row }).toMatchObject({ status, row: { status } });
    }
  },
);
