// No secret is ever in what `signet config` prints: neither where it belongs, nor where it was put by mistake.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { printed, toldOf } from '../fixtures/told.ts';

/** Long enough that it is nowhere by chance; with what passwords have. */
const secret = fc.stringMatching(/^[A-Za-z0-9]{12}[A-Za-z0-9/+=_.:@?#-]{0,12}[A-Za-z0-9]{4}$/);

type Setting = {
  readonly env?: Record<string, string>;
  readonly file?: Record<string, unknown>;
  readonly files?: Record<string, string>;
};

function printedOf({ env = {}, file = {}, files = {} }: Setting): string {
  const isSent = 'destinations' in file;
  const from = { ...(isSent && { SIGNET_DESTINATION: '' }), ...env };
  return printed(toldOf(from, { ...files, '/folder/signet.yaml': stringify(file) }));
}

/** What is left of a secret that was split at a character: no piece of it may get out, either. */
function pieces(text: string): string[] {
  return [text, ...text.split(/[^A-Za-z0-9]/)].filter((piece) => piece.length >= 8);
}

function expectHidden(make: (hidden: string) => Setting): void {
  fc.assert(
    fc.property(secret, (hidden) => {
      const out = printedOf(make(hidden));
      for (const piece of pieces(hidden)) expect(out).not.toContain(piece);
    }),
    { numRuns: 25 },
  );
}

const inEntry = (entry: Record<string, unknown>) => ({
  destinations: [{ name: 'one', endpoint: 'https://e.example.com', ...entry }],
});

describe('where it belongs', () => {
  const places: Record<string, (hidden: string) => Setting> = {
    'the client’s secret': (hidden) => ({ env: { SIGNET_CLIENT_SECRET: hidden } }),
    'the client’s secret in a file': (hidden) => ({
      env: { SIGNET_CLIENT_SECRET: '' },
      file: { client_secret_file: 'c' },
      files: { '/folder/c': hidden },
    }),
    'the gate’s key': (hidden) => ({
      env: { SIGNET_LISTEN: '127.0.0.1:9000', SIGNET_GATE_KEY: hidden + hidden },
    }),
    'the gate’s key, though it is too short': (hidden) => ({
      env: { SIGNET_LISTEN: '127.0.0.1:9000', SIGNET_GATE_KEY: hidden },
    }),
    'the key ring': (hidden) => ({ env: { SIGNET_KEYS: hidden } }),
    'the database’s password': (hidden) => ({
      env: { SIGNET_AUDIT_STORE: `postgresql://user:${hidden}@db.example.com/signet` },
    }),
    'the database’s user and password in a file': (hidden) => ({
      file: { audit: { store_file: 'u' } },
      files: { '/folder/u': `postgresql://${hidden}:${hidden}@db/signet` },
    }),
    'a token': (hidden) => ({
      env: { SIGNET_DESTINATION: 'lightstep', LIGHTSTEP_ACCESS_TOKEN: hidden },
    }),
    'a token in a file': (hidden) => ({
      file: inEntry({ profile: 'lightstep', token_file: 't' }),
      files: { '/folder/t': hidden },
    }),
    headers: (hidden) => ({
      env: {
        SIGNET_DESTINATION: 'otlp',
        OTEL_EXPORTER_OTLP_HEADERS: `api-key=${encodeURIComponent(hidden)}`,
      },
    }),
    'headers that are a token alone': (hidden) => ({
      env: { SIGNET_DESTINATION: 'otlp', OTEL_EXPORTER_OTLP_HEADERS: `${hidden}==` },
    }),
    'headers in a file': (hidden) => ({
      file: inEntry({ headers_file: 'h' }),
      files: { '/folder/h': `api-key=${hidden}` },
    }),
    'a proxy’s password': (hidden) => ({
      env: {
        SIGNET_DESTINATION: 'https://c.example.com',
        HTTPS_PROXY: `http://user:${encodeURIComponent(hidden)}@proxy:3128`,
      },
    }),
  };

  test.each(Object.entries(places))('%s is not told', (_what, make) => expectHidden(make));
});

describe('where it was put by mistake', () => {
  const names = ['client_secret_file', 'gate_key_file', 'keys_file'];
  const ofEntries = ['token_file', 'headers_file', 'certificate_file', 'client_key_file'];
  const places: Record<string, (hidden: string) => Setting> = {
    ...Object.fromEntries(
      names.map((name) => [`in place of ${name}`, (hidden) => ({ file: { [name]: hidden } })]),
    ),
    ...Object.fromEntries(
      ofEntries.map((name) => [
        `in place of a destination’s ${name}`,
        (hidden) => ({ file: inEntry({ profile: 'lightstep', [name]: hidden }) }),
      ]),
    ),
    'in the text': (hidden) => ({ file: { client_secret: hidden } }),
    'in the text of a destination': (hidden) => ({ file: inEntry({ token: hidden }) }),
    'in place of a section': (hidden) => ({ file: { audit: hidden } }),
    'in place of a variable’s file': (hidden) => ({ env: { SIGNET_GATE_KEY_FILE: hidden } }),
    'as a URL in place of its file': (hidden) => ({
      file: { audit: { store_file: `postgresql://user:${hidden}@db/signet` } },
    }),
    'in an endpoint': (hidden) => ({
      file: inEntry({ endpoint: `https://user:${hidden}@e.example.com` }),
    }),
    'in an endpoint’s query': (hidden) => ({
      file: inEntry({ endpoint: `https://e.example.com?token=${hidden}` }),
    }),
    'in the issuer': (hidden) => ({
      env: { SIGNET_ISSUER: `https://user:${hidden}@e.example.com` },
    }),
    'in place of a destination': (hidden) => ({ env: { SIGNET_DESTINATION: hidden } }),
    'in a proxy with a path': (hidden) => ({
      env: {
        SIGNET_DESTINATION: 'https://c.example.com',
        HTTPS_PROXY: `http://user:/${hidden}@proxy:3128`,
      },
    }),
    'in a URL among the resource’s attributes': (hidden) => ({
      env: {
        OTEL_RESOURCE_ATTRIBUTES: `repo=${encodeURIComponent(`https://user:${hidden}@git.example.com/r`)}`,
      },
    }),
    'in a URL in place of a path': (hidden) => ({
      file: { access_log: `postgresql://user:${hidden}@db/signet` },
    }),
  };

  test.each(Object.entries(places))('%s it is not told', (_what, make) => expectHidden(make));
});

test('how long a secret is is not told, where it is right', () => {
  const short = printedOf({ env: { SIGNET_CLIENT_SECRET: 'a'.repeat(16) } });
  const long = printedOf({ env: { SIGNET_CLIENT_SECRET: 'a'.repeat(61) } });
  expect(short).toBe(long);
});
