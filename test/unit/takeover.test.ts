// What another configuration changes, and what a running sidecar keeps of the one before.
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { parseKeys, type KeyRing } from '../../sidecar/config/keys.ts';
import { checkConfig } from '../../sidecar/config/load.ts';
import type { Config } from '../../sidecar/config/config.ts';
import { Fault } from '../../sidecar/fault.ts';
import { idsOf, takeOver } from '../../sidecar/takeover.ts';

const [FIRST, SECOND] = [key(), key()];

function key(): string {
  return randomBytes(32).toString('base64');
}

function ringOf(...keys: string[]): KeyRing {
  const parsed = parseKeys(keys.join('\n'));
  if ('keys' in parsed) return parsed;
  throw new Error(parsed.problem);
}

function configOf(env: Record<string, string> = {}): Config {
  const checked = checkConfig({
    env: {
      SIGNET_ISSUER: 'https://login.example.com',
      SIGNET_CLIENT_ID: 'signet',
      SIGNET_CLIENT_SECRET: 'secret',
      SIGNET_DESTINATION: 'none',
      ...env,
    },
    readFile: () => {
      throw Object.assign(new Error('no file'), { code: 'ENOENT' });
    },
    cwd: '/',
    home: '/home/signet',
    isRoot: false,
  });
  if ('config' in checked) return checked.config;
  throw new Error(checked.errors.map(({ where }) => where).join());
}

/** Takes over, with the result as plain data. */
const plainly = (before: typeof from, to: typeof from) =>
  JSON.parse(JSON.stringify(takeOver(before, to))) as object;
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const from = {
  config: configOf(),
  ring: ringOf(FIRST),
  files: new Map<string, { hash: string }>(),
};
const TCP = { SIGNET_LISTEN: '127.0.0.1:9000', SIGNET_GATE_KEY: 'k'.repeat(32) };

test('the same configuration changes nothing', () => {
  const to = { ...from, config: configOf() };
  expect(plainly(from, to)).toEqual({
    config: plain(from.config),
    changed: [],
    waits: [],
    sessions: [],
  });
});

test('a secret that is another is a change, and is not told', () => {
  const to = { ...from, config: configOf({ SIGNET_CLIENT_SECRET: 'other' }) };
  const taken = takeOver(from, to);
  expect(taken.changed).toEqual(['client_secret']);
  expect(JSON.stringify(taken)).not.toContain('other');
});

test.each([
  ['listen', { SIGNET_SOCKET: '/run/other.sock' }],
  ['health', { SIGNET_HEALTH: '127.0.0.1:9999' }],
  ['access_log', { SIGNET_ACCESS_LOG: '/var/log/other.log' }],
  ['audit.store_file', { SIGNET_AUDIT_STORE: 'postgres://localhost/signet' }],
  ['audit.heads_file', { SIGNET_HEADS_FILE: '/var/other' }],
])('%s stays what it is, and waits for the next start', (name, env: Record<string, string>) => {
  const taken = plainly(from, { ...from, config: configOf(env) });
  expect(taken).toEqual({ config: plain(from.config), changed: [], waits: [name], sessions: [] });
});

describe('sessions that are open', () => {
  const ISSUER = 'https://login.example.com';
  const revoke = `signet sessions revoke --all --issuer ${ISSUER} ends them`;
  const toldOf = (before: Config, after: Config) =>
    takeOver({ ...from, config: before }, { ...from, config: after }).sessions;
  const mapped = (names: object) => {
    const [main] = from.config.providers;
    const providers = [{ ...main, names: { ...main.names, ...names } }] as const;
    return { ...from.config, providers } satisfies Config;
  };

  test('keep what was mapped at their sign-in: with another mapping that is told, until when, and the mend', () => {
    expect(toldOf(from.config, mapped({ roles: 'groups' }))).toEqual([
      `open sessions of main (${ISSUER}) keep what was mapped at their sign-in (user, team, roles, type) ` +
        'until the provider is asked again (session.recheck: 600 s), and without a refresh token ' +
        `until they end (session.absolute: 86400 s); ${revoke}`,
    ]);
  });

  test('keep it until they end, where no provider is asked again', () => {
    const { recheckMs: _, ...session } = from.config.session;
    const [told] = toldOf(from.config, { ...mapped({ team: 'unit' }), session });
    expect(told).toContain('type) until they end (session.absolute');
  });

  test('of a provider that is gone are refused until it is back, and that is told', () => {
    const other = configOf({ SIGNET_ISSUER: 'https://other.example.com' });
    expect(toldOf(from.config, other)).toEqual([
      `open sessions of main (${ISSUER}) are refused while it is not configured, and go on when it is again; ${revoke}`,
    ]);
  });

  test('of a provider that is mapped as before are not told of', () => {
    expect(toldOf(from.config, configOf({ SIGNET_CLIENT_SECRET: 'other' }))).toEqual([]);
  });
});

test('what does not wait is taken beside what does', () => {
  const config = configOf({ SIGNET_HEALTH: '127.0.0.1:9999', SIGNET_SAMPLING_RATIO: '0.5' });
  const taken = takeOver(from, { ...from, config });
  expect(taken).toMatchObject({ changed: ['sampling'], waits: ['health'] });
  expect(plain(taken.config)).toEqual(plain({ ...config, health: from.config.health }));
});

test('the key that Caddy shows over TCP can change, its address cannot', () => {
  const before = { ...from, config: configOf(TCP) };
  const key = configOf({ ...TCP, SIGNET_GATE_KEY: 'l'.repeat(32) });
  expect(takeOver(before, { ...from, config: key })).toMatchObject({
    changed: ['listen'],
    waits: [],
  });
  const both = configOf({ SIGNET_LISTEN: '127.0.0.1:9001', SIGNET_GATE_KEY: 'l'.repeat(32) });
  const taken = takeOver(before, { ...from, config: both });
  expect(taken).toMatchObject({ changed: [], waits: ['listen'] });
  expect(taken.config.listen).toBe(before.config.listen);
});

test('a ring with a new key in front is a change', () => {
  const to = { ...from, ring: ringOf(SECOND, FIRST) };
  expect(takeOver(from, to).changed).toEqual(['keys']);
  expect(idsOf(to.ring)).toEqual([...idsOf(ringOf(SECOND)), ...idsOf(from.ring)]);
});

test('a ring from which an older key went is one, too', () => {
  const before = { ...from, ring: ringOf(SECOND, FIRST) };
  expect(takeOver(before, { ...from, ring: ringOf(SECOND) }).changed).toEqual(['keys']);
});

test('a ring without the key that sealed until now is refused', () => {
  const take = () => takeOver(from, { ...from, ring: ringOf(SECOND) });
  expect(take).toThrow(Fault);
  expect(take).toThrow('lacks the key that has sealed until now');
});

test('a certificate file with something else in it is a change, a token file is none', () => {
  const config = configOf();
  const destination = {
    name: 'x',
    protocol: 'grpc',
    endpoint: 'https://collector.example.com:4317',
    headers: {},
    clientCertificateFile: '/tls/client.pem',
    tokenFile: { header: 'x', prefix: '', path: '/token' },
    compression: 'none',
    signals: ['traces'],
  } as const;
  const whole = (certificate: string, token: string) => ({
    ...from,
    config: { ...config, destinations: [destination] },
    files: new Map([
      ['/tls/client.pem', { hash: certificate }],
      ['/token', { hash: token }],
    ]),
  });
  expect(takeOver(whole('a', 't'), whole('a', 'u')).changed).toEqual([]);
  expect(takeOver(whole('a', 't'), whole('b', 't')).changed).toEqual(['certificates']);
});
