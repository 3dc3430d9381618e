import { describe, expect, test } from '@jest/globals';
import { cursorNames, isOnThisMachine } from '../../sidecar/otlp/destination.ts';
import { readPlain, toPlain } from '../../sidecar/plain-destinations.ts';
import {
  configOf,
  destinationsIn,
  destinationsOf,
  errorsIn,
  errorsOf,
  yaml,
} from '../fixtures/config-sources.ts';

const TOKEN = { LIGHTSTEP_ACCESS_TOKEN: 't0ken' };

describe('SIGNET_DESTINATION', () => {
  test('lightstep needs nothing but its token', () => {
    expect(destinationsOf({ SIGNET_DESTINATION: 'lightstep', ...TOKEN })).toEqual([
      {
        name: 'lightstep',
        credentialVariables: ['LIGHTSTEP_ACCESS_TOKEN'],
        protocol: 'grpc',
        endpoint: 'https://ingest.lightstep.com:443',
        headers: { 'lightstep-access-token': 't0ken' },
        compression: 'gzip',
        signals: ['traces'],
      },
    ]);
  });

  test('several stand with commas between; the first of a kind has the plain name', () => {
    const env = {
      SIGNET_DESTINATION:
        'lightstep@http://localhost:5000, otlp, https://b.example.com,otlp@http://c',
      ...TOKEN,
    };
    expect(destinationsOf(env).map(({ name, endpoint }) => [name, endpoint])).toEqual([
      ['lightstep', 'http://localhost:5000'],
      ['otlp', 'http://localhost:4317'],
      ['otlp@b.example.com:443', 'https://b.example.com:443'],
      ['otlp@c:4317', 'http://c:4317'],
    ]);
  });

  test('one backend may stand three times, each with a name of its own, with a path or without', () => {
    const written = 'newrelic,newrelic@https://a.example.com/x,newrelic@https://b.example.com:8443';
    const env = { SIGNET_DESTINATION: written, NEW_RELIC_LICENSE_KEY: 'key' };
    expect(destinationsOf(env).map(({ name }) => name)).toEqual([
      'newrelic',
      'newrelic@a.example.com:443',
      'newrelic@b.example.com:8443',
    ]);
  });

  test('a port that is written is in the name, the one of the scheme, too', () => {
    const env = { SIGNET_DESTINATION: 'http://a,http://c:080,http://c' };
    expect(destinationsOf(env).map(({ name }) => name)).toEqual([
      'otlp',
      'otlp@c:80',
      'otlp@c:4317',
    ]);
  });

  test.each([
    ['ligthstep', 'the nearest known one is lightstep'],
    [',', 'the nearest known one is'],
    ['otlp,none', '`none` stands alone'],
    ['otlp@collector:4317', 'put https:// or http:// in front'],
    ['newrelic@collector/otlp', 'put https:// or http:// in front'],
  ])('%s is a mistake', (written, mend) => {
    const env = { SIGNET_DESTINATION: written, NEW_RELIC_LICENSE_KEY: 'key' };
    expect(errorsOf(env)).toMatchObject([
      { where: 'SIGNET_DESTINATION', mend: expect.stringContaining(mend) },
    ]);
  });

  test('the same destination twice is a mistake', () => {
    const written = 'http://a:1,http://b:2,http://b:2';
    expect(errorsOf({ SIGNET_DESTINATION: written })).toMatchObject([
      { read: '"otlp@b:2", twice' },
    ]);
  });

  test('an endpoint has no path where gRPC is spoken, and it is told how HTTP would be', () => {
    expect(errorsOf({ SIGNET_DESTINATION: 'http://a:4318/v1/traces' })).toMatchObject([
      { where: 'SIGNET_DESTINATION', mend: expect.stringContaining('http/protobuf') },
    ]);
  });
});

describe('destinations in the file', () => {
  const text = `
destinations:
  - { name: eu, profile: lightstep, endpoint: 'https://ingest.eu.lightstep.com', token_file: eu }
  - { name: own, endpoint: 'http://collector:4317', headers_file: headers }
`;
  const files = { '/folder/eu': 'eu-token', '/folder/headers': 'Authorization=Bearer abc\n' };

  test('each has its own endpoint and credentials', () => {
    expect(
      destinationsOf({ SIGNET_DESTINATION: '', ...TOKEN }, { ...yaml(text), ...files }),
    ).toEqual([
      {
        name: 'eu',
        protocol: 'grpc',
        endpoint: 'https://ingest.eu.lightstep.com:443',
        headers: {},
        tokenFile: { header: 'lightstep-access-token', prefix: '', path: '/folder/eu' },
        compression: 'gzip',
        signals: ['traces'],
      },
      {
        name: 'own',
        protocol: 'grpc',
        endpoint: 'http://collector:4317',
        headers: {},
        headersFile: '/folder/headers',
        compression: 'gzip',
        signals: ['traces'],
      },
    ]);
  });

  test('SIGNET_DESTINATION wins over all of them', () => {
    expect(destinationsOf({ SIGNET_DESTINATION: 'none' }, { ...yaml(text), ...files })).toEqual([]);
  });

  test.each(['lightstep/logs', 'a b', ''])('%j is no name', (name) => {
    expect(errorsIn(`destinations: [{ name: '${name}' }]`)).toMatchObject([
      { where: 'signet.yaml: destinations[0].name' },
    ]);
  });

  test('a name that objects have already is one as any other, on the other thread, too', () => {
    const names = ['__proto__', 'constructor', 'toString'];
    const own = names.map((name) => `{ name: ${name}, endpoint: 'http://a' }`).join(', ');
    const config = configOf({ SIGNET_DESTINATION: '' }, yaml(`destinations: [${own}]`));
    const { destinations } = readPlain(structuredClone(toPlain(config)));
    expect(destinations.map(({ name }) => name)).toEqual(names);
    expect(destinations.flatMap(cursorNames)).toEqual(names);
  });

  test('two of one name are a mistake', () => {
    expect(errorsIn('destinations: [{ name: a }, { name: b }, { name: a }]')).toMatchObject([
      { where: 'signet.yaml: destinations[2]', read: '"a", twice' },
    ]);
  });
});

describe('signals', () => {
  const of = (more: string) => `destinations: [{ name: a, ${more} }]`;

  test('are traces unless more is asked for', () => {
    expect(destinationsIn(of('profile: otlp'))).toMatchObject([{ signals: ['traces'] }]);
    const asked = destinationsIn(of('signals: [logs, metrics, traces]'));
    expect(asked).toMatchObject([{ signals: ['logs', 'metrics', 'traces'] }]);
  });

  test.each(['[]', '[spans]', '[traces, traces]', 'traces'])('%s is a mistake', (signals) => {
    const [error, ...others] = errorsIn(of(`signals: ${signals}`));
    expect(error?.where).toMatch(/^signet\.yaml: destinations\[0\]\.signals/);
    expect(error?.allowed).toContain('traces, logs, metrics');
    expect(others).toEqual([]);
  });

  test.each([
    ['jaeger', 'logs, metrics', 'traces for jaeger'],
    ['lightstep', 'logs', 'traces, metrics for lightstep'],
    ['dynatrace', 'metrics', 'traces, logs for dynatrace'],
  ])('those that %s does not take are a mistake: %s', (profile, signals, allowed) => {
    const endpoint = 'https://e.example.com';
    const named = `profile: ${profile}, endpoint: '${endpoint}', token_file: t`;
    const kept = profile === 'jaeger' ? `profile: jaeger` : named;
    const errors = errorsIn(of(`${kept}, signals: [traces, ${signals}]`), { '/folder/t': 't' });
    expect(errors).toMatchObject([
      { where: 'signet.yaml: destinations[0].signals', read: signals, allowed },
    ]);
  });

  test('traces and logs have a cursor each, and metrics none', () => {
    const signals = ['metrics', 'logs', 'traces'] as const;
    expect(cursorNames({ name: 'x', signals })).toEqual(['x', 'x/logs']);
    expect(cursorNames({ name: 'x', signals: ['metrics'] })).toEqual([]);
  });
});

describe('compression', () => {
  const of = (more: string) => `destinations: [{ name: a, ${more} }]`;

  test.each([
    ['http://localhost:4317', 'grpc', 'none'],
    ['http://[::1]:4317', 'grpc', 'none'],
    ['http://127.0.0.1:4318/otlp', 'http/protobuf', 'none'],
    ['http://localhost.example.com:4317', 'grpc', 'gzip'],
    ['https://collector/otlp', 'http/protobuf', 'gzip'],
  ])('to %s by %s it is %s unless something else is said', (endpoint, protocol, compression) => {
    const text = of(`endpoint: '${endpoint}', protocol: ${protocol}`);
    expect(destinationsIn(text)).toMatchObject([{ compression }]);
  });

  test('can be chosen', () => {
    expect(destinationsIn(of('compression: gzip'))).toMatchObject([{ compression: 'gzip' }]);
    const none = of("endpoint: 'https://collector', compression: none");
    expect(destinationsIn(none)).toMatchObject([{ compression: 'none' }]);
  });

  test('is gzip or none', () => {
    expect(errorsIn(of('compression: zstd'))).toMatchObject([
      { where: 'signet.yaml: destinations[0].compression', allowed: expect.stringMatching(/gzip/) },
    ]);
  });

  test('a path on this machine is on this machine', () => {
    expect(isOnThisMachine({ endpoint: 'http://127.0.0.1:4318/v1/traces' })).toBe(true);
    expect(isOnThisMachine({ endpoint: 'http://127.0.0.1.example.com/v1/traces' })).toBe(false);
  });
});

describe('a budget', () => {
  const of = (budget: string) => `destinations: [{ name: a, budget: ${budget} }]`;

  test('is of spans in a second, in a day, or both', () => {
    expect(destinationsIn(of('{ spans_per_second: 100 }'))).toMatchObject([
      { budget: { spansPerSecond: 100 } },
    ]);
    expect(destinationsIn(of('{ spans_per_second: 1, spans_per_day: 2 }'))).toMatchObject([
      { budget: { spansPerSecond: 1, spansPerDay: 2 } },
    ]);
  });

  test('there is none where none is asked for', () => {
    expect(destinationsIn('destinations: [{ name: a }]')[0]).not.toHaveProperty('budget');
  });

  test.each([
    ['{}', 'budget'],
    ['{ spans_per_second: 0 }', 'budget.spans_per_second'],
    ['{ spans_per_second: 1.5 }', 'budget.spans_per_second'],
    ['{ spans_per_day: -1 }', 'budget.spans_per_day'],
    ['{ spans_per_day: many }', 'budget.spans_per_day'],
    ['{ spans_per_minute: 1 }', 'budget.spans_per_minute'],
  ])('%s is a mistake', (budget, path) => {
    expect(errorsIn(of(budget))).toMatchObject([{ where: `signet.yaml: destinations[0].${path}` }]);
  });

  test('without traces there is nothing that it could be of', () => {
    const text = 'destinations: [{ name: a, signals: [logs], budget: { spans_per_day: 1 } }]';
    expect(errorsIn(text)).toMatchObject([{ read: 'a budget without traces' }]);
  });
});
