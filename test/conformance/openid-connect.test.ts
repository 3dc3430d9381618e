// A row per clause that a relying party must check, against a provider that breaks exactly that one.
// Names in brackets are the official client test modules, which openid-connect-modules.test.ts mirrors.
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { createClientStanding } from '../../sidecar/identity/client-standing.ts';
import type { Misbehaviour, MisbehavingProvider } from '../fixtures/misbehaving-provider.ts';
import { startMisbehavingProvider } from '../fixtures/misbehaving-provider.ts';
import { mainOf, startRelyingParty, type RelyingParty } from '../fixtures/relying-party.ts';

let wire: MisbehavingProvider;
let party: RelyingParty | undefined;

beforeAll(async () => {
  wire = await startMisbehavingProvider();
});
afterEach(() => party?.stop());
afterAll(() => wire.stop());

async function signIn(wrong: Misbehaviour) {
  wire.misbehave(wrong);
  return (await newParty()).signIn();
}

async function newParty(): Promise<RelyingParty> {
  party = await startRelyingParty([wire]);
  return party;
}

// A claim that is undefined is not written.
const without = (claim: string): Misbehaviour => ({
  claims: (claims) => ({ ...claims, [claim]: undefined }),
});
const nowSeconds = () => Math.floor(Date.now() / 1000);

describe('an ID token is accepted', () => {
  const accepted: [string, Misbehaviour][] = [
    ['when nothing is wrong (oidcc-client-test)', {}],
    ['signed with RS256 (-idtoken-sig-rs256)', {}],
    ['signed with ES256', { algorithm: 'ES256' }],
    ['without kid, with one key published (-kid-absent-single-jwks)', { keysWithoutKid: 1 }],
    [
      'for several audiences, when azp is the client (OIDC Core 3.1.3.7)',
      { claims: (claims) => ({ ...claims, aud: ['signet', 'other'], azp: 'signet' }) },
    ],
  ];
  test.each(accepted)('%s', async (_name, wrong) => {
    expect(await signIn(wrong)).toMatchObject({
      begun: { identity: { subject: 'sub-1', issuer: wire.issuer, method: 'session' } },
      provider: 'main',
      returnTo: '/orders',
    });
  });
});

describe('each thing that can be wrong is refused for its own reason', () => {
  const refused: [string, string, Misbehaviour][] = [
    ['id-token-signature', 'a foreign key (-invalid-sig-rs256)', { foreignKey: true }],
    [
      'id-token-signature',
      'an unknown kid, OIDC Core 10.1',
      { foreignKey: true, header: { kid: 'unknown' } },
    ],
    [
      'id-token-signature',
      'no kid and two keys (-kid-absent-multiple-jwks)',
      { keysWithoutKid: 2 },
    ],
    ['id-token-algorithm', 'alg none (-idtoken-sig-none)', { algorithm: 'none' }],
    ['id-token-algorithm', 'HS256 with the secret (-invalid-sig-hs256)', { algorithm: 'HS256' }],
    [
      'id-token-algorithm',
      'an algorithm that was not announced',
      { algorithm: 'ES256', metadata: { id_token_signing_alg_values_supported: ['RS256'] } },
    ],
    [
      'id-token-algorithm',
      'an unknown crit (RFC 7515 4.1.11)',
      { header: { crit: ['urn:unknown'], 'urn:unknown': true } },
    ],
    [
      'id-token-issuer',
      'another issuer (-invalid-iss)',
      { claims: (claims) => ({ ...claims, iss: 'https://evil.example' }) },
    ],
    [
      'id-token-audience',
      'another audience (-invalid-aud)',
      { claims: (claims) => ({ ...claims, aud: 'someone-else' }) },
    ],
    ['id-token-audience', 'no audience (-missing-aud)', without('aud')],
    [
      'id-token-audience',
      'another authorized party',
      { claims: (claims) => ({ ...claims, aud: ['signet', 'other'], azp: 'other' }) },
    ],
    [
      'id-token-audience',
      'a second audience without azp',
      { claims: (claims) => ({ ...claims, aud: ['signet', 'other'] }) },
    ],
    [
      'id-token-nonce',
      'another nonce (-nonce-invalid)',
      { claims: (claims) => ({ ...claims, nonce: 'another' }) },
    ],
    ['id-token-nonce', 'no nonce', without('nonce')],
    [
      'id-token-expired',
      'an expired token',
      { claims: (claims) => ({ ...claims, exp: nowSeconds() - 60 }) },
    ],
    [
      'id-token-not-yet-valid',
      'an nbf of the future',
      { claims: (claims) => ({ ...claims, nbf: nowSeconds() + 600 }) },
    ],
    ['id-token-claims', 'no iat (-missing-iat)', without('iat')],
    ['id-token-claims', 'no sub (-missing-sub)', without('sub')],
    ['id-token-claims', 'no exp', without('exp')],
    [
      'id-token-claims',
      'an act that names nobody (RFC 8693 4.1)',
      { claims: (claims) => ({ ...claims, act: {} }) },
    ],
    [
      'userinfo-invalid',
      'a userinfo of somebody else (-userinfo-invalid-sub)',
      { userinfo: { sub: 'sub-2' } },
    ],
    ['userinfo-invalid', 'a userinfo that is refused', { userinfoStatus: 403 }],
    [
      'issuer-mismatch',
      'no iss in the callback though announced (RFC 9207 2.4)',
      { callback: (query) => query.delete('iss') },
    ],
    [
      'issuer-mismatch',
      'another iss in the callback (mix-up)',
      { callback: (query) => query.set('iss', 'https://evil.example') },
    ],
    [
      'provider-refused',
      'an error in the callback (RFC 6749 4.1.2.1)',
      {
        callback: (query) => {
          query.delete('code');
          query.set('error', 'access_denied');
        },
      },
    ],
    ['code-refused', 'another code', { callback: (query) => query.set('code', 'stolen') }],
    [
      'code-refused',
      'a token endpoint that redirects',
      { token: (response) => void response.writeHead(302, { location: '/jwks' }).end() },
    ],
    [
      'state-mismatch',
      'another state',
      { callback: (query) => query.set('state', 'a-foreign-state') },
    ],
    ['state-mismatch', 'no state', { callback: (query) => query.delete('state') }],
  ];
  test.each(refused)('%s: %s', async (reason, _name, wrong) => {
    expect(await signIn(wrong)).toMatchObject({ refused: reason });
  });
});

test('the claims of userinfo are added under those of the ID token (-scope-userinfo-claims)', async () => {
  const finished = await signIn({
    claims: (claims) => ({ ...claims, roles: ['from-token'] }),
    userinfo: { roles: ['from-userinfo'], preferred_username: 'alice' },
  });
  expect(finished).toMatchObject({
    begun: { identity: { user: 'alice', team: 'from-userinfo', roles: ['from-token'] } },
  });
});

test('a description by the provider comes back as its words', async () => {
  const finished = await signIn({
    callback: (query) => {
      query.set('error', 'access_denied');
      query.set('error_description', '<b>no</b>');
    },
  });
  expect(finished).toMatchObject({ refused: 'provider-refused', detail: '<b>no</b>' });
});

type Answer = NonNullable<Misbehaviour['token']>;

// RFC 6749 section 5.2, as a token endpoint says it: in the body, in the challenge, or both.
const refusing =
  (status: number, body: object, headers: Record<string, string> = {}): Answer =>
  (response) => {
    const json = { 'content-type': 'application/json' };
    response.writeHead(status, { ...json, ...headers }).end(JSON.stringify(body));
  };
const BASIC = { 'www-authenticate': 'Basic realm="id"' };
const INVALID_CLIENT = refusing(401, { error: 'invalid_client' }, BASIC);

describe('a token endpoint that refuses the client (RFC 6749 5.2) is told in words', () => {
  const ADVICE = "look at client_id and the client's secret";
  const told: [string, string, Answer][] = [
    [
      'in the body beside a challenge',
      `invalid_client: no such secret: ${ADVICE}`,
      refusing(401, { error: 'invalid_client', error_description: 'no such secret' }, BASIC),
    ],
    [
      'in the challenge alone',
      `invalid_client: no such secret: ${ADVICE}`,
      refusing(
        401,
        {},
        {
          'www-authenticate':
            'Basic realm="id", error="invalid_client", error_description="no such secret"',
        },
      ),
    ],
    [
      'in the body alone',
      `unauthorized_client: ${ADVICE}`,
      refusing(400, { error: 'unauthorized_client' }),
    ],
    ['by no more than the challenge', `status 401: ${ADVICE}`, refusing(401, [], BASIC)],
  ];
  test.each(told)('%s: %s', async (_name, detail, token) => {
    expect(await signIn({ token })).toMatchObject({ refused: 'code-refused', detail });
  });

  test('a code that is no good is no word about the client', async () => {
    const refused = await signIn({
      token: refusing(400, { error: 'invalid_grant', error_description: 'gone' }),
    });
    expect(refused).toMatchObject({ refused: 'code-refused', detail: 'invalid_grant: gone' });
  });

  test('in one line, bounded, and without what was sent', async () => {
    const description = `${wire.clientSecret}\n\x1b[2J${'x'.repeat(1_000)}`;
    const token = refusing(401, { error: 'invalid_client', error_description: description }, BASIC);
    const { detail } = (await signIn({ token })) as { detail: string };
    expect(detail).toMatch(/^invalid_client: \[secret\] \[2Jx{100,}…: look at/);
    expect(detail.length).toBeLessThan(400);
  });
});

describe('whether the provider takes us as its client is known', () => {
  const standing = () => party && mainOf(party).state();

  test('by what its token endpoint says of it', async () => {
    await signIn({ token: INVALID_CLIENT });
    expect(standing()).toEqual({
      ready: false,
      problem:
        "the provider refuses this client: invalid_client; look at client_id and the client's secret",
    });
  });

  test('until a sign-in succeeds, and nobody is kept from trying', async () => {
    wire.misbehave({ token: INVALID_CLIENT });
    const { signIn: again } = await newParty();
    await again();
    wire.misbehave({});
    expect(await again()).toMatchObject({ returnTo: '/orders' });
    expect(standing()).toEqual({ ready: true });
  });

  test('and stays known when a code is refused that is no good', async () => {
    wire.misbehave({ token: INVALID_CLIENT });
    const { signIn: again } = await newParty();
    await again();
    wire.misbehave({ token: refusing(400, { error: 'invalid_grant' }) });
    await again();
    expect(standing()).toMatchObject({ ready: false });
  });

  const byAnybody: [string, Misbehaviour][] = [
    ['a code that is no good', { callback: (query) => query.set('code', 'stolen') }],
    [
      'an error in the callback',
      {
        callback: (query) => {
          query.delete('code');
          query.set('error', 'invalid_client');
        },
      },
    ],
    ...[refusing(400, { error: 'unauthorized_client' }), refusing(401, {}, BASIC)].map(
      (token): [string, Misbehaviour] => [
        'a code of another client, which the provider refuses as it would a client',
        {
          callback: (query) => query.set('code', 'of-another-client'),
          token: (response, asked) =>
            asked.get('code') === 'of-another-client'
              ? token(response, asked)
              : refusing(400, { error: 'invalid_grant' })(response, asked),
        },
      ],
    ),
  ];
  test.each(byAnybody)('and not by %s: anybody can bring one', async (_name, wrong) => {
    expect(await signIn(wrong)).toHaveProperty('refused');
    expect(standing()).toEqual({ ready: true });
  });

  test('and is asked for once in half a minute at most, however many bring codes of others', async () => {
    let asked = 0;
    let steadyMs = 0;
    wire.misbehave({
      token: (...sent) => {
        asked += 1;
        refusing(400, { error: 'invalid_grant' })(...sent);
      },
    });
    const provider = mainOf(await newParty());
    const of = createClientStanding(() => steadyMs);
    const note = async () => {
      await of.noteAnswer(
        { error: 'unauthorized_client', status: 400 },
        () => provider.config(),
        [],
      );
    };
    await Promise.all([note(), note()]);
    steadyMs = 29_999;
    await note();
    expect(asked).toBe(1);
    steadyMs = 30_000;
    await note();
    expect(asked).toBe(2);
  });

  test.each([
    ['unauthorized_client', refusing(400, { error: 'unauthorized_client' })],
    ['access_denied', refusing(401, { error: 'access_denied' })],
  ])('by %s, when a code of nobody’s is refused so, too', async (error, token) => {
    await signIn({ token });
    expect(standing()?.problem).toContain(`refuses this client: ${error};`);
  });
});

describe('a provider that does not work is a fault, not a refusal', () => {
  const broken: [string, Misbehaviour][] = [
    ['a key set that answers 500', { jwks: (res) => void res.writeHead(500).end() }],
    [
      'a token endpoint with a body without end',
      {
        token: (response) => {
          response.writeHead(200, { 'content-type': 'application/json' });
          const more = () => void (response.destroyed || response.write('x'.repeat(65_536), more));
          more();
        },
      },
    ],
    [
      'a token endpoint that answers 503 with a challenge',
      { token: refusing(503, { error: 'invalid_client' }, BASIC) },
    ],
    [
      'a token endpoint that has too many requests',
      { token: refusing(429, { error: 'temporarily_unavailable' }) },
    ],
    ['a user endpoint that has too many requests', { userinfoStatus: 429 }],
    ['a token endpoint that hangs up', { token: (response) => void response.destroy() }],
  ];
  test.each(broken)('%s', async (_name, wrong) => {
    await expect(signIn(wrong)).rejects.toMatchObject({ code: 'ERR_PROVIDER' });
  });
});

test('PKCE is always S256, and a code is never exchanged without its verifier', async () => {
  wire.misbehave({ metadata: { code_challenge_methods_supported: undefined } });
  const { redirectTo } = await (await newParty()).begin();
  const asked = new URL(redirectTo).searchParams;
  expect(asked.get('code_challenge_method')).toBe('S256');
  expect(asked.get('code_challenge')).toMatch(/^[\w-]{43}$/);
});
