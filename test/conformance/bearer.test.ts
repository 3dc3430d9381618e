// Bearer tokens, a row per clause: RFC 6750, 7515, 7519, 9068, and hostile cases 32-34.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { SignJWT, UnsecuredJWT, exportJWK, exportSPKI, generateKeyPair } from 'jose';
import type { JWTHeaderParameters, JWTPayload } from 'jose';
import type { Bearer } from '../../sidecar/identity/bearer.ts';
import { createBearer } from '../fixtures/bearer.ts';
import type { MisbehavingProvider } from '../fixtures/misbehaving-provider.ts';
import { startMisbehavingProvider } from '../fixtures/misbehaving-provider.ts';

const AUDIENCE = 'https://orders.example.com';
const START_MS = 1_800_000_000_000;
const VERIFIED_MS = 600_000;
const COOL_DOWN_MS = 10_000;
let wire: MisbehavingProvider;
let nowMs: number;
let bearer: Bearer;

beforeAll(async () => {
  wire = await startMisbehavingProvider();
});
afterAll(() => wire.stop());
beforeEach(() => {
  wire.misbehave({});
  wire.requests.length = 0;
  nowMs = START_MS;
  bearer = createBearer({
    issuers: [{ name: 'main', issuer: wire.issuer, audiences: [AUDIENCE] }],
    now: () => nowMs,
  });
});

const claims = (changes: JWTPayload = {}): JWTPayload => ({
  iss: wire.issuer,
  sub: 'client-1',
  client_id: 'client-1',
  aud: AUDIENCE,
  exp: START_MS / 1000 + 300,
  iat: START_MS / 1000,
  ...changes,
});

async function signed(changes: JWTPayload = {}, header: Record<string, unknown> = {}) {
  wire.misbehave({ header: { typ: 'at+jwt', ...header } });
  return wire.sign(claims(changes));
}

/** Returns an `act` claim of so many actors, one within the other. */
const chainOf = (actors: number): object =>
  actors === 1 ? { sub: 'first' } : { sub: `actor-${actors}`, act: chainOf(actors - 1) };

const fetches = (path: string) => wire.requests.filter((request) => request.path === path).length;

describe('a token is accepted', () => {
  const accepted: [string, JWTPayload, Record<string, unknown>][] = [
    ['as at+jwt (RFC 9068 2.1)', {}, {}],
    ['as application/at+jwt', {}, { typ: 'application/AT+JWT' }],
    ['as JWT', {}, { typ: 'JWT' }],
    ['without typ', {}, { typ: undefined }],
    ['for several audiences, one of them ours', { aud: ['other', AUDIENCE] }, {}],
    ['within the tolerance of 5 s after its end', { exp: START_MS / 1000 - 4 }, {}],
    ['within the tolerance of 5 s before its begin', { nbf: START_MS / 1000 + 4 }, {}],
    ['with a jku, an x5u and a jwk, which nobody looks at', {}, { jku: 'http://localhost:1/' }],
    ['as Keycloak writes it', { typ: 'Bearer' }, {}],
    ['as the header writes it, in a claim', { typ: 'application/at+jwt' }, {}],
    ['as Cognito writes it', { token_use: 'access' }, {}],
    ['as Simple JWT writes it', { token_type: 'access' }, {}],
    ['with the type of RFC 6750', { token_type: 'bearer' }, {}],
    ['called so in capitals', { typ: 'BEARER', token_type: 'ACCESS_TOKEN' }, {}],
    ['with a type of something else', { type: 'admin' }, {}],
  ];
  test.each(accepted)('%s', async (_name, changes, header) => {
    expect(await bearer.verify(await signed(changes, header))).toMatchObject({
      subject: 'client-1',
      type: 'service',
      method: 'bearer',
    });
  });
});

// RFC 9068 section 4 wants `aud`; Amazon Cognito's access tokens have `client_id` in its place.
describe('where the issuer names the client in place of the audience', () => {
  beforeEach(() => {
    const issuer = { name: 'main', issuer: wire.issuer, audiences: ['client-1'] };
    const issuers = [{ ...issuer, audienceClaim: 'client_id' }];
    bearer = createBearer({ issuers, now: () => nowMs });
  });
  const none = undefined as unknown as string;

  test.each<[string, JWTPayload]>([
    ['without an audience, of our client', { aud: none }],
    ['with an audience of ours, of another client', { aud: 'client-1', client_id: 'other' }],
  ])('a token is accepted %s', async (_name, changes) => {
    expect(await bearer.verify(await signed(changes))).toMatchObject({ subject: 'client-1' });
  });

  test.each<[string, JWTPayload]>([
    ['another audience, though it is of our client', { aud: 'other' }],
    ['an empty audience', { aud: '' }],
    ['no audience in a list', { aud: [] }],
    ['an audience of null', { aud: null as unknown as string }],
    ['another client', { aud: none, client_id: 'other' }],
    ['no client', { aud: none, client_id: none }],
    ['a client that is no text', { aud: none, client_id: { 'client-1': true } }],
  ])('token-audience: %s', async (_name, changes) => {
    expect(await bearer.verify(await signed(changes))).toEqual({ refused: 'token-audience' });
  });
});

describe('each thing that can be wrong is refused for its own reason', () => {
  const refused: [string, string, JWTPayload, Record<string, unknown>][] = [
    ['token-issuer', 'another issuer', { iss: 'https://evil.example' }, {}],
    ['token-issuer', 'no issuer', { iss: undefined } as unknown as JWTPayload, {}],
    ['token-audience', 'another audience', { aud: 'other' }, {}],
    ['token-audience', 'no audience', { aud: undefined } as unknown as JWTPayload, {}],
    ['token-expired', 'an expired token', { exp: START_MS / 1000 - 6 }, {}],
    ['token-not-yet-valid', 'a token of the future', { nbf: START_MS / 1000 + 6 }, {}],
    ['token-claims', 'no exp', { exp: undefined } as unknown as JWTPayload, {}],
    ['token-claims', 'no sub', { sub: undefined } as unknown as JWTPayload, {}],
    ['token-claims', 'an act that names nobody', { act: 'agent' }, {}],
    ['token-claims', 'a chain of five actors', { act: chainOf(5) }, {}],
    ['token-bound', 'a token bound to a key (RFC 9449 6)', { cnf: { jkt: 'thumb' } }, {}],
    [
      'token-bound',
      'a token bound to a certificate (RFC 8705 3)',
      { cnf: { 'x5t#S256': 'x' } },
      {},
    ],
    ['token-bound', 'a token that is bound to nobody knows what', { cnf: null }, {}],
    ['token-type', 'an ID token as Cognito writes it', { token_use: 'id' }, {}],
    ['token-type', 'an ID token as Cognito could write it, too', { token_use: 'ID' }, {}],
    ['token-type', 'a token of another use', { token_use: 'refresh-token' }, {}],
    ['token-type', 'a token of no use', { token_use: '' }, {}],
    ['token-type', 'a use that is no text', { token_use: ['access'] }, {}],
    ['token-type', 'an assertion of our own for an app', {}, { typ: 'signet+jwt' }],
    ['token-type', 'a typ that is empty', {}, { typ: '' }],
    ['token-type', 'an ID token by its nonce', { nonce: 'n' }, {}],
    ['token-type', 'an ID token by its at_hash', { at_hash: 'h' }, {}],
    ['token-type', 'an ID token by its c_hash', { c_hash: 'h' }, {}],
    ['token-type', 'an ID token as Keycloak writes it', { typ: 'ID' }, {}],
    ['token-type', 'a refresh token as Keycloak writes it', { typ: 'Refresh' }, {}],
    ['token-type', 'a refresh token in small letters', { typ: 'refresh' }, {}],
    ['token-type', 'an offline token as Keycloak writes it', { typ: 'Offline' }, {}],
    ['token-type', 'a serialized ID token of Keycloak’s', { typ: 'Serialized-ID' }, {}],
    ['token-type', 'a token of Keycloak’s for one action', { typ: 'reset-credentials' }, {}],
    ['token-type', 'one to register clients with', { typ: 'RegistrationAccessToken' }, {}],
    ['token-type', 'a typ claim of null', { typ: null }, {}],
    ['token-type', 'a refresh token as Simple JWT writes it', { token_type: 'refresh' }, {}],
    ['token-type', 'a refresh token by its token_type', { token_type: 'refresh_token' }, {}],
    ['token-type', 'a refresh token as Flask-JWT-Extended writes it', { type: 'refresh' }, {}],
    ['token-type', 'an ID token by its type', { type: 'ID_Token' }, {}],
    ['token-bound', 'a token bound to a key as Keycloak writes it', { typ: 'DPoP' }, {}],
    ['token-bound', 'a token bound to a key by its token_type', { token_type: 'dpop' }, {}],
    ['token-type', 'a logout token', { events: {} }, { typ: 'logout+jwt' }],
    ['token-type', 'an unknown typ', {}, { typ: 'dpop+jwt' }],
    ['token-type', 'a typ that is no text', {}, { typ: 1 }],
    ['token-malformed', 'an unknown crit', {}, { crit: ['urn:unknown'], 'urn:unknown': true }],
    ['token-signature', 'an unknown kid', {}, { kid: 'unknown' }],
    ['token-signature', 'a kid that is a path', {}, { kid: '../../etc/passwd' }],
    ['token-signature', 'a kid that is SQL', {}, { kid: "' OR 1=1 --" }],
    ['token-signature', 'a kid that is a URL', {}, { kid: 'http://localhost:1/keys' }],
    ['token-malformed', 'a kid that makes it too long', {}, { kid: 'x'.repeat(20_000) }],
  ];
  test.each(refused)('%s: %s', async (reason, _name, changes, header) => {
    expect(await bearer.verify(await signed(changes, header))).toEqual({ refused: reason });
  });

  test.each(['', '.', '..', 'a.b.c', 'opaque', 'e30.e30.', 'a.b.c.d.e', '\0', '💥'])(
    'token-malformed or token-issuer: %j is no token of ours',
    async (token) => {
      const answer = await bearer.verify(token);
      expect(['token-malformed', 'token-issuer']).toContain('refused' in answer && answer.refused);
    },
  );

  test('token-signature: a key that is not published', async () => {
    wire.misbehave({ foreignKey: true });
    expect(await bearer.verify(await wire.sign(claims()))).toEqual({ refused: 'token-signature' });
  });

  test('token-signature: a key that the token brings with it', async () => {
    const own = await generateKeyPair('RS256', { extractable: true });
    const jwk = await exportJWK(own.publicKey);
    const header = { alg: 'RS256', kid: 'rsa', jwk, jku: `${wire.issuer}/own` };
    const token = await new SignJWT(claims())
      .setProtectedHeader(header as JWTHeaderParameters)
      .sign(own.privateKey);
    expect(await bearer.verify(token)).toEqual({ refused: 'token-signature' });
    expect(fetches('/own')).toBe(0);
  });

  test('token-signature: one bit of the payload was changed', async () => {
    const [header, payload = '', signature] = (await signed()).split('.');
    const other = Buffer.from(payload, 'base64url').toString().replace('client-1', 'client-2');
    const token = [header, Buffer.from(other).toString('base64url'), signature].join('.');
    expect(await bearer.verify(token)).toEqual({ refused: 'token-signature' });
  });

  test('token-signature: an algorithm for another curve than the key', async () => {
    const own = await generateKeyPair('ES384');
    const token = await new SignJWT(claims())
      .setProtectedHeader({ alg: 'ES384', kid: 'ec' })
      .sign(own.privateKey);
    expect(await bearer.verify(token)).toEqual({ refused: 'token-signature' });
  });

  test.each(['none', 'nOnE', 'NONE'])('token-algorithm: %s', async (alg) => {
    const header = Buffer.from(JSON.stringify({ alg })).toString('base64url');
    const token = new UnsecuredJWT(claims()).encode().replace(/^[^.]*/, header);
    expect(await bearer.verify(token)).toEqual({ refused: 'token-algorithm' });
  });

  test('token-algorithm: HS256 with the public key as its secret', async () => {
    const { publicKey } = await generateKeyPair('RS256', { extractable: true });
    const token = await new SignJWT(claims())
      .setProtectedHeader({ alg: 'HS256', kid: 'rsa' })
      .sign(Buffer.from(await exportSPKI(publicKey)));
    expect(await bearer.verify(token)).toEqual({ refused: 'token-algorithm' });
  });

  test('token-algorithm: one that this issuer was not configured with', async () => {
    const issuers = [
      { name: 'main', issuer: wire.issuer, audiences: [AUDIENCE], algorithms: ['ES256'] },
    ];
    const strict = createBearer({ issuers, now: () => nowMs });
    expect(await strict.verify(await signed())).toEqual({ refused: 'token-algorithm' });
  });
});

describe('what was verified is remembered', () => {
  test('a token seen before is answered at once, with the same object', async () => {
    const token = await signed();
    const [first, second] = await Promise.all([bearer.verify(token), bearer.verify(token)]);
    expect(second).toBe(first);
    expect(bearer.verify(token)).toBe(first);
  });

  test('a remembered token is refused once it has expired', async () => {
    const token = await signed();
    await bearer.verify(token);
    nowMs += 306_000;
    expect(await bearer.verify(token)).toEqual({ refused: 'token-expired' });
  });

  const lasting = () => signed({ exp: START_MS / 1000 + 10 * 365 * 86_400 });

  test('for ten minutes: then it is verified again, and stays the same object', async () => {
    const token = await lasting();
    const first = await bearer.verify(token);
    nowMs += VERIFIED_MS - 1;
    expect(bearer.verify(token)).toBe(first);
    nowMs += 1;
    const again = bearer.verify(token);
    expect(again).toBeInstanceOf(Promise);
    expect(await again).toBe(first);
    expect(bearer.verify(token)).toBe(first);
  });

  describe('until its key is withdrawn', () => {
    let own: MisbehavingProvider;
    let token: string;
    let late: string;
    beforeEach(async () => {
      own = await startMisbehavingProvider();
      const issuers = [{ name: 'own', issuer: own.issuer, audiences: [AUDIENCE] }];
      bearer = createBearer({ issuers, now: () => nowMs });
      const lastingOf = (sub: string) =>
        own.sign(claims({ iss: own.issuer, sub, exp: START_MS / 1000 + 86_400 }));
      [token, late] = await Promise.all([lastingOf('client-1'), lastingOf('client-2')]);
      await bearer.verify(token);
      await own.rotateKey('next');
    });
    afterEach(() => own.stop());

    test('then it is refused, also where nobody came for an hour', async () => {
      nowMs += 3_600_000;
      expect(await bearer.verify(token)).toEqual({ refused: 'token-signature' });
      expect(await bearer.verify(token)).toEqual({ refused: 'token-signature' });
    });

    test('then it is refused within half an hour, however the times fall', async () => {
      nowMs += VERIFIED_MS - 1; // the keys are not yet due
      expect(await bearer.verify(late)).toHaveProperty('subject');
      const answers: unknown[] = [];
      for (let minute = 10; minute < 30; minute++) {
        nowMs += 60_000;
        answers.push(await bearer.verify(late));
      }
      expect(answers[8]).toHaveProperty('subject');
      expect(answers.at(-1)).toEqual({ refused: 'token-signature' });
    });
  });

  test('while its issuer is down for a day, and no longer', async () => {
    const token = await lasting();
    const first = await bearer.verify(token);
    wire.misbehave({ jwks: (response) => void response.writeHead(500).end() });
    nowMs += 86_399_999;
    expect(await bearer.verify(token)).toBe(first);
    nowMs += VERIFIED_MS;
    await expect(bearer.verify(token)).rejects.toMatchObject({ code: 'ERR_PROVIDER' });
  });

  test('not beyond a clock that is set back', async () => {
    const token = await lasting();
    await bearer.verify(token);
    nowMs -= 1;
    expect(bearer.verify(token)).toBeInstanceOf(Promise);
  });

  test('no more tokens are kept than maxCached', async () => {
    const issuers = [{ name: 'main', issuer: wire.issuer, audiences: [AUDIENCE] }];
    const small = createBearer({ issuers, now: () => nowMs, maxCached: 1 });
    const token = await signed();
    await small.verify(token);
    await small.verify(await signed({ sub: 'client-2' }));
    expect(small.verify(token)).toBeInstanceOf(Promise);
  });
});

describe('keys', () => {
  test('a thousand unknown kids cause at most one fetch in 10 s', async () => {
    await bearer.verify(await signed());
    nowMs += COOL_DOWN_MS;
    const unknown = (index: number) => signed({}, { kid: `unknown-${index}` });
    for (let index = 0; index < 1_000; index++) await bearer.verify(await unknown(index));
    expect(fetches('/jwks')).toBe(2);
  });

  test('a new key is found by its kid after the cool-down', async () => {
    wire.misbehave({ keysWithoutKid: 1 });
    expect(await bearer.verify(await wire.sign(claims()))).toMatchObject({ subject: 'client-1' });
    nowMs += COOL_DOWN_MS;
    expect(await bearer.verify(await signed())).toMatchObject({ subject: 'client-1' });
  });

  describe('a token that names no key', () => {
    let own: MisbehavingProvider;
    const unnamed = () => own.sign(claims({ iss: own.issuer }));
    const keyFetches = () => own.requests.filter(({ path }) => path === '/jwks').length;
    beforeEach(async () => {
      own = await startMisbehavingProvider({ keysWithoutKid: 1 });
      const issuers = [{ name: 'own', issuer: own.issuer, audiences: [AUDIENCE] }];
      bearer = createBearer({ issuers, now: () => nowMs });
      await bearer.verify(await unnamed());
    });
    afterEach(() => own.stop());

    test('is accepted though the issuer has changed its only key, after the cool-down', async () => {
      await own.rotateKey('next');
      const token = await unnamed();
      expect(await bearer.verify(token)).toEqual({ refused: 'token-signature' });
      nowMs += COOL_DOWN_MS;
      expect(await bearer.verify(token)).toMatchObject({ subject: 'client-1' });
    });

    test('and is forged causes at most one fetch in 10 s', async () => {
      own.misbehave({ keysWithoutKid: 1, foreignKey: true });
      nowMs += COOL_DOWN_MS;
      for (let index = 0; index < 100; index++) {
        expect(await bearer.verify(await unnamed())).toEqual({ refused: 'token-signature' });
      }
      expect(keyFetches()).toBe(2);
    });
  });

  test('a kid that is unknown while the issuer is down is no fault of the token', async () => {
    await bearer.verify(await signed());
    const unknown = await signed({}, { kid: 'next' });
    wire.misbehave({ jwks: (response) => void response.writeHead(500).end() });
    nowMs += COOL_DOWN_MS;
    for (const laterMs of [0, 1_000]) {
      nowMs += laterMs;
      await expect(bearer.verify(unknown)).rejects.toMatchObject({ code: 'ERR_PROVIDER' });
    }
    expect(fetches('/jwks')).toBe(2);
    expect(await bearer.verify(await wire.sign(claims()))).toMatchObject({ subject: 'client-1' });
    wire.misbehave({});
    nowMs += COOL_DOWN_MS;
    expect(await bearer.verify(unknown)).toEqual({ refused: 'token-signature' });
  });

  test('the last good keys go on being used while the issuer is down', async () => {
    await bearer.verify(await signed());
    wire.misbehave({ jwks: (response) => void response.writeHead(500).end() });
    nowMs += 700_000;
    const later = claims({ exp: nowMs / 1000 + 60 });
    expect(await bearer.verify(await wire.sign(later))).toMatchObject({ subject: 'client-1' });
  });

  test('keys of more than a day ago are not', async () => {
    await bearer.verify(await signed());
    wire.misbehave({ jwks: (response) => void response.writeHead(500).end() });
    nowMs += 86_400_000;
    const token = await wire.sign(claims({ exp: nowMs / 1000 + 60 }));
    await expect(bearer.verify(token)).rejects.toMatchObject({ code: 'ERR_PROVIDER' });
  });

  const broken = {
    'answers 500': { jwks: (response) => void response.writeHead(500).end() },
    'redirects elsewhere': {
      jwks: (response) => void response.writeHead(302, { location: '/other' }).end(),
    },
    'is no JSON': { jwks: (response) => void response.end('<html>') },
    'is of another issuer': { metadata: { issuer: 'https://evil.example' } },
    'is on plain HTTP elsewhere': { metadata: { jwks_uri: 'http://192.0.2.1/jwks' } },
  } satisfies Record<string, Parameters<MisbehavingProvider['misbehave']>[0]>;
  test.each(Object.entries(broken))(
    'without keys it is a fault, shown in state(): an issuer whose key set %s',
    async (_name, wrong) => {
      const token = await signed();
      wire.misbehave(wrong);
      await expect(bearer.verify(token)).rejects.toMatchObject({ code: 'ERR_PROVIDER' });
      expect(bearer.state().ready).toBe(false);
      expect(fetches('/other')).toBe(0);
    },
  );

  test('an issuer that was down is asked again after a second, not before', async () => {
    const token = await signed();
    wire.misbehave({ jwks: (response) => void response.writeHead(500).end() });
    await expect(bearer.verify(token)).rejects.toThrow();
    wire.misbehave({});
    await expect(bearer.verify(token)).rejects.toThrow();
    expect(fetches('/jwks')).toBe(1);
    nowMs += 1_000;
    expect(await bearer.verify(token)).toMatchObject({ subject: 'client-1' });
    expect(bearer.state()).toEqual({ ready: true });
  });
});
