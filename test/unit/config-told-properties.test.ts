// Whatever is set, what `signet config` tells is what `signet serve` runs with, and where it says that a
// value comes from is where it can be changed.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseDocument, stringify } from 'yaml';
import { parseDuration } from '../../sidecar/config/address.ts';
import type { Config } from '../../sidecar/config/config.ts';
import { checkConfig } from '../../sidecar/config/load.ts';
import { tellConfig, type Told } from '../../sidecar/config/told.ts';
import type { ToldSetting } from '../../sidecar/config/told-setting.ts';
import { urlOf } from '../../sidecar/otlp/destination.ts';
import { sourcesOf } from '../fixtures/config-sources.ts';
import { FILES, inEnvironment, inFile } from '../fixtures/settings.ts';
import { lineOf, VERSION } from '../fixtures/told.ts';

type Env = Record<string, string>;

const RUNS = { numRuns: 100 };

/** Values that are enough, unless others are given. */
const ENOUGH = {
  issuer: 'https://login.example.com',
  client_id: 'signet',
  client_secret_file: 'one',
  destinations: [],
};

function sources(text: string, env: Env) {
  return sourcesOf(env, { ...FILES, '/folder/signet.yaml': text });
}

function expectedOf(config: Config): Record<string, unknown> {
  const { listen, health, session, retention, sampling } = config;
  const [main] = config.providers;
  const { names: claims } = main;
  return {
    ...Object.fromEntries(config.providers.flatMap(expectedOfProvider)),
    hosts: config.hosts,
    'claims.user': claims.user,
    'claims.team': claims.team,
    'claims.team_prefix': claims.teamPrefix,
    'claims.roles': claims.roles,
    'claims.groups': claims.groups,
    'claims.type': claims.type,
    'session.idle': session.idleMs,
    'session.absolute': session.absoluteMs,
    'session.recheck': session.recheckMs ?? 'never',
    'session.domain': 'domain' in config.cookie ? config.cookie.domain : undefined,
    'assertion.issuer': config.assertion?.issuer,
    'trace.trust': config.trace.trust,
    'service.name': config.resource['service.name'],
    'service.version': config.resource['service.version'] ?? VERSION,
    'service.environment': config.resource['deployment.environment.name'],
    'service.deployment': config.resource['deployment.id'],
    'resource.a': config.resource['a'],
    'resource.c': config.resource['c'],
    listen: 'socket' in listen ? listen.socket : undefined,
    health: `${health.host === '::1' ? '[::1]' : health.host}:${health.port}`,
    access_log: config.accessLog,
    state: config.stateFolder,
    'audit.heads_file': config.headsFile,
    'retention.rows': retention.rowsMs ?? 'forever',
    'retention.undelivered': retention.undeliveredMs,
    redact_query: config.redactQuery,
    'privacy.client_address': config.clientAddress,
    'log.level': config.logLevel,
    'sampling.ratio': sampling.ratio,
    'sampling.slow': sampling.slowUs / 1000,
    ...Object.fromEntries(config.destinations.flatMap(expectedOfOne)),
  };
}

function expectedOfProvider(
  provider: Config['providers'][number],
  at: number,
): [string, unknown][] {
  const prefix = at === 0 ? '' : `providers[${at - 1}].`;
  const { name, label, issuer, clientId: client_id, scopes, signOut: sign_out } = provider;
  const parts = { name, label, issuer, client_id, scopes, sign_out };
  return Object.entries(parts).map(([key, value]) => [`${prefix}${key}`, value]);
}

function expectedOfOne(destination: Config['destinations'][number]): [string, unknown][] {
  const { name, protocol, endpoint, signals, compression, budget = {} } = destination;
  const addresses =
    protocol === 'grpc'
      ? { endpoint }
      : Object.fromEntries(
          signals.map((signal) => [`endpoint.${signal}`, urlOf(destination, signal)]),
        );
  const { spansPerSecond, spansPerDay } = budget;
  const parts = {
    ...{ protocol, signals, compression, ...addresses },
    'budget.spans_per_second': spansPerSecond,
    'budget.spans_per_day': spansPerDay,
  };
  return Object.entries(parts).map(([key, value]) => [`destinations.${name}.${key}`, value]);
}

const TIMES = [
  'session.idle',
  'session.recheck',
  'session.absolute',
  'retention.rows',
  'retention.undelivered',
];

function valueOf(told: Told, setting: string): unknown {
  const value = lineOf(told, setting)?.value;
  const isTime = [...TIMES, 'sampling.slow'].includes(setting);
  return isTime ? (parseDuration(String(value)) ?? value) : value;
}

test('every value is the one that the config has', () => {
  let whole = 0;
  fc.assert(
    fc.property(inFile, inEnvironment, (said, env: Env) => {
      const from = sources(stringify({ ...ENOUGH, ...said }), env);
      const checked = checkConfig(from);
      const told = tellConfig(from, VERSION);
      if (!('config' in checked)) return expect(told.mistakes).toEqual(checked.errors);
      whole += 1;
      expect(told.warnings).toEqual(checked.config.warnings);
      const expected = expectedOf(checked.config);
      const values = Object.keys(expected).map((setting) => [setting, valueOf(told, setting)]);
      expect(Object.fromEntries(values)).toEqual(expected);
      const names = told.settings.map(({ setting }) => setting);
      expect(names).toEqual([...new Set(names)]);
    }),
    RUNS,
  );
  expect(whole).toBeGreaterThan(50);
});

test('what is told of bearer tokens, rules and secrets is what the config has', () => {
  fc.assert(
    fc.property(inFile, inEnvironment, (said, env: Env) => {
      const from = sources(stringify({ ...ENOUGH, ...said }), env);
      const checked = checkConfig(from);
      if (!('config' in checked)) return;
      const { config } = checked;
      const told = tellConfig(from, VERSION);
      const starting = (prefix: string) =>
        told.settings.filter(({ setting }) => setting.startsWith(prefix));
      const ends = (list: ToldSetting[], end: string) =>
        list.filter(({ setting }) => setting.endsWith(end)).map(({ value }) => value);
      const audiences = ends([...told.settings], 'audiences') as string[][];
      const lists = audiences.filter((list) => list.length > 0);
      expect(lists).toEqual(config.bearer.map((one) => one.audiences));
      const names = ends(starting('bearer['), '.name');
      expect(config.bearer.slice(-names.length || Infinity).map((one) => one.name)).toEqual(names);
      const claims = ends(starting('bearer['), '.claims.team');
      expect(config.bearer.slice(-claims.length || Infinity).map((one) => one.names?.team)).toEqual(
        claims,
      );
      expect(starting('sampling.rules[')).toHaveLength(config.sampling.rules.length);
      expect(lineOf(told, 'client_secret_file')?.isSecret).toBe(true);
      expect(lineOf(told, 'keys_file')?.isSecret).toBe(config.keys && true);
      expect(lineOf(told, 'audit.store_file')?.isSecret).toBe(config.auditStore && true);
    }),
    RUNS,
  );
});

/** Returns the sources without what stands at the place that a line names. */
function without(text: string, env: Env, from: string) {
  const place = from.split(', the file ')[0] ?? '';
  const inYaml = /^signet\.yaml:(\d+): (.+)$/.exec(place);
  if (inYaml === null) {
    expect(Object.keys(env)).toContain(place);
    const { [place]: _, ...rest } = env;
    return sources(text, rest);
  }
  const steps = (inYaml[2] ?? '').split(/[.[\]]+/).filter((step) => step !== '');
  const last = steps.at(-1) ?? '';
  const line = text.split('\n')[Number(inYaml[1]) - 1];
  expect(line).toContain(/^\d+$/.test(last) ? '- ' : `${last}:`);
  const document = parseDocument(text);
  document.deleteIn(steps.map((step) => (/^\d+$/.test(step) ? Number(step) : step)));
  return sources(String(document), env);
}

test('what is taken away where a line says that it stands changes the line', () => {
  fc.assert(
    fc.property(inFile, inEnvironment, (said, env: Env) => {
      const text = stringify({ ...ENOUGH, ...said });
      const { settings } = tellConfig(sources(text, env), VERSION);
      const written = settings.filter(
        ({ from, isRefused }) => !from.startsWith('default') && !isRefused,
      );
      for (const line of written) {
        const after = tellConfig(without(text, env, line.from), VERSION);
        expect(lineOf(after, line.setting)).not.toEqual(line);
      }
    }),
    { numRuns: 20 },
  );
});

test('a default is told of what is written nowhere', () => {
  fc.assert(
    fc.property(inFile, inEnvironment, (said, env: Env) => {
      const text = stringify({ ...ENOUGH, ...said });
      const { settings } = tellConfig(sources(text, env), VERSION);
      const document = parseDocument(text);
      for (const { setting, from } of settings) {
        if (!from.startsWith('default') || setting.startsWith('destinations.')) continue;
        const steps = setting.split('.');
        expect(document.getIn(steps)).toBeUndefined();
      }
    }),
    RUNS,
  );
});
