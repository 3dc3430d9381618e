// The official client test modules for OpenID Connect, mirrored: each test has a module's exact name, and the
// provider does what that module's provider does. Mirrors, not the suite itself: nothing is certified by them.
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Misbehaviour, MisbehavingProvider } from '../fixtures/misbehaving-provider.ts';
import { startMisbehavingProvider } from '../fixtures/misbehaving-provider.ts';
import { startRelyingParty, type RelyingParty } from '../fixtures/relying-party.ts';

let wire: MisbehavingProvider;
let party: RelyingParty;
const TESTED: string[] = [];

beforeAll(async () => {
  wire = await startMisbehavingProvider();
});
afterEach(() => party?.stop());
afterAll(() => wire.stop());

function mirrors(name: string, rule: () => Promise<void>): void {
  TESTED.push(name);
  test(name, rule);
}

async function signIn(wrong: Misbehaviour) {
  wire.misbehave(wrong);
  party = await startRelyingParty([wire]);
  return party.signIn();
}

async function refresh(wrong: Misbehaviour) {
  wire.misbehave({ refreshTokens: 'rotating' });
  party = await startRelyingParty([wire]);
  const session = await party.begunSession();
  wire.misbehave({ refreshTokens: 'rotating', ...wrong });
  return { session, refreshed: await party.refresh(session) };
}

const accepted = () => ({ begun: { identity: { subject: wire.subject, issuer: wire.issuer } } });

mirrors('oidcc-client-test', async () => {
  expect(await signIn({})).toMatchObject(accepted());
});

mirrors('oidcc-client-test-invalid-iss', async () => {
  const wrong = { claims: (claims: object) => ({ ...claims, iss: 'https://evil.example' }) };
  expect(await signIn(wrong)).toMatchObject({ refused: 'id-token-issuer' });
});

mirrors('oidcc-client-test-missing-sub', async () => {
  const wrong = { claims: (claims: object) => ({ ...claims, sub: undefined as never }) };
  expect(await signIn(wrong)).toMatchObject({ refused: 'id-token-claims' });
});

mirrors('oidcc-client-test-invalid-aud', async () => {
  const wrong = { claims: (claims: object) => ({ ...claims, aud: 'someone-else' }) };
  expect(await signIn(wrong)).toMatchObject({ refused: 'id-token-audience' });
});

mirrors('oidcc-client-test-missing-aud', async () => {
  const wrong = { claims: (claims: object) => ({ ...claims, aud: undefined as never }) };
  expect(await signIn(wrong)).toMatchObject({ refused: 'id-token-audience' });
});

mirrors('oidcc-client-test-missing-iat', async () => {
  const wrong = { claims: (claims: object) => ({ ...claims, iat: undefined as never }) };
  expect(await signIn(wrong)).toMatchObject({ refused: 'id-token-claims' });
});

mirrors('oidcc-client-test-kid-absent-single-jwks', async () => {
  expect(await signIn({ keysWithoutKid: 1 })).toMatchObject(accepted());
});

mirrors('oidcc-client-test-kid-absent-multiple-jwks', async () => {
  expect(await signIn({ keysWithoutKid: 2 })).toMatchObject({ refused: 'id-token-signature' });
});

mirrors('oidcc-client-test-idtoken-sig-rs256', async () => {
  const metadata = { id_token_signing_alg_values_supported: ['RS256'] };
  expect(await signIn({ metadata })).toMatchObject(accepted());
});

mirrors('oidcc-client-test-idtoken-sig-none', async () => {
  expect(await signIn({ algorithm: 'none' })).toMatchObject({ refused: 'id-token-algorithm' });
});

mirrors('oidcc-client-test-invalid-sig-rs256', async () => {
  expect(await signIn({ foreignKey: true })).toMatchObject({ refused: 'id-token-signature' });
});

mirrors('oidcc-client-test-invalid-sig-es256', async () => {
  const wrong = { algorithm: 'ES256', foreignKey: true } as const;
  expect(await signIn(wrong)).toMatchObject({ refused: 'id-token-signature' });
});

mirrors('oidcc-client-test-invalid-sig-hs256', async () => {
  expect(await signIn({ algorithm: 'HS256' })).toMatchObject({ refused: 'id-token-algorithm' });
});

mirrors('oidcc-client-test-nonce-invalid', async () => {
  const wrong = { claims: (claims: object) => ({ ...claims, nonce: 'another' }) };
  expect(await signIn(wrong)).toMatchObject({ refused: 'id-token-nonce' });
});

mirrors('oidcc-client-test-userinfo-invalid-sub', async () => {
  const wrong = { userinfo: { sub: 'sub-2' } };
  expect(await signIn(wrong)).toMatchObject({ refused: 'userinfo-invalid' });
});

mirrors('oidcc-client-test-scope-userinfo-claims', async () => {
  const finished = await signIn({ userinfo: { preferred_username: 'alice', name: 'Alice' } });
  expect(finished).toMatchObject({ begun: { identity: { user: 'alice', name: 'Alice' } } });
});

mirrors('oidcc-client-test-client-secret-basic', async () => {
  const metadata = { token_endpoint_auth_methods_supported: ['client_secret_basic'] };
  await signIn({ metadata });
  const { authorization, form } = wire.tokenRequests.at(-1) ?? {};
  const [, encoded = ''] = /^Basic (.+)$/.exec(authorization ?? '') ?? [];
  // RFC 6749 section 2.3.1: both are encoded as in a form before they are put together.
  const [id, secret] = Buffer.from(encoded, 'base64').toString().split(':');
  const decoded = new URLSearchParams(`id=${id}&secret=${secret}`);
  expect([decoded.get('id'), decoded.get('secret')]).toEqual([wire.clientId, wire.clientSecret]);
  expect(form?.has('client_secret')).toBe(false);
});

mirrors('oidcc-client-test-refresh-token', async () => {
  const { session, refreshed } = await refresh({});
  expect(refreshed).toMatchObject(accepted().begun);
  const shown = wire.tokenRequests.at(-1)?.form.get('refresh_token');
  expect(shown).toBe(session.tokens?.refreshToken);
  expect(refreshed).not.toMatchObject({ tokens: { refreshToken: shown } });
});

mirrors('oidcc-client-test-refresh-token-invalid-issuer', async () => {
  const { refreshed } = await refresh({
    refreshed: (claims) => ({ ...claims, iss: 'https://evil.example' }),
  });
  expect(refreshed).toMatchObject({ ended: expect.stringContaining('id-token-issuer') });
});

mirrors('oidcc-client-test-refresh-token-invalid-sub', async () => {
  const { refreshed } = await refresh({ refreshed: (claims) => ({ ...claims, sub: 'sub-2' }) });
  expect(refreshed).toEqual({ ended: 'the new ID token is of somebody else' });
});

mirrors('oidcc-client-test-signing-key-rotation', async () => {
  await signIn({});
  await wire.rotateKey('next');
  expect(await party.signIn()).toMatchObject(accepted());
});

mirrors('oidcc-client-test-signing-key-rotation-just-before-signing', async () => {
  wire.misbehave({});
  party = await startRelyingParty([wire]);
  await party.signIn();
  const { cookies, redirectTo } = await party.begin();
  const answer = wire.callbackFor(redirectTo);
  await wire.rotateKey('just-now');
  expect(await party.finish(cookies, answer)).toMatchObject(accepted());
});

test('README.md beside this file has a row for each of them, in this order, and no other', () => {
  const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8');
  const rows = [...readme.matchAll(/^\| `(oidcc-[\w-]+)` +\|/gm)].map(([, name]) => name);
  expect(rows).toEqual(TESTED);
});
