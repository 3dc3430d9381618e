// Bounds on tokens, claims, sessions and on what providers answer, each tried below, at and above. All bounds:
// test/fixtures/limits.ts.
import { createSecretKey, randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import express from 'express';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { ResponseBodyError } from 'openid-client';
import {
  backChannelLogout,
  MAX_LOGOUT_BODY_BYTES,
  MAX_LOGOUT_READS,
  MAX_LOGOUTS_AT_ONCE,
} from '../../sidecar/http/back-channel-logout.ts';
import { createFormReader } from '../../sidecar/http/form-body.ts';
import type { Visit } from '../../sidecar/http/visit.ts';
import { createIssuerTokens, MAX_CACHED_TOKENS } from '../../sidecar/identity/bearer-tokens.ts';
import { MAX_OPAQUE_CHARS, MAX_TOKEN_CHARS } from '../../sidecar/identity/bearer.ts';
import { createBoundedFetch, MAX_ANSWER_BYTES } from '../../sidecar/identity/bounded-fetch.ts';
import { DEFAULT_CLAIM_NAMES, identityFromClaims } from '../../sidecar/identity/claims.ts';
import { createHandOver, MAX_SEALED_CHARS } from '../../sidecar/identity/hand-over.ts';
import { identityHeaders, MAX_GROUPS_BYTES } from '../../sidecar/identity/headers.ts';
import {
  actorDepth,
  MAX_ACTOR_DEPTH,
  MAX_CLAIM_CHARS,
  MAX_LIST_ITEMS,
} from '../../sidecar/identity/identity.ts';
import { KEPT_FOR_KNOWN, MAX_ASKED, MAX_REFUSED } from '../../sidecar/identity/introspection.ts';
import { createKeySource, MAX_KEYS } from '../../sidecar/identity/jwks.ts';
import { createLogoutTokens, MAX_LOGOUT_TOKEN_CHARS } from '../../sidecar/identity/logout-token.ts';
import { createOnce, MAX_REMEMBERED } from '../../sidecar/identity/once.ts';
import {
  MAX_DESCRIPTION_CHARS,
  MAX_ERROR_CHARS,
  tokenErrorIn,
} from '../../sidecar/identity/token-error.ts';
import { secret } from '../../sidecar/secret.ts';
import { createLine, MAX_WAITING } from '../../sidecar/sessions/store-line.ts';
import type { Sessions } from '../../sidecar/sessions/sessions.ts';
import { createBearer } from '../fixtures/bearer.ts';
import { identity } from '../fixtures/identities.ts';
import { postedForm } from '../fixtures/posted.ts';
import { until } from '../fixtures/until.ts';

const around = (limit: number) => [limit - 1, limit, limit + 1] as const;
const ISSUER = 'https://idp.example';
const NOW_MS = 1_800_000_000_000;
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** An issuer that is asked about opaque tokens: what it says of each, and how many questions there were. */
function asked(say: () => object | Promise<object>) {
  let [questions, nowMs] = [0, NOW_MS];
  const fetch = async (url: string) => {
    if (url.includes('.well-known')) {
      return Response.json({ issuer: ISSUER, introspection_endpoint: `${ISSUER}/introspect` });
    }
    questions++;
    return Response.json(await say());
  };
  const bearer = createBearer({
    issuers: [
      {
        ...{ name: 'main', issuer: ISSUER, audiences: ['api'] },
        introspection: { clientId: 'signet', clientSecret: secret('x') },
      },
    ],
    ...{ fetch, now: () => nowMs },
  });
  return { bearer, questions: () => questions, pass: (ms: number) => void (nowMs += ms) };
}

const ACTIVE = { active: true, iss: ISSUER, aud: 'api', sub: 'alice', exp: NOW_MS / 1000 + 3600 };

describe('a bearer token', () => {
  test('of more than MAX_TOKEN_CHARS is malformed, whatever it says', async () => {
    const { bearer } = asked(() => ACTIVE);
    const token = `${part({ alg: 'RS256' })}.${part({ iss: 'https://other.example' })}.`;
    const reasons = around(MAX_TOKEN_CHARS).map(async (chars) =>
      bearer.verify(token + 'x'.repeat(chars - token.length)),
    );
    expect(await Promise.all(reasons)).toEqual([
      { refused: 'token-issuer' },
      { refused: 'token-issuer' },
      { refused: 'token-malformed' },
    ]);
  });

  test('that is opaque and of more than MAX_OPAQUE_CHARS is not asked about', async () => {
    const { bearer, questions } = asked(() => ACTIVE);
    for (const chars of around(MAX_OPAQUE_CHARS)) await bearer.verify('x'.repeat(chars));
    expect(questions()).toBe(2);
  });

  test('is not asked about while MAX_ASKED others are, of which KEPT_FOR_KNOWN are for known ones', async () => {
    const held = Promise.withResolvers<object>();
    let answer: object | Promise<object> = ACTIVE;
    const { bearer, questions, pass } = asked(() => answer);
    const known = Array.from({ length: KEPT_FOR_KNOWN + 1 }, (_, index) => `known-${index}`);
    for (const token of known) await bearer.verify(token);
    pass(31_000); // they no longer hold
    answer = held.promise;
    const before = questions();
    const outcomes: (string | undefined)[] = [];
    const ask = (token: string) =>
      void Promise.resolve(bearer.verify(token)).catch((error: { code: string }) =>
        outcomes.push(error.code),
      );
    for (let index = 0; index < MAX_ASKED - KEPT_FOR_KNOWN + 1; index++) ask(`new-${index}`);
    known.forEach(ask);
    await until('those within the bound are asked about', () => questions() - before === MAX_ASKED);
    await until('two are refused', () => outcomes.length === 2);
    held.resolve(ACTIVE);
    expect(outcomes).toEqual(['ERR_PROVIDER', 'ERR_PROVIDER']);
  });

  test('that was refused is remembered with MAX_REFUSED others at most', async () => {
    const { bearer } = asked(() => ({ active: false }));
    const isKept = (index: number) => !(bearer.verify(`token-${index}`) instanceof Promise);
    for (let index = 0; index < MAX_REFUSED; index++) await bearer.verify(`token-${index}`);
    expect([isKept(0), isKept(MAX_REFUSED - 1)]).toEqual([true, true]);
    await bearer.verify(`token-${MAX_REFUSED}`);
    expect([isKept(1), isKept(MAX_REFUSED), isKept(0)]).toEqual([true, true, false]);
  });

  test('that was verified is kept with MAX_CACHED_TOKENS others at most', () => {
    const known = around(MAX_CACHED_TOKENS).map((count) => {
      const issuer = { name: 'main', issuer: ISSUER, audiences: ['api'] };
      const { verified } = createIssuerTokens({ issuer, now: () => NOW_MS });
      for (let index = 0; index < count; index++) verified.remember(`${index}`, identity());
      return ['0', '1'].map((key) => verified.of(key) !== undefined);
    });
    expect(known).toEqual([
      [true, true],
      [true, true],
      [false, true],
    ]);
  });
});

describe('of claims', () => {
  const read = (claims: Record<string, unknown>) =>
    identityFromClaims(claims, {
      ...{ issuer: ISSUER, method: 'bearer', names: DEFAULT_CLAIM_NAMES, expiresAtMs: 1e15 },
    });

  test('one of more than MAX_CLAIM_CHARS is left out, and without sub there is nobody', () => {
    const teams = around(MAX_CLAIM_CHARS).map((chars) =>
      read({ sub: 'a', team: 'x'.repeat(chars) }),
    );
    expect(teams.map((one) => 'team' in one)).toEqual([true, true, false]);
    const subjects = around(MAX_CLAIM_CHARS).map((chars) => read({ sub: 'x'.repeat(chars) }));
    expect(subjects.map((one) => 'refused' in one)).toEqual([false, false, true]);
  });

  test('a list has MAX_LIST_ITEMS at most', () => {
    const lists = around(MAX_LIST_ITEMS).map((count) => {
      const items = Array.from({ length: count }, (_, index) => `i${index}`);
      const made = read({ sub: 'a', groups: items, roles: items, scope: items.join(' ') });
      return 'refused' in made
        ? []
        : [made.groups, made.roles, made.scopes].map(({ length }) => length);
    });
    expect(lists).toEqual([199, 200, 200].map((count) => [count, count, count]));
  });

  test('a chain of more than MAX_ACTOR_DEPTH actors is refused, never cut', () => {
    const chain = (depth: number): unknown =>
      depth === 0 ? undefined : { sub: 'robot', act: chain(depth - 1) };
    const made = around(MAX_ACTOR_DEPTH).map((depth) => read({ sub: 'a', act: chain(depth) }));
    expect(made.map((one) => ('refused' in one ? one.refused : actorDepth(one)))).toEqual([
      3,
      4,
      'token-claims',
    ]);
  });

  test('Remote-Groups has MAX_GROUPS_BYTES at most, of whole groups', () => {
    const lengths = around(MAX_GROUPS_BYTES).map((bytes) => {
      const headers = identityHeaders(identity({ groups: ['g', 'x'.repeat(bytes - 2)] }));
      return headers[headers.indexOf('Remote-Groups') + 1]?.length;
    });
    expect(lengths).toEqual([MAX_GROUPS_BYTES - 1, MAX_GROUPS_BYTES, 1]);
  });
});

describe('of what a provider posts', () => {
  test('a logout token of more than MAX_LOGOUT_TOKEN_CHARS is malformed', async () => {
    const tokens = createLogoutTokens({
      ...{ issuer: ISSUER, clientId: 'signet', now: () => NOW_MS },
      keys: { verify: () => Promise.reject(new Error('its signature is asked for')) },
    });
    const token = `${part({ alg: 'RS256' })}.${part({ iss: 'https://other.example' })}.`;
    const verified = around(MAX_LOGOUT_TOKEN_CHARS).map((chars) =>
      tokens.verify(token + 'x'.repeat(chars - token.length)),
    );
    expect(await Promise.all(verified)).toMatchObject([
      { refused: 'token-issuer' },
      { refused: 'token-issuer' },
      { refused: 'token-malformed' },
    ]);
  });

  const bounds = {
    ...{ maxBytes: MAX_LOGOUT_BODY_BYTES, timeoutMs: 60_000, maxAtOnce: MAX_LOGOUT_READS },
    maxByAddress: 1,
  };

  test('a body of more than MAX_LOGOUT_BODY_BYTES is no form', async () => {
    const read = createFormReader(bounds);
    const forms = around(MAX_LOGOUT_BODY_BYTES).map((bytes, index) =>
      read(postedForm([Buffer.alloc(bytes, 'x')]), `192.0.2.${index}`),
    );
    expect((await Promise.all(forms)).map((form) => typeof form)).toEqual([
      'object',
      'object',
      'undefined',
    ]);
  });

  test('while MAX_LOGOUT_READS are read, the next is told to come again', async () => {
    const read = createFormReader(bounds);
    const open = Array.from({ length: MAX_LOGOUT_READS }, () => postedForm([], true));
    const reading = open.map((one, index) => read(one, `client-${index}`));
    expect(await read(postedForm([]), 'the next')).toBe('busy');
    open[0]?.push(null);
    expect(await reading[0]).toBeInstanceOf(URLSearchParams);
    expect(await read(postedForm([]), 'the next')).toBeInstanceOf(URLSearchParams);
    open.slice(1).forEach((one) => one.push(null));
    await Promise.all(reading);
  });

  test('while MAX_LOGOUTS_AT_ONCE are verified, the next is a 503', async () => {
    const held = Promise.withResolvers<{ refused: 'token-malformed'; detail: string }>();
    let verifying = 0;
    const verify = () => (verifying++, held.promise);
    // Nothing is ended in this test: all tokens are refused.
    const answer = backChannelLogout(new Map([['', { verify, forget: () => {} }]]), {} as Sessions);
    const app = express().post(
      '/',
      (req, res) => void answer({ req, res, tell: () => {} } as unknown as Visit, ''),
    );
    const server = app.listen(0, '127.0.0.1');
    await until('it listens', () => server.listening);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const post = (index: number) => {
      const headers = { 'x-forwarded-for': `client-${index}` };
      return fetch(url, {
        method: 'POST',
        headers,
        body: new URLSearchParams({ logout_token: 'x' }),
      });
    };
    const posts = Array.from({ length: MAX_LOGOUTS_AT_ONCE }, (_, index) => post(index));
    await until('all are being verified', () => verifying === MAX_LOGOUTS_AT_ONCE);
    expect((await post(MAX_LOGOUTS_AT_ONCE)).status).toBe(503);
    held.resolve({ refused: 'token-malformed', detail: 'of this test' });
    const statuses = (await Promise.all(posts)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([400]));
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});

test('what counts once is remembered with MAX_REMEMBERED others at most', () => {
  const known = around(MAX_REMEMBERED).map((count) => {
    const once = createOnce(new Map(), () => 0);
    for (let index = 0; index < count; index++) once.add(`state-${index}`, 1_000);
    return [once.has('state-0'), once.has('state-1')];
  });
  expect(known).toEqual([
    [true, true],
    [true, true],
    [false, true],
  ]);
});

test('a question between hosts of more than MAX_SEALED_CHARS is not opened', () => {
  // base64url has no length of a multiple of four and one: the next above is two longer.
  const opened = [MAX_SEALED_CHARS - 1, MAX_SEALED_CHARS, MAX_SEALED_CHARS + 2].map((chars) => {
    for (let length = 500; ; length++) {
      const host = `${'h'.repeat(length)}.example`;
      const handOver = createHandOver({
        ...{ keys: [createSecretKey(Buffer.alloc(32, 1))], now: () => NOW_MS },
        ...{ central: 'login.example', hosts: [host] },
      });
      const begun = handOver.begin({ host, scheme: 'https', cookies: undefined, returnTo: '/' });
      const sealed = /state%3D([\w-]+)/.exec(begun.redirectTo)?.[1] ?? '';
      if (sealed.length < chars) continue;
      expect(sealed.length).toBe(chars);
      const place = { host: 'login.example', scheme: 'https', cookies: undefined } as const;
      return 'redirectTo' in handOver.give(place, sealed, randomBytes(32).toString('base64url'));
    }
  });
  expect(opened).toEqual([true, true, false]);
});

describe('of what a provider answers', () => {
  test('more than MAX_ANSWER_BYTES is a fault', async () => {
    const answers = around(MAX_ANSWER_BYTES).map(async (bytes) => {
      const fetch = createBoundedFetch(() => Promise.resolve(new Response(Buffer.alloc(bytes))));
      return fetch(ISSUER).then(
        async (answer) => (await answer.arrayBuffer()).byteLength,
        (error: { code: string }) => error.code,
      );
    });
    expect(await Promise.all(answers)).toEqual([
      MAX_ANSWER_BYTES - 1,
      MAX_ANSWER_BYTES,
      'ERR_PROVIDER',
    ]);
  });

  test('more than MAX_KEYS are no keys', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const jwk = await exportJWK(publicKey);
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: 'ES256', kid: '0' })
      .sign(privateKey);
    const verified = around(MAX_KEYS).map(async (count) => {
      const keys = Array.from({ length: count }, (_, index) => ({ ...jwk, kid: `${index}` }));
      const fetch = async (url: string) =>
        Response.json(
          url.endsWith('/jwks') ? { keys } : { issuer: ISSUER, jwks_uri: `${ISSUER}/jwks` },
        );
      const source = createKeySource({ issuer: ISSUER, fetch, now: () => NOW_MS });
      return source.verify(token, {}).then(
        () => 'verified',
        () => source.state().problem,
      );
    });
    const problem = expect.stringContaining(`more than ${MAX_KEYS} keys`);
    expect(await Promise.all(verified)).toEqual(['verified', 'verified', problem]);
  });

  test('an error is cut at MAX_ERROR_CHARS, its description at MAX_DESCRIPTION_CHARS', async () => {
    const told = async (chars: number) => {
      const cause = { error: 'x'.repeat(chars), error_description: 'x'.repeat(chars) };
      const response = Response.json(cause, { status: 400 });
      return tokenErrorIn(new ResponseBodyError('refused', { cause, response }), []);
    };
    const errors = await Promise.all(around(MAX_ERROR_CHARS).map(told));
    expect(errors.map((one) => one?.error.at(-1))).toEqual(['x', 'x', '…']);
    expect(errors.map((one) => one?.error.length)).toEqual([63, 64, 64]);
    const descriptions = await Promise.all(around(MAX_DESCRIPTION_CHARS).map(told));
    expect(descriptions.map((one) => one?.description?.at(-1))).toEqual(['x', 'x', '…']);
    expect(descriptions.map((one) => one?.description?.length)).toEqual([299, 300, 300]);
  });
});

test('while MAX_WAITING wait for a locked store, the next is told at once', async () => {
  const locked = Object.assign(new Error('locked'), { cause: { errcode: 5 } });
  let isLocked = true;
  const line = createLine();
  const act = () => {
    if (isLocked) throw locked;
    return 'done';
  };
  const waiting = Array.from({ length: MAX_WAITING }, async () => line.run(act));
  await expect(line.run(act)).rejects.toBe(locked);
  isLocked = false;
  line.close();
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['done']));
});
