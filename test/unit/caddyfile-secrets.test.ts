// Secrets in plain text are told by their place and kind, and everything that only looks like one is not.
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { secretsIn } from '../../sidecar/caddyfile/secrets.ts';
import { told, treeOf } from '../fixtures/caddyfile-sources.ts';
import { SNIPPETS } from '../fixtures/caddy.ts';

const found = (lines: string, env = {}) =>
  secretsIn(treeOf(`a.example {\n${lines}\n}\n`, env)).map(({ kind, ...place }) => [
    kind,
    told(place),
  ]);

test.each([
  ['provider-token', 'tls {\ndns cloudflare S3CRET\n}', 3],
  ['token', 'tls {\ndns cloudflare {\napi_token S3CRET\n}\n}', 4],
  ['secret', 'oidc {\nclient_secret "S3CRET"\n}', 3],
  ['secret', 'tls {\ndns route53 {\nsecret_access_key S3CRET\n}\n}', 4],
  ['password', 'db_password S3CRET', 2],
  ['key', 'tls {\neab kid S3CRET\n}', 3],
  ['key', 'mac_key S3CRET', 2],
  ['secret', 'reverse_proxy app:1 {\nlb_policy cookie lb S3CRET\n}', 3],
  ['authorization', 'reverse_proxy app:1 {\nheader_up Authorization "Bearer S3CRET"\n}', 3],
  ['authorization', 'request_header @x X-Api-Key S3CRET', 2],
  ['authorization', 'header {\n+Authorization "Basic S3CRET"\n}', 3],
  ['authorization', '@key not header X-Api-Key S3CRET', 2],
  ['gate-key', 'reverse_proxy app:1 {\nheader_up Signet-Key S3CRET\n}', 3],
  ['password', 'php_fastcgi app:1 {\nenv DB_PASSWORD S3CRET\n}', 3],
  ['token', 'vars api_token S3CRET', 2],
  ['token', 'map {path} {api_token} {\n/a {env.TOKEN}\ndefault S3CRET\n}', 4],
  ['token', 'map @a {path} {kind} {api_token} {\n/a public -\n/b public S3CRET\n}', 4],
  ['authorization', 'vars me "Bearer S3CRET"\nrequest_header Authorization {vars.me}', 2],
  [
    'authorization',
    'map {host} {me} {\ndefault S3CRET\n}\nreverse_proxy a:1 {\nheader_up X-Api-Key {me}\n}',
    3,
  ],
  ['url-password', 'to postgres://signet:S3CRET@db/signet', 2],
])('%s: %s', (kind, lines, line) => {
  expect(found(lines)).toEqual([[kind, `Caddyfile:${line}`]]);
});

test.each([
  'tls {\ndns cloudflare {env.TOKEN}\n}',
  'tls {\ndns cloudflare {$TOKEN}\n}',
  'tls {\ndns acmedns /etc/caddy/acmedns.json\n}',
  'tls {\nkey_type p384\n}',
  'tls /etc/cert.pem /etc/key.pem',
  'client_secret {file./run/secret}',
  'vars api_token {env.TOKEN}',
  'vars me "Bearer {env.TOKEN}"\nrequest_header Authorization {vars.me}',
  'map {path} {upstream} {kind} {\n/a app:1 beta\ndefault app:2 -\n}',
  'vars me alice\nrequest_header X-Me {vars.me}',
  'client_secret_file /run/secret',
  'password /run/secret',
  'basic_auth {\nalice $2a$14$abc\npassword $2a$14$abc\n}',
  'reverse_proxy app:1 {\nheader_up -Authorization\nheader_up Authorization {env.BASIC}\n}',
  'header Authorization',
  '@bearer header Authorization "Bearer *"',
  '@bearer header_regexp Authorization ^Bearer',
  'forward_auth app:1 {\ncopy_headers Authorization X-Api-Key\n}',
  'log {\nformat filter {\nfields {\naccess_token delete\n}\n}\n}',
  'header Surrogate-Key blog',
  'cache_key path',
  'redir https://user@host/x:y@z',
  'to postgres://signet:{env.PASSWORD}@db/signet',
  '# api_token S3CRET',
])('nothing is told of %s', (lines) => {
  expect(found(lines, { TOKEN: 'S3CRET' })).toEqual([]);
});

test('a secret handed to a snippet is told where it is written', () => {
  const tree = treeOf(
    '(dns) {\n\ttls {\n\t\tdns cloudflare {args[0]}\n\t}\n}\na.example {\n\timport dns S3CRET\n}\n',
  );
  expect(secretsIn(tree).map(told)).toEqual(['Caddyfile:7']);
});

test('a secret in a snippet is told once, however often it is imported, and if it never is', () => {
  const snippets = '(a) {\n\tapi_token S3CRET\n}\n(b) {\n\tapi_token S3CRET\n}\n';
  const tree = treeOf(`${snippets}a.example {\n\timport a\n}\nb.example {\n\timport a\n}\n`);
  expect(secretsIn(tree).map(told)).toEqual(['Caddyfile:2', 'Caddyfile:5']);
});

test('a secret in the global options is told', () => {
  const tree = treeOf('{\n\tacme_dns cloudflare S3CRET\n}\n');
  expect(secretsIn(tree).map(told)).toEqual(['Caddyfile:2']);
});

test('no value is ever told', () => {
  const tree = treeOf('a.example {\n\tapi_token S3CRET\n\tto http://a:S3CRET@b\n}\n');
  expect(JSON.stringify(secretsIn(tree))).not.toContain('S3CRET');
});

test('our own snippets hold none', () => {
  expect(secretsIn(treeOf(readFileSync(SNIPPETS, 'utf8')))).toEqual([]);
});
