// Opaque tokens, a row per clause of RFC 7662, at an issuer that is wrong in one thing at a time.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import type { Bearer, BearerIssuer } from '../../sidecar/identity/bearer.ts';
import { createBearer } from '../fixtures/bearer.ts';
import { secret } from '../../sidecar/secret.ts';
import {
  startIntrospectionIssuer,
  type IntrospectionIssuer,
} from '../fixtures/introspection-endpoint.ts';
import { until } from '../fixtures/until.ts';

const AUDIENCE = 'https://orders.example.com';
const START_MS = 1_800_000_000_000;
const CACHE_MS = 30_000;
let wire: IntrospectionIssuer;
let nowMs: number;
let bearer: Bearer;

beforeEach(async () => {
  nowMs = START_MS;
  wire = await startIntrospectionIssuer(() => ({
    iss: wire.issuer,
    aud: AUDIENCE,
    sub: 'alice',
    client_id: 'web',
    exp: START_MS / 1_000 + 300,
  }));
  bearer = bearerOf({});
});
afterEach(() => wire.stop());

const issuerOf = (changes: Partial<BearerIssuer>): BearerIssuer => ({
  name: 'main',
  issuer: wire.issuer,
  audiences: [AUDIENCE],
  introspection: { clientId: 'orders-api', clientSecret: secret('s:e cret+'), cacheMs: CACHE_MS },
  ...changes,
});

function bearerOf(...issuers: Partial<BearerIssuer>[]): Bearer {
  return createBearer({ issuers: issuers.map(issuerOf), now: () => nowMs });
}

const status =
  (code: number, body = '', headers = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(code, headers).end(body);

describe('the question', () => {
  test('is a form with the token, and the client in the header, each half encoded (RFC 6749 2.3.1)', async () => {
    expect(await bearer.verify('opaque-1')).toMatchObject({
      ...{ issuer: wire.issuer, provider: 'main', subject: 'alice', method: 'bearer' },
      ...{ type: 'human', expiresAtMs: START_MS + 300_000 },
    });
    const [{ form, authorization } = { form: [], authorization: '' }] = wire.questions;
    expect([...form]).toEqual([
      ['token', 'opaque-1'],
      ['token_type_hint', 'access_token'],
    ]);
    const basic = Buffer.from(authorization.replace('Basic ', ''), 'base64').toString();
    expect(basic).toBe('orders-api:s%3Ae+cret%2B');
  });

  test('has the client in the form where the issuer takes it only there', async () => {
    wire.say({
      metadata: { introspection_endpoint_auth_methods_supported: ['client_secret_post'] },
    });
    await bearer.verify('opaque-1');
    const [question] = wire.questions;
    expect(question?.authorization).toBe('');
    expect(question?.form.get('client_id')).toBe('orders-api');
    expect(question?.form.get('client_secret')).toBe('s:e cret+');
  });
});

describe('each thing that can be wrong is refused for its own reason', () => {
  const nowSeconds = START_MS / 1_000;
  test.each<[string, string, Record<string, unknown>]>([
    ['token-inactive', 'active is false', { active: false }],
    ['token-inactive', 'active is the text "true"', { active: 'true' }],
    ['token-inactive', 'active is 1', { active: 1 }],
    ['token-inactive', 'active is missing', { active: undefined }],
    ['token-issuer', 'the iss of another', { iss: 'https://evil.example' }],
    ['token-issuer', 'an iss that is no text', { iss: null }],
    ['token-audience', 'another audience', { aud: 'other' }],
    ['token-audience', 'no audience', { aud: undefined }],
    ['token-audience', 'an audience that only contains ours', { aud: `${AUDIENCE}/more` }],
    ['token-claims', 'no exp', { exp: undefined }],
    ['token-claims', 'an exp that is a text', { exp: String(nowSeconds + 300) }],
    ['token-claims', 'an nbf that is a text', { nbf: String(nowSeconds) }],
    ['token-claims', 'no sub', { sub: undefined }],
    ['token-claims', 'an act that names nobody', { act: {} }],
    ['token-expired', 'an exp in the past', { exp: nowSeconds - 5 }],
    ['token-not-yet-valid', 'an nbf in the future', { nbf: nowSeconds + 6 }],
    ['token-type', 'a refresh token', { token_type: 'refresh_token' }],
    ['token-type', 'a token_type that is no text', { token_type: null }],
    ['token-type', 'a refresh token as Keycloak writes it', { typ: 'Refresh' }],
    ['token-type', 'a refresh token as Ory Hydra writes it', { token_use: 'refresh_token' }],
    ['token-type', 'a refresh token in small letters', { typ: 'refresh' }],
    ['token-type', 'a token of Keycloak’s for one action', { typ: 'reset-credentials' }],
    ['token-type', 'a token of no type', { token_type: 'N_A' }],
    ['token-type', 'an ID token by its token_use', { token_use: 'ID' }],
    ['token-type', 'a refresh token by its type', { type: 'refresh' }],
    ['token-type', 'an ID token by its nonce', { nonce: 'n' }],
    ['token-bound', 'a token bound to a key by its type', { token_type: 'DPoP' }],
    ['token-bound', 'a token bound to a key as Keycloak writes it', { typ: 'DPoP' }],
    ['token-bound', 'a token bound to a key by cnf', { cnf: { jkt: 'thumb' } }],
  ])('%s: %s', async (reason, _name, claims) => {
    wire.say({ claims });
    expect(await bearer.verify('opaque-1')).toEqual({ refused: reason });
  });

  test.each<[string, Record<string, unknown>]>([
    ['no iss', { iss: undefined }],
    ['several audiences, one of them ours', { aud: ['other', AUDIENCE] }],
    ['no token_type', { token_type: undefined }],
    ['the token_type in lower case', { token_type: 'bearer' }],
    ['the token_type that Salesforce writes', { token_type: 'access_token' }],
    ['an access token as Keycloak writes it', { typ: 'Bearer' }],
    ['an access token as Ory Hydra writes it', { token_use: 'access_token' }],
    ['an exp within the tolerance', { exp: nowSeconds - 4 }],
    ['an nbf within the tolerance', { nbf: nowSeconds + 5 }],
  ])('accepted is %s', async (_name, claims) => {
    wire.say({ claims });
    expect(await bearer.verify('opaque-1')).toMatchObject({ subject: 'alice' });
  });
});

describe('what is no fault of the token is a Fault, and shown in state()', () => {
  test.each<[string, (response: ServerResponse) => void]>([
    ['answers 500', status(500)],
    ['answers 204', status(204)],
    ['answers 201 with an active token', status(201, '{"active":true}')],
    ['redirects', status(302, '', { location: '/elsewhere' })],
    ['answers with HTML', status(200, '<html>')],
    ['answers with a list', status(200, '[{"active":true}]')],
    ['answers with null', status(200, 'null')],
    ['closes the connection', (response) => void response.destroy()],
    [
      'breaks off',
      (response) => void response.writeHead(200).write('{"acti', () => response.destroy()),
    ],
  ])('an issuer that %s', async (_name, answer) => {
    wire.say({ answer });
    await expect(bearer.verify('opaque-1')).rejects.toMatchObject({ code: 'ERR_PROVIDER' });
    expect(bearer.state().ready).toBe(false);
    wire.say({});
    expect(await bearer.verify('opaque-1')).toMatchObject({ subject: 'alice' });
    expect(bearer.state()).toEqual({ ready: true });
  });

  test('an issuer that answers with a gigabyte, of which hardly any is read', async () => {
    let written = 0;
    const pour = (response: ServerResponse): void => {
      const piece = 'x'.repeat(65_536);
      while (!response.destroyed && written < 2 ** 30) {
        written += piece.length;
        if (!response.write(piece)) return void response.once('drain', () => pour(response));
      }
    };
    wire.say({ answer: pour });
    await expect(bearer.verify('opaque-1')).rejects.toThrow(/more than 1048576 bytes/);
    expect(written).toBeLessThan(2 ** 26);
  });

  test('an issuer that does not answer within two seconds', async () => {
    const release = wire.hold();
    await expect(bearer.verify('opaque-1')).rejects.toThrow(/within 2000 ms/);
    release();
  });

  test.each([
    ['401', status(401)],
    ['403', status(403)],
    ['400 invalid_client', status(400, '{"error":"invalid_client"}')],
  ])(
    'an issuer that refuses our client by %s: the token is not called inactive',
    async (_, answer) => {
      wire.say({ answer });
      await expect(bearer.verify('opaque-1')).rejects.toMatchObject({ code: 'ERR_PROVIDER' });
      expect(bearer.state()).toEqual({
        ready: false,
        problem: expect.stringMatching(/refuses this client .*client_id and the client's secret/),
      });
    },
  );

  test.each([400, 404, 429])(
    'but a %d that a token brings about says nothing of the issuer: it is still ready',
    async (code) => {
      await bearer.verify('opaque-1');
      wire.say({ answer: status(code, '{"error":"invalid_request"}') });
      await expect(bearer.verify('junk')).rejects.toMatchObject({ code: 'ERR_PROVIDER' });
      expect(bearer.state()).toEqual({ ready: true });
    },
  );

  test('nor does it heal: an issuer that was down is not ready by a 404', async () => {
    wire.say({ answer: status(500) });
    await expect(bearer.verify('opaque-1')).rejects.toThrow();
    wire.say({ answer: status(404) });
    await expect(bearer.verify('opaque-1')).rejects.toThrow();
    expect(bearer.state().ready).toBe(false);
  });

  test('without an endpoint in the metadata nobody can be asked', async () => {
    wire.say({ metadata: { introspection_endpoint: undefined } });
    await expect(bearer.verify('opaque-1')).rejects.toMatchObject({ code: 'ERR_PROVIDER' });
    expect(bearer.state().problem).toContain('introspection_endpoint');
  });

  test('neither the token nor the secret stands in the problem', async () => {
    wire.say({ answer: status(401, '{"error":"opaque-1 s:e cret+"}') });
    await expect(bearer.verify('opaque-1')).rejects.toThrow();
    expect(bearer.state().problem).not.toMatch(/opaque-1|s:e cret/);
  });
});

describe('what was answered is remembered', () => {
  test('a token that was asked about is answered at once, with the same object', async () => {
    const first = await bearer.verify('opaque-1');
    nowMs += CACHE_MS - 1;
    expect(bearer.verify('opaque-1')).toBe(first);
    expect(wire.questions).toHaveLength(1);
  });

  test('a token that is revoked is refused within cacheMs', async () => {
    await bearer.verify('opaque-1');
    wire.say({ claims: { active: false } });
    nowMs += CACHE_MS;
    expect(await bearer.verify('opaque-1')).toEqual({ refused: 'token-inactive' });
  });

  test('the time runs from the question, not from its answer', async () => {
    const release = wire.hold();
    const answer = bearer.verify('opaque-1');
    await until('it is asked', () => wire.questions.length === 1);
    nowMs += 2_000;
    release();
    await answer;
    nowMs += CACHE_MS - 2_000;
    await bearer.verify('opaque-1');
    expect(wire.questions).toHaveLength(2);
  });

  test('a token that ends sooner is not kept beyond its end', async () => {
    wire.say({ claims: { exp: START_MS / 1_000 + 10 } });
    await bearer.verify('opaque-1');
    nowMs += 16_000;
    expect(await bearer.verify('opaque-1')).toEqual({ refused: 'token-expired' });
  });

  test('an unknown token is asked about again after five seconds, not before', async () => {
    wire.say({ claims: { active: false } });
    await bearer.verify('opaque-1');
    wire.say({});
    nowMs += 4_999;
    expect(bearer.verify('opaque-1')).toEqual({ refused: 'token-inactive' });
    nowMs += 1;
    expect(await bearer.verify('opaque-1')).toMatchObject({ subject: 'alice' });
  });

  test('a cache of no time keeps nothing', async () => {
    const introspection = { clientId: 'orders-api', clientSecret: secret('s'), cacheMs: 0 };
    const strict = bearerOf({ introspection });
    await strict.verify('opaque-1');
    await strict.verify('opaque-1');
    expect(wire.questions).toHaveLength(2);
  });

  test('a clock that is set back by a day makes nothing hold for a day', async () => {
    await bearer.verify('opaque-1');
    nowMs -= 86_400_000;
    await bearer.verify('opaque-1');
    expect(wire.questions).toHaveLength(2);
  });

  test('a failure is not: the next one asks again', async () => {
    wire.say({ answer: status(500) });
    await expect(bearer.verify('opaque-1')).rejects.toThrow();
    wire.say({});
    expect(await bearer.verify('opaque-1')).toMatchObject({ subject: 'alice' });
  });
});

describe('many at once', () => {
  test('the same token fifty times: one question, one identity', async () => {
    const all = await Promise.all(
      Array.from({ length: 50 }, async () => bearer.verify('opaque-1')),
    );
    expect(wire.questions).toHaveLength(1);
    expect(new Set(all).size).toBe(1);
  });

  const toCode = (one: ReturnType<Bearer['verify']>) =>
    Promise.resolve(one).then(
      (answer) => ('refused' in answer ? answer.refused : answer.subject),
      (error: { code?: string }) => error.code,
    );
  const made = (up: string, length: number) =>
    Array.from({ length }, (_, i) => toCode(bearer.verify(`${up}-${i}`)));

  test('a thousand unknown tokens: 48 questions, and a Fault for the others, at once', async () => {
    const release = wire.hold();
    const settled = made('made-up', 1_000);
    const refused = await Promise.all(settled.slice(48));
    expect(new Set(refused)).toEqual(new Set(['ERR_PROVIDER']));
    await until('48 are asked', () => wire.questions.length === 48);
    release();
    expect(new Set(await Promise.all(settled.slice(0, 48)))).toEqual(new Set(['alice']));
    expect(wire.questions).toHaveLength(48);
  });

  test('beside them 16 tokens that were active before are asked about, and no more', async () => {
    await Promise.all(made('known', 20));
    nowMs += CACHE_MS;
    const release = wire.hold();
    const unknown = made('made-up', 100);
    const known = made('known', 20);
    await until('64 are asked', () => wire.questions.length === 20 + 64);
    release();
    const answers = await Promise.all(known);
    expect(answers.slice(0, 16)).toEqual(Array.from({ length: 16 }, () => 'alice'));
    expect(new Set(answers.slice(16))).toEqual(new Set(['ERR_PROVIDER']));
    await Promise.all(unknown);
  });

  test('a token that was active and was revoked has no place of its own any more', async () => {
    await bearer.verify('known-0');
    nowMs += CACHE_MS;
    wire.say({ claims: { active: false } });
    expect(await bearer.verify('known-0')).toEqual({ refused: 'token-inactive' });
    nowMs += CACHE_MS;
    const release = wire.hold();
    const all = [...made('made-up', 48), toCode(bearer.verify('known-0'))];
    await until('48 are asked', () => wire.questions.length === 2 + 48);
    release();
    expect((await Promise.all(all)).at(-1)).toBe('ERR_PROVIDER');
    expect(wire.questions).toHaveLength(2 + 48);
  });

  test('tokens of different users asked about at once: nobody gets the other’s identity', async () => {
    wire.say({
      answer: (response) => {
        const sub = wire.questions.at(-1)?.form.get('token');
        const claims = { active: true, aud: AUDIENCE, exp: START_MS / 1_000 + 300, sub };
        response.end(JSON.stringify(claims));
      },
    });
    const tokens = Array.from({ length: 48 }, (_, i) => `user-${i}`);
    const told = await Promise.all(tokens.map(async (token) => bearer.verify(token)));
    expect(told.map((who) => ('subject' in who ? who.subject : who.refused))).toEqual(tokens);
  });
});

describe('a token is shown to nobody whom it was not meant for', () => {
  const client = (tokenPrefix?: string) => ({
    clientId: 'orders-api',
    clientSecret: secret('s'),
    ...(tokenPrefix !== undefined && { tokenPrefix }),
  });
  let other: IntrospectionIssuer;
  beforeEach(async () => {
    other = await startIntrospectionIssuer(() => ({ aud: AUDIENCE, sub: 'eve', exp: 4e9 }));
  });
  afterEach(() => other.stop());
  const asked = () => [wire.questions.length, other.questions.length];

  test('of several issuers the one whose prefix it has is asked', async () => {
    const two = bearerOf(
      { introspection: client('a_') },
      { name: 'other', issuer: other.issuer, introspection: client('b_') },
    );
    expect(await two.verify('b_1')).toMatchObject({ subject: 'eve', provider: 'other' });
    expect(asked()).toEqual([0, 1]);
    expect(two.verify('c_1')).toEqual({ refused: 'token-issuer' });
    expect(asked()).toEqual([0, 1]);
  });

  test('where two prefixes fit, or one issuer of several has none, nobody is asked', () => {
    const unclear = bearerOf(
      { introspection: client('a_') },
      { name: 'other', issuer: other.issuer, introspection: client('a_b_') },
    );
    expect(unclear.verify('a_b_1')).toEqual({ refused: 'token-issuer' });
    const without = bearerOf(
      { introspection: client() },
      { name: 'other', issuer: other.issuer, introspection: client('b_') },
    );
    expect(without.verify('a_1')).toEqual({ refused: 'token-issuer' });
    expect(asked()).toEqual([0, 0]);
  });

  const jwt = (header: string) => `${Buffer.from(header).toString('base64url')}.e30.sig`;
  test.each([
    ['a JWT of a foreign issuer', jwt('{"alg":"RS256"}')],
    ['a JWT whose header is broken', jwt('{"alg":"RS2')],
    ['a JWT whose header has spaces', jwt(' { "alg":"none"}')],
    ['an encrypted JWT', `${jwt('{"alg":"dir","enc":"A256GCM"}')}.e30.tag`],
    ['a token with a space in it', 'opaque 1'],
    ['a token with a line break in it', 'opaque\r\n1'],
    ['a token with characters beyond ASCII', 'opäque'],
    ['a token of 5,000 characters', 'x'.repeat(5_000)],
    ['no token', ''],
  ])('%s is shown to nobody', async (_name, token) => {
    expect(await bearer.verify(token)).toHaveProperty('refused');
    expect(wire.questions).toHaveLength(0);
  });

  test('an opaque token with dots in it is one all the same', async () => {
    expect(await bearer.verify('ory.at.1')).toMatchObject({ subject: 'alice' });
  });

  test('where nobody is configured to be asked, it is malformed', () => {
    const { introspection: _, ...plain } = issuerOf({});
    const none = createBearer({ issuers: [plain], now: () => nowMs });
    expect(none.verify('opaque-1')).toEqual({ refused: 'token-malformed' });
  });
});
