// RFC 6265 and the prefix of RFC 6265bis, as far as Signet reads and writes cookies.
import { describe, expect, test } from '@jest/globals';
import {
  clearCookie,
  cookieNames,
  readCookie,
  SESSION_COOKIE,
  setCookie,
} from '../../sidecar/identity/cookie.ts';

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
