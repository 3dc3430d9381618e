// An agent on its way through Signet, and a browser's preflight: the same words in the app's headers, in
// baggage, stamp, row, spans, `/me` and `signet audit show`.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import express from 'express';
import request from 'supertest';
import { me } from '../../sidecar/http/me.ts';
import { createBearer } from '../fixtures/bearer.ts';
import type { RequestHeaders } from '../../sidecar/request.ts';
import { formatTree } from '../../sidecar/report/tree.ts';
import { spansOf } from '../../sidecar/trace/spans.ts';
import { CHAIN } from '../fixtures/databases.ts';
import { createTestGate, fromCaddy, type TestGate } from '../fixtures/gate.ts';
import { identity } from '../fixtures/identities.ts';
import { startProvider, type TestProvider } from '../fixtures/provider.ts';
import { aRow, aStoredRow } from '../fixtures/rows.ts';

const AUDIENCE = 'https://orders.example.com';
const WORDS = 'review-agent for deploy-agent on behalf of alice';
let provider: TestProvider;
let it: TestGate;
let authorization: string;

beforeAll(async () => {
  const redirectUris = ['https://app.example.com/.signet/callback'];
  provider = await startProvider({ redirectUris, audience: AUDIENCE });
  const issuers = [{ name: 'main', issuer: provider.issuer, audiences: [AUDIENCE] }];
  it = createTestGate({ bearer: createBearer({ issuers, now: Date.now }) });
  const agents = ['deploy-agent', 'review-agent'];
  authorization = `Bearer ${await provider.delegatedToken('alice', agents, 'jwt')}`;
});
afterAll(async () => {
  await it.close();
  await provider.stop();
});

function verify(headers: Record<string, string>, requirement: string) {
  return request(it.app).get(`/verify?route=orders&require=${requirement}`).set(headers);
}

function askMe(headers: Record<string, string>) {
  const app = express().get('/me', (req, res) => {
    const place = { requestId: 'r', host: 'h', scheme: 'https', cookies: undefined } as const;
    const identify = () => it.gate.identify(req.headers as RequestHeaders);
    return me({ req, res, place, tell: () => {} }, identify);
  });
  return request(app).get('/me').set(headers);
}

/** Returns the caller as the row has it. */
async function stamped() {
  const headers = fromCaddy({ authorization });
  const answer = await verify(headers, 'team:payments+actors:2');
  return it.open(answer.headers['signet-stamp'], headers['x-request-id'])?.identity;
}

describe('two agents, one through the other, on behalf of alice', () => {
  test('are told to the app: the user, that it is an agent, which one, and how many there are', async () => {
    const answer = await verify(fromCaddy({ authorization }), 'team:payments+actors:2');
    expect(answer.status).toBe(204);
    expect(answer.headers).toMatchObject({
      'remote-user': 'alice',
      'remote-user-type': 'agent',
      baggage:
        'user.id=alice,team=payments,user_type=agent,signet.actor.subject=review-agent,signet.actor.depth=2',
    });
  });

  test('cannot be spoken for by what they send along', async () => {
    const theirs = { baggage: 'signet.actor.depth=0,signet.actor.subject=alice,keep=1' };
    const answer = await verify(fromCaddy({ authorization, ...theirs }), 'any');
    expect(answer.headers['baggage']).toMatch(/,signet\.actor\.depth=2,keep=1$/);
    expect(answer.headers['baggage']?.match(/signet\.actor/g)).toHaveLength(2);
  });

  test.each([
    ['actors:1', 'actors-not-allowed'],
    ['actors:0', 'actors-not-allowed'],
    ['type:human', 'type-not-allowed'],
    ['idp:partners', 'idp-not-allowed'],
  ])(
    'are refused with 403 where %s is asked, for the reason that says so',
    async (text, reason) => {
      const headers = fromCaddy({ authorization });
      const answer = await verify(headers, text);
      const stamp = it.open(answer.headers['signet-stamp'], headers['x-request-id']);
      expect([answer.status, stamp?.reason]).toEqual([403, reason]);
    },
  );

  test('are in the stamp, and so in the row, with the whole chain', async () => {
    expect(await stamped()).toMatchObject({
      ...{ user: 'alice', type: 'agent' },
      actor: { subject: 'review-agent', actor: { subject: 'deploy-agent' } },
    });
  });

  test('are on every span of the row', async () => {
    const row = { ...aRow(), identity: (await stamped())! };
    for (const { attributes } of spansOf(row)) {
      expect(attributes).toMatchObject({
        'user.id': 'alice',
        user_type: 'agent',
        'signet.actor.subject': 'review-agent',
        'signet.actor.depth': 2,
        'signet.actor.chain': WORDS,
      });
    }
  });

  test('are what signet audit show says of the row', async () => {
    const row = { ...aStoredRow({ identity: (await stamped())! }), chain: CHAIN };
    expect(formatTree(row, [])).toMatch(new RegExp(`^Acting +${WORDS}$`, 'm'));
  });

  test('are what /me says, and it shows no token and no scope', async () => {
    const { body } = await askMe({ authorization });
    expect(body).toMatchObject({
      ...{ provider: 'main', user: 'alice', type: 'agent', acting: WORDS },
      actor: { subject: 'review-agent', actor: { subject: 'deploy-agent' } },
    });
    expect(Object.keys(body as object)).not.toEqual(expect.arrayContaining(['scopes']));
  });
});

test('who acts for nobody else has no actor anywhere', async () => {
  const cookie = await it.signIn(identity());
  const answer = await verify(fromCaddy({ cookie }), 'any');
  expect(answer.headers['baggage']).toBe('user.id=alice,team=payments,user_type=human');
  expect(Object.keys(spansOf(aRow())[0]?.attributes ?? {}).join()).not.toContain('actor');
});

test.each<[string, Record<string, string>, RegExp]>([
  ['nobody', {}, /^Bearer(?!.*error)/],
  ['a bad token', { authorization: 'Bearer bad' }, /^Bearer .*error="invalid_token"/],
])('/me answers %s with 401 and the challenge of RFC 6750', async (_name, headers, challenge) => {
  const answer = await askMe(headers);
  expect(answer.status).toBe(401);
  expect(answer.headers['www-authenticate']).toMatch(challenge);
});

describe('a preflight', () => {
  const PREFLIGHT = {
    'x-forwarded-method': 'OPTIONS',
    origin: 'https://spa.example.com',
    'access-control-request-method': 'PUT',
    'sec-fetch-mode': 'cors',
  };

  test('is let through where the requirement says so, and stamped as one', async () => {
    const headers = fromCaddy(PREFLIGHT);
    const answer = await verify(headers, 'team:payments+preflight');
    const stamp = it.open(answer.headers['signet-stamp'], headers['x-request-id']);
    expect([answer.status, stamp?.decision, stamp?.reason]).toEqual([204, 'allow', 'preflight']);
    expect(answer.headers).not.toHaveProperty('remote-user');
  });

  test('is told to the snippet as one, and nothing else is', async () => {
    const told = async (headers: Record<string, string>, requirement: string) =>
      (await verify(fromCaddy(headers), requirement)).headers['signet-preflight'];
    expect(await told({ ...PREFLIGHT, authorization }, 'any+preflight')).toBe('yes');
    expect(await told({ ...PREFLIGHT, authorization }, 'any')).toBeUndefined();
    expect(await told(PREFLIGHT, 'public')).toBeUndefined();
    expect(await told({ authorization }, 'any+preflight')).toBeUndefined();
  });

  test('is 401 where it does not, as any request without credentials', async () => {
    expect((await verify(fromCaddy(PREFLIGHT), 'team:payments')).status).toBe(401);
  });

  test.each<[string, Record<string, string>]>([
    ['another method', { 'x-forwarded-method': 'PUT' }],
    ['the method in lower case', { 'x-forwarded-method': 'options' }],
    ['an empty origin', { origin: '' }],
    ['two origins', { origin: 'https://a.example, https://b.example' }],
    ['an empty asked-for method', { 'access-control-request-method': '' }],
    ['an asked-for method that is none', { 'access-control-request-method': 'PUT, GET' }],
  ])('is none with %s, and opens nothing', async (_name, changes) => {
    const answer = await verify(fromCaddy({ ...PREFLIGHT, ...changes }), 'any+preflight');
    expect(answer.status).toBe(401);
  });

  test.each(['origin', 'access-control-request-method'])('is none without %s', async (name) => {
    const headers = fromCaddy({ ...PREFLIGHT, [name]: undefined });
    expect((await verify(headers, 'any+preflight')).status).toBe(401);
  });
});
