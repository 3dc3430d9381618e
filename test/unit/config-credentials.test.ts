// Tokens, headers and certificates of destinations: where they come from, and what is looked at before
// anything starts.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { formatConfigErrors } from '../../sidecar/config/errors.ts';
import { PROFILES } from '../../sidecar/otlp/profiles.ts';
import { createAuthority } from '../fixtures/certificates.ts';
import {
  destinationsIn,
  destinationsOf,
  errorsIn,
  errorsOf,
  yaml,
} from '../fixtures/config-sources.ts';

const OTLP = { SIGNET_DESTINATION: '', OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector:4317' };

describe('a token', () => {
  test.each([
    ['lightstep', 'LIGHTSTEP_ACCESS_TOKEN', 'lightstep-access-token', 'abc'],
    ['honeycomb', 'HONEYCOMB_API_KEY', 'x-honeycomb-team', 'abc'],
    ['signoz', 'SIGNOZ_INGESTION_KEY', 'signoz-ingestion-key', 'abc'],
    ['splunk', 'SPLUNK_ACCESS_TOKEN', 'x-sf-token', 'abc'],
    ['newrelic', 'NEW_RELIC_LICENSE_KEY', 'api-key', 'abc'],
    ['datadog', 'DD_API_KEY', 'dd-api-key', 'abc'],
    ['dynatrace', 'DT_API_TOKEN', 'authorization', 'Api-Token abc'],
  ])('of %s is in %s and goes out as %s', (profile, variable, header, value) => {
    const env = { SIGNET_DESTINATION: `${profile}@https://e.example.com`, [variable]: 'abc' };
    expect(destinationsOf(env)).toMatchObject([{ headers: { [header]: value } }]);
  });

  test("Grafana's goes out in base64, as Basic has it", () => {
    const SIGNET_DESTINATION = 'grafana@https://otlp-gateway-prod-eu-west-2.grafana.net/otlp';
    const env = { SIGNET_DESTINATION, GRAFANA_CLOUD_OTLP_TOKEN: '1234:glc_abc' };
    expect(destinationsOf(env)).toMatchObject([
      {
        protocol: 'http/protobuf',
        endpoint: 'https://otlp-gateway-prod-eu-west-2.grafana.net/otlp',
        headers: { authorization: `Basic ${btoa('1234:glc_abc')}` },
      },
    ]);
    expect(errorsOf({ ...env, GRAFANA_CLOUD_OTLP_TOKEN: 'glc_abc' })).toMatchObject([
      { where: 'GRAFANA_CLOUD_OTLP_TOKEN', read: 'a token without a colon' },
    ]);
  });

  test.each(Object.entries(PROFILES).filter(([, { credential }]) => credential !== undefined))(
    '%s without one is a mistake',
    (profile, { credential }) => {
      const env = { SIGNET_DESTINATION: `${profile}@https://e.example.com` };
      expect(errorsOf(env)).toMatchObject([{ where: credential?.variable, read: 'nothing' }]);
    },
  );

  test('that a file holds is read anew by whoever sends it: only the path is handed on', () => {
    const env = { SIGNET_DESTINATION: 'dynatrace@https://e.live.dynatrace.com/api/v2/otlp' };
    const files = { '/folder/token': 'abc\n' };
    const [found] = destinationsOf({ ...env, DT_API_TOKEN_FILE: 'token' }, files);
    expect(found?.headers).toEqual({});
    expect(found?.tokenFile).toEqual({
      header: 'authorization',
      prefix: 'Api-Token ',
      path: '/folder/token',
    });
  });

  test("Grafana's in a file says that it goes out in base64", () => {
    const text = `destinations: [{ name: g, profile: grafana, endpoint: 'https://g/otlp', token_file: t }]`;
    expect(destinationsIn(text, { '/folder/t': '1:abc' })).toMatchObject([
      { tokenFile: { prefix: 'Basic ', encoding: 'base64', path: '/folder/t' } },
    ]);
  });

  test('that a file should hold has to be there, and to be one', () => {
    const text = 'destinations: [{ name: a, profile: lightstep, token_file: ./t }]';
    const where = 'signet.yaml: destinations[0].token_file';
    expect(errorsIn(text)).toMatchObject([{ where, read: '"./t", a file that is not there' }]);
    expect(errorsIn(text, { '/folder/t': '' })).toMatchObject([{ where }]);
    expect(errorsIn(text, { '/folder/t': 'two words' })).toMatchObject([{ where }]);
  });

  test('in two places contradicts itself', () => {
    const env = { SIGNET_DESTINATION: 'honeycomb', HONEYCOMB_API_KEY: 'a' };
    expect(errorsOf({ ...env, HONEYCOMB_API_KEY_FILE: '/x' })).toMatchObject([
      { where: 'HONEYCOMB_API_KEY and HONEYCOMB_API_KEY_FILE', read: 'both' },
    ]);
  });

  test('of a backend that is not named is nobody’s concern', () => {
    expect(errorsOf({ DD_API_KEY: 'a b', DD_API_KEY_FILE: '/x' })).toEqual([]);
  });

  test('of an entry with another name is its own, not the one in the environment', () => {
    const text = 'destinations: [{ name: old, profile: lightstep, token_file: t }]';
    const files = { ...yaml(text), '/folder/t': 'own' };
    const env = { SIGNET_DESTINATION: '', LIGHTSTEP_ACCESS_TOKEN: 'other' };
    expect(destinationsOf(env, files)).toMatchObject([
      { headers: {}, tokenFile: { path: '/folder/t' } },
    ]);
  });

  test('in the text is refused, with what to do instead', () => {
    const text = 'destinations: [{ name: a, profile: honeycomb, token: hunter2 }]';
    const [error] = errorsIn(text);
    expect(error).toMatchObject({ where: 'signet.yaml: destinations[0].token' });
    expect(error?.mend).toContain('token_file');
  });

  test('for a backend that asks for none is a mistake', () => {
    const text = 'destinations: [{ name: a, profile: jaeger, token_file: t }]';
    expect(errorsIn(text)).toMatchObject([{ allowed: 'no token for jaeger' }]);
  });
});

describe('headers', () => {
  test('of OTEL_EXPORTER_OTLP_HEADERS are percent-decoded, and their names lower case', () => {
    const env = { ...OTLP, OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20abc,x-team=a=b' };
    expect(destinationsOf(env)).toMatchObject([
      { headers: { authorization: 'Bearer abc', 'x-team': 'a=b' } },
    ]);
  });

  test('of OTEL_EXPORTER_OTLP_HEADERS go to `otlp` and to no other', () => {
    const env = { ...OTLP, LIGHTSTEP_ACCESS_TOKEN: 't0ken' };
    const headers = { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=x' };
    const [first, second] = destinationsOf({
      ...{ ...env, ...headers },
      SIGNET_DESTINATION: 'lightstep,otlp@http://a,',
    });
    expect(first?.headers).toEqual({ 'lightstep-access-token': 't0ken' });
    expect(second).toMatchObject({ endpoint: 'http://a:4317', headers: { authorization: 'x' } });
  });

  test('that a file holds are read anew by whoever sends them', () => {
    const text = 'destinations: [{ name: a, headers_file: h }]';
    const [found] = destinationsIn(text, { '/folder/h': '# ours\nAuthorization=Bearer abc\n' });
    expect(found).toMatchObject({ headers: {}, headersFile: '/folder/h' });
  });

  test.each([
    ['a line without a name', '=b'],
    ['a line without a value', 'a'],
    ['gRPC’s own', 'grpc-timeout=1'],
    ['binary ones', 'a-bin=1'],
    ['what the request is', 'Content-Type=text/plain'],
    ['where it goes', 'host=a'],
    ['what gRPC’s client loses', '__proto__=x'],
    ['no ASCII', 'a=é'],
    ['nothing', '# nothing yet'],
  ])('can not be %s', (_, line) => {
    const text = 'destinations: [{ name: a, headers_file: h }]';
    expect(errorsIn(text, { '/folder/h': `x=y\n${line}`.replace(/x=y\n#/, '#') })).toMatchObject([
      { where: 'signet.yaml: destinations[0].headers_file', read: 'headers that cannot be sent' },
    ]);
  });

  test.each(['grpc-timeout=1', '__proto__=x', 'no equals sign', 'host=a', 'a=%zz'])(
    'OTEL_EXPORTER_OTLP_HEADERS=%s is a mistake',
    (value) => {
      const env = { ...OTLP, OTEL_EXPORTER_OTLP_HEADERS: value };
      expect(errorsOf(env)).toMatchObject([{ where: 'OTEL_EXPORTER_OTLP_HEADERS' }]);
    },
  );

  test('no message shows a token or a header', () => {
    const text = `
destinations:
  - { name: a, profile: grafana, endpoint: 'https://joe:hunter2@g/otlp', token_file: t }
  - { name: b, headers_file: h }
  - { name: c, profile: lightstep, token_file: s }
`;
    const files = {
      '/folder/t': 'hunter2',
      '/folder/h': 'grpc-a=hunter2',
      '/folder/s': 'a hunter2',
    };
    const errors = errorsIn(text, files);
    expect(errors).toHaveLength(4);
    expect(formatConfigErrors(errors)).not.toContain('hunter2');
  });
});

describe('certificates', () => {
  let files: Record<string, string>;

  beforeAll(() => {
    const folder = mkdtempSync(join(tmpdir(), 'signet-config-'));
    const text = (path: string) => readFileSync(path, 'utf8');
    const [one, other] = [createAuthority(folder, 'one'), createAuthority(folder, 'other')];
    const client = one.issue('client');
    const no = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    files = {
      '/folder/ca.pem': `Our own\n${text(one.certificateFile)}${text(other.certificateFile)}`,
      '/folder/client.pem': text(client.certificateFile),
      '/folder/client.key': text(client.keyFile),
      '/folder/other.key': text(other.issue('client').keyFile),
      '/folder/no.pem': no,
      '/folder/mixed.pem': text(one.certificateFile) + no,
      '/folder/text': 'no certificate',
    };
    rmSync(folder, { recursive: true });
  });

  const of = (more: string, endpoint = 'https://collector:4317') =>
    `destinations: [{ name: a, endpoint: '${endpoint}', ${more} }]`;
  const BOTH = 'client_certificate_file: client.pem, client_key_file: client.key';
  const at = (key: string) => `signet.yaml: destinations[0].${key}`;

  test('of authorities are named by their absolute path', () => {
    expect(destinationsIn(of('certificate_file: ca.pem'), files)).toMatchObject([
      { certificateFile: '/folder/ca.pem' },
    ]);
  });

  test.each(['no.pem', 'mixed.pem', 'text', 'nowhere', 'client.key'])(
    '%s does not hold authorities, and nothing else',
    (file) => {
      expect(errorsIn(of(`certificate_file: ${file}`), files)).toMatchObject([
        { where: at('certificate_file') },
      ]);
    },
  );

  test("a client's is named with its key", () => {
    expect(destinationsIn(of(BOTH), files)).toMatchObject([
      { clientCertificateFile: '/folder/client.pem', clientKeyFile: '/folder/client.key' },
    ]);
  });

  test.each([
    ['client_certificate_file', 'client.pem'],
    ['client_key_file', 'client.key'],
  ])('%s alone is a mistake', (key, file) => {
    expect(errorsIn(of(`${key}: ${file}`), files)).toMatchObject([
      { where: at(key), read: 'one of the two' },
    ]);
  });

  test.each([
    ['another key', 'client.pem', 'other.key', 'client_key_file'],
    ['no key', 'client.pem', 'text', 'client_key_file'],
    ['a key that is not there', 'client.pem', 'nowhere', 'client_key_file'],
    ['no certificate', 'no.pem', 'client.key', 'client_certificate_file'],
  ])('%s is a mistake of the one at fault', (_, certificate, key, fault) => {
    const both = `client_certificate_file: ${certificate}, client_key_file: ${key}`;
    expect(errorsIn(of(both), files)).toMatchObject([{ where: at(fault) }]);
  });

  test("a client's is never shown in plain text, so it is a mistake there", () => {
    expect(errorsIn(of(BOTH, 'http://collector:4317'), files)).toMatchObject([
      { where: at('client_certificate_file'), read: 'an endpoint in plain text' },
    ]);
  });

  test('may be named by OTEL_EXPORTER_OTLP_*, which says itself what is wrong with them', () => {
    const env = {
      ...OTLP,
      OTEL_EXPORTER_OTLP_CERTIFICATE: 'ca.pem',
      OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: 'client.pem',
      OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY: 'client.key',
    };
    expect(destinationsOf(env, files)).toMatchObject([
      { certificateFile: '/folder/ca.pem', clientKeyFile: '/folder/client.key' },
    ]);
    expect(errorsOf({ ...env, OTEL_EXPORTER_OTLP_CERTIFICATE: 'text' }, files)).toMatchObject([
      { where: 'OTEL_EXPORTER_OTLP_CERTIFICATE' },
    ]);
  });

  test("a client's is never shown to a URL in plain text either", () => {
    const env = {
      SIGNET_DESTINATION: '',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector',
      OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: 'client.pem',
      OTEL_EXPORTER_OTLP_CLIENT_KEY: 'client.key',
    };
    const TRACES = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';
    expect(errorsOf({ ...env, [TRACES]: 'http://collector/in' }, files)).toMatchObject([
      { where: 'OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE', read: 'an endpoint in plain text' },
    ]);
    const others = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://unused' };
    expect(errorsOf({ ...env, ...others, [TRACES]: 'https://collector/in' }, files)).toEqual([]);
  });

  test('of OTEL_EXPORTER_OTLP_* are about `otlp` and no other', () => {
    const named = yaml("destinations: [{ name: a, endpoint: 'https://a' }]");
    const env = { SIGNET_DESTINATION: '', OTEL_EXPORTER_OTLP_CERTIFICATE: 'ca.pem' };
    const [found] = destinationsOf(env, { ...files, ...named });
    expect(found).not.toHaveProperty('certificateFile');
  });

  test('a key in the text is refused', () => {
    const errors = errorsIn(of('client_key: hunter2'), files);
    expect(errors).toMatchObject([{ where: at('client_key'), read: 'a secret in the text' }]);
  });
});
