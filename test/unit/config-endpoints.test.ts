// Protocols and endpoints: of the file, of the profiles, and of OTEL_EXPORTER_OTLP_* (OpenTelemetry
// Protocol Exporter, 1.x).
import { describe, expect, test } from '@jest/globals';
import { type Signal, urlOf } from '../../sidecar/otlp/destination.ts';
import { PROFILES } from '../../sidecar/otlp/profiles.ts';
import { configOf, destinationsIn, destinationsOf } from '../fixtures/config-sources.ts';
import { errorsIn, errorsOf, yaml } from '../fixtures/config-sources.ts';

/** Returns the URL that a signal of the only destination is posted to. */
function postedTo(env: Record<string, string>, signal: Signal = 'traces', file = ''): string {
  const [destination] = configOf({ SIGNET_DESTINATION: '', ...env }, yaml(file)).destinations;
  if (destination?.protocol !== 'http/protobuf') throw new Error('not by HTTP');
  return urlOf(destination, signal);
}

const OTLP = { SIGNET_DESTINATION: '', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4317' };
const HTTP = { SIGNET_DESTINATION: '', OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' };

describe('OTEL_EXPORTER_OTLP_*', () => {
  test('an endpoint alone is a destination, by gRPC', () => {
    expect(destinationsOf(OTLP)).toEqual([
      {
        name: 'otlp',
        protocol: 'grpc',
        endpoint: 'http://collector:4317',
        headers: {},
        compression: 'gzip',
        signals: ['traces'],
      },
    ]);
  });

  test('what is said for traces wins', () => {
    const env = { ...OTLP, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces' };
    expect(destinationsOf(env)).toMatchObject([{ endpoint: 'https://traces:443' }]);
    const protocols = { ...HTTP, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc' };
    expect(destinationsOf({ ...OTLP, ...protocols })).toMatchObject([{ protocol: 'grpc' }]);
  });

  test.each([
    ['http://collector:4318', 'http://collector:4318/v1/traces'],
    ['http://collector:4318/', 'http://collector:4318/v1/traces'],
    ['https://gateway.example.com/otlp/', 'https://gateway.example.com/otlp/v1/traces'],
  ])('the endpoint %s is a base over HTTP', (endpoint, url) => {
    expect(postedTo({ ...HTTP, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })).toBe(url);
  });

  test.each(['http://collector:4318/v1/traces', 'http://collector/in/', 'http://collector/'])(
    "the traces' own endpoint %s is the whole URL over HTTP",
    (url) => {
      expect(postedTo({ ...HTTP, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url })).toBe(url);
      const both = { ...HTTP, OTEL_EXPORTER_OTLP_ENDPOINT: 'https://other' };
      expect(postedTo({ ...both, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url })).toBe(url);
    },
  );

  test("where all have URLs of their own, the endpoint is on their host, and not the default's", () => {
    const env = { ...HTTP, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces.example.com/in' };
    expect(destinationsOf(env)).toMatchObject([
      { endpoint: 'https://traces.example.com', compression: 'gzip' },
    ]);
  });

  test('each signal has an endpoint of its own over HTTP, if it is asked for', () => {
    const file = 'destinations: [{ name: otlp, signals: [traces, logs, metrics] }]';
    const env = {
      ...HTTP,
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://base',
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://logs/in',
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://metrics/in',
    };
    expect(postedTo(env, 'traces', file)).toBe('http://base/v1/traces');
    expect(postedTo(env, 'logs', file)).toBe('http://logs/in');
    expect(postedTo(env, 'metrics', file)).toBe('http://metrics/in');
  });

  test('over gRPC all signals have one endpoint, and another is a mistake', () => {
    const named = yaml('destinations: [{ name: otlp, signals: [traces, logs] }]');
    const env = { ...OTLP, OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://logs:4317' };
    expect(errorsOf(env, named)).toMatchObject([{ where: 'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT' }]);
    expect(errorsOf(env)).toEqual([]);
  });

  test('a protocol without an endpoint has the default one, as a Collector has it', () => {
    const env = { ...HTTP, SIGNET_DESTINATION: 'otlp' };
    expect(destinationsOf(env)).toMatchObject([{ endpoint: 'http://localhost:4318' }]);
    expect(destinationsOf({ SIGNET_DESTINATION: 'otlp' })).toMatchObject([
      { endpoint: 'http://localhost:4317' },
    ]);
  });

  test('the protocol goes with the endpoint: a URL in SIGNET_DESTINATION stands for itself', () => {
    const env = { ...HTTP, SIGNET_DESTINATION: 'http://collector:4317' };
    expect(destinationsOf(env)).toMatchObject([{ protocol: 'grpc' }]);
  });

  test('compression is understood, and wins over the file', () => {
    const named = yaml("destinations: [{ name: otlp, endpoint: 'http://a', compression: gzip }]");
    const env = { SIGNET_DESTINATION: '', OTEL_EXPORTER_OTLP_COMPRESSION: 'none' };
    expect(destinationsOf(env, named)).toMatchObject([{ compression: 'none' }]);
  });

  test.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4317'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://collector:4318/otlp'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'http'],
    ['OTEL_EXPORTER_OTLP_COMPRESSION', 'zstd'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'a=%zz'],
  ])('%s=%s is a mistake under its own name', (name, value) => {
    expect(errorsOf({ ...OTLP, [name]: value })).toMatchObject([{ where: name }]);
  });

  test('a whole URL that is none is a mistake under its own name', () => {
    const env = { ...HTTP, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'collector/v1/traces' };
    expect(errorsOf(env)).toMatchObject([{ where: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT' }]);
  });

  test('http/json is not spoken, and it is told what is', () => {
    expect(errorsOf({ ...OTLP, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' })).toMatchObject([
      {
        read: '"http/json"',
        allowed: 'grpc, http/protobuf for otlp',
        mend: expect.stringContaining('http/protobuf'),
      },
    ]);
  });

  test('they are not about any other destination', () => {
    const named = yaml("destinations: [{ name: a, profile: collector, endpoint: 'http://a' }]");
    const compression = { OTEL_EXPORTER_OTLP_COMPRESSION: 'none' };
    expect(destinationsOf({ ...OTLP, ...HTTP, ...compression }, named)).toMatchObject([
      { protocol: 'grpc', endpoint: 'http://a:4317', compression: 'gzip' },
    ]);
  });
});

describe('endpoints in the file', () => {
  const of = (more: string) => `destinations: [{ name: a, ${more} }]`;

  test('over HTTP they may have a path', () => {
    const text = of("protocol: http/protobuf, endpoint: 'https://gateway.example.com/otlp/'");
    expect(destinationsIn(text)).toMatchObject([
      { protocol: 'http/protobuf', endpoint: 'https://gateway.example.com/otlp' },
    ]);
  });

  test.each([
    ['grpc', 'https://a/otlp', 'protocol: http/protobuf'],
    ['grpc', 'collector', 'put https:// or http:// in front'],
    ['http/protobuf', 'collector/otlp', 'put https:// or http:// in front'],
    ['http/protobuf', 'https://a/v1/traces', 'take /v1/traces away'],
    ['http/protobuf', 'https://a/otlp/v1/logs/', 'take /v1/logs away'],
  ])('by %s %s is a mistake', (protocol, endpoint, mend) => {
    expect(errorsIn(of(`protocol: ${protocol}, endpoint: '${endpoint}'`))).toMatchObject([
      {
        where: 'signet.yaml: destinations[0].endpoint',
        mend: expect.stringContaining(mend),
      },
    ]);
  });

  test.each([
    'https://a/?key=b',
    'https://a/#b',
    'https://joe:hunter2@a',
    'ftp://a',
    'https://a b',
    'https://a:0',
    'https://a:65536',
  ])('%s is no endpoint over HTTP', (endpoint) => {
    const errors = errorsIn(of(`protocol: http/protobuf, endpoint: '${endpoint}'`));
    expect(errors).toMatchObject([{ where: 'signet.yaml: destinations[0].endpoint' }]);
    expect(JSON.stringify(errors)).not.toContain('hunter2');
  });

  test.each(['https://a:0', 'http://a:00/', 'https://a:65536'])(
    '%s is none by gRPC',
    (endpoint) => {
      const where = 'signet.yaml: destinations[0].endpoint';
      expect(errorsIn(of(`endpoint: '${endpoint}'`))).toMatchObject([{ where }]);
    },
  );

  test.each([
    ['http://a:0080', 'http://a:80'],
    ['https://127.0.0.1:0080', 'https://127.0.0.1:80'],
    ['https://127.1:0443', 'https://127.0.0.1:443'],
    ['HTTPS://A.Example:8443/', 'https://a.example:8443'],
    ['http://[::0001]:80', 'http://[::1]:80'],
    ['http://[::1]', 'http://[::1]:4317'],
    ['http://a:', 'http://a:4317'],
    ['https://a:8443/.', 'https://a:8443'],
    ['http://a:80/.', 'http://a:80'],
  ])('%s by gRPC is %s', (endpoint, normal) => {
    expect(destinationsIn(of(`endpoint: '${endpoint}'`))).toMatchObject([{ endpoint: normal }]);
  });

  test.each(['grpc', 'http/protobuf'])('a backslash is no part of one by %s', (protocol) => {
    const text = of(`protocol: ${protocol}, endpoint: 'https://a:8443\\'`);
    expect(errorsIn(text)).toMatchObject([{ where: 'signet.yaml: destinations[0].endpoint' }]);
  });

  test.each(['http/json', 'http', 'GRPC'])('%s is no protocol', (protocol) => {
    expect(errorsIn(of(`protocol: ${protocol}`))).toMatchObject([
      { where: 'signet.yaml: destinations[0].protocol' },
    ]);
  });

  test.each(['grafana', 'datadog', 'dynatrace'])('%s speaks no gRPC', (profile) => {
    const text = of(`profile: ${profile}, protocol: grpc, token_file: t`);
    expect(errorsIn(text, { '/folder/t': '1:t' })).toMatchObject([
      { read: '"grpc"', allowed: `http/protobuf for ${profile}` },
    ]);
  });
});

describe('profiles', () => {
  test.each(Object.entries(PROFILES))('%s has an endpoint for its protocol', (_, profile) => {
    expect(profile.endpoints[profile.protocol]).toMatch(/^https?:\/\//);
  });

  test.each(Object.entries(PROFILES))(
    '%s has lower-case headers, and takes traces',
    (_, profile) => {
      expect(profile.credential?.header ?? '').toBe(profile.credential?.header.toLowerCase() ?? '');
      expect(profile.signals).toContain('traces');
    },
  );

  test.each(['signoz', 'splunk', 'grafana', 'datadog', 'dynatrace'])(
    '%s wants its endpoint filled in, and says how it looks',
    (profile) => {
      const { protocol, endpoints, credential } = PROFILES[profile] ?? {};
      const pattern = protocol && endpoints?.[protocol];
      const env = { SIGNET_DESTINATION: profile, [credential?.variable ?? '']: '1:t' };
      expect(errorsOf(env)).toMatchObject([
        {
          where: 'SIGNET_DESTINATION',
          read: 'no endpoint',
          allowed: `${profile}'s: ${pattern}`,
          mend: `write ${profile}@${pattern}, filled in`,
        },
      ]);
    },
  );

  test('a pattern that was not filled in is no endpoint', () => {
    const written = 'splunk@https://ingest.<realm>.signalfx.com:443';
    const env = { SIGNET_DESTINATION: written, SPLUNK_ACCESS_TOKEN: 't' };
    expect(errorsOf(env)).toMatchObject([{ where: 'SIGNET_DESTINATION' }]);
  });

  test("Splunk's path over HTTP is its own", () => {
    const endpoint = 'https://ingest.us1.signalfx.com';
    const file = `destinations: [{ name: splunk, profile: splunk, protocol: http/protobuf, endpoint: '${endpoint}' }]`;
    const url = postedTo({ SPLUNK_ACCESS_TOKEN: 't' }, 'traces', file);
    expect(url).toBe(`${endpoint}/v2/trace/otlp`);
    expect(errorsIn(file.replace('.com', '.com/v2/trace/otlp'))).toMatchObject([
      { mend: 'take /v2/trace/otlp away: it is appended' },
      { where: 'SPLUNK_ACCESS_TOKEN' },
    ]);
  });
});
