// OpenID Connect Back-Channel Logout 1.0, clause by clause, by a sender on the wire that does everything right but
// one thing. What oidc-provider itself sends is in test/flow/logout.test.ts.
import { randomUUID } from 'node:crypto';
import { request as httpRequest, type Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { JWTPayload } from 'jose';
import {
  MAX_LOGOUT_BODY_BYTES,
  MAX_LOGOUT_READS_BY_ADDRESS,
} from '../../sidecar/http/back-channel-logout.ts';
import { DEFAULT_CLAIM_NAMES } from '../../sidecar/identity/claims.ts';
import { createProvider, type Provider } from '../../sidecar/identity/provider.ts';
import { secret } from '../../sidecar/secret.ts';
import {
  startMisbehavingProvider,
  type MisbehavingProvider,
  type Misbehaviour,
} from '../fixtures/misbehaving-provider.ts';
import { HOST, startSignInSite, type SignInSite } from '../fixtures/sign-in-site.ts';
import { until } from '../fixtures/until.ts';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
type Body = string | URLSearchParams | Uint8Array<ArrayBuffer>;

const PATH = '/.signet/back-channel-logout';
const CLIENT = { name: 'main', names: DEFAULT_CLAIM_NAMES, scopes: [] };
const TYP = { typ: 'logout+jwt' };

let op: MisbehavingProvider;
let second: MisbehavingProvider;
let providers: Provider[];
let site: SignInSite;
let nowMs: number;
let server: Server;
let origin: string;
let session: string;
/** The provider's name of the session; of each test another, as of each sign-in there. */
let sid: string;

beforeAll(async () => {
  nowMs = Date.now();
  [op, second] = await Promise.all([startMisbehavingProvider(), startMisbehavingProvider()]);
  providers = [op, second].map(({ issuer, clientId, clientSecret }, index) => {
    const name = index === 0 ? 'main' : 'partners';
    const client = { issuer, clientId, clientSecret: secret(clientSecret) };
    return createProvider({ name, names: DEFAULT_CLAIM_NAMES, scopes: [], ...client });
  });
  await until('discovery', () => providers.every((one) => one.state().ready));
  site = await startSignInSite(providers, { now: () => nowMs, hosts: [HOST] });
  server = createServer(site.behindCaddy(HOST));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await site.close();
  providers.forEach((one) => one.close());
  await Promise.all([op.stop(), second.stop()]);
});
beforeEach(async () => {
  nowMs = Date.now();
  op.misbehave({ header: TYP });
  second.misbehave({ header: TYP });
  sid = randomUUID();
  session = await begin('alice', sid);
});

/** Begins a session of the main provider, and returns its cookie. */
function begin(subject: string, name: string, { issuer } = op): Promise<string> {
  const who = { issuer, subject, user: subject, type: 'human', method: 'session' } as const;
  const identity = { ...who, roles: [], groups: [], scopes: [], expiresAtMs: 0 };
  return site.sessions.begin({ identity, sid: name });
}

const isAlive = async (cookie = session) => !('refused' in (await site.sessions.find(cookie)));
const reason = () => site.outcomes.at(-1)?.reason;
const seconds = () => Math.floor(nowMs / 1_000);

/** What a right token says, changed as asked; a claim set to undefined is left out. */
function claims(changes: Record<string, unknown> = {}): JWTPayload {
  return {
    iss: op.issuer,
    aud: op.clientId,
    iat: seconds(),
    exp: seconds() + 120,
    jti: randomUUID(),
    sub: 'alice',
    sid,
    events: { [EVENT]: {} },
    ...changes,
  };
}

async function tokenOf(changes: Record<string, unknown> = {}, wrong: Misbehaviour = {}) {
  op.misbehave({ header: TYP, ...wrong });
  return op.sign(claims(changes));
}

const form = (token: string) => new URLSearchParams({ logout_token: token });
const post = (body: Body, path = PATH, headers: Record<string, string> = {}) =>
  fetch(origin + path, { method: 'POST', body, headers });
const send = async (changes?: Record<string, unknown>, wrong?: Misbehaviour) =>
  post(form(await tokenOf(changes, wrong)));

/** Sends a token that is wrong; returns its status, its reason, and whether the session lives. */
async function refusalOf(changes: Record<string, unknown>, wrong?: Misbehaviour) {
  const { status } = await send(changes, wrong);
  return [status, reason(), await isAlive()];
}

describe('2.4, the token', () => {
  test('one that is right ends the session that it names, at once', async () => {
    expect((await send()).status).toBe(200);
    expect(await isAlive()).toBe(false);
  });

  test('typ logout+jwt, application/logout+jwt, JWT and none are accepted', async () => {
    for (const typ of ['logout+jwt', 'application/logout+jwt', 'LOGOUT+JWT', 'JWT', undefined]) {
      expect((await send({}, { header: { typ } })).status).toBe(200);
    }
  });

  test('typ at+jwt is an access token: token-type', async () => {
    expect(await refusalOf({}, { header: { typ: 'at+jwt' } })).toEqual([400, 'token-type', true]);
  });

  test.each([{ typ: 1 }, { typ: '' }, { typ: 'secevent+jwt' }])('%j is refused', async (header) => {
    expect((await refusalOf({}, { header }))[0]).toBe(400);
  });
});

describe('2.6, validation', () => {
  test('step 1: an encrypted token, for which we have no key, is refused', async () => {
    const answer = await post(form(`${'eyJhbGciOiJSU0EtT0FFUCJ9'}.a.b.c.d`));
    expect([answer.status, reason()]).toEqual([400, 'token-malformed']);
  });

  test('step 2: a signature by a key that is not the provider’s', async () => {
    expect(await refusalOf({}, { foreignKey: true })).toEqual([400, 'token-signature', true]);
  });

  test('step 2: a token that was altered', async () => {
    const [header, , signature] = (await tokenOf()).split('.');
    const altered = Buffer.from(JSON.stringify(claims({ sub: 'bob' }))).toString('base64url');
    const { status } = await post(form([header, altered, signature].join('.')));
    expect([status, reason()]).toEqual([400, 'token-signature']);
  });

  test('step 2: without kid, and several keys that might fit, each is tried', async () => {
    op.misbehave({ keysWithoutKid: 2 });
    const { issuer, clientId } = op;
    const anew = createProvider({ ...CLIENT, issuer, clientId });
    const alone = await startAlone([anew]);
    const token = await tokenOf({}, { keysWithoutKid: 2 });
    expect((await alone.post(form(token))).status).toBe(200);
    await alone.stop();
  });

  test('step 3: alg none', async () => {
    expect(await refusalOf({}, { algorithm: 'none' })).toEqual([400, 'token-algorithm', true]);
  });

  test('step 3: alg HS256, keyed with the client’s secret', async () => {
    expect(await refusalOf({}, { algorithm: 'HS256' })).toEqual([400, 'token-algorithm', true]);
  });

  test('step 3: alg ES256 by a key of the provider’s is accepted', async () => {
    expect((await send({}, { algorithm: 'ES256' })).status).toBe(200);
  });

  test('step 3: an unknown crit header', async () => {
    const header = { ...TYP, crit: ['urn:unknown'], 'urn:unknown': true };
    expect((await refusalOf({}, { header }))[0]).toBe(400);
  });

  test.each([
    ['another issuer’s', { iss: 'https://evil.example' }, 'token-issuer'],
    ['no iss', { iss: undefined }, 'token-issuer'],
    ['another client’s aud', { aud: 'other' }, 'token-audience'],
    ['no aud', { aud: undefined }, 'token-audience'],
    ['an aud of others besides', { aud: ['signet', 'other'] }, 'token-audience'],
    ['no iat', { iat: undefined }, 'token-claims'],
    ['an iat that is text', { iat: 'now' }, 'token-claims'],
    ['no exp', { exp: undefined }, 'token-claims'],
    ['an exp that is text', { exp: 'never' }, 'token-claims'],
    ['no jti', { jti: undefined }, 'token-claims'],
    ['a jti that is no text', { jti: 7 }, 'token-claims'],
  ] as const)('step 4: %s', async (_name, changes, why) => {
    expect(await refusalOf(changes)).toEqual([400, why, true]);
  });

  test('step 4: an aud that is a list of us alone is accepted', async () => {
    expect((await send({ aud: ['signet'] })).status).toBe(200);
  });

  const times = (iat: number, exp: number) => ({ iat: seconds() + iat, exp: seconds() + exp });
  test('step 4: one that expired half a minute ago', async () => {
    expect(await refusalOf(times(-60, -31))).toEqual([400, 'token-expired', true]);
    expect((await send(times(-60, -28))).status).toBe(200);
  });

  test('step 4: one that was made more than five minutes ago, however long it says that it holds', async () => {
    expect(await refusalOf(times(-331, 600))).toEqual([400, 'token-expired', true]);
    expect((await send(times(-328, 600))).status).toBe(200);
  });

  test('step 4: one of the future', async () => {
    expect(await refusalOf(times(32, 150))).toEqual([400, 'token-not-yet-valid', true]);
    expect((await send(times(28, 150))).status).toBe(200);
  });

  test('step 4: nbf in the future', async () => {
    expect(await refusalOf({ nbf: seconds() + 60 })).toEqual([400, 'token-not-yet-valid', true]);
  });

  test('step 5: neither sub nor sid', async () => {
    expect(await refusalOf({ sub: undefined, sid: undefined })).toEqual([
      400,
      'token-claims',
      true,
    ]);
  });

  test.each([{ sub: '' }, { sub: 7 }, { sub: ['alice'] }, { sid: '' }, { sid: null }])(
    'step 5: %j names nobody',
    async (changes) => {
      expect(await refusalOf(changes)).toEqual([400, 'token-claims', true]);
    },
  );

  test('step 5: sid alone ends that session, and no other of the person', async () => {
    const other = await begin('alice', 'sid-2');
    expect((await send({ sub: undefined })).status).toBe(200);
    expect([await isAlive(), await isAlive(other)]).toEqual([false, true]);
  });

  test('step 5: sub alone ends all sessions of the person, and nobody else’s', async () => {
    const [other, bobs] = [await begin('alice', 'sid-2'), await begin('bob', 'sid-3')];
    expect((await send({ sid: undefined })).status).toBe(200);
    expect([await isAlive(), await isAlive(other), await isAlive(bobs)]).toEqual([
      false,
      false,
      true,
    ]);
  });

  test('step 5: the same name at another provider is somebody else', async () => {
    const partners = await begin('alice', sid, second);
    await send();
    expect(await isAlive(partners)).toBe(true);
  });

  test.each([
    ['no events', undefined],
    ['another event', { 'http://schemas.openid.net/event/other': {} }],
    ['the event in another spelling', { [`${EVENT}/`]: {} }],
    ['an event that is no object', { [EVENT]: true }],
    ['an event that is null', { [EVENT]: null }],
    ['an event that is a list', { [EVENT]: [] }],
    ['a list of events', [EVENT]],
    ['events that are text', EVENT],
  ])('step 6: %s', async (_name, events) => {
    expect(await refusalOf({ events })).toEqual([400, 'token-type', true]);
  });

  test('step 6: an ID token is refused', async () => {
    const changes = { events: undefined, nonce: 'n', at_hash: 'h' };
    expect(await refusalOf(changes, { header: {} })).toEqual([400, 'token-type', true]);
  });

  test.each(['n', '', null])('step 7: a nonce, %j', async (nonce) => {
    expect(await refusalOf({ nonce })).toEqual([400, 'token-type', true]);
  });

  test('step 8: a token that comes twice is refused the second time', async () => {
    const token = await tokenOf({ sid: undefined });
    expect((await post(form(token))).status).toBe(200);
    session = await begin('alice', sid);
    expect((await post(form(token))).status).toBe(400);
    expect([reason(), await isAlive()]).toEqual(['token-used', true]);
  });

  test('step 8: it is remembered until the last moment in which it would hold', async () => {
    const token = await tokenOf({ exp: seconds() + 3_600 });
    const iat = seconds();
    expect((await post(form(token))).status).toBe(200);
    // Five minutes, 30 seconds for the clocks, and what is left of the second that it is counted in.
    nowMs = (iat + 330) * 1_000 + 999;
    expect((await post(form(token))).status).toBe(400);
    expect(reason()).toBe('token-used');
    nowMs += 1;
    expect((await post(form(token))).status).toBe(400);
    expect(reason()).not.toBe('token-used');
  });

  test('step 8: of a token that comes twice at once, one is taken', async () => {
    const token = await tokenOf();
    const answers = await Promise.all([post(form(token)), post(form(token))]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 400]));
  });

  test('step 8: the jti of a token that was refused is not used up', async () => {
    const jti = randomUUID();
    await send({ jti }, { foreignKey: true });
    expect((await send({ jti })).status).toBe(200);
  });

  test('steps 9 to 11: a session that is not there is no failure', async () => {
    expect((await send({ sub: 'nobody', sid: 'none' })).status).toBe(200);
    expect(site.outcomes.at(-1)).toEqual({ decision: 'none', reason: 'signet' });
  });
});

describe('2.5 and 2.8, request and answer', () => {
  test('200 is empty, and is not stored', async () => {
    const answer = await send();
    expect([answer.headers.get('cache-control'), await answer.text()]).toEqual(['no-store', '']);
  });

  test('400 is JSON with an error that says little, and is not stored', async () => {
    const answer = await send({ aud: 'other' });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('content-type')).toContain('application/json');
    expect(await answer.json()).toEqual({
      error: 'invalid_request',
      error_description: 'The logout token was not accepted.',
    });
  });

  test('whose sessions ended is told, of each, and the answer’s own row names nobody', async () => {
    await begin('alice', 'sid-2');
    site.ended.length = 0;
    await send({ sid: undefined });
    expect(new Set(site.ended)).toEqual(new Set(['alice: provider']));
    expect(site.ended.length).toBeGreaterThanOrEqual(2);
    expect(site.outcomes.at(-1)).toEqual({ decision: 'none', reason: 'signet' });
  });

  test.each([
    ['sid', { sub: undefined }],
    ['subject', { sid: undefined }],
  ])(
    'a replay that nobody remembers, by %s, leaves sessions that began after the token was made',
    async (_by, changes) => {
      const old = { iat: seconds() - 31, exp: seconds() + 120, ...changes };
      expect((await send(old)).status).toBe(200);
      expect(await isAlive()).toBe(true);
      // Clocks may differ by half a minute: within it, nobody can tell which came first.
      expect((await send({ ...old, iat: seconds() - 29 })).status).toBe(200);
      expect(await isAlive()).toBe(false);
    },
  );

  test('a cookie is neither needed nor heeded nor set', async () => {
    const answer = await post(form(await tokenOf({ aud: 'other' })), PATH, {
      cookie: `__Host-signet=${session}`,
    });
    expect([answer.status, answer.headers.get('set-cookie')]).toEqual([400, null]);
    expect(await isAlive()).toBe(true);
  });

  const bodies: { what: string; body: Body; headers?: Record<string, string> }[] = [
    { what: 'no token', body: new URLSearchParams({ token: 'x' }) },
    { what: 'an empty token', body: form('') },
    { what: 'two tokens', body: new URLSearchParams('logout_token=a&logout_token=b') },
    { what: 'JSON', body: '{"logout_token":"x"}', headers: { 'content-type': 'application/json' } },
    { what: 'no media type', body: new Uint8Array([1]) },
    { what: 'nothing', body: '' },
    { what: 'bytes that are no text', body: new Uint8Array([255, 254]), headers: FORM },
  ];
  test.each(bodies)('a body with $what is 400', async ({ body, headers = {} }) => {
    expect((await post(body, PATH, headers)).status).toBe(400);
    expect(reason()).toMatch(/^(?:request-invalid|token-malformed)$/);
  });

  test('a body that is longer than it may be is refused, and never read to its end', async () => {
    expect((await post(form('x'.repeat(MAX_LOGOUT_BODY_BYTES)))).status).toBe(400);
    const { status, sentBytes } = await endless();
    expect(status).toBe(400);
    // What the buffers of a connection hold, and not what comes in five seconds.
    expect(sentBytes).toBeLessThan(16 * 1_048_576);
  });

  test('a flood of slow posts by one client leaves room for the provider’s', async () => {
    const socket = join(site.folder, 'gate.sock');
    const before = site.outcomes.length;
    const posts = Array.from({ length: 60 }, () => slowPost(socket, '203.0.113.9'));
    const refused = 60 - MAX_LOGOUT_READS_BY_ADDRESS;
    await until('all but ten are refused', () => site.outcomes.length >= before + refused);
    const cookie = await begin('alice', 'flooded');
    const body = form(await tokenOf({ sid: 'flooded' })).toString();
    const from = { ...SLOW, 'x-forwarded-for': '198.51.100.4' };
    expect((await site.ask('post', PATH, from).send(body)).status).toBe(200);
    expect(await isAlive(cookie)).toBe(false);
    posts.forEach((one) => one.destroy());
  });

  test('GET, and other methods, are not answered here', async () => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      expect((await fetch(origin + PATH, { method })).status).toBe(404);
    }
  });

  test('a provider’s name in the path: its tokens, and no other’s', async () => {
    const token = await second.sign(claims({ iss: second.issuer }));
    expect((await post(form(token), `${PATH}/partners`)).status).toBe(200);
    expect((await post(form(await tokenOf()), `${PATH}/partners`)).status).toBe(400);
    expect(reason()).toBe('token-issuer');
  });

  test.each(['/nobody', '/%2e%2e', '/__proto__'])('%s is no provider: 400 or 404', async (name) => {
    expect([400, 404]).toContain((await post(form(await tokenOf()), PATH + name)).status);
  });

  test('a host that is not ours is told so in JSON', async () => {
    const alone = await startAlone(providers, { hosts: ['other.example.com'] });
    const answer = await alone.post(form(await tokenOf()));
    expect([answer.status, alone.site.outcomes.at(-1)?.reason]).toEqual([400, 'host-not-allowed']);
    expect(answer.headers.get('content-type')).toContain('json');
    await alone.stop();
  });

  test('a store that is down: 400, and the same token can be sent again', async () => {
    const alone = await startAlone(providers);
    const token = await tokenOf();
    await alone.site.breakStore();
    for (const _time of ['first', 'second']) {
      const answer = await alone.post(form(token));
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([400, '10']);
      expect(await answer.json()).toMatchObject({ error: 'temporarily_unavailable' });
      expect(alone.site.outcomes.at(-1)?.reason).toBe('session-store-unavailable');
    }
    await alone.stop();
  });

  test('keys that can’t be had: 400, and the row says provider-unavailable', async () => {
    const issuer = 'http://localhost:1';
    const alone = await startAlone([createProvider({ ...CLIENT, issuer, clientId: 'signet' })]);
    const { status } = await alone.post(form(await tokenOf({ iss: issuer })));
    expect([status, alone.site.outcomes.at(-1)?.reason]).toEqual([400, 'provider-unavailable']);
    await alone.stop();
  });
});

/** Serves other providers than all tests do; stops them, too, unless they are those. */
async function startAlone(of: Provider[], changes: Parameters<typeof startSignInSite>[1] = {}) {
  const alone = await startSignInSite(of, changes);
  const own = createServer(alone.behindCaddy(HOST));
  await new Promise<void>((resolve) => own.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(own.address() as AddressInfo).port}${PATH}`;
  const stop = async () => {
    own.closeAllConnections();
    own.close();
    of.filter((one) => !providers.includes(one)).forEach((one) => one.close());
    await alone.close();
  };
  const send = (body: URLSearchParams) => fetch(url, { method: 'POST', body });
  return { site: alone, post: send, stop };
}

const SLOW = {
  ...FORM,
  'x-forwarded-proto': 'https',
  'x-forwarded-host': HOST,
  'x-request-id': randomUUID(),
};

/** Begins to post, as this client by way of Caddy, and goes on with nothing. */
function slowPost(socketPath: string, address: string) {
  const headers = { ...SLOW, 'x-forwarded-for': address, 'content-length': '200' };
  const asked = httpRequest({ socketPath, path: PATH, method: 'POST', headers });
  asked.on('response', (answer) => answer.resume()).on('error', () => {});
  asked.write('logout_token=');
  return asked;
}

/** Posts without end, and returns the status that comes all the same. */
function endless(): Promise<{ status: number | undefined; sentBytes: number }> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest(origin + PATH, { method: 'POST', headers: FORM });
    const chunk = Buffer.alloc(65_536, 'x');
    let isAnswered = false;
    let sentBytes = 0;
    const more = () => {
      sentBytes += chunk.length;
      if (!isAnswered) asked.write(chunk, () => setImmediate(more));
    };
    asked.on('response', (answer) => {
      isAnswered = true;
      answer.resume();
      asked.destroy();
      resolve({ status: answer.statusCode, sentBytes });
    });
    asked.on('error', (error) => isAnswered || reject(error));
    more();
  });
}
