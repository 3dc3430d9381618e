// What the environment wins over in the file, said at start.
import { describe, expect, test } from '@jest/globals';
import { configOf, yaml } from '../fixtures/config-sources.ts';

const warnings = (env: Record<string, string>, text: string, files = {}) =>
  configOf({ SIGNET_DESTINATION: '', ...env }, { ...yaml(text), ...files }).warnings;

const MEND = 'unset the variable, or take away what the file says';

describe('SIGNET_DESTINATION', () => {
  const TWO = 'destinations: [{ name: a }, { name: otlp }]';

  test('that wins over a list is told, and that nothing is sent', () => {
    expect(warnings({ SIGNET_DESTINATION: 'none' }, TWO)).toEqual([
      `SIGNET_DESTINATION wins over destinations in signet.yaml: nothing is sent; ${MEND}`,
    ]);
  });

  test('is not quoted', () => {
    const env = { SIGNET_DESTINATION: 'https://a', OTEL_EXPORTER_OTLP_COMPRESSION: 'none' };
    expect(warnings(env, TWO)).toEqual([
      `SIGNET_DESTINATION wins over destinations in signet.yaml: its 2 entries are not used; ${MEND}`,
    ]);
  });

  test.each(['destinations: []', 'issuer: https://a'])('wins over nothing in %s', (text) => {
    expect(warnings({ SIGNET_DESTINATION: 'none' }, text)).toEqual([]);
  });

  test('that is not given leaves nothing to tell', () => {
    expect(warnings({}, TWO)).toEqual([]);
  });
});

describe('OTEL_EXPORTER_OTLP_…', () => {
  const of = (more: string) => `destinations: [{ name: a }, { name: otlp, ${more} }]`;

  test.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://b', "endpoint: 'http://a'", 'endpoint'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'http://b', "endpoint: 'http://a'", 'endpoint'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', 'protocol: http/protobuf', 'protocol'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'a=b', 'headers_file: h', 'headers_file'],
    ['OTEL_EXPORTER_OTLP_COMPRESSION', 'none', 'compression: gzip', 'compression'],
  ])('%s=%s wins over %s, and that is told', (name, value, more, key) => {
    expect(warnings({ [name]: value }, of(more), { '/folder/h': 'c=d' })).toEqual([
      `${name} wins over signet.yaml: destinations[1].${key}; ${MEND}`,
    ]);
  });

  test('is told of for each signal that is sent by HTTP, and for no other', () => {
    const more = "protocol: http/protobuf, endpoint: 'http://a', signals: [logs]";
    const name = 'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT';
    expect(warnings({ [name]: 'http://b/x' }, of(more))).toHaveLength(1);
    expect(warnings({ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://b/x' }, of(more))).toEqual([]);
  });

  test('that says the same as the file wins over nothing', () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a' };
    expect(warnings(env, of("endpoint: 'http://a'"))).toEqual([]);
  });

  test('wins over nothing of a destination with another name', () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://b', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };
    const text = "destinations: [{ name: a, protocol: http/protobuf, endpoint: 'http://a' }]";
    expect(warnings(env, text)).toEqual([]);
  });
});
