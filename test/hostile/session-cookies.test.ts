// Cases 16, 18 and 22 of the hostile list: a session's cookie is what was given out, whole, or it is nothing; an
// id that somebody else chose is nobody's; and neither cookie nor tokens go anywhere else.
import { hash } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { deriveKeys, loadKeyRing } from '../../sidecar/config/keys.ts';
import { openWhole } from '../../sidecar/sessions/text.ts';
import type { SessionText } from '../../sidecar/sessions/store.ts';
import { startEdge, type Edge, type Reply } from '../fixtures/edge.ts';
import { BLOCKS, fatesOf, namedOf, type Trial } from '../fixtures/hostile.ts';
import { keepCookies, type Jar } from '../fixtures/provider.ts';
import { testSeeds } from '../fixtures/random.ts';
import { until } from '../fixtures/until.ts';

const NAME = '__Host-signet';

let edge: Edge;
let alice: string;
let hers: string;
beforeAll(async () => {
  edge = await startEdge(BLOCKS, {
    people: () => ({ refreshTokens: 'rotating' }),
    settings: 'session: { recheck: 1s }\n',
  });
  alice = await edge.signIn('alice');
  hers = alice.slice(`Cookie: ${NAME}=`.length);
});
afterAll(async () => edge?.stop());

const [seed = 0] = testSeeds(1);
const drawn = <T>(from: fc.Arbitrary<T>, count: number) =>
  fc.sample(from, { seed, numRuns: count });

/** Any byte but those that end a line. */
const bytes = fc
  .array(fc.integer({ min: 0x20, max: 0xff }), { maxLength: 80 })
  .map((codes) => String.fromCharCode(...codes).replaceAll('\x7f', ''));

/** Header lines, none of which is alice's session. */
function cookies(): string[][] {
  const other = (letter = '') => (letter === 'A' ? 'B' : 'A');
  const values = [
    ...[
      '',
      ' ',
      '%',
      '%00',
      '""',
      `"${hers}"`,
      '"=*!\\',
      '__Secure-signet',
      '=',
      '==',
      '{}',
      'null',
      'undefined',
    ],
    ...[
      '0',
      '-1',
      'true',
      '[object Object]',
      '__proto__',
      'constructor',
      "' OR 1=1 --",
      '../../etc/passwd',
      '$(id)',
    ],
    ...[
      '{http.request.uuid}',
      '\xff\xfe',
      'e30.e30.x',
      'A'.repeat(42),
      'A'.repeat(43),
      'A'.repeat(44),
      'A'.repeat(30_000),
    ],
    ...[
      hers.slice(0, -1),
      hers.slice(1),
      `${hers}A`,
      `A${hers}`,
      `${hers}=`,
      `${hers}%`,
      `${hers}.x`,
      hers.repeat(2),
    ],
    ...[
      hers.toLowerCase(),
      hers.toUpperCase(),
      hers.replace(/./, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
    ],
    ...[
      hash('sha256', hers, 'hex'),
      hash('sha256', hers, 'base64url'),
      Buffer.from(hers).toString('base64url'),
    ],
    // Another letter at each place.
    ...hers.split('').map((letter, at) => hers.slice(0, at) + other(letter) + hers.slice(at + 1)),
  ];
  const names = [
    '__Secure-signet',
    '__host-signet',
    '__HOST-SIGNET',
    '__Host_signet',
    '__Host-Signet',
    'signet',
    '__Host-signet-login',
    'Host-signet',
    '$__Host-signet',
    '__Host-signet[]',
    '__Host-signet ',
    '\xa0__Host-signet',
  ];
  return [
    ...values.map((value) => [`Cookie: ${NAME}=${value}`]),
    ...names.map((name) => [`Cookie: ${name}=${hers}`]),
    [`Cookie: ${NAME}`],
    [`Cookie: ${NAME}:${hers}`],
    [`Cookie: =${NAME}=${hers}`],
    [`Cookie: ${hers}`],
    [`Cookie: ${NAME}=x; ${NAME}=${hers}`],
    [`Cookie: ${NAME}=${hers}; ${NAME}=${hers}x`],
    [`Cookie: ${NAME}=${hers}`, `Cookie: ${NAME}=x`],
    [`Cookie: a="; ${NAME}=x"; ${NAME}=y`],
    [`Cookie2: ${NAME}=${hers}`],
    [`Set-Cookie: ${NAME}=${hers}`],
    [`X-Cookie: ${NAME}=${hers}`],
    [`Authorization: Bearer ${hers}`],
    [`Authorization: Cookie ${NAME}=${hers}`],
    ...drawn(bytes, 60).map((text) => [`Cookie: ${NAME}=${text}`]),
    ...drawn(bytes, 60).map((text) => [`Cookie: ${text}; ${NAME}=${text}`]),
  ];
}

test('case 16, CVE-2026-25748: a session cookie that was not given out as it stands there, whatever it holds, is nobody’s: never 2xx, never 5xx', async () => {
  const trials = cookies().flatMap((lines): Trial[] => [
    { target: '/orders', lines },
    { target: '/orders', lines: [...lines, 'Sec-Fetch-Mode: navigate'] },
    { target: '/admin/x', lines },
    { target: '/.signet/me', lines },
    { target: `/orders?${NAME}=${hers}`, lines },
  ]);
  for (const fate of await fatesOf(edge, trials)) {
    const { target, lines, reply, seen } = fate;
    const status = lines.includes('Sec-Fetch-Mode: navigate') ? 302 : 401;
    const found = { seed, target, lines };
    expect({ ...found, status: reply.status, called: seen.length, named: namedOf(fate) }).toEqual({
      ...{ ...found, status, called: 0, named: [undefined] },
    });
  }
});

test('case 16, CVE-2026-25748: and where anyone may go, the app is told of nobody and gets nothing of it', async () => {
  const trials = cookies().map((lines) => ({ target: '/public/x', lines }));
  for (const fate of await fatesOf(edge, trials)) {
    expect({ seed, lines: fate.lines, status: fate.reply.status, named: namedOf(fate) }).toEqual({
      ...{ seed, lines: fate.lines, status: 200, named: [undefined] },
    });
    expect(fate.seen[0]?.names().filter((name) => name.startsWith('remote'))).toEqual([]);
    const sent = fate.seen[0]?.values('cookie').join() ?? '';
    expect(/(^|[; \t,])__(Host|Secure)-signet[^=;]*=/.exec(sent)?.[0]).toBeUndefined();
  }
});

/** Through a browser with these cookies; resolves to the cookies that it has then. */
async function signIn(login: string, before: Jar): Promise<Jar> {
  const jar: Jar = new Map(before);
  const line = () => `Cookie: ${[...jar].map(([name, value]) => `${name}=${value}`).join('; ')}`;
  const keep = ({ headers }: Reply) =>
    keepCookies(jar, (headers.get('set-cookie') ?? '').split('\n'));
  const begun = await edge.send('/.signet/login?prompt=login', [
    line(),
    'Sec-Fetch-Mode: navigate',
  ]);
  keep(begun);
  const there = begun.headers.get('location') ?? '';
  const back = new URL(await edge.provider.signIn(new Map(), there, login));
  const done = await edge.send(`${back.pathname}${back.search}`, [line()]);
  expect(done.status).toBe(302);
  keep(done);
  return jar;
}

const userOf = async (value: string | undefined) => {
  const [fate] = await fatesOf(edge, [{ target: '/orders', lines: [`Cookie: ${NAME}=${value}`] }]);
  return [fate?.reply.status, fate?.row?.identity?.user];
};

test('case 18, CVE-2021-41246, CVE-2026-34454: an attacker’s own session that was planted before a sign-in is another after it, and dead', async () => {
  const planted = (await signIn('bob', new Map())).get(NAME) ?? '';
  expect(await userOf(planted)).toEqual([200, 'bob']);
  const after = (await signIn('alice', new Map([[NAME, planted]]))).get(NAME);
  expect(after).not.toBe(planted);
  expect(await userOf(after)).toEqual([200, 'alice']);
  expect(await userOf(planted)).toEqual([401, undefined]);
});

test.each([
  ['of a valid shape that was never given out', 'A'.repeat(43)],
  ['of a word', 'attacker'],
  ['that is empty', ''],
])('case 18, CVE-2021-41246: a planted id %s is never taken over', async (_, planted) => {
  const after = (await signIn('alice', new Map([[NAME, planted]]))).get(NAME);
  expect(after).toMatch(/^[\w-]{43}$/);
  expect(after).not.toBe(planted);
  expect(await userOf(planted)).toEqual([401, undefined]);
});

test('case 18, CVE-2026-34454: each sign-in has an id of its own, and an attacker who signs in again keeps none', async () => {
  const first = await signIn('alice', new Map());
  const second = await signIn('alice', first);
  const third = await signIn('alice', new Map());
  const ids = [first, second, third].map((jar) => jar.get(NAME));
  expect(new Set(ids).size).toBe(3);
  expect(await userOf(ids[0])).toEqual([401, undefined]);
  for (const id of ids.slice(1)) expect(await userOf(id)).toEqual([200, 'alice']);
});

const isLong = (token: unknown): token is string => typeof token === 'string' && token.length > 15;

/** The provider's tokens of every session, as they stand sealed in the store. */
function tokensKept(): string[] {
  const keys = deriveKeys(loadKeyRing({ stateFolder: edge.folder }), 'session');
  const database = new DatabaseSync(join(edge.folder, 'sessions.db'), { readOnly: true });
  const rows = database.prepare('SELECT * FROM session_texts').all() as Record<string, string>[];
  database.close();
  return rows.flatMap((row) => {
    const text = { payload: row['payload'], tokens: row['tokens'] } as SessionText;
    const { tokens } = openWhole(String(row['key']), text, keys) ?? { tokens: {} };
    return Object.values(tokens as Record<string, unknown>).filter(isLong);
  });
}

test('case 22, CVE-2024-39315: neither the session’s cookie nor the provider’s tokens are at the app, in the log, a row, a span, or on a page', async () => {
  const jar = await signIn('carol', new Map());
  const value = jar.get(NAME) ?? '';
  const secrets = new Set([value, ...tokensKept()]);
  const mine = `Cookie: ${NAME}=${value}`;
  const fates = await fatesOf(edge, [
    ...['/orders', '/public/x', '/admin/x', '/marked/x', '/.signet/me', '/orders/headers'].flatMap(
      (target) => [
        { target, lines: [mine] },
        { target, lines: [`${mine}; app=1; b=2`] },
        { target, lines: [`Cookie: app=1;${NAME}=${value};b=2`] },
        { target, lines: [`Cookie: app=1;\t${NAME}=${value}\t; b=2`] },
        { target, lines: ['Cookie: app=1', mine] },
      ],
    ),
    { target: '/orders', lines: [mine, 'Sec-Fetch-Mode: navigate', 'Accept: text/html'] },
  ]);
  // Until it was re-checked, so that there are new tokens, too.
  await until('a re-check', async () => {
    await edge.send('/orders', [mine]);
    for (const token of tokensKept()) secrets.add(token);
    return edge.provider.granted.includes('refresh_token');
  });
  for (const token of tokensKept()) secrets.add(token);
  const [readyz, metrics] = await Promise.all(
    ['readyz', 'metrics'].map(async (path) =>
      (await fetch(`http://127.0.0.1:${edge.healthPort}/${path}`)).text(),
    ),
  );
  const places = {
    app: JSON.stringify(edge.app.seen.map(({ url, rawHeaders }) => [url, rawHeaders])),
    answers: JSON.stringify(fates.map(({ reply }) => [[...reply.headers], reply.body])),
    log: edge.logLines().join('\n'),
    rows: JSON.stringify(edge.allRows()),
    spans: JSON.stringify(edge.receiver.spans),
    printed: edge.sidecar().printed(),
    caddy: edge.caddy().stderr(),
    readyz,
    metrics,
  };
  const spelled = [...secrets].flatMap((text) => [
    text,
    Buffer.from(text).toString('base64').replaceAll('=', ''),
    encodeURIComponent(text),
  ]);
  expect(secrets.size).toBeGreaterThan(3);
  for (const [place, text] of Object.entries(places)) {
    expect({ place, told: spelled.filter((one) => text?.includes(one)) }).toEqual({
      place,
      told: [],
    });
  }
  // What was looked for would have been found: the app's own cookies are there.
  expect(places.app).toContain('app=1');
});
