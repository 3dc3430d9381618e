import { describe, expect, test } from '@jest/globals';
import type { Secret } from '../../sidecar/secret.ts';
import { configOf, errorsOf } from '../fixtures/config-sources.ts';

const TOKEN = { LIGHTSTEP_ACCESS_TOKEN: 't0ken' };
const yaml = (text: string) => ({ '/folder/signet.yaml': text });

/** The destinations with their metadata revealed. */
function destinationsOf(env: Record<string, string>, files?: Record<string, string>) {
  return configOf(env, files).destinations.map(({ metadata, ...rest }) => ({
    ...rest,
    metadata: Object.fromEntries(Object.entries(metadata).map(reveal)),
  }));
}

function reveal([name, value]: [string, Secret]): [string, string] {
  return [name, value.reveal()];
}

describe('SIGNET_DESTINATION', () => {
  test('lightstep needs nothing but its token', () => {
    expect(destinationsOf({ SIGNET_DESTINATION: 'lightstep', ...TOKEN })).toEqual([
      {
        name: 'lightstep',
        endpoint: 'https://ingest.lightstep.com:443',
        metadata: { 'lightstep-access-token': 't0ken' },
      },
    ]);
  });

  test('lightstep without a token is a mistake', () => {
    expect(errorsOf({ SIGNET_DESTINATION: 'lightstep' })).toMatchObject([
      { where: 'LIGHTSTEP_ACCESS_TOKEN', read: 'nothing' },
    ]);
  });

  test('a token can be read from a file', () => {
    const env = { SIGNET_DESTINATION: 'lightstep', LIGHTSTEP_ACCESS_TOKEN_FILE: 'token' };
    const [found] = destinationsOf(env, { '/folder/token': 'abc\n' });
    expect(found?.metadata).toEqual({ 'lightstep-access-token': 'abc' });
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

  test.each([
    ['ligthstep', 'the nearest known one is lightstep'],
    [',', 'the nearest known one is'],
    ['otlp,none', '`none` stands alone'],
    ['otlp@collector:4317', 'put https:// or http:// in front'],
  ])('%s is a mistake', (written, mend) => {
    const [error] = errorsOf({ SIGNET_DESTINATION: written });
    expect(error?.where).toBe('SIGNET_DESTINATION');
    expect(error?.mend).toContain(mend);
  });

  test('the same destination twice is a mistake', () => {
    const written = 'http://a:1,http://b:2,http://b:2';
    expect(errorsOf({ SIGNET_DESTINATION: written })).toMatchObject([
      { read: '"otlp@b:2", twice' },
    ]);
  });

  test('an endpoint has no path: gRPC knows none', () => {
    expect(errorsOf({ SIGNET_DESTINATION: 'http://a:4318/v1/traces' })).toHaveLength(1);
  });
});

describe('OTEL_EXPORTER_OTLP_*', () => {
  const OTLP = { SIGNET_DESTINATION: '', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4317' };

  test('an endpoint alone is a destination', () => {
    expect(destinationsOf(OTLP)).toEqual([
      { name: 'otlp', endpoint: 'http://collector:4317', metadata: {} },
    ]);
  });

  test('what is said for traces wins', () => {
    const env = { ...OTLP, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces' };
    expect(destinationsOf(env)).toMatchObject([{ endpoint: 'https://traces:443' }]);
  });

  test('headers are percent-decoded, and their names lower case', () => {
    const env = { ...OTLP, OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20abc,x-team=a=b' };
    expect(destinationsOf(env)).toMatchObject([
      { metadata: { authorization: 'Bearer abc', 'x-team': 'a=b' } },
    ]);
  });

  test('a certificate has to be one', () => {
    const env = { ...OTLP, OTEL_EXPORTER_OTLP_CERTIFICATE: 'ca.pem' };
    const pem = '-----BEGIN CERTIFICATE-----\n';
    const [found] = destinationsOf(env, { '/folder/ca.pem': pem });
    expect(found?.certificateFile).toBe('/folder/ca.pem');
    expect(errorsOf(env, { '/folder/ca.pem': 'no' })).toHaveLength(1);
    expect(errorsOf(env)).toHaveLength(1);
  });

  test.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4317'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'http/protobuf'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'grpc-timeout=1'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'no equals sign'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'a=%zz'],
  ])('%s=%s is a mistake under its own name', (name, value) => {
    expect(errorsOf({ ...OTLP, [name]: value })).toMatchObject([{ where: name }]);
  });

  test('they are not about any other destination', () => {
    const env = { ...OTLP, ...TOKEN, OTEL_EXPORTER_OTLP_HEADERS: 'authorization=x' };
    const [first, second] = destinationsOf({
      ...env,
      SIGNET_DESTINATION: 'lightstep,otlp@http://a,',
    });
    expect(first?.metadata).toEqual({ 'lightstep-access-token': 't0ken' });
    expect(second).toMatchObject({ endpoint: 'http://a:4317', metadata: { authorization: 'x' } });
  });
});

describe('destinations in the file', () => {
  const files = {
    ...yaml(`
destinations:
  - { name: eu, profile: lightstep, endpoint: 'https://ingest.eu.lightstep.com', token_file: eu }
  - { name: own, endpoint: 'http://collector:4317', headers_file: headers }
`),
    '/folder/eu': 'eu-token',
    '/folder/headers': '# ours\nAuthorization=Bearer abc\n',
  };

  test('each has its own endpoint and credentials', () => {
    expect(destinationsOf({ SIGNET_DESTINATION: '', ...TOKEN }, files)).toEqual([
      {
        name: 'eu',
        endpoint: 'https://ingest.eu.lightstep.com:443',
        metadata: { 'lightstep-access-token': 'eu-token' },
      },
      {
        name: 'own',
        endpoint: 'http://collector:4317',
        metadata: { authorization: 'Bearer abc' },
      },
    ]);
  });

  test('SIGNET_DESTINATION wins over all of them', () => {
    expect(destinationsOf({ SIGNET_DESTINATION: 'none' }, files)).toEqual([]);
  });

  test('a file that one of them names has to be there', () => {
    const named = yaml('destinations: [{ name: a, profile: lightstep, token_file: nowhere }]');
    expect(errorsOf({ SIGNET_DESTINATION: '' }, named)).toMatchObject([
      { where: 'signet.yaml: destinations[0].token_file' },
    ]);
  });

  test('a token in the text is refused, with what to do instead', () => {
    const named = yaml('destinations: [{ name: a, profile: lightstep, token: hunter2 }]');
    const [error] = errorsOf({ SIGNET_DESTINATION: '', ...TOKEN }, named);
    expect(error?.where).toBe('signet.yaml: destinations[0].token');
    expect(error?.mend).toContain('token_file');
  });
});
