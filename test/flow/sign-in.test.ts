// Signing in and out through the routes, as a browser behind Caddy does it, at a real OpenID provider.
// Hostile cases 16, 18, 19, 22, 24-28, 30, 36.
import { createSecretKey, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import express from 'express';
import request from 'supertest';
import { signInRoutes } from '../../sidecar/http/sign-in.ts';
import type { SignInOptions } from '../../sidecar/http/sign-in.ts';
import { bySession, type SignInOutcome } from '../../sidecar/http/visit.ts';
import { createBearer } from '../fixtures/bearer.ts';
import { DEFAULT_CLAIM_NAMES } from '../../sidecar/identity/claims.ts';
import { createLogin } from '../../sidecar/identity/login.ts';
import type { Provider } from '../../sidecar/identity/provider.ts';
import { createProvider } from '../../sidecar/identity/provider.ts';
import type { SessionStore } from '../../sidecar/sessions/store.ts';
import { createSqliteSessions } from '../../sidecar/sessions/store-sqlite.ts';
import type { Sessions } from '../../sidecar/sessions/sessions.ts';
import { createSessions } from '../../sidecar/sessions/sessions.ts';
import { secret } from '../../sidecar/secret.ts';
import type { Jar, TestProvider } from '../fixtures/provider.ts';
import { keepCookies, startProvider } from '../fixtures/provider.ts';
import { until } from '../fixtures/until.ts';

const HOST = 'app.example.com';
const OTHER_HOST = 'other.example.com';
const REQUEST_ID = '4d032074-7bbc-4e5d-964f-a0f15a34b6f6';
const AUDIENCE = 'https://orders.example.com';
const MAIN = { name: 'main', names: DEFAULT_CLAIM_NAMES, scopes: ['profile', 'email'] };
const keys = [createSecretKey(randomBytes(32))];

let op: TestProvider;
let provider: Provider;
let folder: string;
let nowMs: number;
let store: SessionStore;
let sessions: Sessions;
let outcomes: SignInOutcome[];
let server: Server;
let socketPath: string;

beforeAll(async () => {
  const redirectUris = [HOST, OTHER_HOST].map((host) => `https://${host}/.signet/callback`);
  op = await startProvider({ redirectUris, audience: AUDIENCE });
  const { issuer, clientId } = op;
  const clientSecret = secret(op.clientSecret);
  provider = createProvider({ ...MAIN, issuer, clientId, clientSecret });
  await until('discovery', () => provider.state().ready);
});
afterAll(async () => {
  provider.close();
  await op.stop();
});

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signet-sign-in-'));
  nowMs = Date.now();
  store = createSqliteSessions({ path: join(folder, 'sessions.db'), now: () => nowMs });
  const times = { idleMs: 3_600_000, absoluteMs: 36_000_000 };
  sessions = createSessions({ store, now: () => nowMs, keys: () => keys, ...times });
  await serve({});
});
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  await sessions.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function serve(changes: Partial<SignInOptions> & { provider?: Provider }) {
  if (server?.listening) await new Promise((resolve) => server.close(resolve));
  outcomes = [];
  const app = express();
  app.use(
    signInRoutes({
      login: createLogin({
        providers: [changes.provider ?? provider],
        keys,
        now: () => nowMs,
      }),
      sessions,
      hosts: [],
      identify: (req) => bySession({ cookies: req.headers.cookie }, sessions),
      onOutcome: (_req, res, outcome) => {
        expect(res.headersSent).toBe(false);
        outcomes.push(outcome);
      },
      ...changes,
    }),
  );
  socketPath = join(folder, `${randomBytes(4).toString('hex')}.sock`);
  server = app.listen(socketPath);
  await new Promise((resolve) => server.once('listening', resolve));
}

/** One browser: its cookies at our host and at the provider. */
function newBrowser(host = HOST) {
  const own: Jar = new Map();
  const atProvider: Jar = new Map();

  async function ask(method: 'get' | 'post' | 'head', path: string, headers: object = {}) {
    const socket = encodeURIComponent(socketPath);
    const response = await request(`http+unix://${socket}`)
      [method](path)
      .set({
        'X-Forwarded-Proto': 'https',
        'X-Forwarded-Host': host,
        'X-Forwarded-For': '192.0.2.7',
        'X-Request-Id': REQUEST_ID,
        Cookie: [...own].map(([name, value]) => `${name}=${value}`).join('; '),
        ...headers,
      });
    keepCookies(own, [response.headers['set-cookie'] ?? []].flat());
    return response;
  }

  const get = (path: string, headers?: object) => ask('get', path, headers);

  /** Goes to sign in and comes back from the provider; returns the callback's path. */
  async function toCallback(login: string, path = '/.signet/login?return=/orders') {
    const begun = await get(path);
    const url = new URL(await op.signIn(atProvider, begun.headers.location ?? '', login));
    expect(url.origin).toBe(`https://${host}`);
    return url.pathname + url.search;
  }

  const signIn = async (login: string, path?: string) => get(await toCallback(login, path));
  return { own, ask, get, toCallback, signIn };
}

describe('signing in', () => {
  test('leads back to the page that was asked for, and /me says who it is', async () => {
    const browser = newBrowser();
    const back = await browser.signIn('alice', '/.signet/login?return=%2Forders%3Fq%3D1%26r%3D2');
    expect([back.status, back.headers.location]).toEqual([302, '/orders?q=1&r=2']);
    const me = await browser.get('/.signet/me');
    expect(me.body).toMatchObject({
      issuer: op.issuer,
      subject: 'alice',
      user: 'alice',
      name: 'Alice',
      email: 'alice@example.com',
      team: 'payments',
      roles: ['engineer'],
      type: 'human',
      method: 'session',
    });
    expect(
      outcomes.map(({ identity, decision, reason }) => [identity?.user, decision, reason]),
    ).toEqual([
      [undefined, 'none', 'signet'],
      ['alice', 'none', 'signet'],
      ['alice', 'none', 'signet'],
    ]);
  });

  test('sets the session as __Host-, Secure, HttpOnly, Lax, and puts no token anywhere', async () => {
    const browser = newBrowser();
    const back = await browser.signIn('alice');
    const cookies = [back.headers['set-cookie'] ?? []].flat();
    const session = cookies.find((line) => line.startsWith('__Host-signet='));
    expect(session).toMatch(/^__Host-signet=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Lax$/);
    const me = await browser.get('/.signet/me');
    expect(JSON.stringify(me.body)).not.toContain(browser.own.get('__Host-signet'));
    expect(JSON.stringify(me.body)).not.toMatch(/token|sessionHash|eyJ/);
    expect(me.headers['cache-control']).toBe('no-store');
  });

  test('dave without a team has none', async () => {
    const browser = newBrowser();
    await browser.signIn('dave');
    expect((await browser.get('/.signet/me')).body).not.toHaveProperty('team');
  });

  test('in several tabs at once succeeds in all of them', async () => {
    const browser = newBrowser();
    const paths = [];
    for (const page of ['/1', '/2', '/3']) {
      paths.push(await browser.toCallback('alice', `/.signet/login?return=${page}`));
    }
    const backs = [];
    for (const path of paths.toReversed()) backs.push((await browser.get(path)).headers.location);
    expect(backs).toEqual(['/3', '/2', '/1']);
  });

  test('keeps at most five sign-ins under way in a browser, the newest', async () => {
    const browser = newBrowser();
    for (let index = 0; index < 8; index++) {
      nowMs += 1;
      await browser.get('/.signet/login');
    }
    expect(browser.own.size).toBe(5);
  });

  test('with a session goes straight back, unless a prompt is asked for', async () => {
    const browser = newBrowser();
    await browser.signIn('alice');
    const again = await browser.get('/.signet/login?return=/x');
    expect(again.headers.location).toBe('/x');
    const other = await browser.get('/.signet/login?prompt=login&return=/x');
    expect(new URL(other.headers.location ?? '').searchParams.get('prompt')).toBe('login');
  });

  test('ends the session that the browser had, and its id never stays', async () => {
    const browser = newBrowser();
    await browser.signIn('alice');
    const old = browser.own.get('__Host-signet') ?? '';
    await browser.signIn('bob', '/.signet/login?prompt=login');
    expect((await browser.get('/.signet/me')).body).toMatchObject({ user: 'bob' });
    expect(browser.own.get('__Host-signet')).not.toBe(old);
    expect(await sessions.find(old)).toEqual({ refused: 'session-unknown' });
  });

  test('never takes over an id that was planted before', async () => {
    const planted = 'x'.repeat(43);
    const browser = newBrowser();
    browser.own.set('__Host-signet', planted);
    await browser.signIn('alice');
    expect(browser.own.get('__Host-signet')).not.toBe(planted);
    expect(await sessions.find(planted)).toEqual({ refused: 'session-unknown' });
  });

  test('leads nowhere else: a hostile return URL becomes /', async () => {
    const back = await newBrowser().signIn('alice', '/.signet/login?return=//evil.example');
    expect(back.headers.location).toBe('/');
  });

  test('believes no forwarding header but the two of Caddy', async () => {
    const forged = { Forwarded: 'host=evil', 'X-Forwarded-Port': '1', 'X-Forwarded-Prefix': '/e' };
    const begun = await newBrowser().get('/.signet/login', forged);
    const asked = new URL(begun.headers.location ?? '').searchParams;
    expect(asked.get('redirect_uri')).toBe(`https://${HOST}/.signet/callback`);
  });
});

describe('a callback is refused, in words and with its reason', () => {
  const reason = () => outcomes.at(-1)?.reason;

  test('without a cookie: state-missing', async () => {
    const path = await newBrowser().toCallback('alice');
    const answer = await newBrowser().get(path);
    expect([answer.status, reason()]).toEqual([400, 'state-missing']);
    expect(answer.text).toContain('cookies');
    expect(answer.text).toContain(REQUEST_ID);
  });

  test('in another browser that has a sign-in of its own: state-mismatch', async () => {
    const path = await newBrowser().toCallback('alice');
    const other = newBrowser();
    await other.toCallback('bob');
    const answer = await other.get(path);
    expect(answer.status).toBe(400);
    expect(reason()).toBe('state-mismatch');
    // Script of the site that opened this window must not read the code off its address.
    expect(answer.headers['cross-origin-opener-policy']).toBe('same-origin');
  });

  test('at another host, even with the cookie carried there: state-mismatch', async () => {
    const browser = newBrowser();
    const path = await browser.toCallback('alice');
    const other = newBrowser(OTHER_HOST);
    for (const [name, value] of browser.own) other.own.set(name, value);
    await other.get(path);
    expect(reason()).toBe('state-mismatch');
    expect(other.own.has('__Host-signet')).toBe(false);
  });

  test('a second time, even with the cookie put back: state-used', async () => {
    const browser = newBrowser();
    const path = await browser.toCallback('alice');
    const kept = new Map(browser.own);
    await browser.get(path);
    for (const [name, value] of kept) browser.own.set(name, value);
    await browser.get(path);
    expect(reason()).toBe('state-used');
  });

  test('twice at once: one signs in', async () => {
    const browser = newBrowser();
    const path = await browser.toCallback('alice');
    const answers = await Promise.all([browser.get(path), browser.get(path)]);
    const statuses = answers.map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([302, 400]));
  });

  test('after ten minutes: state-expired', async () => {
    const browser = newBrowser();
    const path = await browser.toCallback('alice');
    nowMs += 600_001;
    await browser.get(path);
    expect(reason()).toBe('state-expired');
  });

  test('with an error, whose description is shown as text', async () => {
    const browser = newBrowser();
    const begun = await browser.get('/.signet/login?return=/orders');
    const state = new URL(begun.headers.location ?? '').searchParams.get('state') ?? '';
    const query = new URLSearchParams({
      state,
      iss: op.issuer,
      error: 'access_denied',
      error_description: '<script>alert(1)</script>',
    });
    const answer = await browser.get(`/.signet/callback?${query.toString()}`);
    expect(reason()).toBe('provider-refused');
    expect(answer.text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(answer.text).not.toContain('<script');
    expect(answer.text).toContain('href="/.signet/login?return=%2Forders"');
  });
});

describe('signing out', () => {
  test('ends the session at once, and the replayed cookie is worth nothing', async () => {
    const browser = newBrowser();
    await browser.signIn('alice');
    const kept = browser.own.get('__Host-signet') ?? '';
    const out = await browser.get('/.signet/logout', { 'Sec-Fetch-Site': 'same-origin' });
    expect([out.status, out.headers.location]).toEqual([303, '/.signet/signed-out']);
    expect(browser.own.has('__Host-signet')).toBe(false);
    browser.own.set('__Host-signet', kept);
    const me = await browser.get('/.signet/me');
    expect([me.status, outcomes.at(-1)?.reason]).toEqual([401, 'session-unknown']);
    expect((await browser.get('/.signet/signed-out')).text).toContain('signed out');
  });

  test('leads to a return URL of the same host only', async () => {
    const browser = newBrowser();
    expect((await browser.get('/.signet/logout?return=/bye')).headers.location).toBe('/bye');
    const hostile = await browser.get('/.signet/logout?return=/%255cevil.example');
    expect(hostile.headers.location).toBe('/');
  });

  test('from another site asks first, and the form does it', async () => {
    const browser = newBrowser();
    await browser.signIn('alice');
    const asked = await browser.get('/.signet/logout', { 'Sec-Fetch-Site': 'cross-site' });
    expect(asked.text).toContain('<form method="post"');
    expect((await browser.get('/.signet/me')).status).toBe(200);
    const out = await browser.ask('post', '/.signet/logout', { Origin: `https://${HOST}` });
    expect(out.status).toBe(303);
    expect((await browser.get('/.signet/me')).status).toBe(401);
  });

  test.each([
    { 'Sec-Fetch-Site': 'same-site', 'Sec-Fetch-Dest': 'document' },
    { 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Dest': 'image' },
    { 'Sec-Fetch-Site': 'none', 'Sec-Purpose': 'prefetch;prerender' },
    { Referer: 'https://evil.example/' },
  ])('is not done by what a page embeds, nor by a neighbour: %j', async (headers) => {
    const browser = newBrowser();
    await browser.signIn('alice');
    const asked = await browser.get('/.signet/logout', headers);
    expect(asked.text).toContain('<form method="post"');
    expect((await browser.get('/.signet/me')).status).toBe(200);
  });

  test.each([{ Origin: 'https://evil.example' }, { Origin: 'null' }, {}])(
    'by a form of somebody else is refused: %j',
    async (headers) => {
      const browser = newBrowser();
      await browser.signIn('alice');
      expect((await browser.ask('post', '/.signet/logout', headers)).status).toBe(403);
      expect((await browser.get('/.signet/me')).status).toBe(200);
    },
  );

  test('is not done by a HEAD request', async () => {
    const browser = newBrowser();
    await browser.signIn('alice');
    const id = browser.own.get('__Host-signet') ?? '';
    await browser.ask('head', '/.signet/logout');
    expect(await sessions.find(id)).toMatchObject({ user: 'alice' });
  });
});

describe('/.signet/me', () => {
  const cookies: [string, string][] = [
    ['no-credentials', 'other=1'],
    ['cookie-malformed', '__Host-signet='],
    ['cookie-malformed', '__Host-signet=%'],
    ['cookie-malformed', '__Host-signet=short'],
    ['session-unknown', `__Host-signet=${'x'.repeat(43)}`],
    ['cookie-repeated', `__Host-signet=${'x'.repeat(43)}; __Host-signet=${'x'.repeat(43)}`],
  ];
  test.each(cookies)('is 401 with the reason %s for the cookie %s', async (reason, cookie) => {
    const answer = await newBrowser().get('/.signet/me', { Cookie: cookie });
    expect(answer.status).toBe(401);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="signet"');
    expect(outcomes).toEqual([{ decision: 'deny', reason }]);
  });

  test('works for a bearer token, by whatever identifies the caller', async () => {
    const issuers = [{ name: 'main', issuer: op.issuer, audiences: [AUDIENCE] }];
    const bearer = createBearer({ issuers, now: Date.now });
    const tokenOf = (header = '') => header.replace(/^Bearer /, '');
    await serve({ identify: (req) => bearer.verify(tokenOf(req.headers.authorization)) });
    const Authorization = `Bearer ${await op.clientCredentialsToken()}`;
    const me = await newBrowser().get('/.signet/me', { Authorization });
    expect(me.body).toMatchObject({
      user: 'deploy-agent',
      team: 'platform',
      type: 'agent',
      method: 'bearer',
    });
  });
});

describe('what goes wrong gets a page that says so', () => {
  test('a provider that is down: 503, and sessions go on', async () => {
    const down = createProvider({ ...MAIN, issuer: 'http://localhost:1', clientId: 'c' });
    await serve({ provider: down });
    const browser = newBrowser();
    const answer = await browser.get('/.signet/login?return=/orders');
    down.close();
    expect([answer.status, outcomes.at(-1)?.reason]).toEqual([503, 'provider-unavailable']);
    expect(answer.text).toContain('can’t be reached');
    expect(answer.text).toContain('/.signet/login?return=%2Forders');
  });

  test('a wrong client secret: 400, told by the provider’s code, and what to look at', async () => {
    const { issuer, clientId } = op;
    const clientSecret = secret('wrong');
    const wrong = createProvider({ ...MAIN, issuer, clientId, clientSecret });
    await until('discovery', () => wrong.state().ready);
    await serve({ provider: wrong });
    const answer = await newBrowser().signIn('alice');
    wrong.close();
    expect([answer.status, outcomes.at(-1)]).toEqual([
      400,
      expect.objectContaining({
        reason: 'code-refused',
        detail: expect.stringMatching(/^invalid_client: .*client_id and the client's secret$/),
      }),
    ]);
    expect(wrong.state().problem).toContain('refuses this client: invalid_client');
    expect(answer.text).not.toContain('invalid_client');
  });

  test('a session store that is down: 503, never 2xx', async () => {
    const browser = newBrowser();
    await browser.signIn('alice');
    await store.close();
    writeFileSync(join(folder, 'sessions.db'), 'broken'.repeat(1_000));
    nowMs += 1_000;
    expect((await browser.get('/.signet/me')).status).toBe(503);
    expect((await browser.get('/.signet/login')).status).toBe(503);
    expect(outcomes.at(-1)).toMatchObject({
      decision: 'deny',
      reason: 'session-store-unavailable',
    });
  });

  test('a browser that keeps no session: the fourth sign-in in a row explains instead', async () => {
    const browser = newBrowser();
    for (let index = 0; index < 3; index++) {
      await browser.signIn('alice');
      browser.own.delete('__Host-signet');
    }
    const answer = await browser.get('/.signet/login?return=/orders');
    expect([answer.status, outcomes.at(-1)?.reason]).toEqual([429, 'sign-in-loop']);
    expect(answer.text).toContain('Try again');
    expect((await browser.get('/.signet/login?return=/orders')).status).toBe(302);
  });

  test('signing in again half a minute later is no loop', async () => {
    const browser = newBrowser();
    for (let index = 0; index < 5; index++) {
      await browser.signIn('alice');
      browser.own.delete('__Host-signet');
      nowMs += 31_000;
    }
    expect((await browser.get('/.signet/login')).status).toBe(302);
  });

  const places: [string, object][] = [
    ['evil.example', { 'X-Forwarded-Host': 'evil.example' }],
    ['another port', { 'X-Forwarded-Host': `${HOST}:8443` }],
    ['a host with a path', { 'X-Forwarded-Host': `${HOST}/x` }],
    ['a host with a user', { 'X-Forwarded-Host': `user@${HOST}` }],
    ['a host in another spelling', { 'X-Forwarded-Host': `%65${HOST.slice(1)}` }],
    ['a host as a number', { 'X-Forwarded-Host': '2130706433' }],
    ['two hosts', { 'X-Forwarded-Host': `${HOST}, evil.example` }],
    ['no host', { 'X-Forwarded-Host': '' }],
    ['no scheme', { 'X-Forwarded-Proto': '' }],
    ['a scheme of its own', { 'X-Forwarded-Proto': 'javascript' }],
  ];
  test.each(places)('%s is not among the hosts: 400', async (_name, headers) => {
    await serve({ hosts: [HOST] });
    const answer = await newBrowser().get('/.signet/login', headers);
    expect([answer.status, outcomes]).toEqual([
      400,
      [expect.objectContaining({ decision: 'deny', reason: 'host-not-allowed' })],
    ]);
  });

  test('a host that is written otherwise is the same host', async () => {
    await serve({ hosts: [HOST] });
    const headers = { 'X-Forwarded-Host': `${HOST.toUpperCase()}:443` };
    expect((await newBrowser().get('/.signet/login', headers)).status).toBe(302);
  });

  test('every page forbids scripts and frames, is never stored, and sends no referrer', async () => {
    const { headers } = await newBrowser().get('/.signet/callback');
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    const policy = headers['content-security-policy'];
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe-inline');
  });
});
