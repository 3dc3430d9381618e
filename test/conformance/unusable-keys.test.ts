// RFC 7517 section 5: a key of a set that can't be used is passed over. Whoever names it in a token (which anybody
// can do, no signature is needed) is refused; it is never the gate's fault, and the other keys go on.
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { JWK, JWTPayload } from 'jose';
import { createBoundedFetch } from '../../sidecar/identity/bounded-fetch.ts';
import { createKeySource, type KeySource } from '../../sidecar/identity/jwks.ts';
import { createLogoutTokens } from '../../sidecar/identity/logout-token.ts';
import { createBearer } from '../fixtures/bearer.ts';
import {
  startMisbehavingProvider,
  type MisbehavingProvider,
  type Misbehaviour,
} from '../fixtures/misbehaving-provider.ts';
import { startRelyingParty } from '../fixtures/relying-party.ts';

const AUDIENCE = 'https://orders.example.com';
const KID = 'unusable';
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'];

const text = (bytes: number, value = 7) => Buffer.alloc(bytes, value).toString('base64url');
const publicJwk = ({ publicKey }: { publicKey: { export(how: { format: 'jwk' }): unknown } }) =>
  publicKey.export({ format: 'jwk' }) as JWK;
const RSA = publicJwk(generateKeyPairSync('rsa', { modulusLength: 2048 }));
const SHORT_RSA = publicJwk(generateKeyPairSync('rsa', { modulusLength: 1024 }));
const EC = publicJwk(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
const ED = publicJwk(generateKeyPairSync('ed25519'));
const ED_PAIR = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }) as JWK;
const even = Buffer.from(RSA.n ?? '', 'base64url')
  .fill(2, 255)
  .toString('base64url');

const without = (key: JWK, member: string) =>
  Object.fromEntries(Object.entries(key).filter(([name]) => name !== member));

/** What is published, and the algorithm that a token with its kid names. */
type Row = [name: string, algorithm: string, key: unknown];

// Told by name: they are meant to verify signatures.
const UNUSABLE: Row[] = [
  ['EC, x of 31 bytes', 'ES256', { ...EC, x: text(31) }],
  ['EC, x of 33 bytes', 'ES256', { ...EC, x: text(33) }],
  ['EC, x empty', 'ES256', { ...EC, x: '' }],
  ['EC, x no base64url', 'ES256', { ...EC, x: '!!!' }],
  ['EC, x a number', 'ES256', { ...EC, x: 5 }],
  ['EC, no y', 'ES256', without(EC, 'y')],
  ['EC, not on the curve', 'ES256', { ...EC, x: text(32), y: text(32) }],
  ['EC, of another curve', 'ES384', { ...EC, crv: 'P-384' }],
  ['Ed25519, x of one byte', 'EdDSA', { ...ED, x: text(1) }],
  ['Ed25519, x of one byte, by its new name', 'Ed25519', { ...ED, x: text(1) }],
  ['Ed25519, x of 33 bytes', 'EdDSA', { ...ED, x: text(33) }],
  ['Ed25519, no x', 'EdDSA', without(ED, 'x')],
  ['Ed25519, a private key', 'EdDSA', ED_PAIR],
  ['Ed25519, a private key that is none', 'EdDSA', { ...ED, d: text(1) }],
  ['RSA, n no base64url', 'RS256', { ...RSA, n: '!!!' }],
  ['RSA, n of 24 bits', 'RS256', { ...RSA, n: 'AQAB' }],
  ['RSA, n of 1024 bits', 'RS256', SHORT_RSA],
  ['RSA, n of 1024 bits, PS256', 'PS256', SHORT_RSA],
  ['RSA, no n', 'RS256', without(RSA, 'n')],
  ['RSA, no e', 'RS256', without(RSA, 'e')],
  ['RSA, e of 0', 'RS256', { ...RSA, e: 'AA' }],
  ['RSA, e of 1: anybody could sign', 'RS256', { ...RSA, e: 'AQ' }],
  ['RSA, e of 2', 'RS256', { ...RSA, e: 'Ag' }],
  ['RSA, half a private key', 'RS256', { ...RSA, d: 'AQ' }],
];
// Nothing is wrong with them that could be seen, or nobody would use them for a token.
const PASSED_OVER: Row[] = [
  ['RSA, n even', 'RS256', { ...RSA, n: even }],
  ['RSA, n of 32,768 bits', 'RS256', { ...RSA, n: text(4096, 255) }],
  ['RSA, e of 2,048 bits', 'RS256', { ...RSA, e: text(256, 255) }],
  ['RSA, for encryption', 'RS256', { ...RSA, use: 'enc' }],
  ['EC, no crv', 'ES256', without(EC, 'crv')],
  ['EC, a curve of others', 'ES256', { ...EC, crv: 'secp256k1' }],
  ['X25519', 'EdDSA', { ...ED, crv: 'X25519' }],
  ['oct', 'RS256', { kty: 'oct', k: text(32) }],
  ['a kty that nobody knows', 'RS256', { ...RSA, kty: 'XYZ' }],
  ['no kty', 'RS256', without(RSA, 'kty')],
];
const ALL = [...UNUSABLE, ...PASSED_OVER];

let wire: MisbehavingProvider;
let told: string[];
let keys: KeySource;
beforeAll(async () => {
  wire = await startMisbehavingProvider();
});
afterAll(() => wire.stop());
beforeEach(() => {
  wire.misbehave({});
  told = [];
  keys = createKeySource({
    issuer: wire.issuer,
    fetch: createBoundedFetch(),
    now: Date.now,
    onUnusable: (unusable) => told.push(unusable),
  });
});

/** Makes what the provider signs a stranger's: of this algorithm, by the kid, with any signature. */
function asStrangers(algorithm: string): (token: string) => string {
  const lengths: Record<string, number> = { RS256: 256, PS256: 256, ES384: 96 };
  return (token) => {
    const [header = '', payload = ''] = token.split('.');
    const own = JSON.parse(Buffer.from(header, 'base64url').toString()) as object;
    const made = JSON.stringify({ ...own, alg: algorithm, kid: KID });
    const signature = text(lengths[algorithm] ?? 64);
    return `${Buffer.from(made).toString('base64url')}.${payload}.${signature}`;
  };
}

/** The key is published, and what is signed names it. */
const naming = ([, algorithm, key]: Row): Misbehaviour => ({
  moreKeys: [{ ...Object(key), kid: KID }],
  signed: asStrangers(algorithm),
});

const seconds = () => Math.floor(Date.now() / 1_000);
const times = () => ({ iat: seconds(), exp: seconds() + 120 });
const accessClaims = (): JWTPayload => ({
  ...{ iss: wire.issuer, sub: 'client-1', aud: AUDIENCE },
  ...times(),
});
const logoutClaims = (): JWTPayload => ({
  ...{ iss: wire.issuer, sub: 'alice', aud: wire.clientId, jti: crypto.randomUUID() },
  events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
  ...times(),
});

function bearer() {
  const issuer = { name: 'main', issuer: wire.issuer, audiences: [AUDIENCE] };
  return createBearer({ issuers: [issuer], now: Date.now });
}

function logoutTokens() {
  const { issuer, clientId } = wire;
  return createLogoutTokens({ issuer, clientId, keys, now: Date.now });
}

async function signIn(wrong: Misbehaviour) {
  const metadata = { id_token_signing_alg_values_supported: ALGORITHMS };
  wire.misbehave({ ...wrong, metadata });
  const party = await startRelyingParty([wire]);
  try {
    return await party.signIn();
  } finally {
    party.stop();
  }
}

describe.each(ALL)('%s', (...row) => {
  test('an access token that names it is refused', async () => {
    wire.misbehave(naming(row));
    const token = await wire.sign(accessClaims());
    expect(await bearer().verify(token)).toEqual({ refused: 'token-signature' });
  });

  test('a logout token that names it is refused', async () => {
    wire.misbehave(naming(row));
    const token = await wire.sign(logoutClaims());
    expect(await logoutTokens().verify(token)).toMatchObject({ refused: 'token-signature' });
  });

  test('a sign-in whose ID token names it is refused', async () => {
    expect(await signIn(naming(row))).toMatchObject({ refused: 'id-token-signature' });
  });

  test('tokens of the other keys are taken as ever, also those that name none', async () => {
    const [, , key] = row;
    const moreKeys = [{ ...Object(key), kid: KID }];
    wire.misbehave({ moreKeys, header: { typ: 'at+jwt' } });
    const named = await wire.sign(accessClaims());
    wire.misbehave({ moreKeys, header: { typ: 'at+jwt', kid: undefined } });
    const unnamed = await wire.sign(accessClaims());
    for (const token of [named, unnamed]) {
      expect(await bearer().verify(token)).toMatchObject({ subject: 'client-1' });
    }
  });
});

test.each(UNUSABLE)('%s: it is told once, with its kid, and the keys are ready', async (...row) => {
  wire.misbehave(naming(row));
  const verifier = logoutTokens();
  await verifier.verify(await wire.sign(logoutClaims()));
  await verifier.verify(await wire.sign(logoutClaims()));
  expect(told).toEqual([expect.stringMatching(/^"unusable" \(.+\)$/)]);
  const problem = `keys of ${wire.issuer} that can't be used: ${told[0]}`;
  expect(keys.state()).toEqual({ ready: true, problem });
});

test.each(PASSED_OVER)('%s: nothing is told', async (...row) => {
  wire.misbehave(naming(row));
  await logoutTokens().verify(await wire.sign(logoutClaims()));
  expect([told, keys.state()]).toEqual([[], { ready: true }]);
});

// With those exponents openid-client does verify, and the signature is wrong.
const NO_KEYS = UNUSABLE.filter(([name]) => !name.startsWith('RSA, e of'));
test.each(NO_KEYS)('%s: a refreshed ID token that names it ends no session', async (...row) => {
  const metadata = { id_token_signing_alg_values_supported: ALGORITHMS };
  wire.misbehave({ metadata, refreshTokens: 'lasting' });
  const party = await startRelyingParty([wire]);
  try {
    const begun = await party.begunSession();
    wire.misbehave({ ...naming(row), metadata, refreshTokens: 'lasting' });
    await expect(party.refresh(begun)).rejects.toMatchObject({ code: 'ERR_PROVIDER' });
  } finally {
    party.stop();
  }
});

test('of two keys with one kid the one that can be used is', async () => {
  wire.misbehave({
    moreKeys: [
      { ...EC, x: text(31), kid: 'rsa' },
      { ...RSA, n: 'AQAB', kid: 'rsa' },
    ],
  });
  expect(await bearer().verify(await wire.sign(accessClaims()))).toMatchObject({
    subject: 'client-1',
  });
});

test.each([null, 7, 'key', []])('%j among the keys is passed over', async (key) => {
  wire.misbehave({ moreKeys: [key] });
  expect(await bearer().verify(await wire.sign(accessClaims()))).toMatchObject({
    subject: 'client-1',
  });
});

test('what is told is bounded, however many keys and however long their names', async () => {
  const moreKeys = Array.from({ length: 50 }, (_, at) => ({
    ...{ ...SHORT_RSA, kid: `${at}`.repeat(5_000) },
  }));
  wire.misbehave({ moreKeys, header: { typ: 'logout+jwt' } });
  await logoutTokens().verify(await wire.sign(logoutClaims()));
  expect(told).toEqual([expect.stringMatching(/ and 47 more$/)]);
  expect(told[0]?.length).toBeLessThan(600);
});
