// What is configured for one issuer's JWTs alone: their type, their algorithms, how far the clocks may be
// apart, and what the issuer is called.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { BearerIssuer } from '../../sidecar/identity/bearer.ts';
import { createBearer } from '../fixtures/bearer.ts';
import {
  startMisbehavingProvider,
  type MisbehavingProvider,
} from '../fixtures/misbehaving-provider.ts';

const AUDIENCE = 'https://orders.example.com';
const NOW_MS = 1_800_000_000_999; // a tolerance of whole seconds is not to be off by this one's part
const NOW = Math.floor(NOW_MS / 1_000);
let wire: MisbehavingProvider;
let other: MisbehavingProvider;

beforeAll(async () => {
  [wire, other] = await Promise.all([startMisbehavingProvider(), startMisbehavingProvider()]);
});
afterAll(() => Promise.all([wire.stop(), other.stop()]));

/** Returns what becomes of a token, by the rules of its issuer. */
async function verified(
  rules: Partial<BearerIssuer>,
  { header = {}, claims = {}, algorithm = undefined as 'ES256' | undefined },
  from = wire,
) {
  const issuers: BearerIssuer[] = [
    { name: 'main', issuer: wire.issuer, audiences: [AUDIENCE], ...rules },
    { name: 'other', issuer: other.issuer, audiences: [AUDIENCE] },
  ];
  from.misbehave({ header, ...(algorithm && { algorithm }) });
  const right = { iss: from.issuer, sub: 's', aud: AUDIENCE, exp: NOW + 300 };
  const token = await from.sign({ ...right, ...claims });
  const answer = await createBearer({ issuers, now: () => NOW_MS }).verify(token);
  return 'refused' in answer ? answer.refused : answer.provider;
}

describe('types', () => {
  test.each<[string, readonly string[] | undefined, string | undefined, string]>([
    ['at+jwt by default', undefined, 'at+jwt', 'main'],
    ['JWT by default', undefined, 'JWT', 'main'],
    ['none by default', undefined, undefined, 'main'],
    ['at+jwt where only that will do', ['at+jwt'], 'application/AT+jwt', 'main'],
    ['at+jwt where it is written in full', ['application/at+jwt'], 'at+jwt', 'main'],
    ['both in full, in another case', ['Application/AT+jwt'], 'application/at+jwt', 'main'],
    ['JWT where only application/at+jwt will do', ['application/at+jwt'], 'JWT', 'token-type'],
    ['nothing but application/', undefined, 'application/', 'token-type'],
    ['JWT where only at+jwt will do', ['at+jwt'], 'JWT', 'token-type'],
    ['none where only at+jwt will do', ['at+jwt'], undefined, 'token-type'],
    ['none where it may say nothing', [''], undefined, 'main'],
    ['an empty one where it may say nothing', [''], '', 'token-type'],
    ['JWT where it may say nothing', [''], 'JWT', 'token-type'],
    ['one of the issuer’s own', ['secevent+jwt'], 'secevent+jwt', 'main'],
    ['any where none will do', [], 'JWT', 'token-type'],
  ])('%s', async (_name, types, typ, outcome) => {
    expect(await verified(types ? { types } : {}, { header: { typ } })).toBe(outcome);
  });

  test('are those of the one issuer', async () => {
    const types = ['at+jwt'];
    expect(await verified({ types }, { header: { typ: 'JWT' } }, other)).toBe('other');
  });
});

describe('tolerance', () => {
  test.each<[string, number | undefined, object, string]>([
    ['5 s by default: below', undefined, { exp: NOW - 4 }, 'main'],
    ['5 s by default: at', undefined, { exp: NOW - 5 }, 'token-expired'],
    ['none: before the end', 0, { exp: NOW + 1 }, 'main'],
    ['none: at the end', 0, { exp: NOW }, 'token-expired'],
    ['60 s: below', 60, { exp: NOW - 59 }, 'main'],
    ['60 s: at', 60, { exp: NOW - 60 }, 'token-expired'],
    ['60 s: above', 60, { exp: NOW - 61 }, 'token-expired'],
    ['none: at the begin', 0, { nbf: NOW }, 'main'],
    ['none: before the begin', 0, { nbf: NOW + 1 }, 'token-not-yet-valid'],
    ['60 s: at, before the begin', 60, { nbf: NOW + 60 }, 'main'],
    ['60 s: above, before the begin', 60, { nbf: NOW + 61 }, 'token-not-yet-valid'],
  ])('%s', async (_name, toleranceSeconds, claims, outcome) => {
    const rules = toleranceSeconds === undefined ? {} : { toleranceSeconds };
    expect(await verified(rules, { claims })).toBe(outcome);
  });

  test('is that of the one issuer', async () => {
    const claims = { exp: NOW - 30 };
    expect(await verified({ toleranceSeconds: 60 }, { claims }, other)).toBe('token-expired');
  });
});

describe('algorithms', () => {
  test.each<[string, string[], 'ES256' | undefined, string]>([
    ['RS256 where it is listed', ['RS256'], undefined, 'main'],
    ['ES256 where RS256 is listed', ['RS256'], 'ES256', 'token-algorithm'],
    ['ES256 where both are listed', ['RS256', 'ES256'], 'ES256', 'main'],
    ['any where none is listed', [], undefined, 'token-algorithm'],
  ])('%s', async (_name, algorithms, algorithm, outcome) => {
    expect(await verified({ algorithms }, { algorithm })).toBe(outcome);
  });

  test('are those of the one issuer', async () => {
    expect(await verified({ algorithms: ['ES256'] }, {}, other)).toBe('other');
  });
});

test('a token of one issuer signed with another one’s key is refused', async () => {
  expect(await verified({}, { claims: { iss: wire.issuer } }, other)).toBe('token-signature');
});
