// Cases 32 to 37 of the hostile list, through a real Caddy: tokens that somebody made, borrowed or bent, and what
// only looks like a credential. Each is a 401 that names nobody, the app is not called, and the row says why.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  base64url,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  importJWK,
  SignJWT,
  type CryptoKey,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
} from 'jose';
import {
  startIntrospectionIssuer,
  type IntrospectionIssuer,
} from '../fixtures/introspection-endpoint.ts';
import { startMisledEdge, type MisledEdge } from '../fixtures/misled-edge.ts';
import { makeFolder } from '../fixtures/sidecar.ts';
import { until } from '../fixtures/until.ts';

const AUDIENCE = 'https://orders.example';
const CACHE_MS = 2_000;

let edge: MisledEdge;
let [machines, others]: IntrospectionIssuer[] = [];
const { folder, remove } = makeFolder();
const startOpaque = () =>
  startIntrospectionIssuer(() => ({ aud: AUDIENCE, sub: 'robot', exp: inSeconds(300) }));
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds;

beforeAll(async () => {
  [machines, others] = [await startOpaque(), await startOpaque()];
  writeFileSync(join(folder, 'secret'), 's');
  const asked = (name: string, { issuer }: IntrospectionIssuer, prefix: string) =>
    `  - name: ${name}
    issuer: ${issuer}
    audiences: [${AUDIENCE}]
    introspection: { client_id: api, client_secret_file: ${join(folder, 'secret')}, cache: ${CACHE_MS}ms, token_prefix: ${prefix} }`;
  edge = await startMisledEdge({
    settings: `assertion: { issuer: http://localhost:1 }\nbearer:\n${asked('machines', machines, 'm_')}\n${asked('others', others, 'o_')}\n`,
  });
});
afterAll(async () => {
  await edge?.stop();
  await Promise.all([machines?.stop(), others?.stop()]);
  remove();
});
beforeEach(() => {
  edge.wire.misbehave({});
  machines?.say({});
  others?.say({});
  edge.app.seen.length = 0;
});

const claims = (changes: object = {}): JWTPayload => ({
  ...{ iss: edge.wire.issuer, sub: 'bob', preferred_username: 'bob', client_id: 'app' },
  ...{ aud: AUDIENCE, iat: inSeconds(0), exp: inSeconds(300), ...changes },
});

async function signed(changes: object = {}, header: Record<string, unknown> = {}) {
  edge.wire.misbehave({ header: { typ: 'at+jwt', ...header } });
  return edge.wire.sign(claims(changes));
}

const encoded = (value: unknown) => base64url.encode(JSON.stringify(value));
/** A token with any header; without a key it has these bytes for a signature. */
const crafted = (header: object, signature = 'c2lnbmF0dXJl') =>
  `${encoded({ typ: 'at+jwt', ...header })}.${encoded(claims())}.${signature}`;
const bearer = (token: string) => `Authorization: Bearer ${token}`;
const lower = (line: string) => line.replace('Authorization', 'authorization');
const fetched = (path: string) => edge.wire.requests.filter((one) => one.path === path).length;

/** By request id: rows come some times a second, and are looked at when all are on their way. */
const refused = new Map<string, { by: string; reason: string }>();

function note(requestId: string, reason: string): void {
  refused.set(requestId, { by: expect.getState().currentTestName ?? '', reason });
}

async function expectRefused(reason: string, ...lines: string[]): Promise<void> {
  const { status, headers, requestId } = await edge.send('/orders', lines);
  expect([status, headers.get('www-authenticate')]).toEqual([
    401,
    expect.stringMatching(/^Bearer /),
  ]);
  note(requestId, reason);
}

test('the control: a sound token is served, and is bob’s', async () => {
  const { status, requestId } = await edge.send('/orders', [bearer(await signed())]);
  expect([status, edge.app.seen[0]?.values('remote-user')]).toEqual([200, ['bob']]);
  expect((await edge.row(requestId)).identity).toMatchObject({ user: 'bob', method: 'bearer' });
  for (const span of await edge.spans(requestId, 3)) {
    expect(span.attributes['user.id']).toBe('bob');
  }
});

describe('case 32: refused for its algorithm:', () => {
  test.each([
    'none',
    'nOnE',
    'NONE',
    'None ',
    '',
    'none\u0000',
    null,
    0,
    ['none'],
    { alg: 'none' },
  ])('alg %j, with and without a signature', async (alg) => {
    for (const signature of ['', 'c2lnbmF0dXJl']) {
      await expectRefused('token-algorithm', bearer(crafted({ alg }, signature)));
    }
  });

  /** The published RSA key, in the spellings that a verifier might take for a secret. */
  async function publicKeyTexts(): Promise<string[]> {
    const { keys } = (await (await fetch(`${edge.wire.issuer}/jwks`)).json()) as { keys: JWK[] };
    const [jwk = {}] = keys;
    const key = (await importJWK({ ...jwk, ext: true }, 'RS256')) as CryptoKey;
    const pem = await exportSPKI(key);
    return [pem, pem.trim(), jwk.n ?? '', JSON.stringify(jwk), JSON.stringify({ keys })];
  }

  test.each(['HS256', 'HS384', 'HS512'])('%s with the public key as its secret', async (alg) => {
    for (const text of await publicKeyTexts()) {
      const jwt = new SignJWT(claims()).setProtectedHeader({ alg, kid: 'rsa', typ: 'at+jwt' });
      await expectRefused('token-algorithm', bearer(await jwt.sign(Buffer.from(text))));
    }
  });

  test.each([
    ['ES384', 'ec', 'token-signature'],
    ['ES256', 'rsa', 'token-signature'],
    ['RS256', 'ec', 'token-signature'],
    ['EdDSA', 'ec', 'token-signature'],
  ])('%s under the kid %s, which is of another kind', async (alg, kid, reason) => {
    const { privateKey } = await generateKeyPair(alg);
    const jwt = new SignJWT(claims()).setProtectedHeader({ alg, kid, typ: 'at+jwt' });
    await expectRefused(reason, bearer(await jwt.sign(privateKey)));
  });

  test.each([
    [['urn:unknown'], { 'urn:unknown': true }],
    [['exp'], { exp: 1 }],
    [[], {}],
    ['b64', { b64: false }],
    [null, {}],
  ])('crit %j', async (crit, header) => {
    await expectRefused(
      'token-malformed',
      bearer(crafted({ alg: 'RS256', kid: 'rsa', crit, ...header })),
    );
  });
});

describe('case 33: no header of a token says which key is trusted, or makes anybody fetch one:', () => {
  test.each([
    ['a path', '../../etc/passwd'],
    ['a device', '/dev/null'],
    ['SQL', "' OR 1=1 --"],
    ['a URL', 'http://localhost:1/keys'],
    ['a command', '$(id)'],
    ['a control character', '\u0000'],
    ['a name of JavaScript’s', '__proto__'],
    ['9,000 characters', 'x'.repeat(9_000)],
  ])('a kid that is %s', async (_, kid) => {
    await expectRefused('token-signature', bearer(crafted({ alg: 'RS256', kid })));
  });

  test('a kid of 900 KB', async () => {
    const { status } = await edge.send('/orders', [
      bearer(crafted({ alg: 'RS256', kid: 'x'.repeat(700_000) })),
    ]);
    expect([401, 431, 502]).toContain(status);
  });

  test('jku, x5u, x5c and jwk, with a key that the token brings along', async () => {
    const own = await generateKeyPair('RS256', { extractable: true });
    const jwk = { ...(await exportJWK(own.publicKey)), kid: 'own' };
    const url = `${edge.wire.issuer}/own`;
    for (const brought of [
      { jwk },
      { jku: url },
      { x5u: url },
      { x5c: ['MIIB'] },
      { jwk, jku: url },
    ]) {
      for (const kid of ['own', 'rsa', undefined]) {
        const header = { alg: 'RS256', typ: 'at+jwt', kid, ...brought } as JWTHeaderParameters;
        const token = await new SignJWT(claims()).setProtectedHeader(header).sign(own.privateKey);
        await expectRefused('token-signature', bearer(token));
      }
    }
    expect(fetched('/own')).toBe(0);
  });

  test('a thousand unknown kids cause one fetch in ten seconds at most', async () => {
    await edge.send('/orders', [bearer(await signed())]);
    const [before, startedAtMs] = [fetched('/jwks'), performance.now()];
    const kids = Array.from({ length: 1_000 }, (_, index) => `unknown-${index}`);
    const walk = async () => {
      for (let kid = kids.pop(); kid !== undefined; kid = kids.pop()) {
        const { status } = await edge.send('/orders', [bearer(crafted({ alg: 'RS256', kid }))]);
        expect(status).toBe(401);
      }
    };
    await Promise.all(Array.from({ length: 8 }, walk));
    const coolDowns = Math.ceil((performance.now() - startedAtMs) / 10_000);
    expect(fetched('/jwks') - before).toBeLessThanOrEqual(coolDowns);
    expect((await edge.send('/orders', [bearer(await signed())])).status).toBe(200);
  });
});

describe('case 34, CVE-2024-47616: a token that is not for us is refused:', () => {
  test.each<[string, string, object, Record<string, unknown>]>([
    ['another audience', 'token-audience', { aud: 'https://other.example' }, {}],
    ['one that begins like ours', 'token-audience', { aud: `${AUDIENCE}.evil.example` }, {}],
    ['ours with a slash', 'token-audience', { aud: `${AUDIENCE}/` }, {}],
    ['no audience', 'token-audience', { aud: undefined }, {}],
    ['the client in place of the audience', 'token-audience', { aud: 'signet' }, {}],
    ['another issuer', 'token-issuer', { iss: 'https://evil.example' }, {}],
    ['an ID token by its nonce', 'token-type', { nonce: 'n' }, {}],
    ['an ID token as Keycloak writes it', 'token-type', { typ: 'ID' }, {}],
    ['a refresh token', 'token-type', { typ: 'Refresh' }, {}],
    ['a logout token', 'token-type', { events: {} }, { typ: 'logout+jwt' }],
    ['an assertion’s type', 'token-type', {}, { typ: 'signet+jwt' }],
    ['one that has ended', 'token-expired', { exp: inSeconds(-60) }, {}],
    ['one that begins later', 'token-not-yet-valid', { nbf: inSeconds(60) }, {}],
    ['one that is bound to a key', 'token-bound', { cnf: { jkt: 'thumb' } }, {}],
  ])('%s', async (_, reason, changes, header) => {
    await expectRefused(reason, bearer(await signed(changes, header)));
  });

  test('one of the second provider, whose tokens are for nobody here', async () => {
    const token = await edge.partners.sign(claims({ iss: edge.partners.issuer }));
    await expectRefused('token-issuer', bearer(token));
  });

  test('one that the second provider signed in the first one’s name', async () => {
    edge.partners.misbehave({ header: { typ: 'at+jwt' } });
    await expectRefused('token-signature', bearer(await edge.partners.sign(claims())));
  });

  test('our own assertion, as the app got it', async () => {
    await edge.send('/orders', [bearer(await signed())]);
    const [assertion = ''] = edge.app.seen[0]?.values('signet-assertion') ?? [];
    expect(assertion.split('.')).toHaveLength(3);
    await expectRefused('token-issuer', bearer(assertion));
  });
});

describe('case 35, CVE-2026-33496: an opaque token', () => {
  let made = 0;
  const fresh = (prefix: string) => `${prefix}token-${++made}`;
  const shown = (to: IntrospectionIssuer | undefined) =>
    (to?.questions ?? []).map(({ form }) => form.get('token'));

  test('that is active at one issuer is never shown to another', async () => {
    const token = fresh('m_');
    expect((await edge.send('/orders', [bearer(token)])).status).toBe(200);
    machines?.say({ claims: { active: false } });
    await expectRefused('token-inactive', bearer(fresh('m_')));
    expect(shown(others)).toEqual([]);
    expect(shown(machines)).toContain(token);
  });

  test.each(['token-of-none', 'x_m_token', 'M_TOKEN'])(
    '%s fits none, and is shown to nobody',
    async (token) => {
      await expectRefused('token-issuer', bearer(token));
      expect([...shown(machines), ...shown(others)]).not.toContain(token);
    },
  );

  test('that an issuer calls another’s is nobody’s', async () => {
    others?.say({ claims: { iss: machines?.issuer } });
    await expectRefused('token-issuer', bearer(fresh('o_')));
  });

  test.each(['true', 'True', 1, 'yes', null, {}, [true], undefined])(
    'whose active is %j is not active',
    async (active) => {
      machines?.say({ claims: { active } });
      await expectRefused('token-inactive', bearer(fresh('m_')));
    },
  );

  test('that was revoked is refused when its answer is as old as the cache lasts', async () => {
    const line = bearer(fresh('m_'));
    expect((await edge.send('/orders', [line])).status).toBe(200);
    machines?.say({ claims: { active: false } });
    const revokedAtMs = performance.now();
    await until('the answer is as old', () => performance.now() - revokedAtMs > CACHE_MS);
    expect((await edge.send('/orders', [line])).status).toBe(401);
  });
});

describe('case 36: of a cookie and a bearer', () => {
  test('the bearer counts, also where it is not good: the cookie does not help it', async () => {
    const cookie = await edge.enter();
    const good = await edge.send('/orders', [cookie, bearer(await signed())]);
    expect(good.status).toBe(200);
    expect(edge.app.seen[0]?.values('remote-user')).toEqual(['bob']);
    expect((await edge.row(good.requestId)).identity?.user).toBe('bob');
    await expectRefused('token-expired', cookie, bearer(await signed({ exp: 1 })));
    await expectRefused('token-algorithm', bearer(crafted({ alg: 'none' }, '')), cookie);
  });
});

describe('case 36: of two Authorization lines, which both go to the app,', () => {
  const basic = 'Authorization: Basic YXBw';
  test.each<[string, string, (good: string, other: string) => string[]]>([
    ['two bearers', 'token-malformed', (good, other) => [good, other]],
    ['the same twice', 'token-malformed', (good) => [good, good]],
    ['a bearer and Basic', 'token-malformed', (good) => [good, basic]],
    ['Basic and a bearer', 'no-credentials', (good) => [basic, good]],
    ['a bearer and an empty one', 'token-malformed', (good) => [good, 'Authorization:']],
    ['an empty one and a bearer', 'no-credentials', (good) => ['Authorization:', good]],
    ['a bearer and one in lower case', 'token-malformed', (good, other) => [good, lower(other)]],
  ])('%s: neither speaks for anybody', async (_, reason, linesOf) => {
    const [good, other] = [bearer(await signed()), bearer(await signed({ sub: 'carol' }))];
    await expectRefused(reason, ...linesOf(good, other));
  });
});

describe('case 37, CVE-2022-29226: what only looks like a session or a credential is none:', () => {
  test.each([
    ...['Session: x', 'X-Session-Id: x', 'Signet-Session: x', 'X-Auth-Token: x', 'X-Api-Key: x'],
    ...['X-Forwarded-User: admin', 'X-Forwarded-Email: a@example.com', 'X-Forwarded-Groups: root'],
    ...['X-Auth-Request-User: admin', 'X-Authenticated-User: admin', 'X-Remote-User: admin'],
    ...['X-Forwarded-Access-Token: x', 'Remote-User: admin', 'Client-Cert: :MIIB:'],
    ...[
      'Cookie: session=x; _oauth2_proxy=x; connect.sid=x',
      'Cookie: OauthHMAC=x; OauthExpires=9e9',
    ],
    ...['Cookie: __Host-signet', 'Cookie: __Host-signet=', 'Authorization: Basic YWRtaW46YWRtaW4='],
    ...[
      'Authorization: Bearer',
      'Authorization: Negotiate x',
      'Authorization: Digest username="a"',
    ],
  ])('%s', async (line) => {
    const { status, requestId } = await edge.send('/orders', [line]);
    expect(status).toBe(401);
    note(requestId, line === 'Cookie: __Host-signet=' ? 'cookie-malformed' : 'no-credentials');
  });

  test('a good token in another place than Authorization', async () => {
    const token = await signed();
    for (const name of ['Proxy-Authorization', 'X-Authorization', 'Authorization2']) {
      await expectRefused('no-credentials', `${name}: Bearer ${token}`);
    }
    const { status } = await edge.send(`/orders?access_token=${token}`);
    expect(status).toBe(401);
  });
});

test('each of these is in its row with its reason, and names nobody; the app saw none of them', async () => {
  await edge.row([...refused.keys()].at(-1) ?? '');
  const rows = new Map(edge.rows().map((row) => [row.requestId, row]));
  const told = [...refused].map(([requestId, { by }]) => ({
    by,
    reason: rows.get(requestId)?.reason,
  }));
  expect(told).toEqual([...refused.values()]);
  for (const requestId of refused.keys()) {
    const row = rows.get(requestId);
    expect(row).toMatchObject({ decision: 'deny', route: 'orders', status: 401 });
    expect(row).not.toHaveProperty('identity');
    expect(row).not.toHaveProperty('upstream');
  }
  expect(refused.size).toBeGreaterThan(90);
});
