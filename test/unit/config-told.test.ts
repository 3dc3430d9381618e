// What `signet config` tells: each setting that holds, and where it comes from.
import { describe, expect, test } from '@jest/globals';
import { yaml } from '../fixtures/config-sources.ts';
import { lineOf, toldOf } from '../fixtures/told.ts';

const STATE = '/home/signet/.local/state/signet';

describe('where a value comes from', () => {
  test('nothing: a default', () => {
    expect(lineOf(toldOf(), 'session.idle')).toEqual({
      setting: 'session.idle',
      value: '8h',
      from: 'default',
    });
  });

  test('the file: its line, and the path in it', () => {
    const told = toldOf({}, yaml('# times\nsession:\n  absolute: 2d\n  idle: 30m\n'));
    expect(lineOf(told, 'session.idle')).toMatchObject({
      value: '30m',
      from: 'signet.yaml:4: session.idle',
    });
  });

  test('the file by another name: as SIGNET_CONFIG has it', () => {
    const files = { '/etc/signet/signet.yaml': 'log: { level: debug }' };
    const told = toldOf({ SIGNET_CONFIG: '/etc/signet/signet.yaml' }, files);
    expect(told.file).toEqual({ path: '/etc/signet/signet.yaml', isThere: true });
    expect(lineOf(told, 'log.level')?.from).toBe('/etc/signet/signet.yaml:1: log.level');
  });

  test('behind an alias: the line of what it stands for', () => {
    const text = `destinations:
  - { name: a, budget: &few { spans_per_second: 3 } }
  - { name: b, budget: *few }`;
    const told = toldOf({ SIGNET_DESTINATION: '' }, yaml(text));
    const setting = 'destinations.b.budget.spans_per_second';
    const from = 'signet.yaml:2: destinations[1].budget.spans_per_second';
    expect(lineOf(told, setting)).toMatchObject({ value: 3, from });
  });

  test('a variable, whatever the file says', () => {
    const told = toldOf({ SIGNET_LOG_LEVEL: 'warn' }, yaml('log: { level: debug }'));
    expect(lineOf(told, 'log.level')).toMatchObject({ value: 'warn', from: 'SIGNET_LOG_LEVEL' });
  });

  test('OTEL_RESOURCE_ATTRIBUTES, for what it says of the service and for its own', () => {
    const told = toldOf({ OTEL_RESOURCE_ATTRIBUTES: 'service.version=7,k8s.pod.name=p' });
    const from = 'OTEL_RESOURCE_ATTRIBUTES';
    expect(lineOf(told, 'service.version')).toMatchObject({ value: '7', from });
    expect(lineOf(told, 'resource.k8s.pod.name')).toMatchObject({ value: 'p', from });
  });

  test('the folder that systemd names', () => {
    const told = toldOf({ STATE_DIRECTORY: '/var/lib/signet' });
    const expected = { value: '/var/lib/signet', from: 'STATE_DIRECTORY' };
    expect(lineOf(told, 'state')).toMatchObject(expected);
  });
});

describe('what is worked out', () => {
  test.each([
    ['state', STATE, 'default in the home folder'],
    ['listen', `${STATE}/sidecar.sock`, 'default in the state folder'],
    ['access_log', `${STATE}/access.log`, 'default in the state folder'],
    ['audit.heads_file', `${STATE}/heads.jsonl`, 'default in the state folder'],
    ['keys_file', `${STATE}/keys`, 'default in the state folder'],
  ])('%s is by default %s', (setting, value, from) => {
    expect(lineOf(toldOf(), setting)).toMatchObject({ value, from });
  });

  test.each([
    ['state', '/var/lib/signet', 'default for root'],
    ['listen', '/run/signet/sidecar.sock', 'default for root'],
    ['access_log', '/var/log/caddy/signet-access.log', 'default for root'],
    ['keys_file', '/var/lib/signet/keys', 'default in the state folder'],
  ])('%s is %s for root', (setting, value, from) => {
    expect(lineOf(toldOf({}, {}, { isRoot: true }), setting)).toMatchObject({ value, from });
  });

  test('a path is absolute', () => {
    const told = toldOf({ SIGNET_ACCESS_LOG: 'logs/access.log' });
    expect(lineOf(told, 'access_log')?.value).toBe('/folder/logs/access.log');
  });

  test('a socket is told as a path, an IPv6 address with its brackets', () => {
    expect(lineOf(toldOf({ SIGNET_SOCKET: 'unix//run/s.sock' }), 'listen')?.value).toBe(
      '/run/s.sock',
    );
    const env = { SIGNET_LISTEN: '[::1]:9000', SIGNET_GATE_KEY: 'k'.repeat(32) };
    expect(lineOf(toldOf(env), 'listen')?.value).toBe('[::1]:9000');
  });

  test('the version is Signet’s own unless it is set', () => {
    expect(lineOf(toldOf(), 'service.version')).toMatchObject({ value: '0.1.0' });
    const told = toldOf({ SIGNET_VERSION: '4.2.0' });
    expect(lineOf(told, 'service.version')).toMatchObject({ value: '4.2.0' });
  });

  test('what is not set, and has no default, is left out', () => {
    expect(lineOf(toldOf(), 'service.deployment')).toBeUndefined();
    expect(lineOf(toldOf(), 'gate_key_file')).toBeUndefined();
  });
});

describe('mistakes', () => {
  test('leave the rest to be told', () => {
    const told = toldOf({}, yaml('session: { idle: never, absolute: 12h }'));
    expect(lineOf(told, 'session.absolute')?.value).toBe('12h');
    expect(told.problem).toMatch(/^1 setting needs mending/);
  });

  test('a setting that is wrong has no value, and no default stands in for it', () => {
    const told = toldOf({}, yaml('session: { idle: never }'));
    expect(lineOf(told, 'session.idle')).toEqual({
      setting: 'session.idle',
      isRefused: true,
      from: 'signet.yaml: session.idle',
    });
  });

  test('a section that is none has none that hold', () => {
    const told = toldOf({}, yaml('claims: [sub]'));
    expect(lineOf(told, 'claims.user')?.isRefused).toBe(true);
  });

  test('an element that is wrong is said to be so, and the others keep their index', () => {
    const text =
      'bearer:\n  - { issuer: nonsense, audiences: [a] }\n  - { issuer: https://b.example.com, audiences: [b] }';
    const told = toldOf({}, yaml(text));
    expect(lineOf(told, 'bearer[1].issuer')).toMatchObject({ value: 'https://b.example.com' });
  });

  test('in a file that can’t be understood nothing is told of what it may say', () => {
    const told = toldOf({}, yaml('session: ['));
    expect(lineOf(told, 'session.idle')?.isRefused).toBe(true);
    expect(lineOf(told, 'issuer')?.value).toBe('https://login.example.com');
  });

  test('no destination at all is a mistake, and not none', () => {
    const told = toldOf({ SIGNET_DESTINATION: '' });
    expect(lineOf(told, 'destinations')).toBeUndefined();
    expect(told.mistakes).toHaveLength(1);
  });
});

test('warnings are those of `signet serve`', () => {
  const told = toldOf({}, yaml('destinations: [{ name: collector }]'));
  expect(told.warnings).toEqual([expect.stringContaining('SIGNET_DESTINATION wins over')]);
});
