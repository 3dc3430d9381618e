// What claims make of a caller: names, team, roles, type, actors, and how all of it is bounded.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Claims } from '../../sidecar/identity/claims.ts';
import { DEFAULT_CLAIM_NAMES, identityFromClaims } from '../../sidecar/identity/claims.ts';
import type { Identity } from '../../sidecar/identity/identity.ts';
import {
  actorDepth,
  actorWords,
  MAX_ACTOR_DEPTH,
  MAX_CLAIM_CHARS,
  MAX_LIST_ITEMS,
} from '../../sidecar/identity/identity.ts';

const context = {
  issuer: 'https://id.example',
  method: 'bearer' as const,
  names: DEFAULT_CLAIM_NAMES,
  expiresAtMs: 1,
};
type Changes = Partial<typeof context> & { forPeople?: boolean };
const read = (claims: Claims, changes: Changes = {}) =>
  identityFromClaims({ sub: 's', ...claims }, { ...context, ...changes });
const identity = (claims: Claims, changes: Changes = {}): Identity => {
  const answer = read(claims, changes);
  if ('refused' in answer) throw new Error(answer.refused);
  return answer;
};

describe('user', () => {
  test.each<[string, Claims]>([
    ['alice', { preferred_username: 'alice', email: 'a@x', email_verified: true }],
    ['a@x', { email: 'a@x', email_verified: true }],
    ['a@x', { email: 'a@x', email_verified: 'true' }],
    ['s', { email: 'a@x', email_verified: false }],
    ['s', { email: 'a@x' }],
    ['alice', { preferred_username: ['alice'] }],
    ['a@x', { preferred_username: 7, email: 'a@x', email_verified: true }],
    ['s', { preferred_username: 7 }],
    ['s', { preferred_username: '' }],
    ['s', { preferred_username: 'x'.repeat(MAX_CLAIM_CHARS + 1) }],
    ['s', { preferred_username: 'lone \ud800' }],
  ])('is %s', (user, claims) => {
    expect(identity(claims).user).toBe(user);
  });

  test('is the mapped claim', () => {
    const names = { ...DEFAULT_CLAIM_NAMES, user: 'upn' };
    expect(identity({ upn: 'a@corp', preferred_username: 'alice' }, { names }).user).toBe('a@corp');
    expect(identity({ upn: ['a@corp'] }, { names }).user).toBe('a@corp');
  });

  test.each([undefined, '', 7, null, ['a@corp', 'b@corp'], 'control \u0001'])(
    'is the subject where the mapped claim is %j: never a name that people choose',
    (upn) => {
      const names = { ...DEFAULT_CLAIM_NAMES, user: 'upn' };
      const chosen = { preferred_username: 'ann@corp', email: 'ann@corp', email_verified: true };
      const mapped = upn === undefined ? {} : { upn };
      expect(identity({ ...chosen, ...mapped }, { names }).user).toBe('s');
    },
  );

  test.each<[string, Claims]>([
    ['ann@x', { email_verified: true }],
    ['ann@x', { email_verified: 'true' }],
    ['s', { email_verified: false }],
    ['s', { email_verified: 'false' }],
    ['s', { email_verified: [true] }],
    ['s', {}],
    ['s', { email: 'ann@x\u0001', email_verified: true }],
  ])('is %s where it is mapped to the e-mail address of %j', (user, claims) => {
    const names = { ...DEFAULT_CLAIM_NAMES, user: 'email' };
    const chosen = { preferred_username: 'ann@x', email: 'ann@x' };
    expect(identity({ ...chosen, ...claims }, { names }).user).toBe(user);
  });

  test('an unverified e-mail address is not carried at all', () => {
    expect(identity({ email: 'victim@x' })).not.toHaveProperty('email');
  });
});

describe('team, groups and roles', () => {
  test.each<[string | undefined, Claims]>([
    ['payments', { team: 'payments', groups: ['team-search'] }],
    ['search', { groups: ['x', 'team-', 'team-search', 'team-other'] }],
    [undefined, { groups: ['x'] }],
    ['payments', { team: ['payments'], groups: ['team-root'] }],
    [undefined, { team: ['payments', 'search'], groups: ['team-root'] }],
    [undefined, { team: [], groups: ['team-root'] }],
    [undefined, { team: 7, groups: ['team-root'] }],
    [undefined, { team: { name: 'payments' }, groups: ['team-root'] }],
    [undefined, { team: null, groups: ['team-root'] }],
    [undefined, { team: '', groups: ['team-root'] }],
    [undefined, { team: 'x'.repeat(MAX_CLAIM_CHARS + 1), groups: ['team-root'] }],
    ['last', { groups: [...Array.from({ length: 500 }, (_, i) => `g${i}`), 'team-last'] }],
  ])('team is %s', (team, claims) => {
    expect(identity(claims).team).toBe(team);
  });

  test('an unverified e-mail address is no team and no role, whatever is mapped to it', () => {
    const names = { ...DEFAULT_CLAIM_NAMES, team: 'email', roles: 'email' };
    const claims = { email: 'ann@x', groups: ['team-root'] };
    expect(identity(claims, { names })).toMatchObject({ roles: [] });
    expect(identity(claims, { names })).not.toHaveProperty('team');
    expect(identity({ ...claims, email_verified: true }, { names })).toMatchObject({
      ...{ team: 'ann@x', roles: ['ann@x'] },
    });
  });

  test('a role given as a text is one role, whatever it holds', () => {
    expect(identity({ roles: 'Site Admins,owner' }).roles).toEqual(['Site Admins,owner']);
  });

  test('what is no text, or too long to be compared whole, is left out', () => {
    const long = 'x'.repeat(MAX_CLAIM_CHARS + 1);
    expect(identity({ roles: ['a', 1, null, {}, '', long, '\ud800'] }).roles).toEqual(['a']);
  });

  test('two thousand groups of a hundred characters are bounded', () => {
    const groups = Array.from({ length: 2_000 }, (_, i) => `${i}-${'g'.repeat(95)}`);
    expect(identity({ groups }).groups).toHaveLength(MAX_LIST_ITEMS);
  });

  test('any characters are kept as they are, but control characters: those are no name', () => {
    const groups = [',;=%"', '💥', 'Site Admins'];
    expect(identity({ groups: [...groups, 'new\nline', '\u0001', '\u0085'] }).groups).toEqual(
      groups,
    );
  });

  test('groups that the provider left out do not look like no groups', () => {
    const overage = { _claim_names: { groups: 'src1' }, _claim_sources: {} };
    expect(identity(overage)).toMatchObject({ groups: [], groupsIncomplete: true });
    expect(identity({ groups: [] })).not.toHaveProperty('groupsIncomplete');
    const names = { ...DEFAULT_CLAIM_NAMES, groups: 'constructor' };
    expect(identity(overage, { names })).not.toHaveProperty('groupsIncomplete');
  });
});

describe('scopes', () => {
  test.each<[string[], Claims]>([
    [['a', 'b'], { scope: 'a b' }],
    [['a', 'b'], { scope: 'a  b ' }],
    [['a', 'b'], { scp: 'a b' }],
    [['a', 'b'], { scp: ['a', 'b'] }],
    [[], {}],
  ])('are %j', (scopes, claims) => {
    expect(identity(claims).scopes).toEqual(scopes);
  });
});

describe('a claim named by a path', () => {
  const roles = (name: string, claims: Claims) =>
    identity(claims, { names: { ...DEFAULT_CLAIM_NAMES, roles: name } }).roles;

  test('is found inside another: the roles of a Keycloak realm', () => {
    expect(roles('realm_access.roles', { realm_access: { roles: ['admin'] } })).toEqual(['admin']);
  });

  test('gives way to a claim of that very name, even one that is no use', () => {
    const inside = { app: { roles: ['inside'] } };
    expect(roles('app.roles', { 'app.roles': ['flat'], ...inside })).toEqual(['flat']);
    expect(roles('app.roles', { 'app.roles': 7, ...inside })).toEqual([]);
  });

  test('is never a URL: those of Auth0 are names', () => {
    const name = 'https://app.example.com/roles';
    expect(roles(name, { [name]: ['admin'] })).toEqual(['admin']);
    const taken = { 'https://app': { example: { 'com/roles': ['admin'] } } };
    expect(roles(name, taken)).toEqual([]);
  });

  test.each(['constructor.name', '__proto__.x', 'roles.0', 'a..b', '.a', 'a.'])(
    'leads nowhere where there is no such claim: %s',
    (name) => {
      expect(roles(name, { roles: ['admin'], a: { b: ['admin'] } })).toEqual([]);
    },
  );

  test.each(['__proto__.roles', '__proto__', 'a.__proto__.roles'])(
    'never leads by way of __proto__, not even where a token has one of its own: %s',
    (name) => {
      const own = '{"__proto__":{"roles":["admin"]},"a":{"__proto__":{"roles":["admin"]}}}';
      expect(roles(name, JSON.parse(own) as Claims)).toEqual([]);
      const list = JSON.parse('{"__proto__":["admin"]}') as Claims;
      expect(roles(name, list)).toEqual([]);
    },
  );

  test('also leads to team, groups, type and user', () => {
    const names = { ...DEFAULT_CLAIM_NAMES, user: 'x.u', team: 'x.t', groups: 'x.g', type: 'x.k' };
    const inside = { x: { u: 'alice', t: 'payments', g: ['all'], k: 'agent' } };
    expect(identity(inside, { names })).toMatchObject({
      ...{ user: 'alice', team: 'payments', groups: ['all'], type: 'agent' },
    });
  });
});

describe('type', () => {
  test.each<[string, Claims]>([
    ['human', {}],
    ['agent', { user_type: 'agent', sub: 'c', client_id: 'c' }],
    ['human', { user_type: 'root' }],
    ['agent', { user_type: ['agent'] }],
    ['human', { user_type: ['agent', 'human'] }],
    ['agent', { act: { sub: 'bot' } }],
    ['agent', { act: { sub: 'bot' }, user_type: 'human' }],
    ['agent', { act: { sub: 'bot' }, sub: 'c', client_id: 'c' }],
    ['service', { act: { sub: 'bot' }, user_type: 'service' }],
    ['service', { sub: 'c', client_id: 'c' }],
    ['service', { sub: 'c', azp: 'c' }],
    ['service', { sub: 'c', cid: 'c' }],
    ['human', { sub: 'alice', cid: 'c' }],
    ['service', { sub: 'c@clients', client_id: 'c' }],
    ['human', { sub: 'other@clients', client_id: 'c' }],
    ['service', { idtyp: 'app' }],
    ['service', { gty: 'client-credentials' }],
    ['service', { azp: 'ci', preferred_username: 'service-account-ci' }],
    ['human', { azp: 'ci', preferred_username: 'service-account-other' }],
    ['service', { sub: 'system:serviceaccount:ci:deployer' }],
    ['human', { sub: 'system:serviceaccounts' }],
  ])('is %s for %j', (type, claims) => {
    expect(identity(claims).type).toBe(type);
  });

  test.each<[string, Claims]>([
    ['service', {}],
    ['service', { user_type: 'human' }],
    ['service', { user_type: 'service' }],
    ['agent', { user_type: 'agent' }],
    ['agent', { act: { sub: 'bot' }, user_type: 'human' }],
  ])('of an issuer that knows no people is %s for %j', (type, claims) => {
    expect(identity(claims, { forPeople: false }).type).toBe(type);
  });

  test.each([
    ['service', 'https://token.actions.githubusercontent.com'],
    ['service', 'https://token.actions.githubusercontent.com/octo-enterprise'],
    ['human', 'https://token.actions.githubusercontent.com.evil.example'],
  ])('is %s for a token of %s, whatever the settings call it', (type, issuer) => {
    expect(identity({ sub: 'repo:octo/orders:ref:refs/heads/main' }, { issuer }).type).toBe(type);
  });

  test('whoever signed in with a browser is no service', () => {
    expect(identity({ idtyp: 'app' }, { method: 'session' as never }).type).toBe('human');
  });
});

describe('actor', () => {
  test('the chain goes from the latest actor to the first (RFC 8693 4.1)', () => {
    const act = { sub: '1', iss: 'i', act: { sub: '2', act: { sub: '3', act: { sub: '4' } } } };
    expect(identity({ act }).actor).toEqual({
      subject: '1',
      issuer: 'i',
      actor: { subject: '2', actor: { subject: '3', actor: { subject: '4' } } },
    });
  });

  test('a chain of four is kept whole, one of five is refused: cut, it would say less than there was', () => {
    const chain = (left: number): object => ({
      sub: 'bot',
      ...(left > 1 && { act: chain(left - 1) }),
    });
    expect(actorDepth(identity({ act: chain(MAX_ACTOR_DEPTH) }))).toBe(MAX_ACTOR_DEPTH);
    expect(read({ act: chain(MAX_ACTOR_DEPTH + 1) })).toEqual({ refused: 'token-claims' });
  });

  test('an actor that is a client is named by its client_id', () => {
    expect(identity({ act: { client_id: 'ci' } }).actor).toEqual({ subject: 'ci' });
  });

  test.each([
    null,
    'bot',
    {},
    { sub: 1 },
    [{ sub: 'bot' }],
    { sub: 1, client_id: 'ci' },
    { sub: 'bot', iss: 7 },
    { sub: 'bot', act: null },
    { sub: 'bot', act: {} },
    { sub: 'bot', act: { sub: 'x'.repeat(MAX_CLAIM_CHARS + 1) } },
  ])('an act that names nobody somewhere is refused: %j', (act) => {
    expect(read({ act })).toEqual({ refused: 'token-claims' });
  });

  const words = (act: unknown) => actorWords(identity({ act, preferred_username: 'alice' }));
  test.each<[string, unknown]>([
    ['alice', undefined],
    ['deploy-agent on behalf of alice', { sub: 'deploy-agent' }],
    ['robot for deploy-agent on behalf of alice', { sub: 'robot', act: { sub: 'deploy-agent' } }],
    ['deploy-agent on behalf of alice', { sub: 'deploy-agent', iss: context.issuer }],
    ['ci (https://b.example) on behalf of alice', { sub: 'ci', iss: 'https://b.example' }],
    ['"ci on behalf of root" on behalf of alice', { sub: 'ci on behalf of root' }],
  ])('is told in words: %s', (told, act) => {
    expect(words(act)).toBe(told);
  });

  test('whatever the claim holds, a chain is refused or has one to four actors', () => {
    const act = fc.letrec((tie) => ({
      act: fc.record(
        { sub: fc.constantFrom('a', 'b', 7), iss: fc.constantFrom('i', null), act: tie('act') },
        { requiredKeys: [] },
      ),
    })).act;
    fc.assert(
      fc.property(fc.oneof(act, fc.anything()), (random) => {
        const answer = read({ act: random });
        if ('refused' in answer || random === undefined) return;
        expect(actorDepth(answer)).toBeGreaterThanOrEqual(1);
        expect(actorDepth(answer)).toBeLessThanOrEqual(MAX_ACTOR_DEPTH);
        expect(answer.type).not.toBe('human');
      }),
    );
  });
});

test.each([undefined, null, '', 7, 'x'.repeat(MAX_CLAIM_CHARS + 1), '\ud800'])(
  'a subject must be usable whole: %j is refused',
  (sub) => {
    expect(read({ sub })).toEqual({ refused: 'token-claims' });
  },
);

test('whatever the claims hold, every text that comes out can be percent-encoded and is bounded', () => {
  const value = fc.anything({ withNullPrototype: true });
  const names = ['preferred_username', 'name', 'email', 'groups', 'roles', 'team', 'scope', 'act'];
  const claims = fc.dictionary(fc.constantFrom(...names), value);
  fc.assert(
    fc.property(claims, (random) => {
      const answer = read({ email_verified: true, ...random });
      if ('refused' in answer) return;
      const { user, name = '', email = '', groups, roles, scopes, team = '' } = answer;
      for (const text of [user, name, email, team, ...groups, ...roles, ...scopes]) {
        expect(text.length).toBeLessThanOrEqual(MAX_CLAIM_CHARS);
        expect(() => encodeURIComponent(text)).not.toThrow();
      }
    }),
  );
});
