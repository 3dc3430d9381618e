// Cases 1–6 of the hostile list: nobody speaks for somebody else, in no spelling of a name, by no header that
// takes others away, behind no body, and by no version of HTTP.
import { once } from 'node:events';
import { connect, type IncomingHttpHeaders } from 'node:http2';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { startEdge, type Edge } from '../fixtures/edge.ts';
import {
  BLOCKS,
  fatesOf,
  HOSTILE_OPTIONS,
  namedOf,
  rowsOf,
  toldOf,
  type Fate,
} from '../fixtures/hostile.ts';
import { testSeeds } from '../fixtures/random.ts';
import { SPELLINGS } from '../fixtures/spellings.ts';

let edge: Edge;
let alice: string;
let dave: string;
beforeAll(async () => {
  edge = await startEdge(BLOCKS, { options: HOSTILE_OPTIONS });
  [alice, dave] = [await edge.signIn('alice'), await edge.signIn('dave')];
});
afterAll(async () => edge?.stop());

const ALICE_TOLD = [
  'remote-email: alice@example.com',
  'remote-name: Alice',
  'remote-team: payments',
  'remote-user-type: human',
  'remote-user: alice',
];
const DAVE_TOLD = [
  'remote-email: dave@example.com',
  'remote-name: Dave',
  'remote-user-type: human',
  'remote-user: dave',
];

const [seed = 0] = testSeeds(1);
const drawn = <T>(from: fc.Arbitrary<T>, count: number) =>
  fc.sample(from, { seed, numRuns: count });

const NAMES = [
  ...['Remote-User', 'Remote-Name', 'Remote-Email', 'Remote-Groups', 'Remote-Team'],
  ...['Remote-User-Type', 'Remote-Roles', 'Remote', 'Signet-Stamp', 'Signet-Key'],
  ...['Signet-Assertion', 'Signet-Preflight', 'Signet-Problem'],
];
/** What a header's name may be made of besides letters, and what CGI, WSGI and PHP make one name of. */
const SEPARATORS = ['-', '_', '.', '', '~', '!', '+', '|', '^', '`', '*', "'", '#', '$', '%', '&'];
const VALUES = [
  ...['admin', 'alice', '', ' ', '"admin"', 'admin, root', '%61dmin', 'admin\tx', '\xe4\xff'],
  ...[
    '{http.request.host}',
    '{http.reverse_proxy.header.Remote-User}',
    '{env.HOME}',
    'x'.repeat(5_000),
  ],
];

/** A line that claims something, under a name that some app might take for one of Signet's. */
const claim = fc
  .record({
    name: fc.constantFrom(...NAMES),
    separator: fc.constantFrom(...SEPARATORS),
    isUpper: fc.infiniteStream(fc.boolean()),
    end: fc.constantFrom('', '', '', '_', '.', '-'),
    value: fc.constantFrom(...VALUES),
  })
  .map(({ name, separator, isUpper, end, value }) => {
    const cased = name
      .split('')
      .map((letter) => (isUpper.next().value ? letter.toUpperCase() : letter.toLowerCase()));
    return `${cased.join('').replaceAll('-', separator)}${end}: ${value}`;
  });
const claims = fc.array(claim, { minLength: 1, maxLength: 4 });

/** Every fixed spelling, and as many drawn. */
const LIES = [...SPELLINGS.map(([, lines]) => [...lines]), ...drawn(claims, 60)];

/** Says which request it was, if it was not as it should be. */
const brief = (fate: Fate) => ({
  ...{ seed, target: fate.target, lines: fate.lines, status: fate.reply.status },
  told: toldOf(fate),
  named: namedOf(fate),
});
const asIs = (fate: Fate, status: number, told: string[][], user?: string) => ({
  ...{ seed, target: fate.target, lines: fate.lines, status, told, named: [user] },
});

test('case 1, CVE-2026-30851: signed out, on a public route, no identity header in any spelling reaches the app', async () => {
  const fates = await fatesOf(
    edge,
    LIES.map((lines) => ({ target: '/public/x', lines })),
  );
  for (const fate of fates) {
    expect(brief(fate)).toEqual(asIs(fate, 200, [[]]));
    expect(fate.row).toMatchObject({ decision: 'allow', reason: 'public', route: 'public' });
    expect(fate.spans).toHaveLength(3);
  }
});

test('case 2, CVE-2026-30851: whoever has no team, name or group has none made up, nor a placeholder’s text', async () => {
  const fates = await fatesOf(
    edge,
    [['Remote-Team: root'], ['Remote-Groups: root', 'remote_team: root'], ...LIES].map((lines) => ({
      target: '/orders',
      lines: [...lines, dave],
    })),
  );
  for (const fate of fates) {
    expect(brief(fate)).toEqual(asIs(fate, 200, [DAVE_TOLD], 'dave'));
    expect(fate.row?.identity).not.toHaveProperty('team');
    for (const { attributes } of fate.spans) expect(attributes).not.toHaveProperty(['team']);
    const [seen] = fate.seen;
    expect(seen?.values('baggage')).toEqual(['user.id=dave,user_type=human']);
    expect(seen?.rawHeaders.join('\n')).not.toContain('{http.reverse_proxy');
  }
});

test('case 3, caddy#7545: where identity is optional, a session that is none tells of nobody, spoofed or not', async () => {
  const cookies = [
    'Cookie: __Host-signet=x',
    `${alice}x`,
    `Cookie: __Host-signet=${'A'.repeat(43)}`,
  ];
  const trials = cookies.flatMap((cookie) =>
    LIES.slice(0, 30).map((lines) => ({ target: '/public/x', lines: [...lines, cookie] })),
  );
  for (const fate of await fatesOf(edge, trials)) {
    expect(brief(fate)).toEqual(asIs(fate, 200, [[]]));
    expect(fate.row).not.toHaveProperty('identity');
    expect(fate.seen[0]?.values('baggage')).toEqual([]);
  }
});

test('case 4, CVE-2026-52845, CVE-2025-64484, CVE-2026-33433: of whatever spellings, twice or more, the app gets one trusted value', async () => {
  const trials = LIES.flatMap((lines) =>
    ['/orders', '/public/x'].map((target) => ({ target, lines: [...lines, alice] })),
  );
  for (const fate of await fatesOf(edge, trials)) {
    expect(brief(fate)).toEqual(asIs(fate, 200, [ALICE_TOLD], 'alice'));
    expect(fate.seen[0]?.values('x-request-id')).toEqual([fate.reply.requestId]);
  }
});

test('case 4, CVE-2026-52845: who is not let in stays so under any name, and the app is not called', async () => {
  const trials = LIES.flatMap((lines) => [
    { target: '/orders', lines },
    { target: '/admin/x', lines: [...lines, alice] },
  ]);
  for (const fate of await fatesOf(edge, trials)) {
    const [status, user] = fate.target === '/orders' ? [401, undefined] : [403, 'alice'];
    expect(brief(fate)).toEqual(asIs(fate, status, [], user));
    expect(fate.row?.decision).toBe('deny');
    expect(fate.spans).toHaveLength(2);
  }
});

test('case 4: an open block, marked as such or not, tells its app of nobody, signed in or out', async () => {
  const trials = LIES.slice(0, 40).flatMap((lines) =>
    ['/open/x', '/marked/x'].flatMap((target) => [
      { target, lines },
      { target, lines: [...lines, alice] },
    ]),
  );
  for (const fate of await fatesOf(edge, trials)) {
    expect(brief(fate)).toEqual(asIs(fate, 200, [[]]));
    expect(fate.row).not.toHaveProperty('identity');
  }
});

// An app that follows CGI reads each of these as HTTP_REMOTE_USER or REMOTE_USER.
test('case 5, GHSA-49wc-4hcv-v58q: no `Remote.User`, nor any other character in place of the dash, is at the app', async () => {
  const lines = SEPARATORS.map((separator) => `Remote${separator}User: admin`);
  const dots = ['Remote.User.Type: agent', 'X.Request.Id: x', 'Signet.Stamp: x', 'rEMOTE.uSER: x'];
  const fates = await fatesOf(edge, [
    ...[...lines, ...dots].map((line) => ({ target: '/orders', lines: [line, alice] })),
    { target: '/orders', lines: [...lines, ...dots, alice] },
  ]);
  for (const fate of fates) {
    expect(brief(fate)).toEqual(asIs(fate, 200, [ALICE_TOLD], 'alice'));
    const ids = fate.seen[0]?.names().filter((name) => /^x.request.id$/.test(name));
    expect(ids).toEqual(['x-request-id']);
  }
});

const OURS = [
  ...[
    'Remote-User',
    'Remote-Team',
    'Remote-Email',
    'Remote-Name',
    'Remote-User-Type',
    'traceparent',
  ],
  ...['baggage', 'X-Request-Id', 'tracestate', 'Signet-Stamp', 'Cookie', 'Authorization'],
];
const hop = fc
  .record({
    names: fc.array(fc.constantFrom(...OURS, 'close', 'keep-alive', 'te', '', '"x"', '\xe4'), {
      minLength: 1,
      maxLength: 6,
    }),
    isLower: fc.boolean(),
    comma: fc.constantFrom(',', ', ', ' ,\t', ', ,', ',,'),
    header: fc.constantFrom(
      'Connection',
      'connection',
      'CONNECTION',
      'Proxy-Connection',
      'Keep-Alive',
      'TE',
      'Trailer',
    ),
  })
  .map(({ names, isLower, comma, header }) => {
    const list = names.join(comma);
    return `${header}: ${isLower ? list.toLowerCase() : list}`;
  });
const HOPS = [
  ['Connection: close, Remote-User, traceparent'],
  ['connection: remote-user, baggage, x-request-id'],
  ['Connection: close', 'Connection: Remote-User', 'connection: traceparent'],
  ['Connection:', 'Connection: Remote-User'],
  ...drawn(fc.array(hop, { minLength: 1, maxLength: 3 }), 80),
];

test('case 6, GHSA-w9mr-28mw-j8hg, CVE-2026-29054: our headers are at the app, whatever Connection lists, split or not', async () => {
  const more = ['Authorization: Basic YXBw', `${alice}; app=1`];
  const trials = HOPS.map((lines) => ({ target: '/orders', lines: [...lines, ...more] }));
  for (const fate of await fatesOf(edge, trials)) {
    expect(brief(fate)).toEqual(asIs(fate, 200, [ALICE_TOLD], 'alice'));
    const digits = fate.reply.requestId.replaceAll('-', '');
    const [seen] = fate.seen;
    expect(seen?.values('traceparent')).toEqual([`00-${digits}-${digits.slice(16)}-03`]);
    expect(seen?.values('baggage')).toEqual(['user.id=alice,team=payments,user_type=human']);
    expect(seen?.values('cookie')).toEqual(['app=1']);
    expect(seen?.values('authorization')).toEqual(['Basic YXBw']);
  }
});

test('case 4, CVE-2026-52845: what stands behind a body (trailers) comes to no header of the app’s', async () => {
  const behind = 'Remote-User: admin\r\nremote_team: root\r\nSignet-Stamp: x';
  const trials = ['/public/x', '/open/x', '/marked/x', '/orders'].flatMap((target) =>
    ['Trailer: Remote-User, Remote_Team, Signet-Stamp', 'TE: trailers'].map((line) => ({
      ...{ target, method: 'POST' },
      lines: [
        line,
        ...(target === '/orders' ? [alice] : []),
        `Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n${behind}`,
      ],
    })),
  );
  for (const fate of await fatesOf(edge, trials)) {
    const [told, user] = fate.target === '/orders' ? [ALICE_TOLD, 'alice'] : [[], undefined];
    // As trailers they may come (Caddy 2.11.9 hands them on; SECURITY.md, "Left to the operator").
    const seen = fate.seen.map((one) => ({ ...one, trailers: () => [] }));
    expect(brief({ ...fate, seen })).toEqual(asIs(fate, 200, [told], user));
  }
});

test('case 4, CVE-2026-52845: by HTTP/2, in lower case as it wants them, no name is heard either', async () => {
  const session = connect(`http://localhost:${edge.port}`);
  const lies = Object.fromEntries(
    SEPARATORS.map((separator) => [`remote${separator}user`, 'admin']).concat([
      ['signet-stamp', 'x'],
      ['x.request.id', 'x'],
    ]),
  );
  const cookie = alice.slice('Cookie: '.length);
  edge.app.seen.length = 0;
  const ask = async (path: string, more: Record<string, string>): Promise<IncomingHttpHeaders> => {
    const stream = session.request({ ':path': path, ...lies, ...more });
    const [headers] = (await once(stream.resume(), 'response')) as [IncomingHttpHeaders];
    return headers;
  };
  const answers = [
    await ask('/public/x', {}),
    await ask('/orders', { cookie }),
    await ask('/orders', {}),
  ];
  session.destroy();
  expect(answers.map((headers) => headers[':status'])).toEqual([200, 200, 401]);
  expect(edge.app.seen.map((one) => toldOf({ seen: [one] }))).toEqual([[[]], [ALICE_TOLD]]);
  const ids = answers.map((headers) => String(headers['x-request-id']));
  const rows = await rowsOf(edge, ids);
  expect(ids.map((id) => rows.get(id)?.identity?.user)).toEqual([undefined, 'alice', undefined]);
});
