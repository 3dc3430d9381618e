// Hostile cases 24 and 25: where a browser may be sent after signing in or out.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MAX_RETURN_CHARS, safeReturnUrl, signInPath } from '../../sidecar/identity/return-url.ts';

const HOSTS = ['evil.example', 'good.example@evil.example', '[::1]', '2130706433', 'evil。example'];
const LEADS = [
  ...['//', '///', '////', '/\\', '\\/', '\\\\', '/\t/', '/\n/', '/\r\n/', '/\0/', ' //', '/ /\\'],
  ...['/%2f', '/%2F', '/%5c', '/%5C', '/%09/', '/%0a/', '/%0d/', '/%00/', '%2f%2f', '%5c%5c'],
  ...['/%252f', '/%255c', '/%2509/', '/%250d%250a', '/%25%32%66', '/%25%35%63', '%252f%252f'],
  ...['https:', 'https://', 'https:/', 'https:///', 'HTTPS://', 'http:\\\\', '//good@', '/.//'],
  ...['javascript:', 'JaVaScRiPt://', 'data:text/html,', 'vbscript:', 'file:///', 'blob:', 'x:'],
  ...['/../..//', '/././/', '/a/../..//', '/%2e%2e//', '/.%2f/', '/%2e//', '/a/..//', '/%2e/%2f'],
  ...[
    '/／',
    '／／',
    '/＼',
    '/%EF%BC%8F',
    '/%EF%BC%BC',
    '/%25EF%25BC%258F',
    '/\u2028/',
    '/\u00a0//',
  ],
  ...['', '?', '#', '@', '.', '..', '../', '..//', 'evil', '/%E2%80%A8//', '/%C2%85//', '/\x7f/'],
];
const TAILS = ['', '/', '/path', '?a=b'];
const payloads = LEADS.flatMap((lead) =>
  HOSTS.flatMap((host) => TAILS.map((tail) => lead + host + tail)),
);

describe('safeReturnUrl', () => {
  test('each of more than 600 hostile payloads becomes /', () => {
    expect(new Set(payloads).size).toBeGreaterThan(600);
    expect(payloads.filter((payload) => safeReturnUrl(payload) !== '/')).toEqual([]);
  });

  test('our own sign-in and sign-out are no place to come back to', () => {
    const own = [
      ...['/.signet/login', '/.signet/logout?x', '/.signet/callback', '/.signet/%6cogout'],
      ...['/.signet/callback/partners', '/.signet/accept?code=x', '/.signet/back-channel-logout'],
    ];
    expect(own.map(safeReturnUrl)).toEqual(own.map(() => '/'));
  });

  const good = [
    '/',
    '/orders',
    '/orders?q=a%20b&from=2026-01-01#top',
    '/search?q=100%',
    '/a//b',
    '/caf%C3%A9?x=%F0%9F%92%A5',
    '/x?next=/y',
    '/x?next=https://good.example/',
    '/@user',
    '/~a/b.c;d=e',
    '/.signet/signed-out',
    '/.signet/signed-in',
    '/.signet/hand-over?state=x',
  ];
  test.each(good)('%s stays as it is', (url) => {
    expect(safeReturnUrl(url)).toBe(url);
  });

  test('a URL too long for a cookie becomes /', () => {
    expect(safeReturnUrl(`/${'x'.repeat(MAX_RETURN_CHARS - 1)}`)).toHaveLength(MAX_RETURN_CHARS);
    expect(safeReturnUrl(`/${'x'.repeat(MAX_RETURN_CHARS)}`)).toBe('/');
  });

  test('whatever comes out leads to the same host and can be a header', () => {
    const piece = fc.constantFrom(
      '/',
      '\\',
      '%2f',
      '%5c',
      '.',
      '..',
      '%',
      '25',
      '@',
      ':',
      '?',
      'a',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece).map((pieces) => `/${pieces.join('')}`),
    );
    fc.assert(
      fc.property(text, (input) => {
        const url = safeReturnUrl(input);
        expect(new URL(url, 'https://app.example').origin).toBe('https://app.example');
        expect(() => new Headers({ location: url })).not.toThrow();
      }),
      { numRuns: 2_000 },
    );
  });
});

test('signInPath carries any text as one parameter', () => {
  const returnTo = '/a?b=c&d=e#f';
  const url = new URL(signInPath(returnTo, 'login'), 'https://app.example');
  expect(url.searchParams.get('return')).toBe(returnTo);
  expect(url.searchParams.get('prompt')).toBe('login');
  expect(() => signInPath('/\ud800')).not.toThrow();
  expect(signInPath('/', undefined, 'a&b')).toBe('/.signet/login?idp=a%26b&return=%2F');
});
