// The gate through its HTTP surface: what Caddy asks, what it gets.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { Fault } from '../../sidecar/fault.ts';
import type { EvidenceReason } from '../../sidecar/identity/reason.ts';
import { secret } from '../../sidecar/secret.ts';
import { createTestGate, fromCaddy, type TestGate } from '../fixtures/gate.ts';
import { identity } from '../fixtures/identities.ts';

let it: TestGate;
beforeEach(() => {
  it = createTestGate();
});
afterEach(() => it.close());

const NAVIGATION = { 'sec-fetch-mode': 'navigate', accept: 'text/html' };
const TOKENS: Record<string, ReturnType<typeof identity> | { refused: EvidenceReason }> = {
  good: identity({ user: 'deploy-agent', method: 'bearer', type: 'agent', team: 'platform' }),
  old: { refused: 'token-expired' },
};
const bearer = {
  verify: (token: string) => TOKENS[token] ?? { refused: 'token-signature' as const },
};

function verify(
  headers: Record<string, string>,
  { require = 'any', route = 'orders' }: { require?: string; route?: string } = {},
  app = it.app,
) {
  return request(app).get(`/verify?route=${route}&require=${require}`).set(headers);
}

function signIn(changes = {}): Promise<string> {
  return it.signIn(identity(changes));
}

describe('allowed', () => {
  test('204 without a body, with who it is, the trace context, and the stamp', async () => {
    const cookie = await signIn({
      email: 'alice@example.com',
      name: 'Alice',
      groups: ['a', 'b,c'],
    });
    const headers = fromCaddy({ cookie });
    const res = await verify(headers);
    const digits = headers['x-request-id'].replaceAll('-', '');
    expect(res.status).toBe(204);
    expect(res.text).toBe('');
    expect(res.headers).toMatchObject({
      'remote-user': 'alice',
      'remote-name': 'Alice',
      'remote-email': 'alice@example.com',
      'remote-groups': 'a,b%2Cc',
      'remote-team': 'payments',
      'remote-user-type': 'human',
      traceparent: `00-${digits}-${digits.slice(16)}-03`,
      baggage: 'user.id=alice,team=payments,user_type=human',
    });
    expect(res.headers).not.toHaveProperty('set-cookie');
    expect(res.headers).not.toHaveProperty('tracestate');
  });

  test('the stamp says who, why, where and as which decision of this boot', async () => {
    const headers = fromCaddy({ cookie: await signIn(), 'user-agent': 'curl/8' });
    const res = await verify(headers, { require: 'team:payments' });
    const stamp = it.open(res.headers['signet-stamp'], headers['x-request-id']);
    expect(stamp).toMatchObject({
      identity: { user: 'alice', team: 'payments', method: 'session' },
      decision: 'allow',
      reason: 'requirement-met',
      route: 'orders',
      requirement: 'team:payments',
      userAgent: 'curl/8',
      gate: { bootId: 'boot-1', number: 1 },
    });
    expect(stamp?.identity?.sessionHash).toMatch(/^[0-9a-f]{16}$/);
  });

  test('case 2: what is unknown has no header, not even an empty one', async () => {
    const res = await verify(fromCaddy({ cookie: await signIn({ team: undefined }) }));
    expect(res.headers).not.toHaveProperty('remote-team');
    expect(res.headers['baggage']).toBe('user.id=alice,user_type=human');
  });

  test('public asks for nobody, and tells who it is all the same', async () => {
    const nobody = await verify(fromCaddy(), { require: 'public' });
    expect(nobody.status).toBe(204);
    expect(nobody.headers).not.toHaveProperty('remote-user');
    const alice = await verify(fromCaddy({ cookie: await signIn() }), { require: 'public' });
    expect(alice.headers['remote-user']).toBe('alice');
  });

  test('case 41: a name of whatever characters makes valid headers', async () => {
    const user = 'a,b;c=d"%\r\nSet-Cookie: x=1 😀 {http.request.uri}';
    const res = await verify(fromCaddy({ cookie: await signIn({ user, name: user }) }));
    expect(res.status).toBe(204);
    expect(res.headers['remote-user']).toMatch(/^[\x20-\x7e]+$/);
    expect(decodeURIComponent(res.headers['remote-user'] ?? '')).toBe(user);
    expect(res.headers['baggage']).not.toMatch(/[{}\s"]/);
  });

  test('case 41: 2,000 groups of 100 characters stay within bounds, and only whole ones', async () => {
    const groups = Array.from({ length: 2000 }, (_, i) => `group-${i}-`.padEnd(100, 'x'));
    const res = await verify(fromCaddy({ cookie: await signIn({ groups }) }));
    const sent = (res.headers['remote-groups'] ?? '').split(',');
    expect(sent.length).toBeGreaterThan(1);
    expect(groups).toEqual(expect.arrayContaining(sent));
    expect(res.headers['remote-groups']?.length).toBeLessThanOrEqual(2048);
  });
});

describe('signed out', () => {
  test('a navigation is sent to sign in, and back to what was asked for', async () => {
    const res = await verify(fromCaddy(NAVIGATION));
    expect(res.status).toBe(302);
    expect(res.headers['location']).toBe('/.signet/login?return=%2Forders%3Fpage%3D2');
  });

  test.each([
    ['idp:partners', '?idp=partners&return='],
    ['any+idp:partners+team:a', '?idp=partners&return='],
    ['idp:partners,staff', '?return='],
    ['idp:ci', '?return='],
    ['any', '?return='],
  ])('a page of %s sends to %s: who has no choice is not asked', async (require, query) => {
    await it.close();
    it = createTestGate({ vouchers: { people: ['staff', 'partners'], tokens: ['ci'] } });
    const res = await verify(fromCaddy(NAVIGATION), { require });
    expect(res.headers['location']).toBe(`/.signet/login${query}%2Forders%3Fpage%3D2`);
  });

  test('everything else gets 401 with a challenge and problem+json', async () => {
    const headers = fromCaddy({ accept: 'application/json' });
    const res = await verify(headers);
    expect(res.status).toBe(401);
    expect(res.headers['www-authenticate']).toBe('Bearer realm="signet"');
    expect(res.headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(res.text)).toMatchObject({
      status: 401,
      request_id: headers['x-request-id'],
    });
  });

  test.each([
    ['a fetch by a page', { 'sec-fetch-mode': 'cors', accept: 'text/html' }],
    ['a WebSocket of a page', { 'sec-fetch-mode': 'websocket', accept: 'text/html' }],
    ['a POST of a program', { 'x-forwarded-method': 'POST', accept: 'text/html' }],
  ])('%s is no navigation', async (_, headers) => {
    expect((await verify(fromCaddy(headers))).status).toBe(401);
  });

  test.each([
    ['empty', '', 'cookie-malformed'],
    ['a percent sign', '%', 'cookie-malformed'],
    ['truncated', 'abc', 'cookie-malformed'],
    ['bad base64url', '!'.repeat(43), 'cookie-malformed'],
    ['long', 'x'.repeat(8000), 'cookie-malformed'],
    ['of the right shape and unknown', 'A'.repeat(43), 'session-unknown'],
  ])('case 16: a cookie that is %s is signed out', async (_, value, reason) => {
    const headers = fromCaddy({ cookie: `a=1;__Host-signet=${value}` });
    const res = await verify(headers);
    expect(res.status).toBe(401);
    expect(it.open(res.headers['signet-stamp'], headers['x-request-id'])?.reason).toBe(reason);
  });

  test('two session cookies are refused, even if one of them is good', async () => {
    const res = await verify(fromCaddy({ cookie: `${await signIn()}; __Host-signet=x` }));
    expect(res.status).toBe(401);
  });

  test('case 37: the mere presence of a header or cookie proves nothing', async () => {
    const headers = fromCaddy({
      'remote-user': 'admin',
      'x-forwarded-user': 'admin',
      cookie: '__Host-signet-login-x=y',
      authorization: 'Basic YWRtaW46YWRtaW4=',
    });
    expect((await verify(headers)).status).toBe(401);
  });
});

describe('known and not allowed', () => {
  test('a person gets a page: who she is, what it takes, another way in, the id to quote', async () => {
    const headers = fromCaddy({ ...NAVIGATION, cookie: await signIn({ user: '<b>alice</b>' }) });
    const res = await verify(headers, { require: 'team:search' });
    expect(res.status).toBe(403);
    expect(res.text).toContain('&lt;b&gt;alice&lt;/b&gt;');
    expect(res.text).not.toContain('<b>alice');
    expect(res.text).toContain('team search');
    expect(res.text).toContain('prompt=login');
    expect(res.text).toContain(headers['x-request-id']);
    expect(res.text).not.toContain('<script');
  });

  test('a program gets problem+json, and never a 401', async () => {
    const res = await verify(fromCaddy({ cookie: await signIn() }), { require: 'role:auditor' });
    expect(res.status).toBe(403);
    expect(res.headers['content-type']).toBe('application/problem+json');
    expect(res.headers).not.toHaveProperty('www-authenticate');
    expect(res.headers).not.toHaveProperty('remote-user');
  });

  test('case 14: a requirement that does not parse refuses, and is told once', async () => {
    for (const require of ['nobody:x', 'nobody:x', 'team:']) {
      const headers = fromCaddy({ cookie: await signIn() });
      const res = await verify(headers, { require });
      expect(res.status).toBe(403);
      const stamp = it.open(res.headers['signet-stamp'], headers['x-request-id']);
      expect(stamp?.reason).toBe('requirement-invalid');
    }
    expect(it.invalid).toHaveLength(2);
  });

  test('a name behind idp: that nobody has closes the block, and is told with those that there are', async () => {
    await it.close();
    it = createTestGate({ vouchers: { people: ['staff'], tokens: ['ci', 'staff'] } });
    const headers = fromCaddy({ cookie: await signIn({ provider: 'staff' }) });
    expect((await verify(headers, { require: 'idp:staff,ci' })).status).toBe(204);
    expect((await verify(headers, { require: 'idp:staff,cj' })).status).toBe(403);
    expect(it.invalid).toEqual([
      'orders: idp:staff,cj: idp:cj is no name of a provider or issuer; there are staff, ci',
    ]);
  });

  test('case 13: what is appended to the target becomes no parameter', async () => {
    const res = await verify(fromCaddy(), { require: 'any&require=public' });
    expect(res.status).toBe(403);
    const missing = await request(it.app).get('/verify?route=orders').set(fromCaddy());
    expect(missing.status).toBe(403);
  });
});

describe('bearer tokens', () => {
  beforeEach(async () => {
    await it.close();
    it = createTestGate({ bearer });
  });

  test('case 36: with a cookie of alice and a bearer of another, the bearer counts everywhere', async () => {
    const headers = fromCaddy({ cookie: await signIn(), authorization: 'Bearer good' });
    const res = await verify(headers);
    expect(res.headers['remote-user']).toBe('deploy-agent');
    expect(res.headers['baggage']).toContain('user.id=deploy-agent');
    const stamp = it.open(res.headers['signet-stamp'], headers['x-request-id']);
    expect(stamp?.identity).toMatchObject({
      user: 'deploy-agent',
      type: 'agent',
      method: 'bearer',
    });
  });

  test('a bearer that does not hold is refused, though the cookie would do', async () => {
    const headers = fromCaddy({ cookie: await signIn(), authorization: 'bearer old' });
    const res = await verify(headers);
    expect(res.status).toBe(401);
    expect(res.headers['www-authenticate']).toBe('Bearer realm="signet", error="invalid_token"');
    expect(it.open(res.headers['signet-stamp'], headers['x-request-id'])?.reason).toBe(
      'token-expired',
    );
  });

  test('a bearer behind a tab is a bearer, too: the app would read it as one', async () => {
    const headers = fromCaddy({ cookie: await signIn(), authorization: 'Bearer\tgood' });
    expect((await verify(headers)).headers['remote-user']).toBe('deploy-agent');
  });

  test('a verified bearer’s trace goes on, a session’s is linked to', async () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`;
    const program = await verify(fromCaddy({ authorization: 'Bearer good', traceparent }));
    expect(program.headers['traceparent']).toMatch(/^00-a{32}-[0-9a-f]{16}-00$/);
    const headers = fromCaddy({ cookie: await signIn(), traceparent, tracestate: 'x=1' });
    const person = await verify(headers);
    expect(person.headers['traceparent']).toContain(headers['x-request-id'].replaceAll('-', ''));
    expect(person.headers).not.toHaveProperty('tracestate');
    expect(it.open(person.headers['signet-stamp'], headers['x-request-id'])?.link).toEqual({
      traceId: 'a'.repeat(32),
      spanId: 'b'.repeat(16),
    });
  });

  test('where no audience is configured, Authorization is the app’s affair and the cookie counts', async () => {
    await it.close();
    it = createTestGate();
    const res = await verify(
      fromCaddy({ cookie: await signIn(), authorization: 'Bearer the-apps-own' }),
    );
    expect(res.headers['remote-user']).toBe('alice');
  });
});

describe('fails closed', () => {
  const down = (code: 'ERR_SESSION_STORE' | 'ERR_PROVIDER') => () => {
    throw new Fault(code, 'down');
  };

  test('case 17: a session store that is down is 503 wherever a cookie came, never 2xx', async () => {
    await it.close();
    it = createTestGate({ sessions: { find: down('ERR_SESSION_STORE') } });
    for (const require of ['any', 'public', 'team:x']) {
      const headers = fromCaddy({ cookie: '__Host-signet=x' });
      const res = await verify(headers, { require });
      expect(res.status).toBe(503);
      const stamp = it.open(res.headers['signet-stamp'], headers['x-request-id']);
      expect(stamp?.reason).toBe('session-store-unavailable');
    }
  });

  test('a provider whose keys cannot be had is 503 for bearers; sessions go on', async () => {
    await it.close();
    it = createTestGate({ bearer: { verify: down('ERR_PROVIDER') } });
    expect((await verify(fromCaddy({ authorization: 'Bearer x' }))).status).toBe(503);
    expect((await verify(fromCaddy({ cookie: await signIn() }))).status).toBe(204);
  });

  test('a provider that is asked and does not answer is 503, and its stamp says so', async () => {
    await it.close();
    it = createTestGate({ bearer: { verify: async () => down('ERR_PROVIDER')() } });
    const headers = fromCaddy({ authorization: 'Bearer x' });
    const res = await verify(headers);
    expect(res.status).toBe(503);
    const stamp = it.open(res.headers['signet-stamp'], headers['x-request-id']);
    expect(stamp?.reason).toBe('provider-unavailable');
  });

  test('what goes wrong while somebody is asked is 503, and told', async () => {
    await it.close();
    it = createTestGate({ bearer: { verify: () => Promise.reject(new TypeError('a mistake')) } });
    expect((await verify(fromCaddy({ authorization: 'Bearer x' }))).status).toBe(503);
    expect(it.errors).toHaveLength(1);
  });

  test('whatever can be waited for is waited for: it is never a caller itself', async () => {
    await it.close();
    const refused = Promise.resolve({ refused: 'token-expired' as const });
    const thenable = { then: refused.then.bind(refused) } as typeof refused;
    it = createTestGate({ bearer: { verify: () => thenable } });
    expect((await verify(fromCaddy({ authorization: 'Bearer x' }))).status).toBe(401);
  });

  test.each([
    ['post', '/verify?route=orders&require=any'],
    ['get', '/VERIFY?route=orders&require=any'],
    ['get', '/verify/?route=orders&require=any'],
    ['get', '//verify?route=orders&require=any'],
    ['get', '/verify%3Froute=orders&require=any'],
  ] as const)('%s %s is no question, whoever asks', async (method, target) => {
    const res = await request(it.app)
      [method](target)
      .set(fromCaddy({ cookie: await signIn() }));
    expect(res.status).toBe(404);
    expect(res.headers).not.toHaveProperty('remote-user');
  });

  test('whatever else goes wrong inside is 503, and told', async () => {
    await it.close();
    const find = () => {
      throw new TypeError('a mistake of ours');
    };
    it = createTestGate({ sessions: { find } });
    expect((await verify(fromCaddy({ cookie: '__Host-signet=x' }))).status).toBe(503);
    expect(it.errors).toHaveLength(1);
  });

  test('an answer that cannot be written is broken off, and told: nobody waits for the rest of it', async () => {
    const subject = 'control\u0001character';
    await it.close();
    it = createTestGate({
      bearer: { verify: async () => identity({ method: 'bearer', type: subject as 'human' }) },
    });
    const asked = verify(fromCaddy({ authorization: 'Bearer x' }));
    await expect(asked).rejects.toThrow('socket hang up');
    expect(it.errors).toHaveLength(1);
  });

  test.each([
    'x-request-id',
    'x-forwarded-method',
    'x-forwarded-proto',
    'x-forwarded-host',
    'x-forwarded-uri',
    'x-forwarded-for',
  ])('case 7: without Caddy’s %s nothing is decided', async (name) => {
    const res = await verify(fromCaddy({ cookie: await signIn(), [name]: undefined }));
    expect(res.status).toBe(400);
    expect(res.headers).not.toHaveProperty('remote-user');
  });

  test('a request id that is no UUID is not Caddy’s', async () => {
    const res = await verify(fromCaddy({ cookie: await signIn(), 'x-request-id': 'x'.repeat(36) }));
    expect(res.status).toBe(400);
  });

  test('case 7: over TCP only the shared key opens, whatever else is claimed', async () => {
    await it.close();
    it = createTestGate({ sharedKey: secret('k'.repeat(32)) });
    const cookie = await signIn();
    for (const key of [undefined, '', 'k', 'k'.repeat(33)]) {
      const res = await verify(fromCaddy({ cookie, 'signet-key': key }));
      expect(res.status).toBe(403);
      expect(res.headers).not.toHaveProperty('remote-user');
    }
    expect((await verify(fromCaddy({ cookie, 'signet-key': 'k'.repeat(32) }))).status).toBe(204);
  });

  test('case 7: over TCP the pages, too, open to the shared key only', async () => {
    await it.close();
    it = createTestGate({ sharedKey: secret('k'.repeat(32)) });
    for (const [key, status] of [
      [undefined, 403],
      ['k', 403],
      ['k'.repeat(32), 404],
    ] as const) {
      const headers = fromCaddy({ 'signet-key': key });
      const res = await request(it.app).get('/.signet/nothing').set(headers);
      expect(res.status).toBe(status);
    }
  });
});

test('case 52: the second decision about one request says that it supersedes the first', async () => {
  const headers = fromCaddy({ cookie: await signIn() });
  const [first, second] = [await verify(headers), await verify(headers)];
  const opened = [first, second].map((res) =>
    it.open(res.headers['signet-stamp'], headers['x-request-id']),
  );
  expect(opened.map((stamp) => stamp?.gate.number)).toEqual([1, 2]);
  expect(opened.map((stamp) => stamp?.gate.supersedes)).toEqual([undefined, 1]);
});

test('answers of Signet’s own are stamped, too: a path that is not there as well', async () => {
  const headers = fromCaddy();
  const res = await request(it.app).get('/.signet/nothing').set(headers);
  expect(res.status).toBe(404);
  expect(it.open(res.headers['signet-stamp'], headers['x-request-id'])).toMatchObject({
    route: 'signet',
    decision: 'none',
    reason: 'signet',
  });
});
