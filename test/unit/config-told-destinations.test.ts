// What `signet config` tells of destinations: what profile, file and variables made of each together.
import { describe, expect, test } from '@jest/globals';
import { yaml } from '../fixtures/config-sources.ts';
import { lineOf, toldOf } from '../fixtures/told.ts';

const PEM = '-----BEGIN CERTIFICATE-----';
const inFile = (text: string, env: Record<string, string> = {}, files = {}) =>
  toldOf({ SIGNET_DESTINATION: '', ...env }, { ...yaml(text), '/folder/t': 'token', ...files });

test('none is told as none', () => {
  const none = { value: [], from: 'SIGNET_DESTINATION' };
  expect(lineOf(toldOf(), 'destinations')).toMatchObject(none);
  expect(lineOf(inFile('destinations: []'), 'destinations')).toMatchObject({
    value: [],
    from: 'signet.yaml:1: destinations',
  });
});

test('what a profile brings is told as its own', () => {
  const told = inFile('destinations: [{ name: lightstep, token_file: t }]');
  const from = 'default of the profile lightstep';
  expect(lineOf(told, 'destinations.lightstep.endpoint')).toMatchObject({
    value: 'https://ingest.lightstep.com:443',
    from,
  });
  expect(lineOf(told, 'destinations.lightstep.protocol')).toMatchObject({ value: 'grpc', from });
  expect(lineOf(told, 'destinations.lightstep.tls')).toMatchObject({ value: 'on', from });
  expect(lineOf(told, 'destinations.lightstep.profile')?.from).toBe('default by its name');
});

test('over HTTP each signal has its URL, a profile’s path behind it', () => {
  const text =
    'destinations: [{ name: lightstep, token_file: t, protocol: http/protobuf, signals: [traces, metrics] }]';
  const told = inFile(text);
  expect(lineOf(told, 'destinations.lightstep.endpoint.traces')?.value).toBe(
    'https://ingest.lightstep.com/v1/traces',
  );
  expect(lineOf(told, 'destinations.lightstep.endpoint.metrics')?.value).toBe(
    'https://ingest.lightstep.com/metrics/otlp/v0.9',
  );
});

test('a token is said to be there, with the file that it is read from', () => {
  const told = inFile('destinations:\n  - name: lightstep\n    token_file: t');
  expect(lineOf(told, 'destinations.lightstep.token_file')).toEqual({
    setting: 'destinations.lightstep.token_file',
    isSecret: true,
    from: 'signet.yaml:3: destinations[0].token_file, the file /folder/t',
  });
});

test.each([
  ['LIGHTSTEP_ACCESS_TOKEN', 'token', 'LIGHTSTEP_ACCESS_TOKEN'],
  ['LIGHTSTEP_ACCESS_TOKEN_FILE', 't', 'LIGHTSTEP_ACCESS_TOKEN_FILE, the file /folder/t'],
])('a token by %s wins over the file', (variable, value, from) => {
  const text = 'destinations: [{ name: lightstep, token_file: other }]';
  expect(lineOf(inFile(text, { [variable]: value }), 'destinations.lightstep.token_file')).toEqual(
    expect.objectContaining({ isSecret: true, from }),
  );
});

test('a destination by another name does not get a token by the variable', () => {
  const text = 'destinations: [{ name: eu, profile: lightstep, token_file: t }]';
  const told = inFile(text, { LIGHTSTEP_ACCESS_TOKEN: 'other' });
  expect(lineOf(told, 'destinations.eu.token_file')?.from).toContain('the file /folder/t');
});

describe('the standard variables', () => {
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://all.example.com:4318',
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf',
    OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://logs.example.com/in',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'none',
    OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=7',
  };
  const told = inFile('destinations: [{ name: otlp, signals: [traces, logs] }]', env);

  test.each([
    ['endpoint.traces', 'http://all.example.com:4318/v1/traces', 'OTEL_EXPORTER_OTLP_ENDPOINT'],
    ['endpoint.logs', 'http://logs.example.com/in', 'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT'],
    ['protocol', 'http/protobuf', 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'],
    ['compression', 'none', 'OTEL_EXPORTER_OTLP_COMPRESSION'],
  ])('say the %s of `otlp`', (key, value, from) => {
    expect(lineOf(told, `destinations.otlp.${key}`)).toMatchObject({ value, from });
  });

  test('say its headers, which are not told', () => {
    const expected = { isSecret: true, from: 'OTEL_EXPORTER_OTLP_HEADERS' };
    expect(lineOf(told, 'destinations.otlp.headers')).toMatchObject(expected);
  });

  test('name it, where nothing else does', () => {
    const only = toldOf({ SIGNET_DESTINATION: '', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4317' });
    const from = 'OTEL_EXPORTER_OTLP_ENDPOINT';
    expect(lineOf(only, 'destinations.otlp.profile')).toMatchObject({ value: 'otlp', from });
    expect(lineOf(only, 'destinations.otlp.endpoint')).toMatchObject({ from });
  });
});

test('SIGNET_DESTINATION says both who it is and where', () => {
  const told = toldOf({ SIGNET_DESTINATION: 'otlp@http://c.example.com:4317' });
  const from = 'SIGNET_DESTINATION';
  expect(lineOf(told, 'destinations.otlp.profile')).toMatchObject({ value: 'otlp', from });
  const expected = { value: 'http://c.example.com:4317', from };
  expect(lineOf(told, 'destinations.otlp.endpoint')).toMatchObject(expected);
});

describe('a proxy', () => {
  const env = {
    https_proxy: 'http://user:pw@proxy.example.com:3128',
    NO_PROXY: 'near.example.com',
  };
  const text = `destinations:
  - { name: far, endpoint: 'https://far.example.com' }
  - { name: near, endpoint: 'https://near.example.com' }
  - { name: plain, endpoint: 'http://plain.example.com' }`;
  const told = inFile(text, env);

  test.each([
    ['far', 'http://proxy.example.com:3128', 'https_proxy'],
    ['near', 'none', 'NO_PROXY'],
    ['plain', 'none', 'default'],
  ])('on the way to %s is %s', (name, value, from) => {
    expect(lineOf(told, `destinations.${name}.proxy`)).toMatchObject({ value, from });
  });

  test('is not told where there is none', () => {
    expect(lineOf(inFile(text), 'destinations.far.proxy')).toBeUndefined();
  });
});

test('a destination with a mistake is refused, and the others are told', () => {
  const text = 'destinations: [{ name: one, endpoint: nowhere }, { name: otlp }]';
  const told = inFile(text);
  expect(lineOf(told, 'destinations.one')?.isRefused).toBe(true);
  expect(lineOf(told, 'destinations.otlp.endpoint')?.value).toBe('http://localhost:4317');
});

test('a file that is not what it should be is not told by its path', () => {
  const text = "destinations: [{ name: one, endpoint: 'https://a', certificate_file: c }]";
  const told = inFile(text, {}, { '/folder/c': PEM });
  expect(lineOf(told, 'destinations.one.certificate_file')).toEqual({
    setting: 'destinations.one.certificate_file',
    isRefused: true,
    from: 'signet.yaml: destinations[0].certificate_file',
  });
});
