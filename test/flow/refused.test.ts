// What a refused client is told by the gate's surface: enough for a page's own script to recover, in RFC 6750's words,
// and for people in their language.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import request from 'supertest';
import { createTestGate, fromCaddy, type TestGate } from '../fixtures/gate.ts';
import { identity } from '../fixtures/identities.ts';

const SCOPES = ['a'];
const bearer = {
  verify: (token: string) =>
    token === 'good'
      ? identity({ method: 'bearer', scopes: SCOPES, groupsIncomplete: true })
      : { refused: 'token-expired' as const },
};

let it: TestGate;
beforeEach(() => {
  it = createTestGate({ bearer });
});
afterEach(() => it.close());

const verify = (require: string, headers: Record<string, string> = {}) =>
  request(it.app).get(`/verify?route=orders&require=${require}`).set(fromCaddy(headers));
const good = { authorization: 'Bearer good' };
const navigation = { ...good, 'sec-fetch-mode': 'navigate' };

test('without credentials: a challenge without an error, and where a person can sign in', async () => {
  const { status, headers, body } = await verify('any', { 'sec-fetch-mode': 'cors' });
  expect(status).toBe(401);
  expect(headers['www-authenticate']).toBe('Bearer realm="signet"');
  const signIn = '/.signet/login?return=%2F.signet%2Fsigned-in';
  expect(headers['link']).toBe(`<${signIn}>; rel="authenticate"`);
  expect(body.sign_in).toBe(signIn);
});

test('with a token that does not hold: the error, and no sign-in, which would not help a program', async () => {
  const { status, headers, body } = await verify('any', { authorization: 'Bearer old' });
  expect(status).toBe(401);
  expect(headers['www-authenticate']).toBe('Bearer realm="signet", error="invalid_token"');
  expect(headers).not.toHaveProperty('link');
  expect(body).not.toHaveProperty('sign_in');
});

test.each([
  ['scope:b', ', scope="b"'],
  ['scope:b+scope:c', ', scope="b c"'],
  ['scope:b,c', ''],
  ['scope:b%20%22', ''],
])(
  'a token without the scope of %s is told which one it takes, where that can be said',
  async (require, scope) => {
    const { status, headers } = await verify(require, good);
    expect(status).toBe(403);
    expect(headers['www-authenticate']).toBe(
      `Bearer realm="signet", error="insufficient_scope"${scope}`,
    );
  },
);

test('groups that the provider left out are named, to programs and to people', async () => {
  const program = await verify('role:other', good);
  expect(program.body.detail).toContain('groups overage');
  const person = await verify('role:other', navigation);
  expect(person.text).toContain('left your groups out');
});

test('a page is in the language that the browser prefers, an answer to a program never', async () => {
  const german = { 'accept-language': 'de-DE,de;q=0.9,en;q=0.8' };
  const page = await verify('role:nobody', { ...navigation, ...german });
  expect(page.headers['content-language']).toBe('de');
  expect(page.text).toContain('Sie haben keinen Zugriff auf diese Seite');
  expect((await verify('role:nobody', { ...good, ...german })).body.title).toBe('Not allowed');
});
