// Providers as `signet doctor` asks them: a small one on the wire that does everything right but one thing.
import { afterEach, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, generateSecret } from 'jose';
import { issuersOf, lookAtIssuer } from '../../sidecar/doctor/issuers.ts';
import { judgeKeys } from '../../sidecar/doctor/keys.ts';
import type { Line } from '../../sidecar/doctor/line.ts';
import { secret } from '../../sidecar/secret.ts';
import {
  startMisbehavingProvider,
  type Misbehaviour,
  type MisbehavingProvider,
} from '../fixtures/misbehaving-provider.ts';

let provider: MisbehavingProvider | undefined;
afterEach(async () => {
  await provider?.stop();
  provider = undefined;
});

async function looked(wrong: Misbehaviour, clientId: string | undefined = 'signet') {
  provider = await startMisbehavingProvider(wrong);
  const { issuer } = provider;
  const asked = { name: 'main', issuer, ...(clientId && { clientId }) };
  const { lines, endpoint } = await lookAtIssuer(asked, Date.now);
  return { issuer, endpoint, lines: new Map(lines.map((line) => [line.name, line])) };
}

const line = ({ lines }: { lines: Map<string, Line> }, name: string) => lines.get(name);

test('one that is well is found, with its endpoint, its keys and its clock', async () => {
  const found = await looked({});
  expect([...found.lines.values()].map(({ verdict }) => verdict)).toEqual(['well', 'well', 'well']);
  expect([...found.lines.keys()]).toEqual(['provider main', 'keys of main', 'clock of main']);
  expect(line(found, 'keys of main')?.seen).toBe('2 of 2 can be used: RSA, ES256');
  expect(found.endpoint).toBe(`${found.issuer}/authorize`);
});

test('the issuer of bearer tokens is asked for its keys, too', async () => {
  const found = await looked({}, '');
  expect(line(found, 'bearer main')?.verdict).toBe('well');
  expect(line(found, 'keys of main')?.verdict).toBe('well');
});

test.each([
  [{ issuer: 'https://evil.example.com' }, 'provider main'],
  [{ code_challenge_methods_supported: ['plain'] }, 'provider main'],
  [{ token_endpoint: 'http://login.example.com/token' }, 'provider main'],
  [{ authorization_endpoint: undefined }, 'provider main'],
  [{ jwks_uri: 'http://login.example.com/jwks' }, 'keys of main'],
])('one that says %j of itself is wrong', async (metadata, name) => {
  expect(line(await looked({ metadata }), name)?.verdict).toBe('wrong');
});

test.each([
  ['that never ends', (response: { write(text: string): unknown }) => flood(response)],
  ['of letters', (response: { end(text: string): unknown }) => void response.end('\u001b[2J')],
  ['of another shape', (response: { end(text: string): unknown }) => void response.end('[]')],
])('a key set %s is wrong, and told in letters', async (_which, jwks) => {
  const keys = line(
    await looked({ jwks: jwks as NonNullable<Misbehaviour['jwks']> }),
    'keys of main',
  );
  expect(keys?.verdict).toBe('wrong');
  expect(keys?.seen).not.toContain('\u001b');
});

function flood(response: { write(text: string): unknown }): void {
  for (let at = 0; at < 40; at++) response.write('x'.repeat(65_536));
}

test('one that answers otherwise than 200 is told with the status and the URL', async () => {
  provider = await startMisbehavingProvider({});
  const issuer = `${provider.issuer}/other`;
  const { lines } = await lookAtIssuer({ name: 'main', issuer, clientId: 'signet' }, Date.now);
  expect(lines[0]).toMatchObject({
    ...{ name: 'provider main', verdict: 'wrong' },
    seen: `${issuer}/.well-known/openid-configuration answered with status 404`,
  });
});

test('one where nothing listens is wrong, and says so', async () => {
  provider = await startMisbehavingProvider();
  const { issuer } = provider;
  await provider.stop();
  provider = undefined;
  const { lines } = await lookAtIssuer({ name: 'main', issuer, clientId: 'signet' }, Date.now);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ name: 'provider main', verdict: 'wrong' });
});

test('what a provider says of itself is cut', async () => {
  const found = await looked({ metadata: { issuer: `https://${'x'.repeat(100_000)}` } });
  expect(line(found, 'provider main')?.seen.length).toBeLessThanOrEqual(600);
});

test('one whose clock is a minute ahead is wrong', async () => {
  const ahead: typeof fetch = async (...asked) => {
    const response = await fetch(...asked);
    const headers = new Headers(response.headers);
    headers.set('Date', new Date(Date.now() + 60_000).toUTCString());
    return new Response(response.body, { status: response.status, headers });
  };
  provider = await startMisbehavingProvider();
  const asked = { name: 'main', issuer: provider.issuer, clientId: 'signet' };
  const { lines } = await lookAtIssuer(asked, Date.now, (url, init) => ahead(url, init));
  expect(lines.at(-1)).toMatchObject({ name: 'clock of main', verdict: 'wrong' });
});

test('an issuer for people and for tokens stands once', () => {
  const bearer = (issuer: string) => ({ name: 'b', issuer, audiences: ['x'] });
  const people = [{ name: 'a', issuer: 'https://a.example', clientId: 'signet' }];
  const opaque = { clientId: 'c', clientSecret: secret('s') };
  expect(
    issuersOf(people, [
      bearer('https://a.example'),
      { ...bearer('https://b.example'), introspection: opaque, algorithms: ['ES256'] },
    ]),
  ).toEqual([
    { name: 'a', issuer: 'https://a.example', clientId: 'signet' },
    { name: 'b', issuer: 'https://b.example', isIntrospected: true, algorithms: ['ES256'] },
  ]);
});

test('a key that is for encrypting, broken, or of an algorithm that is not allowed counts for nothing', async () => {
  const { publicKey } = await generateKeyPair('ES256');
  const key = await exportJWK(publicKey);
  const keys = [key, { ...key, use: 'enc' }, { ...key, x: 'AA' }, { kty: 'RSA' }, null, 7];
  expect((await judgeKeys('keys', { keys })).seen).toMatch(/^1 of 6 can be used: ES256;/);
  expect((await judgeKeys('keys', { keys }, ['RS256'])).verdict).toBe('wrong');
});

test('a malformed key is told by its kid, for tokens that name it are refused', async () => {
  const { publicKey } = await generateKeyPair('ES256');
  const key = await exportJWK(publicKey);
  const keys = [key, { ...key, x: 'AA', kid: 'half' }];
  expect(await judgeKeys('keys', { keys })).toMatchObject({
    verdict: 'warning',
    seen: expect.stringMatching(/^1 of 2 can be used: ES256; malformed: "half" \(.+\)$/),
  });
});

test('a secret key among the public ones is wrong', async () => {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const shared = await exportJWK(await generateSecret('HS256', { extractable: true }));
  for (const key of [await exportJWK(privateKey), shared]) {
    const { verdict, seen } = await judgeKeys('keys', { keys: [key] });
    expect(verdict).toBe('wrong');
    expect(seen).toContain('a secret key stands among the public ones');
  }
});
