// What is made of an issuer's answer about an opaque token, whatever it holds.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { BearerIssuer } from '../../sidecar/identity/bearer.ts';
import { judgeIntrospected } from '../../sidecar/identity/introspected.ts';

const NOW = 1_800_000_000;
const ISSUER: BearerIssuer = {
  name: 'main',
  issuer: 'https://id.example',
  audiences: ['https://orders.example.com'],
};

const judge = (claims: Record<string, unknown>) => judgeIntrospected(claims, ISSUER, NOW * 1_000);
const odd = fc.constantFrom<unknown>(
  undefined,
  null,
  true,
  'true',
  1,
  '',
  'x',
  [],
  {},
  NaN,
  Infinity,
);
const near = <T>(right: T) => fc.oneof({ weight: 4, arbitrary: fc.constant<unknown>(right) }, odd);
const answer = fc.record(
  {
    active: near(true),
    iss: near(ISSUER.issuer),
    aud: fc.oneof(near(ISSUER.audiences[0]), fc.array(near(ISSUER.audiences[0]))),
    sub: near('alice'),
    exp: fc.oneof(near(NOW + 60), fc.integer({ min: NOW - 20, max: NOW + 20 })),
    nbf: fc.oneof(near(NOW - 60), fc.integer({ min: NOW - 20, max: NOW + 20 })),
    token_type: near('Bearer'),
    cnf: fc.constantFrom<unknown>(undefined, undefined, null, {}),
    act: fc.constantFrom<unknown>(undefined, undefined, null, { sub: 'bot' }),
  },
  { requiredKeys: [] },
);

test('nothing makes it throw, and it accepts only what is active, ours, of now, unbound and somebody’s', () => {
  let accepted = 0;
  fc.assert(
    fc.property(answer, (claims) => {
      const verified = judge(claims);
      if ('refused' in verified) return;
      accepted += 1;
      const { active, iss, aud, sub, exp, nbf, token_type: type } = claims;
      expect(active).toBe(true);
      expect([undefined, ISSUER.issuer]).toContain(iss);
      expect([aud].flat()).toContain(ISSUER.audiences[0]);
      expect(verified.subject).toBe(sub);
      expect(Number(exp)).toBeGreaterThan(NOW - 5);
      expect(typeof nbf === 'number' ? nbf : NOW).toBeLessThanOrEqual(NOW + 5);
      expect([undefined, 'Bearer']).toContain(type);
      expect(claims.cnf).toBeUndefined();
      expect(verified.actor?.subject).toBe(claims.act === undefined ? undefined : 'bot');
    }),
    { numRuns: 2_000 },
  );
  expect(accepted).toBeGreaterThan(20);
});

test('what stands in for the audience does so in an answer, too, and only where there is none', () => {
  const issuer = { ...ISSUER, audiences: ['client-1'], audienceClaim: 'client_id' };
  const of = (more: object) =>
    judgeIntrospected(
      { active: true, sub: 'alice', exp: NOW + 60, client_id: 'client-1', ...more },
      issuer,
      NOW * 1_000,
    );
  expect(of({})).toMatchObject({ subject: 'alice' });
  expect(of({ aud: 'other' })).toEqual({ refused: 'token-audience' });
});

test('no JSON at all makes it throw, and none of it is accepted', () => {
  const anything = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(fc.property(anything, (claims) => 'refused' in judge(claims)));
});
