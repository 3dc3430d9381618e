// The requirement's grammar, and who meets it.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Identity } from '../../sidecar/identity/identity.ts';
import { decide } from '../../sidecar/policy/decide.ts';
import { inWords, parseRequirement, createRequirements } from '../../sidecar/policy/requirement.ts';
import { identity } from '../fixtures/identities.ts';

const outcome = (text: string | undefined, who?: Identity, isNavigation = false) =>
  decide(
    parseRequirement(text),
    who === undefined ? { refused: 'no-credentials' } : { identity: who },
    isNavigation,
  );

describe('a requirement that does not parse denies', () => {
  test.each([
    undefined,
    '',
    'everyone',
    'PUBLIC',
    'team:',
    'team:a,',
    'team:,a',
    'team:a,role:b',
    'team:a+',
    '+team:a',
    'public+team:a',
    'any+team:a',
    'type:robot',
    'team:a b',
    'team:a%2',
    'team:%ff',
    'team:ä',
    'team:a&require=public',
    'team:a#x',
    'idp:okta',
    'team:{http.request.uri}',
  ])('%j', (text) => {
    expect(parseRequirement(text).level).toBe('invalid');
    expect(outcome(text, identity())).toEqual({ decision: 'deny', reason: 'requirement-invalid' });
    expect(outcome(text, undefined, true)).toEqual({
      decision: 'deny',
      reason: 'requirement-invalid',
    });
  });

  test('no text makes it throw', () => {
    fc.assert(fc.property(fc.string(), (text) => 'level' in parseRequirement(text)));
  });

  test('it is told once per distinct text', () => {
    const told: string[] = [];
    const requirementOf = createRequirements((route, text) => told.push(`${route} ${text}`));
    for (let i = 0; i < 3; i++) requirementOf('admin', 'nonsense');
    requirementOf('other', 'more nonsense');
    expect(told).toEqual(['admin nonsense', 'other more nonsense']);
  });
});

describe('who meets a requirement', () => {
  const alice = identity({ user: 'alice', team: 'payments', roles: ['engineer', 'Site Admins'] });
  test.each([
    ['any', 'requirement-met'],
    ['team:payments', 'requirement-met'],
    ['team:search,payments', 'requirement-met'],
    ['team:search', 'team-not-allowed'],
    ['team:Payments', 'team-not-allowed'],
    ['team:pay', 'team-not-allowed'],
    ['role:engineer+type:human', 'requirement-met'],
    ['role:engineer+role:auditor', 'role-not-allowed'],
    ['role:Site%20Admins', 'requirement-met'],
    ['role:engineer+type:service,agent', 'type-not-allowed'],
    ['user:alice', 'requirement-met'],
    ['user:bob', 'user-not-allowed'],
    ['scope:orders', 'scope-not-allowed'],
    ['public', 'public'],
  ])('alice and %s: %s', (text, reason) => {
    expect(outcome(text, alice).reason).toBe(reason);
  });

  test('who has no team is in no team, whatever it is called', () => {
    const dave = identity({ user: 'dave', team: undefined });
    expect(outcome('team:undefined', dave).reason).toBe('team-not-allowed');
    expect(outcome('team:null', dave).reason).toBe('team-not-allowed');
  });

  test('signed out: a page is sent to sign in, everything else is denied', () => {
    expect(outcome('any', undefined, true)).toEqual({
      decision: 'login',
      reason: 'no-credentials',
    });
    expect(outcome('any', undefined, false)).toEqual({
      decision: 'deny',
      reason: 'no-credentials',
    });
  });

  test('known and not allowed is denied, never sent to sign in again', () => {
    expect(outcome('team:search', alice, true)).toEqual({
      decision: 'deny',
      reason: 'team-not-allowed',
    });
  });

  test('what could not be asked closes, even where nobody is asked for', () => {
    const closed = { closed: 'session-store-unavailable' } as const;
    expect(decide(parseRequirement('public'), closed, true).decision).toBe('deny');
  });
});

test('what it takes is said in words', () => {
  expect(inWords(parseRequirement('team:payments,search+type:human'))).toBe(
    'be in the team payments or search and be of the type human',
  );
  expect(inWords(parseRequirement('any'))).toBe('be signed in');
});
