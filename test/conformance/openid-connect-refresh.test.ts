// Refreshing: what of a provider's answer goes into the session, what ends it, and what says nothing of the
// person at all. OpenID Connect Core 1.0 section 12, RFC 6749 sections 5.2 and 6.
import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Begun, Unchecked } from '../../sidecar/identity/begun.ts';
import {
  startMisbehavingProvider,
  type Misbehaviour,
  type MisbehavingProvider,
} from '../fixtures/misbehaving-provider.ts';
import { mainOf, startRelyingParty, type RelyingParty } from '../fixtures/relying-party.ts';

let wire: MisbehavingProvider;
let party: RelyingParty;
let session: Begun;

const ROTATING = { refreshTokens: 'rotating' } as const;
const FAULT = { code: 'ERR_PROVIDER' };
const nowSeconds = () => Math.floor(Date.now() / 1_000);

beforeAll(async () => {
  wire = await startMisbehavingProvider();
});
beforeEach(() => begin({}));
afterEach(() => party.stop());
afterAll(() => wire.stop());

async function begin(wrong: Misbehaviour) {
  wire.misbehave({ ...ROTATING, ...wrong });
  party?.stop();
  party = await startRelyingParty([wire]);
  session = await party.begunSession();
}

function refresh(wrong: Misbehaviour) {
  wire.misbehave({ ...ROTATING, ...wrong });
  return party.refresh(session);
}

const answering = (status: number, body: object) => (response: ServerResponse) =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

describe('a refresh brings', () => {
  test('what the new ID token and the user endpoint say now', async () => {
    const refreshed = await refresh({
      refreshed: (claims) => ({ ...claims, roles: ['auditor'] }),
      userinfo: { team: 'search' },
    });
    expect(refreshed).toMatchObject({ identity: { team: 'search', roles: ['auditor'] } });
  });

  test('the next refresh token, where the provider rotates them', async () => {
    const refreshed = (await refresh({})) as Begun;
    const [before, after] = [session, refreshed].map(({ tokens }) => tokens?.refreshToken);
    expect(after).toMatch(/^[0-9a-f]{32}$/);
    expect(after).not.toBe(before);
  });

  test('and keeps the one that there is, where it does not', async () => {
    await begin({ refreshTokens: 'lasting' });
    const refreshed = await refresh({ refreshTokens: 'lasting' });
    expect(refreshed).toMatchObject({ tokens: session.tokens });
  });

  test('a key of the provider that is seconds old', async () => {
    await wire.rotateKey('newer');
    expect(await refresh({})).toHaveProperty('identity');
  });

  test('nothing where there is no refresh token', async () => {
    const { tokens: _, ...bare } = session;
    expect(await party.refresh(bare)).toBeUndefined();
  });
});

describe('without a new ID token', () => {
  test('the user endpoint speaks by the new access token, and what it does not name stays', async () => {
    await begin({ claims: (claims) => ({ ...claims, roles: ['engineer'], groups: ['team-a'] }) });
    const refreshed = await refresh({ refreshed: 'none', userinfo: { team: 'search' } });
    expect(refreshed).toMatchObject({
      identity: { team: 'search', roles: ['engineer'], groups: ['team-a'] },
    });
  });

  test('an empty list of it counts', async () => {
    await begin({ claims: (claims) => ({ ...claims, roles: ['engineer'] }) });
    const refreshed = await refresh({ refreshed: 'none', userinfo: { roles: [] } });
    expect(refreshed).toMatchObject({ identity: { roles: [] } });
  });

  test('a team that it says in no usable way is none', async () => {
    const refreshed = (await refresh({ refreshed: 'none', userinfo: { team: null } })) as Begun;
    expect(session.identity.team).toBe('from-userinfo');
    expect(refreshed.identity.team).toBeUndefined();
  });

  test('somebody else’s userinfo ends the session', async () => {
    const refreshed = await refresh({ refreshed: 'none', userinfo: { sub: 'sub-2' } });
    expect(refreshed).toMatchObject({ ended: expect.stringContaining('user endpoint') });
  });

  test('and without a user endpoint everything stays as it was', async () => {
    const metadata = { userinfo_endpoint: undefined };
    await begin({ metadata, claims: (claims) => ({ ...claims, team: 'payments' }) });
    const refreshed = await refresh({ metadata, refreshed: 'none' });
    expect(refreshed).toMatchObject({ identity: session.identity });
  });
});

describe('the session ends', () => {
  const PERSON = ['invalid_grant', 'access_denied', 'consent_required', 'interaction_required'];
  test.each(PERSON)('when the provider refuses with %s', async (error) => {
    const refused = { error, error_description: 'sign in again' };
    expect(await refresh({ token: answering(400, refused) })).toEqual({
      ended: `${error}: sign in again`,
    });
  });

  test('when a refresh token is used twice', async () => {
    await refresh({});
    expect(await refresh({})).toEqual({ ended: 'invalid_grant' });
  });

  const unsound: [string, Misbehaviour][] = [
    ['of another audience', { refreshed: (claims) => ({ ...claims, aud: 'someone-else' }) }],
    ['without sub', { refreshed: (claims) => ({ ...claims, sub: undefined as never }) }],
    ['that somebody else signed', { foreignKey: true }],
    ['of an agent that nobody names', { refreshed: (claims) => ({ ...claims, act: {} }) }],
  ];
  test.each(unsound)('with an ID token %s', async (_name, wrong) => {
    expect(await refresh(wrong)).toMatchObject({ ended: expect.any(String) });
  });
});

describe('the session goes on, and nothing is said of the person,', () => {
  const faults: [string, Misbehaviour][] = [
    ['when the token endpoint is down', { token: (response) => void response.destroy() }],
    ['when it answers 503', { token: answering(503, {}) }],
    ['when it has too many requests', { token: answering(429, { error: 'slow_down' }) }],
    ['when it refuses our client', { token: answering(401, { error: 'invalid_client' }) }],
    ['when it refuses our request', { token: answering(400, { error: 'invalid_request' }) }],
    ['when it answers with something else', { token: answering(200, { hello: 'there' }) }],
  ];
  test.each(faults)('%s', async (_name, wrong) => {
    await expect(refresh(wrong)).rejects.toMatchObject(FAULT);
  });

  test.each([
    ['its provider is no longer configured', { provider: 'gone' }],
    ['the provider of that name has another issuer now', { issuer: 'https://old.example' }],
  ])('when %s: it may be back in a moment', async (_name, other) => {
    const identity = { ...session.identity, ...other };
    await expect(party.refresh({ ...session, identity })).rejects.toMatchObject(FAULT);
  });

  test('and a client that is refused is a problem for /readyz until it is taken again', async () => {
    await refresh({ token: answering(401, { error: 'invalid_client' }) }).catch(() => undefined);
    expect(mainOf(party).state()).toMatchObject({ ready: false });
    await refresh({});
    expect(mainOf(party).state()).toEqual({ ready: true });
  });
});

describe('the new refresh token is kept, and nobody is confirmed or logged out,', () => {
  const html = (status: number) => (response: ServerResponse) =>
    void response.writeHead(status, { 'content-type': 'text/html' }).end('<h1>later</h1>');
  const at = (seconds: number): Misbehaviour => ({
    refreshed: (claims) => ({
      ...claims,
      iat: nowSeconds() + seconds,
      exp: nowSeconds() + seconds + 300,
    }),
  });
  const faults: [string, Misbehaviour][] = [
    ['when the keys answer 503', { jwks: html(503) }],
    ['when the keys are a page', { jwks: html(200) }],
    ['when there are no keys', { jwks: (response) => answering(200, { keys: [] })(response) }],
    ['when the ID token names a key that is not among them', { header: { kid: 'to come' } }],
    ['when it names no key, and is of none of them', { keysWithoutKid: 1, foreignKey: true }],
    ['when nobody signed it', { algorithm: 'none' }],
    ['when our clock is slow', at(600)],
    ['when our clock is fast', at(-600)],
  ];
  test.each(faults)('%s', async (_name, wrong) => {
    // A sidecar that has just been started has no keys yet.
    party.stop();
    party = await startRelyingParty([wire]);
    const refreshed = await refresh(wrong);
    expect(refreshed).toEqual({
      unchecked: expect.objectContaining(FAULT),
      tokens: { refreshToken: expect.stringMatching(/^[0-9a-f]{32}$/) },
    });
    const next = { ...session, tokens: (refreshed as Unchecked).tokens };
    wire.misbehave(ROTATING);
    expect(await party.refresh(next)).toHaveProperty('identity');
  });
});

describe('whoever the token endpoint confirms stays as they were', () => {
  const page = (status: number) => (response: ServerResponse) =>
    void response
      .writeHead(status, { 'content-type': 'text/html', location: '/maintenance' })
      .end('<h1>later</h1>');
  const answers: [string, Misbehaviour][] = [
    ['is down', { userinfoStatus: 503 }],
    ['redirects', { answerUser: page(302) }],
    ['is a page', { answerUser: page(200) }],
    ['is kept by a firewall', { answerUser: page(403) }],
    ['is not found', { answerUser: page(404) }],
    ['says nobody’s name', { userinfo: { sub: undefined } }],
  ];
  test.each(answers)('when the user endpoint %s', async (_name, wrong) => {
    const refreshed = (await refresh(wrong)) as Begun;
    expect(refreshed.identity).toEqual(session.identity);
    expect(refreshed.tokens?.refreshToken).not.toBe(session.tokens?.refreshToken);
  });

  test.each(answers)(
    'but for what the ID token says, when the user endpoint %s',
    async (...[, wrong]) => {
      await begin({ claims: (claims) => ({ ...claims, roles: ['engineer'], team: 'payments' }) });
      expect(session.identity.roles).toEqual(['engineer']);
      const now = (await refresh({
        refreshed: (claims) => ({ ...claims, roles: [] }),
        ...wrong,
      })) as Begun;
      expect(now.identity).toEqual({ ...session.identity, roles: [] });
    },
  );

  test('when it says who acts for them in no usable way', async () => {
    const refreshed = await refresh({ userinfo: { act: {} } });
    expect(refreshed).toMatchObject({ identity: session.identity });
  });

  test('but not when it speaks of somebody else', async () => {
    expect(await refresh({ userinfo: { sub: 'sub-2' } })).toHaveProperty('ended');
  });
});

test('many refreshes at once fetch the keys once for each of the first ones, and no more', async () => {
  await begin({ refreshTokens: 'lasting' });
  party.stop();
  party = await startRelyingParty([wire]);
  wire.requests.length = 0;
  const several = async () => {
    for (let done = 0; done < 10; done += 1) {
      expect(await party.refresh(session)).toHaveProperty('identity');
    }
  };
  await Promise.all([several(), several(), several(), several()]);
  const fetches = wire.requests.filter(({ path }) => path === '/jwks').length;
  expect(fetches).toBeGreaterThan(0);
  expect(fetches).toBeLessThanOrEqual(4);
});

test('what a provider says of a refresh token never has the token in it', async () => {
  const shown = session.tokens?.refreshToken ?? '';
  const token = answering(400, { error: 'invalid_grant', error_description: `no ${shown} here` });
  expect(await refresh({ token })).toEqual({ ended: 'invalid_grant: no [secret] here' });
});
