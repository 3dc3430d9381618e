// RFC 6265 and the prefix of RFC 6265bis, as far as Signet reads and writes cookies.
import { describe, expect, test } from '@jest/globals';
import {
  clearCookie,
  cookieNames,
  cookieValues,
  isCookieHost,
  readCookie,
  SESSION_COOKIE,
  sessionCookieName,
  setCookie,
  setSessionCookie,
} from '../../sidecar/identity/cookie.ts';

describe('cookieValues', () => {
  test.each([
    [undefined, []],
    ['a=1; __Host-signet=x; b=2', ['x']],
    ['__Host-signet=x;__Host-signet=y=z', ['x', 'y=z']],
    ['__Host-signet=x; __Host-signet=x', ['x']],
    ['__Host-signet-login-1=x; x__Host-signet=x; __Host-signet', []],
  ])('%j holds %j', (header, values) => {
    expect(cookieValues(header, SESSION_COOKIE)).toEqual(values);
  });

  test('at most twenty are read', () => {
    const header = Array.from({ length: 99 }, (_, at) => `__Host-signet=${at}`).join(';');
    expect(cookieValues(header, SESSION_COOKIE)).toHaveLength(20);
  });
});

describe('readCookie', () => {
  const read: [string | undefined, string | undefined][] = [
    [undefined, undefined],
    ['', undefined],
    ['__Host-signet=x', 'x'],
    ['a=1;__Host-signet=x', 'x'],
    ['a=1; __Host-signet=x; b=2', 'x'],
    ['a=1;   __Host-signet=x  ;b=2', 'x'],
    ['__Host-signet=', ''],
    ['__Host-signet=a=b', 'a=b'],
    ['__Host-signet', undefined],
    ['__Host-signet ', undefined],
    ['__Host-signet-login-1=x', undefined],
    ['x__Host-signet=x', undefined],
    ['__host-signet=x', undefined],
    ['a=__Host-signet=x', undefined],
    ['; ; ;', undefined],
    ['__Host-signet=x; __Host-signet=x', 'repeated'],
    ['__Host-signet=;__Host-signet=y', 'repeated'],
  ];
  test.each(read)('%j holds %j', (header, value) => {
    expect(readCookie(header, SESSION_COOKIE)).toBe(value);
  });

  test('a megabyte of header is read in one pass', () => {
    const header = `${'a=b;'.repeat(250_000)}__Host-signet=x`;
    expect(readCookie(header, SESSION_COOKIE)).toBe('x');
  });
});

test('cookieNames gives the names under a prefix', () => {
  expect(cookieNames('p-1=a; q=b;p-2=c; p-x', 'p-')).toEqual(['p-1', 'p-2']);
  expect(cookieNames(undefined, 'p-')).toEqual([]);
});

test('each cookie is set with what __Host- demands, and never for a domain', () => {
  const line = setCookie(SESSION_COOKIE, 'x');
  expect(line).toBe('__Host-signet=x; Path=/; Secure; HttpOnly; SameSite=Lax');
  expect(clearCookie('n')).toBe('n=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax');
});

const DOMAIN = { kind: 'domain', domain: 'example.com' } as const;
const CENTRAL = { kind: 'central', host: 'login.example.com' } as const;

test.each([
  [{ kind: 'host' } as const, '__Host-signet'],
  [CENTRAL, '__Host-signet'],
  [DOMAIN, '__Secure-signet'],
])('the session’s cookie of %j is called %s', (cookie, name) => {
  expect(sessionCookieName(cookie)).toBe(name);
});

test('only a domain’s cookie has a Domain, also when it is taken away', () => {
  const rest = 'Secure; HttpOnly; SameSite=Lax';
  expect(setSessionCookie(CENTRAL, 'x')).toBe(`__Host-signet=x; Path=/; ${rest}`);
  expect(setSessionCookie(DOMAIN, 'x')).toBe(
    `__Secure-signet=x; Path=/; ${rest}; Domain=example.com`,
  );
  expect(setSessionCookie(DOMAIN, '')).toBe(
    `__Secure-signet=; Path=/; Max-Age=0; ${rest}; Domain=example.com`,
  );
});

test.each([
  ['example.com', true],
  ['app.example.com', true],
  ['app.example.com:8443', true],
  ['evilexample.com', false],
  ['example.com.evil.test', false],
  ['com', false],
])('a host %s is within the domain: %s', (host, isWithin) => {
  expect(isCookieHost(DOMAIN, host)).toBe(isWithin);
});
