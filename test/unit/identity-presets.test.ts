// Presets, held against tokens as the vendors' documentation shows them: who is the user, and what else is known.
import { describe, expect, test } from '@jest/globals';
import {
  DEFAULT_CLAIM_NAMES,
  identityFromClaims,
  type Claims,
} from '../../sidecar/identity/claims.ts';
import { PRESETS } from '../../sidecar/identity/presets.ts';
import { RESERVED_PARAMETERS } from '../../sidecar/identity/reserved-parameters.ts';

function identityBy(preset: string, claims: Claims) {
  const { claims: names, forPeople } = PRESETS[preset] ?? { forPeople: false };
  return identityFromClaims(claims, {
    issuer: 'https://issuer.example',
    method: forPeople ? 'session' : 'bearer',
    names: { ...DEFAULT_CLAIM_NAMES, ...names },
    expiresAtMs: 0,
    forPeople,
  });
}

const CHOSEN = { name: 'Root', nickname: 'root', preferred_username: 'root' };

const ID_TOKENS: [string, Claims, object][] = [
  [
    'okta',
    { sub: '00u1', preferred_username: 'ann@example.com', groups: ['team-a', 'engineer'] },
    { user: 'ann@example.com', team: 'a', roles: ['team-a', 'engineer'] },
  ],
  [
    'entra',
    { ...CHOSEN, sub: 'pairwise', oid: '2222-3333', tid: '1111', roles: ['engineer'] },
    { user: '2222-3333', roles: ['engineer'] },
  ],
  [
    'google',
    { ...CHOSEN, sub: '1103', email: 'ann@example.com', email_verified: true, hd: 'example.com' },
    { user: '1103', team: 'example.com' },
  ],
  [
    'auth0',
    { ...CHOSEN, sub: 'auth0|5f7c', email: 'ann@example.com', email_verified: true },
    { user: 'auth0|5f7c' },
  ],
  [
    'keycloak',
    { sub: 'uuid', preferred_username: 'ann', realm_access: { roles: ['engineer'] } },
    { user: 'ann', roles: ['engineer'] },
  ],
  [
    'cognito',
    { sub: 'uuid', 'cognito:username': 'root', username: 'root', 'cognito:groups': ['team-a'] },
    { user: 'uuid', team: 'a', groups: ['team-a'], roles: ['team-a'] },
  ],
  ['aws-identity-center', { ...CHOSEN, sub: 'uuid' }, { user: 'uuid' }],
  [
    'github-actions',
    {
      sub: 'repo:octo/orders:ref:refs/heads/main',
      actor: 'root',
      repository: 'octo/orders',
      repository_owner: 'octo',
    },
    { user: 'repo:octo/orders:ref:refs/heads/main', team: 'octo', roles: ['octo/orders'] },
  ],
  [
    'kubernetes',
    { sub: 'system:serviceaccount:ci:deployer', 'kubernetes.io': { namespace: 'ci' } },
    { user: 'system:serviceaccount:ci:deployer' },
  ],
];

test.each(ID_TOKENS)('%s: the user is who the documentation says it is', (preset, claims, told) => {
  expect(identityBy(preset, claims)).toMatchObject(told);
});

test.each(['github-actions', 'kubernetes'])('%s: nobody is a human', (preset) => {
  expect(identityBy(preset, { sub: 'any' })).toMatchObject({ type: 'service' });
});

test('each preset but the plain one has a token above', () => {
  const held = ['oidc', ...ID_TOKENS.map(([preset]) => preset)];
  expect(Object.keys(PRESETS)).toEqual(held);
});

describe('a preset', () => {
  test.each(['entra', 'google', 'auth0', 'cognito', 'aws-identity-center'])(
    '%s never takes the user from a name or an address that people choose',
    (preset) => {
      const claims = { ...CHOSEN, sub: 'sub-1', email: 'root@example.com', email_verified: true };
      expect(identityBy(preset, { ...claims, 'cognito:username': 'root' })).toMatchObject({
        user: 'sub-1',
      });
    },
  );

  test('for people never sets what a sign-in’s safety rests on', () => {
    const names = Object.values(PRESETS).flatMap(({ parameters = {} }) => Object.keys(parameters));
    expect(names.filter((name) => RESERVED_PARAMETERS.has(name))).toEqual([]);
  });

  test('takes no algorithm that the client’s secret or nobody signs with', () => {
    const taken = Object.values(PRESETS).flatMap(({ algorithms = [] }) => algorithms);
    expect(taken.filter((name) => !/^(RS|PS|ES)\d{3}$|^Ed/.test(name))).toEqual([]);
  });

  test('asks Google, Cognito and Keycloak for no `offline_access`, which they refuse or mean otherwise', () => {
    const asking = Object.keys(PRESETS).filter((name) =>
      PRESETS[name]?.scopes?.includes('offline_access'),
    );
    expect(asking).toEqual(['okta', 'entra', 'auth0']);
  });
});
