// What `signet init` makes of a provider's own description: what is told, and what keeps people out.
import { describe, expect, test } from '@jest/globals';
import { discover, discoveryUrlOf, judge } from '../../sidecar/setup/discovery.ts';

const ISSUER = 'https://login.example.com';
const METADATA = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/authorize`,
  token_endpoint: `${ISSUER}/token`,
  jwks_uri: `${ISSUER}/jwks`,
  response_types_supported: ['code', 'code id_token'],
  code_challenge_methods_supported: ['S256'],
  id_token_signing_alg_values_supported: ['RS256'],
  token_endpoint_auth_methods_supported: ['client_secret_post'],
  scopes_supported: ['openid', 'profile', 'email', 'groups'],
};

const judged = (other: object) => judge(ISSUER, { ...METADATA, ...other });
const answering =
  (body: string, status = 200) =>
  async () =>
    new Response(body, { status });

test('a provider that offers what is needed has no problem', () => {
  expect(judged({})).toEqual({ findings: expect.any(Array), problems: [] });
});

test('what it offers is told', () => {
  expect(judged({}).findings).toEqual([
    'flows: code, code id_token',
    'PKCE: S256',
    'ID tokens signed by: RS256',
    'scopes: openid, profile, email, groups',
    'if teams or roles need it, ask for the scope groups, too',
  ]);
});

test('what it doesn’t say is told as that, and is no problem', () => {
  const { issuer, authorization_endpoint, token_endpoint, jwks_uri } = METADATA;
  const { findings, problems } = judge(ISSUER, {
    issuer,
    authorization_endpoint,
    token_endpoint,
    jwks_uri,
  });
  expect(findings).toContain("PKCE: it doesn't say");
  expect(problems).toEqual([]);
});

test.each([
  ['another name, if only by a slash', { issuer: `${ISSUER}/` }, 'calls itself'],
  ['no name', { issuer: undefined }, 'calls itself nothing'],
  ['no endpoint', { token_endpoint: 7 }, 'names no token_endpoint'],
  ['a plain endpoint', { jwks_uri: 'http://login.example.com/jwks' }, 'jwks_uri is neither https'],
  ['no code flow', { response_types_supported: ['id_token'] }, 'authorization code flow'],
  ['PKCE in plain text', { code_challenge_methods_supported: ['plain'] }, 'not with S256'],
  ['shared keys', { id_token_signing_alg_values_supported: ['HS256', 'none'] }, 'public keys'],
  ['no secret', { token_endpoint_auth_methods_supported: ['private_key_jwt'] }, 'client secret'],
])('%s is a problem', (_, other, words) => {
  expect(judged(other).problems).toEqual([expect.stringContaining(words)]);
});

test('endpoints on this machine may be plain', () => {
  expect(judged({ token_endpoint: 'http://localhost:9000/token' }).problems).toEqual([]);
});

test('scopes that it lacks are told, and not asked for', () => {
  const { findings, scopes } = judged({ scopes_supported: ['openid', 'email'] });
  expect(findings).toContain('it has no scope profile: left out');
  expect(scopes).toEqual(['openid', 'email']);
});

test('that it has the scope for refresh tokens is known', () => {
  expect(judged({ scopes_supported: ['openid', 'offline_access'] }).hasOfflineAccess).toBe(true);
  expect(judged({}).hasOfflineAccess).toBeUndefined();
});

test('what it says can’t steer the terminal, nor fill it', () => {
  const odd = Array.from({ length: 500 }, () => '\u001b]0;owned\u0007');
  const { findings } = judged({ scopes_supported: odd, issuer: '\u001b[2J' });
  expect(findings.join('')).not.toMatch(/\p{Cc}/u);
  expect(findings.join('').length).toBeLessThan(2_000);
});

describe('asking', () => {
  test('goes to the well-known place below the issuer', () => {
    expect(discoveryUrlOf(`${ISSUER}/realms/x/`)).toBe(
      `${ISSUER}/realms/x/.well-known/openid-configuration`,
    );
  });

  test.each([
    ['another status', answering('{}', 404), 'answered 404'],
    ['no JSON', answering('<html>'), 'did not answer with JSON'],
    ['a list', answering('[]'), 'did not answer with JSON'],
    ['too much', answering('x'.repeat(2_000_000)), 'more than 1048576 bytes'],
    ['nobody', () => Promise.reject(new Error('ECONNREFUSED')), 'ECONNREFUSED'],
  ])('%s is told in a sentence', async (_, fetch, words) => {
    expect(await discover(ISSUER, fetch)).toEqual({ unreachable: expect.stringContaining(words) });
  });

  test('an answer is judged', async () => {
    const found = await discover(ISSUER, answering(JSON.stringify(METADATA)));
    expect(found).toEqual(judged({}));
  });
});
