// The signed assertion, as an app sees it that knows nothing of Signet but two URLs: RFC 7515, 7517, 7519,
// 7638, 8037 and 8693, read by jose. What the gate and Caddy do with it is tested elsewhere.
import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import express from 'express';
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  createRemoteJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  jwtVerify,
  type JWTVerifyOptions,
} from 'jose';
import { JWKS_PATH, jwks } from '../../sidecar/http/jwks.ts';
import type { SignInOutcome } from '../../sidecar/http/visit.ts';
import {
  ASSERTION_TYPE,
  createAssertions,
  MAX_ASSERTION_BYTES,
  type Assertions,
} from '../../sidecar/identity/assertion.ts';
import { MAX_ROLES_BYTES } from '../../sidecar/identity/assertion-claims.ts';
import { createBearer } from '../fixtures/bearer.ts';
import type { Actor, Identity } from '../../sidecar/identity/identity.ts';
import { identity } from '../fixtures/identities.ts';

const START_MS = 1_800_000_000_000;
const START = START_MS / 1000;

let nowMs: number;
let ring: KeyObject[];
let issuer: string;
let assertions: Assertions;
let outcomes: SignInOutcome[];
let server: Server;

beforeEach(async () => {
  nowMs = START_MS;
  ring = [newKey()];
  outcomes = [];
  const app = express().disable('etag');
  app.get(JWKS_PATH, (_req, res) =>
    jwks(assertions)({ res, tell: (outcome) => outcomes.push(outcome) }),
  );
  // What a site has that is an issuer, too; Signet has it not.
  app.get('/.well-known/openid-configuration', (_req, res) =>
    res.json({ issuer, jwks_uri: `${issuer}${JWKS_PATH}` }),
  );
  server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  assertions = createAssertions({ keys: () => ring, issuer, now: () => nowMs });
});
afterEach(async () => {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
});

function newKey(): KeyObject {
  return createSecretKey(randomBytes(32));
}

/** Returns an assertion that must be there. */
function assertionOf(who: Identity, route: string, by = assertions): string {
  const text = by.of(who, route);
  if (text === undefined) throw new Error('there is no assertion');
  return text;
}

type Keys = ReturnType<typeof createRemoteJWKSet> | ReturnType<typeof createLocalJWKSet>;

/** What an app does: it knows the issuer, its own route, the type and the algorithm. */
function verify(text: string, changes: JWTVerifyOptions = {}, keys: Keys = remoteKeys()) {
  const expected = { issuer, audience: 'orders', typ: ASSERTION_TYPE, algorithms: ['EdDSA'] };
  return jwtVerify(text, keys, { ...expected, currentDate: new Date(nowMs), ...changes });
}

const remoteKeys = () => createRemoteJWKSet(new URL(issuer + JWKS_PATH));
const localKeys = () =>
  createLocalJWKSet({ keys: assertions.jwks().keys.map((key) => ({ ...key })) });

describe('an app verifies it', () => {
  test('with the keys that it fetches (jose’s createRemoteJWKSet)', async () => {
    const { payload } = await verify(assertionOf(identity(), 'orders'));
    expect(payload.sub).toBe('alice-subject');
  });

  test('with the keys that it was given (jose’s createLocalJWKSet)', async () => {
    const { payload } = await verify(assertionOf(identity(), 'orders'), {}, localKeys());
    expect(payload['user']).toBe('alice');
  });

  const refused: [string, JWTVerifyOptions, string][] = [
    [
      'as another route’s (RFC 7519 4.1.3)',
      { audience: 'admin' },
      'ERR_JWT_CLAIM_VALIDATION_FAILED',
    ],
    ['as another site’s (4.1.1)', { issuer: 'https://other' }, 'ERR_JWT_CLAIM_VALIDATION_FAILED'],
    ['as an access token (RFC 9068 2.1)', { typ: 'at+jwt' }, 'ERR_JWT_CLAIM_VALIDATION_FAILED'],
    ['as a plain JWT', { typ: 'JWT' }, 'ERR_JWT_CLAIM_VALIDATION_FAILED'],
    ['at its end (4.1.4)', { currentDate: new Date(START_MS + 300_000) }, 'ERR_JWT_EXPIRED'],
  ];
  test.each(refused)('but not %s', async (_name, changes, code) => {
    const text = assertionOf(identity(), 'orders');
    await expect(verify(text, changes)).rejects.toMatchObject({ code });
  });

  test('but not when a claim was altered (RFC 7515 5.2)', async () => {
    const [header, payload = '', signature] = assertionOf(identity(), 'orders').split('.');
    const claims = Buffer.from(payload, 'base64url').toString().replace('"alice"', '"admin"');
    const altered = `${header}.${Buffer.from(claims).toString('base64url')}.${signature}`;
    expect(decodeJwt(altered)['user']).toBe('admin');
    await expect(verify(altered)).rejects.toThrow(errors.JWSSignatureVerificationFailed);
  });

  test('but not when another key ring signed it, though it says the same', async () => {
    const other = createAssertions({ keys: () => [newKey()], issuer, now: () => nowMs });
    const forged = assertionOf(identity(), 'orders', other);
    await expect(verify(forged)).rejects.toThrow(errors.JWKSNoMatchingKey);
  });
});

describe('it says', () => {
  test('who is calling, for which route, and until when; nothing of the token or the session', () => {
    const secret = { sessionHash: 'f'.repeat(16), email: 'alice@example.com', groups: ['staff'] };
    const text = assertionOf(identity({ ...secret, scopes: ['orders'] }), 'orders');
    expect(decodeJwt(text)).toEqual({
      iss: issuer,
      aud: 'orders',
      iat: START,
      exp: START + 300,
      idp_iss: 'https://idp.example',
      sub: 'alice-subject',
      user: 'alice',
      team: 'payments',
      user_type: 'human',
      roles: ['engineer'],
    });
  });

  test('in its header only algorithm, type and the key’s thumbprint (RFC 7515 4.1, 7638)', async () => {
    const [key] = assertions.jwks().keys;
    expect(decodeProtectedHeader(assertionOf(identity(), 'orders'))).toEqual({
      alg: 'EdDSA',
      typ: 'signet+jwt',
      kid: await calculateJwkThumbprint({ ...key }),
    });
  });

  test('who acts on behalf of whom, nested as in RFC 8693 4.1', () => {
    const actor = {
      subject: 'deploy-agent',
      issuer: 'https://agents.example',
      actor: { subject: 'planner' },
    };
    const { sub, act, user_type } = decodeJwt<{ act: unknown; user_type: string }>(
      assertionOf(identity({ type: 'agent', actor }), 'orders'),
    );
    expect({ sub, act, user_type }).toEqual({
      sub: 'alice-subject',
      act: { sub: 'deploy-agent', iss: 'https://agents.example', act: { sub: 'planner' } },
      user_type: 'agent',
    });
  });

  test('no team where none is known', () => {
    const claims = decodeJwt(assertionOf(identity({ team: undefined }), 'orders'));
    expect(Object.keys(claims)).not.toContain('team');
  });

  test('whole roles as long as they fit into a header, and then that some are missing', () => {
    const roles = Array.from({ length: 200 }, (_, at) => `role-${at}-${'ü'.repeat(50)}`);
    const claims = decodeJwt<{ roles: string[]; roles_incomplete?: true }>(
      assertionOf(identity({ roles }), 'orders'),
    );
    expect(claims.roles).toEqual(roles.slice(0, claims.roles.length));
    expect(claims.roles_incomplete).toBe(true);
    const bytes = Buffer.byteLength(claims.roles.join(''));
    expect(bytes).toBeLessThanOrEqual(MAX_ROLES_BYTES);
    expect(bytes).toBeGreaterThan(MAX_ROLES_BYTES - 120);
  });

  test('a name beyond ASCII as it is, in visible ASCII on the wire', async () => {
    const text = assertionOf(identity({ user: 'Jürgen "J" 東京' }), 'orders');
    expect(text).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    expect((await verify(text)).payload['user']).toBe('Jürgen "J" 東京');
  });
});

describe('it is at most 6 KiB long, so that it fits into an app’s headers', () => {
  const long = '漢'.repeat(256); // three bytes each
  const chain = (actors: number): Actor => {
    const one = { subject: long, issuer: long };
    return actors === 1 ? one : { ...one, actor: chain(actors - 1) };
  };
  const quoted = Array.from({ length: 200 }, (_, at) => `${'"'.repeat(9)}${at}`);
  type Claims = { roles: string[]; roles_incomplete?: true; act?: object; act_incomplete?: true };

  function claimsOf(who: Identity): Claims {
    const text = assertionOf(who, 'orders');
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_ASSERTION_BYTES);
    return decodeJwt<Claims>(text);
  }

  /** Returns how many act in the claim. */
  const depthOf = (act: object | undefined): number =>
    act === undefined ? 0 : 1 + depthOf('act' in act ? (act.act as object) : undefined);

  test('of the roles as many are left out as there is no room for, and then the actors are whole', () => {
    const { roles, act, ...marks } = claimsOf(identity({ roles: quoted, actor: chain(2) }));
    expect(depthOf(act)).toBe(2);
    expect(roles).toEqual(quoted.slice(0, roles.length));
    expect(roles.length).toBeGreaterThan(0);
    expect(marks).toMatchObject({ roles_incomplete: true });
    expect(marks).not.toHaveProperty('act_incomplete');
    expect(roles.length).toBeLessThan(claimsOf(identity({ roles: quoted })).roles.length);
  });

  test('without roles, too, the inner actors are left out, and a claim says so', () => {
    const { act, ...marks } = claimsOf(identity({ roles: ['engineer'], actor: chain(4) }));
    expect(act).toMatchObject({ sub: long, iss: long });
    expect(depthOf(act)).toBe(2);
    expect(marks).toMatchObject({ act_incomplete: true, roles: ['engineer'] });
  });

  test('who is calling and who acts now are whole in any case', () => {
    const who = { subject: long, user: long, team: long, roles: quoted, actor: chain(4) };
    const claims = claimsOf(identity(who));
    expect(claims).toMatchObject({ sub: long, user: long, team: long, act_incomplete: true });
    expect(depthOf(claims.act)).toBe(1);
  });

  test('where even that is too long there is none', () => {
    const who = identity({ subject: long, user: long, team: long, issuer: `https://${long}` });
    expect(assertions.of(who, 'orders')).toBeDefined();
    expect(assertions.of({ ...who, actor: chain(1) }, 'orders')).toBeUndefined();
  });

  test('what fits is whole, and nothing says otherwise', () => {
    const claims = claimsOf(identity({ actor: { subject: 'a', actor: { subject: 'b' } } }));
    expect(depthOf(claims.act)).toBe(2);
    expect(Object.keys(claims)).not.toContain('act_incomplete');
    expect(Object.keys(claims)).not.toContain('roles_incomplete');
  });
});

describe('it lives', () => {
  test('for all requests of a caller to a route, until a minute before its end', () => {
    const alice = identity();
    const first = assertionOf(alice, 'orders');
    nowMs = START_MS + 239_999;
    expect(assertionOf(alice, 'orders')).toBe(first);
    nowMs = START_MS + 240_000;
    expect(decodeJwt(assertionOf(alice, 'orders'))).toMatchObject({
      iat: START + 240,
      exp: START + 540,
    });
  });

  test('never longer than what proves the caller', async () => {
    const ending = identity({ expiresAtMs: START_MS + 20_500 });
    expect(decodeJwt(assertionOf(ending, 'orders')).exp).toBe(START + 20);
    // Before it ends, the same end again, and no assertion that is over when it arrives.
    nowMs = START_MS + 19_000;
    await verify(assertionOf(ending, 'orders'));
  });

  test('five seconds at least, where a token is still accepted within the tolerance of clocks', async () => {
    const ended = identity({ expiresAtMs: START_MS - 4_000 });
    expect(decodeJwt(assertionOf(ended, 'orders')).exp).toBe(START + 5);
    await verify(assertionOf(ended, 'orders'));
  });

  test('no longer than a clock that is set back: none comes from the future', () => {
    const alice = identity();
    assertionOf(alice, 'orders');
    nowMs = START_MS - 60_000;
    expect(decodeJwt(assertionOf(alice, 'orders')).iat).toBe(START - 60);
  });

  test('apart for each route and each caller', () => {
    const [alice, bob] = [identity(), identity({ user: 'bob' })];
    const read = (who: Identity, route: string) => decodeJwt(assertionOf(who, route));
    expect(read(alice, 'orders')).toMatchObject({ user: 'alice', aud: 'orders' });
    expect(read(alice, 'admin')).toMatchObject({ user: 'alice', aud: 'admin' });
    expect(read(bob, 'orders')).toMatchObject({ user: 'bob', aud: 'orders' });
  });
});

test('what is kept of a caller is bounded: of more routes than a Caddyfile has, the first are made anew', () => {
  const alice = identity();
  for (let at = 0; at <= 64; at++) assertionOf(alice, `route-${at}`);
  nowMs += 1_000;
  expect(decodeJwt(assertionOf(alice, 'route-64')).iat).toBe(START);
  expect(decodeJwt(assertionOf(alice, 'route-0')).iat).toBe(START + 1);
});

describe('when keys change', () => {
  test('a key that stands behind the first is published and does not sign', async () => {
    ring.push(newKey());
    const text = assertionOf(identity(), 'orders');
    const { keys } = assertions.jwks();
    expect(keys).toHaveLength(2);
    expect(decodeProtectedHeader(text).kid).toBe(keys[0]?.kid);
    await verify(text);
  });

  test('after the second became the first, an app that fetched before verifies old and new', async () => {
    ring.push(newKey());
    const keys = remoteKeys();
    const alice = identity();
    const before = assertionOf(alice, 'orders');
    await verify(before, {}, keys);
    ring = ring.toReversed();
    const after = assertionOf(alice, 'orders');
    expect(after).not.toBe(before);
    await verify(after, {}, keys);
    await verify(before, {}, keys);
    expect(outcomes).toHaveLength(1);
  });

  test('a key that was taken out is not published, and what it signed not handed out', async () => {
    const alice = identity();
    const before = assertionOf(alice, 'orders');
    ring = [newKey()];
    await expect(verify(before)).rejects.toThrow(errors.JWKSNoMatchingKey);
    await verify(assertionOf(alice, 'orders'));
  });

  test('a ring without a key is told as such', () => {
    ring = [];
    expect(() => assertionOf(identity(), 'orders')).toThrow('there is no key to sign with');
  });
});

describe('the keys', () => {
  test('are public, told as such, and may be kept for five minutes', async () => {
    const answer = await fetch(issuer + JWKS_PATH);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/jwk-set+json');
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300');
    expect(answer.headers.get('set-cookie')).toBeNull();
    expect(outcomes).toEqual([{ decision: 'none', reason: 'signet' }]);
  });

  test('hold nothing but what RFC 8037 2 makes public', async () => {
    const { keys } = (await (await fetch(issuer + JWKS_PATH)).json()) as { keys: object[] };
    expect(keys).toHaveLength(1);
    expect(Object.keys(keys[0]!).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
    expect(JSON.stringify(keys)).not.toContain(ring[0]!.export().toString('base64url'));
  });
});

test('as a bearer token of a site that trusts itself as an issuer it is refused', async () => {
  const bearer = createBearer({
    issuers: [{ name: 'self', issuer, audiences: ['orders'] }],
    now: () => nowMs,
  });
  const text = assertionOf(identity(), 'orders');
  expect(await bearer.verify(text)).toEqual({ refused: 'token-type' });
});

test('as a bearer token of a site that does not know its issuer it is refused', async () => {
  const bearer = createBearer({
    issuers: [{ name: 'idp', issuer: 'https://idp.example', audiences: ['orders'] }],
    now: () => nowMs,
  });
  const text = assertionOf(identity(), 'orders');
  expect(await bearer.verify(text)).toEqual({ refused: 'token-issuer' });
});
