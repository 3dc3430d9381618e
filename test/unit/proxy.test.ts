// Which way leads to a destination: HTTPS_PROXY, HTTP_PROXY and NO_PROXY, as they are commonly read.
import { expect, test } from '@jest/globals';
import { parseProxyUrl, proxyFor } from '../../sidecar/otlp/proxy.ts';
import { secret } from '../../sidecar/secret.ts';

const PROXIES = { https: secret('http://for-https'), http: secret('http://for-http') };

test.each([
  ['https://a.example:4317', 'http://for-https'],
  ['http://a.example:4317', 'http://for-http'],
])('%s goes through %s', (url, expected) => {
  expect(proxyFor(url, { ...PROXIES, no: [] })?.url.reveal()).toBe(expected);
});

test('without a proxy for its scheme it goes straight', () => {
  expect(proxyFor('http://a.example', { https: PROXIES.https, no: [] })).toBeUndefined();
});

test.each([
  'http://localhost:4318',
  'https://127.0.0.1',
  'https://127.1.2.3:1',
  'http://[::1]:4317',
])('%s is on this machine: straight, whatever is set', (url) => {
  expect(proxyFor(url, { ...PROXIES, no: [] })).toBeUndefined();
});

test.each([
  ['*', 'https://a.example'],
  ['a.example', 'https://a.example:4317/v1/traces'],
  ['example', 'https://a.example'],
  ['.example', 'https://a.example'],
  ['*.example', 'https://a.example'],
  ['A.Example', 'https://a.example'],
  [' a.example ', 'https://a.example'],
  ['a.example:443', 'https://a.example'],
  ['10.0.0.1', 'http://10.0.0.1:4317'],
  ['10.0.0.0/8', 'http://10.9.8.7:4317'],
  ['10.0.0.1:4317', 'http://10.0.0.1:4317'],
  ['fd00::/8', 'http://[fd00::1]:4317'],
  ['fd00::1', 'http://[fd00::1]:4317'],
  ['[fd00::1]', 'http://[fd00::1]:4317'],
  ['[fd00::1]:4317', 'http://[fd00::1]:4317'],
])('NO_PROXY of %s means %s', (no, url) => {
  expect(proxyFor(url, { ...PROXIES, no: ['other', no] })).toBeUndefined();
});

test.each([
  ['', 'https://a.example'],
  ['xample', 'https://a.example'],
  ['b.a.example', 'https://a.example'],
  ['a.example:4317', 'https://a.example'],
  ['0.0.1', 'http://10.0.0.1'],
  ['10.0.0.0/8', 'http://11.0.0.1'],
  ['10.0.0.0/8', 'http://a.example'],
  ['10.0.0.0/99', 'http://10.0.0.1'],
  ['10.0.0.0/', 'http://10.0.0.1'],
  ['fd00::/8', 'http://10.0.0.1'],
  [':443', 'https://a.example'],
])('NO_PROXY of "%s" does not mean %s', (no, url) => {
  expect(proxyFor(url, { ...PROXIES, no: [no] })).toBeDefined();
});

test.each(['http://proxy:3128', 'http://user:p%40ss@proxy', 'HTTP://proxy/', 'http://[::1]:3128'])(
  '%s is a proxy',
  (text) => {
    expect(parseProxyUrl(text)).toBeInstanceOf(URL);
  },
);

test.each(['proxy:3128', 'https://proxy', 'socks5://proxy', 'http://', ''])(
  '"%s" is none',
  (text) => {
    expect(parseProxyUrl(text)).toBeUndefined();
  },
);
