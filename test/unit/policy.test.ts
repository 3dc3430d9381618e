// The requirement's grammar, and who meets it.
import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Identity } from '../../sidecar/identity/identity.ts';
import { createClosedBlocks } from '../../sidecar/policy/closed-blocks.ts';
import { decide, type How } from '../../sidecar/policy/decide.ts';
import { inWords, parseRequirement, createRequirements } from '../../sidecar/policy/requirement.ts';
import { identity } from '../fixtures/identities.ts';

const outcome = (text: string | undefined, who?: Identity, how: How = 'other') =>
  decide(
    parseRequirement(text),
    who === undefined ? { refused: 'no-credentials' } : { identity: who },
    how,
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
    'team:a+any',
    'any+public',
    'any+public+team:a',
    'team:a+public',
    'any+any+team:a',
    'any+team:a+any',
    'any+team:',
    'any+',
    'any,team:a',
    'type:robot',
    'team:a b',
    'team:a%2',
    'team:%ff',
    'team:ä',
    'team:a&require=public',
    'team:a#x',
    'idp:',
    'actors:',
    'actors:5',
    'actors:01',
    'actors:-1',
    'actors:1,2',
    'actors:%31',
    'actors:one',
    'actors:0+actors:1',
    'preflight',
    'preflight:yes',
    'Preflight+any',
    'public+preflight',
    'preflight+public',
    'any+preflight+preflight',
    'any+any',
    'team:a+preflight,type:human',
    'team:{http.request.uri}',
  ])('%j', (text) => {
    expect(parseRequirement(text).level).toBe('invalid');
    expect(outcome(text, identity())).toEqual({ decision: 'deny', reason: 'requirement-invalid' });
    expect(outcome(text, undefined, 'navigation')).toEqual({
      decision: 'deny',
      reason: 'requirement-invalid',
    });
  });

  test('no text makes it throw', () => {
    fc.assert(fc.property(fc.string(), (text) => 'level' in parseRequirement(text)));
  });

  test('it is told once per distinct text', () => {
    const told: string[] = [];
    const requirementOf = createRequirements({
      onInvalid: (route, text) => told.push(`${route} ${text}`),
    });
    for (let i = 0; i < 3; i++) requirementOf('admin', 'nonsense');
    requirementOf('other', 'more nonsense');
    expect(told).toEqual(['admin nonsense', 'other more nonsense']);
  });

  test('it is told of each block, where several have the same text', () => {
    const told: string[] = [];
    const requirementOf = createRequirements({ onInvalid: (route) => told.push(route) });
    for (const route of ['admin', 'orders', 'admin']) requirementOf(route, 'nonsense');
    expect(told).toEqual(['admin', 'orders']);
  });

  test.each([
    ['public+team:a', 'public stands alone: it lets everything through as it is'],
    ['team:a+public', 'public stands alone: it lets everything through as it is'],
    ['public+preflight', 'public stands alone: it lets everything through as it is'],
    ['team:a+any', 'any stands once only, before all conditions'],
    ['any+any', 'any stands once only, before all conditions'],
    ['team:a+', 'a + has nothing before or behind it'],
  ])('of %s it says what is wrong, and calls no word of the grammar unknown', (text, problem) => {
    expect(parseRequirement(text)).toEqual({ level: 'invalid', problem });
  });
});

describe('who meets a requirement', () => {
  const alice = identity({
    provider: 'main',
    user: 'alice',
    team: 'payments',
    roles: ['engineer', 'Site Admins'],
  });
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
    ['idp:main', 'requirement-met'],
    ['idp:partners,main', 'requirement-met'],
    ['idp:partners', 'idp-not-allowed'],
    ['idp:https%3A%2F%2Fidp.example', 'idp-not-allowed'],
    ['actors:0', 'requirement-met'],
    ['any+preflight', 'requirement-met'],
    ['any+team:payments', 'requirement-met'],
    ['any+team:search', 'team-not-allowed'],
    ['any+actors:1+preflight', 'requirement-met'],
    ['any+preflight+team:search', 'team-not-allowed'],
    ['team:search+preflight', 'team-not-allowed'],
    ['public', 'public'],
  ])('alice and %s: %s', (text, reason) => {
    expect(outcome(text, alice).reason).toBe(reason);
  });

  test('who has no team is in no team, whatever it is called', () => {
    const dave = identity({ user: 'dave', team: undefined });
    expect(outcome('team:undefined', dave).reason).toBe('team-not-allowed');
    expect(outcome('team:null', dave).reason).toBe('team-not-allowed');
  });

  test('whose provider has no name meets no idp, whatever it is called', () => {
    expect(outcome('idp:undefined', identity()).reason).toBe('idp-not-allowed');
  });

  const first = { subject: 'deploy-agent' };
  const agents = [
    identity(),
    identity({ type: 'agent', actor: first }),
    identity({ type: 'agent', actor: { subject: 'robot', actor: first } }),
  ];
  test.each([
    ['actors:0', [true, false, false]],
    ['actors:1', [true, true, false]],
    ['actors:2', [true, true, true]],
    ['actors:4', [true, true, true]],
    ['type:human', [true, false, false]],
    ['type:human,agent+actors:1', [true, true, false]],
  ])('%s lets through, by how many act on behalf of the user: %j', (text, through) => {
    expect(agents.map((who) => outcome(text, who).decision === 'allow')).toEqual(through);
  });

  test('a chain that is too long is denied as actors-not-allowed', () => {
    expect(outcome('actors:1', agents[2]).reason).toBe('actors-not-allowed');
  });

  describe('where the provider sent a link in place of the groups', () => {
    const erin = identity({ team: undefined, roles: [], groupsIncomplete: true });
    test.each([
      ['team:payments', 'groups-incomplete'],
      ['role:admin', 'groups-incomplete'],
      ['type:service', 'type-not-allowed'],
      ['user:bob', 'user-not-allowed'],
      ['any', 'requirement-met'],
    ])('%s: %s', (text, reason) => expect(outcome(text, erin).reason).toBe(reason));

    test('a team that is known is another one', () => {
      const frank = identity({ team: 'search', groupsIncomplete: true });
      expect(outcome('team:payments', frank).reason).toBe('team-not-allowed');
    });
  });

  test('signed out: a page is sent to sign in, everything else is denied', () => {
    expect(outcome('any', undefined, 'navigation')).toEqual({
      decision: 'login',
      reason: 'no-credentials',
    });
    expect(outcome('any', undefined, 'other')).toEqual({
      decision: 'deny',
      reason: 'no-credentials',
    });
  });

  test('known and not allowed is denied, never sent to sign in again', () => {
    expect(outcome('team:search', alice, 'navigation')).toEqual({
      decision: 'deny',
      reason: 'team-not-allowed',
    });
  });

  test('what could not be asked closes, even where nobody is asked for', () => {
    const closed = { closed: 'session-store-unavailable' } as const;
    expect(decide(parseRequirement('public'), closed, 'navigation').decision).toBe('deny');
  });
});

describe('a name behind idp: that neither a provider nor an issuer has', () => {
  const told: string[] = [];
  const requirementOf = createRequirements({
    vouchers: { people: ['main'], tokens: ['main', 'partners'] },
    onInvalid: (route, _text, problem) => told.push(`${route}: ${problem}`),
  });
  beforeEach(() => void (told.length = 0));

  test.each(['idp:partnres', 'idp:main,partnres', 'any+idp:main+idp:partnres'])(
    '%s is closed, and the names that there are are told',
    (text) => {
      const requirement = requirementOf('orders', text);
      const { reason } = decide(requirement, { identity: identity({ provider: 'main' }) }, 'other');
      expect(reason).toBe('requirement-invalid');
      expect(told).toEqual([
        'orders: idp:partnres is no name of a provider or issuer; there are main, partners',
      ]);
    },
  );

  test('closes nothing that has none', () => {
    for (const text of ['idp:main,partners', 'user:partnres', 'any', 'public']) {
      expect(requirementOf('orders', text).level).not.toBe('invalid');
    }
    expect(told).toEqual([]);
  });
});

describe('closed blocks', () => {
  test('five are named with what is wrong, the others counted', () => {
    const blocks = createClosedBlocks();
    expect(blocks.state()).toEqual({ ready: true });
    for (let number = 1; number <= 7; number++) blocks.note(`block-${number}`, 'wrong');
    const { ready, problem } = blocks.state();
    expect(ready).toBe(false);
    expect(problem).toMatch(/^closed blocks: block-1: wrong; .*block-5: wrong; and 2 more,/);
  });

  test('a text of any length stays a sentence', () => {
    const blocks = createClosedBlocks();
    for (const route of 'abcdefg') blocks.note(route.repeat(5_000), 'x'.repeat(5_000));
    expect(blocks.state().problem?.length).toBeLessThan(2_100);
  });
});

describe('a preflight', () => {
  const bob = identity({ user: 'bob', team: 'search' });
  test.each([undefined, bob])('is let through where the requirement says so: %j', (who) => {
    const allowed = { decision: 'allow', reason: 'preflight' };
    expect(outcome('team:payments+preflight', who, 'preflight')).toEqual(allowed);
  });

  test('opens nothing for another kind of request', () => {
    const text = 'team:payments+preflight';
    expect(outcome(text, bob, 'other').reason).toBe('team-not-allowed');
    expect(outcome(text, undefined, 'other').decision).toBe('deny');
    expect(outcome(text, undefined, 'navigation').decision).toBe('login');
  });

  test('is denied where the requirement does not say so, and never sent to sign in', () => {
    expect(outcome('any', undefined, 'preflight')).toEqual({
      decision: 'deny',
      reason: 'no-credentials',
    });
  });

  test('is denied where the requirement does not parse', () => {
    expect(outcome('team:+preflight', bob, 'preflight').reason).toBe('requirement-invalid');
  });

  test('is denied where somebody had to be asked and could not be', () => {
    const closed = { closed: 'provider-unavailable' } as const;
    const { decision } = decide(parseRequirement('any+preflight'), closed, 'preflight');
    expect(decision).toBe('deny');
  });
});

test('what it takes is said in words', () => {
  expect(inWords(parseRequirement('team:payments,search+type:human'))).toBe(
    'be in the team payments or search and be a person, not an agent',
  );
  expect(inWords(parseRequirement('any+preflight'))).toBe('be signed in');
  expect(inWords(parseRequirement('idp:okta,entra+actors:0'))).toBe(
    'come from the identity provider okta or entra and have no agent acting for you',
  );
  expect(inWords(parseRequirement('actors:1'))).toBe('have at most 1 acting for you');
});

test('a block that was closed and is asked for with a valid requirement is told mended, once, and closed again is told again', () => {
  const told: string[] = [];
  const read = createRequirements({
    onInvalid: (route) => told.push(`closed ${route}`),
    onMended: (route) => told.push(`mended ${route}`),
  });
  for (const text of ['nonsense', 'any', 'any', 'nonsense']) read('orders', text);
  read('other', 'any');
  expect(told).toEqual(['closed orders', 'mended orders', 'closed orders']);
});
