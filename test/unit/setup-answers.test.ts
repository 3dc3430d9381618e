// What `signet init` takes for a host, an app, a client and a place for spans: each said by somebody who
// may have meant something else, or harm.
import { describe, expect, test } from '@jest/globals';
import { isIssuer } from '../../sidecar/config/address.ts';
import { createReaders, problemsOf } from '../../sidecar/setup/answers.ts';
import { parseApp } from '../../sidecar/setup/app.ts';
import { parseClientId, parseIssuer, parseSecret } from '../../sidecar/setup/client.ts';
import { authorityOf, isTrial, parseHost, redirectUriOf } from '../../sidecar/setup/host.ts';
import { folderLayout } from '../../sidecar/setup/layout.ts';
import { quoted } from '../../sidecar/setup/parsed.ts';
import { programName } from '../../sidecar/setup/program-name.ts';
import { unreadable } from '../../sidecar/setup/secret-source.ts';
import { parseSpansTo } from '../../sidecar/setup/spans-to.ts';

/** What a Caddyfile, a shell or a YAML file would read as more than a word. */
const HOSTILE = [
  '',
  ' ',
  'a b',
  'a\nb',
  'a\r\nrespond ok',
  'app.example.com {\n\trespond ok\n}',
  '{$HOME}',
  '{env.HOME}',
  'app.{args[0]}',
  '"app"',
  '`app`',
  "'app'",
  'app;id',
  '$(id)',
  '#app',
  'a,b',
  'a\\b',
  'a\u0000b',
  'a\u2028b',
  '\u202eapp',
  '*',
  '@app',
  '<app>',
  'app|0222',
  '-app',
  'a'.repeat(300),
];

const valueOf = (parsed: object) => ('value' in parsed ? parsed.value : undefined);

describe('a host', () => {
  test.each([
    ['app.example.com', 'app.example.com'],
    ['App.Example.COM', 'app.example.com'],
    ['https://app.example.com/', 'app.example.com'],
    ['app.example.com:443', 'app.example.com'],
    ['app.example.com:8443', 'app.example.com:8443'],
    ['localhost:8443', 'localhost:8443'],
    ['[::1]:8443', '[::1]:8443'],
    ['[2001:DB8:0::1]', '[2001:db8::1]'],
    ['192.0.2.7', '192.0.2.7'],
    ['bücher.example', 'xn--bcher-kva.example'],
  ])('%s is %s', (text, authority) => {
    const parsed = parseHost(text);
    expect('value' in parsed && authorityOf(parsed.value)).toBe(authority);
  });

  test.each([
    ...HOSTILE,
    'http://app.example.com',
    'app.example.com/path',
    'app.example.com?x',
    'user@app.example.com',
    'app.example.com.',
    '*.example.com',
    'a_b.example.com',
    'app..example.com',
    'app.example.com:80',
    'app.example.com:0',
    'app.example.com:65536',
    '127.1',
    '3000',
    '[::g]',
    '::1',
  ])('%j is refused in words', (text) => {
    expect(parseHost(text)).toEqual({ problem: expect.stringMatching(/./) });
  });

  test('its redirect URI has the port, where it has one', () => {
    expect(redirectUriOf({ name: 'localhost', port: 8443 })).toBe(
      'https://localhost:8443/.signet/callback',
    );
  });

  test('a trial is on this machine and nowhere else', () => {
    const names = ['localhost', 'app.localhost', '127.0.0.1', '[::1]', 'localhost.example.com'];
    expect(names.filter((name) => isTrial({ name }))).toEqual(names.slice(0, 4));
  });
});

describe('an app', () => {
  test.each([
    ['localhost:3000', ['localhost:3000']],
    ['  a:1   b:2 ', ['a:1', 'b:2']],
    ['[::1]:3000', ['[::1]:3000']],
    ['orders_api', ['orders_api']],
    ['HTTPS://orders.internal/', ['https://orders.internal']],
    ['https://a:8443 https://b', ['https://a:8443', 'https://b']],
    ['h2c://orders:50051', ['h2c://orders:50051']],
    ['unix//run/app/app.sock', ['unix//run/app/app.sock']],
    ['unix+h2c//run/app.sock', ['unix+h2c//run/app.sock']],
  ])('%s is %j', (text, words) => {
    expect(valueOf(parseApp(text))).toEqual(words);
  });

  test.each([
    ...HOSTILE.filter((text) => text !== 'a b' && text.length < 300),
    '3000',
    ':3000',
    'localhost:0',
    'localhost:65536',
    'localhost:3000-3005',
    'http://localhost:3000/api',
    'ftp://localhost',
    'ws://localhost',
    'http://localhost:443',
    'https://localhost:80',
    'https://user:pass@localhost',
    'localhost:3000 https://localhost:3001',
    '::1',
    '[::g]:1',
    'unix/run/app.sock',
    'unix//run/app.sock|0222',
    'unix//run/{$X}.sock',
    `unix//${'x'.repeat(107)}`,
    '/run/app.sock',
    'srv+orders',
    Array.from({ length: 17 }, (_, at) => `a:${at + 1}`).join(' '),
  ])('%j is refused in words', (text) => {
    expect(parseApp(text)).toEqual({ problem: expect.stringMatching(/./) });
  });

  test('a port alone is refused with what was meant', () => {
    expect(parseApp('3000')).toEqual({ problem: expect.stringContaining('write localhost:') });
  });

  const flagsOf = (host: string, app: string) => ({
    issuer: 'https://a',
    clientId: 'a',
    host,
    app,
  });

  test.each([
    ['localhost:8443', 'localhost:8443'],
    ['localhost:8443', 'LOCALHOST:8443'],
    ['localhost:8443', 'https://localhost:8443'],
    ['localhost:8443', 'localhost:3000 127.0.0.1:8443'],
    ['localhost:8443', 'app.localhost:8443'],
    ['localhost:8443', '0.0.0.0:8443'],
    ['127.0.0.1:8443', '[::1]:8443'],
    ['localhost', 'localhost:443'],
    ['localhost', 'https://localhost'],
    ['app.example.com', 'app.example.com'],
    ['app.example.com', 'https://App.example.com'],
    ['app.example.com', '127.0.0.1:443'],
    ['app.example.com:8443', 'h2c://localhost:8443'],
  ])('for the host %s it can’t be at %s: Caddy itself will listen there', (host, app) => {
    expect(problemsOf(flagsOf(host, app), createReaders(isIssuer), false)).toEqual([
      expect.stringContaining("--app: the app can't be at"),
    ]);
  });

  test.each([
    ['localhost:8443', 'localhost:3000'],
    ['localhost:8443', 'localhost'],
    ['localhost:8443', 'other.example.com:8443'],
    ['app.example.com', 'localhost:8443'],
    ['app.example.com', 'unix//run/app.sock'],
    ['app.example.com', 'https://orders.example.com'],
  ])('for the host %s it can be at %s', (host, app) => {
    expect(problemsOf(flagsOf(host, app), createReaders(isIssuer), false)).toEqual([]);
  });
});

describe('a client', () => {
  test.each(['https://a.example', 'https://a.example/realms/x/', 'http://localhost:9000'])(
    'the issuer %s is kept as it is',
    (issuer) => expect(parseIssuer(issuer, isIssuer)).toEqual({ value: issuer }),
  );

  test.each([
    ...HOSTILE,
    'http://a.example',
    'https://a.example?x',
    'https://a.example#x',
    'https://a\u202e.example',
  ])('the issuer %j is refused', (text) => {
    expect(parseIssuer(text, isIssuer)).toEqual({ problem: expect.stringMatching(/./) });
  });

  test.each(['', ' a', 'a\nb', 'ä', 'a\u0000'])('the id %j is refused', (text) => {
    expect(parseClientId(text)).toEqual({ problem: expect.stringMatching(/./) });
  });

  test('a secret is taken without its newline, and one of two lines is not quoted', () => {
    const parsed = parseSecret('hush \n');
    expect('value' in parsed && parsed.value?.reveal()).toBe('hush');
    expect(JSON.stringify(parseSecret('hush\nhush'))).not.toContain('hush');
  });
});

describe('where spans go', () => {
  test('none, a backend with one address for all, or a collector', () => {
    expect(valueOf(parseSpansTo('none'))).toEqual({ kind: 'none' });
    expect(valueOf(parseSpansTo('jaeger'))).toMatchObject({ profile: 'jaeger', needsToken: false });
    expect(valueOf(parseSpansTo('lightstep'))).toMatchObject({ needsToken: true });
    expect(valueOf(parseSpansTo('http://127.0.0.1:4317'))).toMatchObject({ kind: 'collector' });
  });

  test.each([...HOSTILE, 'grafana', 'constructor', 'http://collector.example.com', 'https://a/b'])(
    '%j is refused in words',
    (text) => expect(parseSpansTo(text)).toEqual({ problem: expect.stringMatching(/./) }),
  );
});

test('flags that are missing are all named at once where nobody can be asked', () => {
  const problems = problemsOf({ host: 'a b' }, createReaders(isIssuer), false);
  expect(problems.map((problem) => /^--[a-z-]+/.exec(problem)?.[0])).toEqual([
    '--issuer',
    '--client-id',
    '--host',
    '--app',
  ]);
});

test('a file for the secret with nothing in it is a mistake, and what is in a wrong one is not told', () => {
  const problems = (clientSecret: string) =>
    problemsOf({ clientSecret }, createReaders(isIssuer), true);
  expect(problems(' \n')).toEqual(['--client-secret-file: nothing is in it']);
  expect(problems('hush\nhush')).toEqual([expect.not.stringContaining('hush')]);
});

test('where somebody can be asked, only what is wrong is told', () => {
  const problems = problemsOf({ host: 'a b' }, createReaders(isIssuer), true);
  expect(problems).toEqual([expect.stringMatching(/^--host: read "a b"/)]);
});

test('what is quoted can’t steer a terminal, and has an end', () => {
  expect(quoted('a\u001b[31m\u009b\u202e\n')).toBe('"a\\u001b[31m\\u{9b}\\u{202e}\\n"');
  expect(quoted('x'.repeat(1000)).length).toBeLessThan(100);
});

test.each([
  '/tmp/a b',
  '/tmp/{a}',
  '/tmp/"a"',
  '/tmp/a\nb',
  '/tmp/$a',
  "/tmp/a'b",
  `/${'x'.repeat(100)}`,
])(
  'the folder %j is refused: its path would be more than a word, or too long for a socket',
  (folder) => expect(folderLayout(folder)).toEqual({ problem: expect.stringMatching(/./) }),
);

test('the program is told as a shell takes it', () => {
  expect(programName(['/usr/bin/node', '/usr/bin/signet'])).toBe('signet');
  expect(programName(['/usr/bin/node', '/srv/node_modules/.bin/signet'])).toBe(
    '/usr/bin/node /srv/node_modules/.bin/signet',
  );
  expect(programName(['/usr/bin/node', "/home/o'neil/bin/signet.js"])).toBe(
    "/usr/bin/node '/home/o'\\''neil/bin/signet.js'",
  );
});

describe('the file that the secret is copied from', () => {
  const missing = (path: string) => new Error(`ENOENT: no such file, open '${path}'`);

  test.each(['S3cr3tV4lue~x', 'a/S3cr3t==', './x=/S3cr3t'])(
    'is not quoted where it may be the secret itself: %s',
    (text) => {
      const { problem } = unreadable(text, missing(text));
      expect(problem).toContain(`${text.length} characters`);
      expect(problem).not.toContain('S3cr3t');
    },
  );

  test.each(['./not-there', '/not-there', '~/not-there'])(
    'is named where it looks like a path: %s',
    (path) => expect(unreadable(path, missing(path)).problem).toContain(path),
  );
});
