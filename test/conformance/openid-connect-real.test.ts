// Refreshing and signing out at a real provider (oidc-provider), as a session and the routes ask for it.
// OpenID Connect Core 1.0 section 12; RP-Initiated Logout 1.0; Back-Channel Logout 1.0 section 2.6 (the keys).
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createSecretKey, randomBytes } from 'node:crypto';
import { DEFAULT_CLAIM_NAMES } from '../../sidecar/identity/claims.ts';
import { signOutUrl } from '../../sidecar/identity/grants.ts';
import { refresh } from '../../sidecar/identity/refresh.ts';
import { createLogin } from '../../sidecar/identity/login.ts';
import { createProvider, type Provider } from '../../sidecar/identity/provider.ts';
import type { Begun } from '../../sidecar/identity/begun.ts';
import { secret } from '../../sidecar/secret.ts';
import { PEOPLE, startProvider, type Jar, type TestProvider } from '../fixtures/provider.ts';
import { PLACE } from '../fixtures/relying-party.ts';

const SIGNED_OUT = 'https://app.example.com/.signet/signed-out';
let op: TestProvider;
let provider: Provider;
let logoutTokens: Promise<string>[];
let receiver: Server;
let jar: Jar;

beforeAll(async () => {
  receiver = createServer((request, response) => {
    logoutTokens.push(text(request));
    response.end();
  });
  await new Promise<void>((resolve) => receiver.listen(0, 'localhost', resolve));
  const { port } = receiver.address() as AddressInfo;
  op = await startProvider({
    redirectUris: ['https://app.example.com/.signet/callback'],
    audience: 'https://orders.example.com',
    refreshTokens: 'rotating',
    postLogoutRedirectUris: [SIGNED_OUT],
    backChannelLogoutUri: `http://localhost:${port}/`,
  });
  provider = newProvider('provider');
  await provider.tried;
});
beforeEach(() => {
  [logoutTokens, jar] = [[], new Map()];
});
afterAll(async () => {
  provider.close();
  await op.stop();
  await new Promise((resolve) => receiver.close(resolve));
});

function newProvider(signOut: 'local' | 'provider'): Provider {
  const { issuer, clientId } = op;
  const client = { issuer, clientId, clientSecret: secret(op.clientSecret) };
  return createProvider({
    name: 'main',
    ...client,
    scopes: [],
    names: DEFAULT_CLAIM_NAMES,
    signOut,
  });
}

async function signIn(login: string, at: Provider = provider): Promise<Begun> {
  const keys = [createSecretKey(randomBytes(32))];
  const atSignet = createLogin({ providers: [at], keys, now: Date.now });
  const begun = await atSignet.beginLogin({ ...PLACE, cookies: undefined, returnTo: '/' });
  if (!('redirectTo' in begun)) throw new Error(JSON.stringify(begun));
  const back = await op.signIn(jar, begun.redirectTo, login);
  const cookies = begun.setCookies.map((line) => line.split(';')[0]).join('; ');
  const finished = await atSignet.finishLogin({
    ...PLACE,
    cookies,
    query: new URL(back).search.slice(1),
  });
  if ('refused' in finished) throw new Error(JSON.stringify(finished));
  return finished.begun;
}

const again = ({ tokens = {}, ...begun }: Begun) =>
  refresh(provider, { ...begun, tokens }, Date.now());

describe('refreshing', () => {
  test('brings what the provider says of the person now', async () => {
    const session = await signIn('alice');
    op.change('alice', { team: 'search', roles: [] });
    const refreshed = await again(session);
    op.change('alice', { ...PEOPLE['alice'], roles: ['engineer'] });
    expect(session.identity).toMatchObject({ team: 'payments', roles: ['engineer'] });
    expect(refreshed).toMatchObject({ identity: { team: 'search', roles: [], subject: 'alice' } });
  });

  test('goes on with the token that the last refresh brought', async () => {
    const once = (await again(await signIn('alice'))) as Begun;
    expect(await again(once)).toMatchObject({ identity: { subject: 'alice' }, sid: once.sid });
  });

  test('with a token that was used before ends the session', async () => {
    const session = await signIn('alice');
    await again(session);
    expect(await again(session)).toMatchObject({ ended: expect.stringMatching(/^invalid_grant/) });
  });

  test('ends the session of somebody whose grant was taken back', async () => {
    const session = await signIn('bob');
    op.revoke('bob');
    expect(await again(session)).toMatchObject({ ended: expect.stringMatching(/^invalid_grant/) });
  });

  test('ends the session of somebody whom the provider no longer knows', async () => {
    const session = await signIn('carol');
    op.change('carol', undefined);
    expect(await again(session)).toMatchObject({ ended: expect.stringMatching(/^invalid_grant/) });
    op.change('carol', { team: 'audit', roles: ['auditor'] });
  });
});

describe('signing out at the provider', () => {
  test('ends its session, tells it so by back channel, and brings the browser back', async () => {
    const { tokens, sid } = await signIn('alice');
    const url = signOutUrl(provider, { idToken: tokens?.idToken, returnTo: SIGNED_OUT });
    expect(await op.signOut(jar, url?.href ?? '')).toBe(SIGNED_OUT);
    const [form = ''] = await Promise.all(logoutTokens);
    const token = new URLSearchParams(form).get('logout_token') ?? '';
    const { payload } = await provider.keys.verify(token, {
      issuer: provider.issuer,
      audience: provider.clientId,
    });
    expect(payload).toMatchObject({ sid });
  });

  test('names the client even where there is no ID token to show', async () => {
    const url = signOutUrl(provider, { returnTo: SIGNED_OUT });
    expect(Object.fromEntries(url?.searchParams ?? [])).toEqual({
      client_id: 'signet',
      post_logout_redirect_uri: SIGNED_OUT,
    });
  });

  test('is not done where signing out is local, and no ID token is kept for it', async () => {
    const local = newProvider('local');
    await local.tried;
    const { tokens } = await signIn('alice', local);
    expect(tokens).toEqual({ refreshToken: expect.any(String) });
    expect(signOutUrl(local, { returnTo: SIGNED_OUT })).toBeUndefined();
    local.close();
  });

  test('does not stand in the way of signing out here while the provider is unknown', () => {
    const unknown = newProvider('provider');
    expect(signOutUrl(unknown, { returnTo: SIGNED_OUT })).toBeUndefined();
    unknown.close();
  });
});
