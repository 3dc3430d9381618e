// The signed assertion, whole: a real provider, the real sidecar and a real Caddy; the test is the app that
// verifies with jose what reached it, by the keys that it fetches through the site.
import { readFileSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createRemoteJWKSet, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import { startEdge, type Edge } from '../fixtures/edge.ts';
import { makeFolder } from '../fixtures/sidecar.ts';
import { until } from '../fixtures/until.ts';

const ISSUER = 'https://app.example.com';
const SITE = `
	handle /public/* {
		import protect public public {
			reverse_proxy APP
		}
	}
	handle /api/* {
		import protect api team:nobody+preflight {
			reverse_proxy APP
		}
	}
	handle {
		import protect orders any {
			reverse_proxy APP
		}
	}`;

const { folder, remove } = makeFolder();
let edge: Edge;
let alice: string;
let jwksUrl: URL;
beforeAll(async () => {
  const settings = join(folder, 'signet.yaml');
  writeFileSync(settings, `assertion:\n  issuer: ${ISSUER}\n`);
  edge = await startEdge(SITE, { extra: { SIGNET_CONFIG: settings } });
  jwksUrl = new URL(`http://localhost:${edge.port}/.signet/jwks.json`);
  alice = await edge.signIn('alice');
});
afterAll(async () => {
  await edge.stop();
  remove();
});
beforeEach(() => {
  edge.app.seen.length = 0;
});

/** Returns what reached the app as `Signet-Assertion`. */
async function assertionAt(target: string, ...lines: string[]): Promise<string[]> {
  edge.app.seen.length = 0;
  const { status } = await edge.send(target, lines);
  expect(status).toBe(200);
  return edge.app.seen[0]?.values('signet-assertion') ?? [];
}

function verify(text: string, audience = 'orders', keys = createRemoteJWKSet(jwksUrl)) {
  const expected = { issuer: ISSUER, audience, typ: 'signet+jwt', algorithms: ['EdDSA'] };
  return jwtVerify(text, keys, expected);
}

const kidOf = (text: string) => decodeProtectedHeader(text).kid;

test('the app verifies who is calling, by keys fetched through the site', async () => {
  const [text = ''] = await assertionAt('/page', alice);
  const { payload } = await verify(text);
  expect(payload).toMatchObject({
    user: 'alice',
    team: 'payments',
    user_type: 'human',
    idp_iss: edge.provider.issuer,
  });
});

test('a client’s own gives way to it', async () => {
  const told = await assertionAt('/page', alice, 'Signet-Assertion: forged', 'signet.assertion: x');
  expect(told).toHaveLength(1);
  await verify(told[0]!);
});

test('an assertion for one route does not verify as another’s', async () => {
  const [text = ''] = await assertionAt('/public/x', alice);
  await verify(text, 'public');
  await expect(verify(text, 'orders')).rejects.toThrow(errors.JWTClaimValidationFailed);
});

test('an agent with a bearer token has one as well', async () => {
  const token = await edge.provider.clientCredentialsToken();
  const [text = ''] = await assertionAt('/page', `Authorization: Bearer ${token}`);
  expect((await verify(text)).payload).toMatchObject({ user: 'deploy-agent', user_type: 'agent' });
});

test('nobody on a public route has none', async () => {
  expect(await assertionAt('/public/x', 'Signet-Assertion: forged')).toEqual([]);
});

test('a preflight has none, nor anybody’s name, whose cookie ever comes with it', async () => {
  const lines = ['Origin: https://spa.example.com', 'Access-Control-Request-Method: PUT', alice];
  const reply = await edge.send('/api/x', [...lines, 'Cookie: app=1'], 'OPTIONS');
  expect(reply.status).toBe(200);
  const names = edge.app.seen[0]?.names() ?? [];
  expect(names.filter((name) => /^(remote|signet|baggage|cookie)/.test(name))).toEqual([]);
});

test('as a bearer token it is refused: it is for the app, and not for the gate', async () => {
  const [text = ''] = await assertionAt('/page', alice);
  const reply = await edge.send('/page', [`Authorization: Bearer ${text}`]);
  expect(reply.status).toBe(401);
  expect((await edge.row(reply.requestId)).reason).toBe('token-issuer');
});

test('the keys are public, may be kept for five minutes, and asking for them leaves a row', async () => {
  const reply = await edge.send('/.signet/jwks.json');
  expect(reply.status).toBe(200);
  expect(reply.headers.get('content-type')).toBe('application/jwk-set+json');
  expect(reply.headers.get('cache-control')).toBe('public, max-age=300');
  expect(await edge.row(reply.requestId)).toMatchObject({ route: 'signet', decision: 'none' });
});

// Last: the ring is another one behind it.
test('a key that is announced and then put first signs, and nobody has to sign in or fetch again', async () => {
  const path = join(edge.folder, 'keys');
  const old = readFileSync(path, 'utf8');
  const [before = ''] = await assertionAt('/page', alice);
  const fresh = randomBytes(32).toString('base64');

  writeFileSync(path, `${old}${fresh}\n`);
  const published = async () => JSON.parse((await edge.send('/.signet/jwks.json')).body).keys;
  await until('two keys', async () => (await published()).length === 2);
  const keys = createRemoteJWKSet(jwksUrl);
  await verify(before, 'orders', keys);

  writeFileSync(path, `${fresh}\n${old}`);
  let after = before;
  await until('the new key’s assertion', async () => {
    [after = ''] = await assertionAt('/page', alice);
    return kidOf(after) !== kidOf(before);
  });
  await verify(after, 'orders', keys);
  await verify(before, 'orders', keys);
});
