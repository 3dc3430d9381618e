import { createHmac, createSecretKey, hash, randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import type { Config } from '../../sidecar/config/config.ts';
import { fingerprint, settingOf } from '../../sidecar/config/fingerprint.ts';
import { configOf, FOUR, yaml } from '../fixtures/config-sources.ts';

const KEY = createSecretKey(randomBytes(32));
const SECRETS = {
  SIGNET_CLIENT_SECRET: 'hunter2',
  SIGNET_AUDIT_STORE: 'postgres://signet:hunter3@db.example.com/audit',
  SIGNET_LISTEN: '127.0.0.1:9464',
  SIGNET_GATE_KEY: 'hunter4'.repeat(5),
  SIGNET_KEYS: randomBytes(32).toString('base64'),
  SIGNET_DESTINATION: 'lightstep',
  LIGHTSTEP_ACCESS_TOKEN: 'hunter5',
  HTTPS_PROXY: 'http://joe:hunter7@proxy:3128',
};

/** What there is of the provider at the top level. */
const MAIN = [
  ...['name', 'label', 'issuer', 'client_id', 'client_secret', 'scopes', 'claims', 'parameters'],
  'sign_out',
];

/** Returns the names of the settings by which two configs differ. */
function changed(before: Config, after: Config): string[] {
  const [a, b] = [fingerprint(before, KEY), fingerprint(after, KEY)];
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].filter((name) => a[name] !== b[name]);
}

test('there is a hash of 16 hex digits for each setting, under its name', () => {
  const config = configOf(SECRETS);
  const hashes = fingerprint(config, KEY);
  const { warnings: _, providers: __, ...others } = config;
  const settings = Object.keys(others).map((name) => settingOf(name as keyof Config));
  expect(Object.keys(hashes).toSorted()).toEqual([...settings, ...MAIN].toSorted());
  expect(Object.values(hashes).filter((text) => !/^[0-9a-f]{16}$/.test(text))).toEqual([]);
});

test('a warning is no setting', () => {
  const config = configOf(SECRETS);
  expect(changed(config, { ...config, warnings: ['one'] })).toEqual([]);
});

test('the same settings have the same fingerprint at the next start', () => {
  expect(changed(configOf(SECRETS), configOf(SECRETS))).toEqual([]);
});

test('the order in which settings were written is no change', () => {
  const one = configOf({ OTEL_RESOURCE_ATTRIBUTES: 'a=1,b=2' });
  const other = configOf({ OTEL_RESOURCE_ATTRIBUTES: 'b=2,a=1' });
  expect(changed(one, other)).toEqual([]);
});

test.each([
  ['client_secret', { SIGNET_CLIENT_SECRET: 'hunter6' }],
  ['audit.store_file', { SIGNET_AUDIT_STORE: 'postgres://signet:hunter6@db.example.com/audit' }],
  ['listen', { SIGNET_GATE_KEY: 'hunter6'.repeat(5) }],
  ['keys_file', { SIGNET_KEYS: randomBytes(32).toString('base64') }],
  ['destinations', { LIGHTSTEP_ACCESS_TOKEN: 'hunter6' }],
  ['proxy', { HTTPS_PROXY: 'http://joe:hunter6@proxy:3128' }],
])('a secret that was changed shows as a change of %s', (name, env) => {
  expect(changed(configOf(SECRETS), configOf({ ...SECRETS, ...env }))).toEqual([name]);
});

test('a setting that was changed, added or taken away shows as one', () => {
  const { SIGNET_AUDIT_STORE: _, ...without } = SECRETS;
  const more = configOf({ ...SECRETS, SIGNET_HOSTS: 'a' });
  expect(changed(configOf(SECRETS), more)).toEqual(['hosts']);
  expect(changed(configOf(without), configOf(SECRETS))).toEqual(['audit.store_file']);
  expect(changed(configOf(SECRETS), configOf(without))).toEqual(['audit.store_file']);
});

test.each([
  ['claims', 'claims: { team: department }'],
  ['scopes, claims', 'scopes: [openid]\nclaims: { roles: groups }'],
  ['label', 'label: Staff'],
  ['parameters', 'parameters: { hd: example.com }'],
  ['session', 'session: { recheck: never }'],
  ['cookie, hosts', 'hosts: [a.example.com]\nsession: { domain: example.com }'],
  ['bearer', "bearer: [{ issuer: 'https://a.example.com', audiences: [a] }]"],
  ['pages', 'pages: { css_file: /css }'],
])('what is said of signing in shows as a change of %s', (names, text) => {
  const after = configOf(SECRETS, { ...yaml(text), '/css': 'a {}' });
  expect(changed(configOf(SECRETS), after)).toEqual(names.split(', '));
});

test('a further provider, and its secret, is a change of providers', () => {
  const of = (secret: string) =>
    configOf(SECRETS, { ...yaml(FURTHER), '/folder/partners': secret });
  expect(changed(configOf(SECRETS), of('hunter8'))).toEqual(['providers']);
  expect(changed(of('hunter8'), of('hunter9'))).toEqual(['providers']);
});

const FURTHER =
  "providers: [{ issuer: 'https://p.example.com', client_id: p, client_secret_file: partners }]";

test('how much is sampled is a setting like any other', () => {
  const less = configOf({ ...SECRETS, SIGNET_SAMPLING_RATIO: '0.5' });
  expect(changed(configOf(SECRETS), less)).toEqual(['sampling']);
});

test('a token that rotates in its file is no change of the settings, and another file is', () => {
  const { LIGHTSTEP_ACCESS_TOKEN: _, ...rest } = SECRETS;
  const at = (path: string) => ({ ...rest, LIGHTSTEP_ACCESS_TOKEN_FILE: path });
  const one = configOf(at('/a'), { '/a': 'one' });
  expect(changed(one, configOf(at('/a'), { '/a': 'two' }))).toEqual([]);
  expect(changed(one, configOf(at('/b'), { '/b': 'one' }))).toEqual(['destinations']);
});

test('no secret can be read out of it', () => {
  const text = JSON.stringify(fingerprint(configOf(SECRETS), KEY));
  expect(Object.values(SECRETS).filter((value) => text.includes(value))).toEqual([]);
  expect(text).not.toContain('hunter');
});

test('whoever has it without the key cannot try values out: under another key all are others', () => {
  const config = configOf(SECRETS);
  const text = JSON.stringify(fingerprint(config, KEY));
  const guessed = Object.values(fingerprint(config, createSecretKey(Buffer.alloc(32))));
  const unkeyed = hash('sha256', JSON.stringify(['clientSecret', { secret: 'hunter2' }]), 'hex');
  expect([...guessed, unkeyed.slice(0, 16)].filter((one) => text.includes(one))).toEqual([]);
});

test('two settings with the same value do not show that they have', () => {
  const hashes = fingerprint(configOf({ SIGNET_CLIENT_ID: FOUR.SIGNET_ISSUER }), KEY);
  expect(hashes['clientId']).not.toBe(hashes['issuer']);
});

test('the key that is handed in is not used itself: it signs elsewhere', () => {
  const text = JSON.stringify(['clientId', 'signet']);
  const direct = createHmac('sha256', KEY).update(text).digest('hex').slice(0, 16);
  expect(fingerprint(configOf(), KEY)['clientId']).not.toBe(direct);
});
