// What holds of a return URL, whatever it is: who follows it stays on the host, whoever reads it. The independent
// readings are the WHATWG's (browsers), RFC 3986's own expression (servers), and both of what somebody on the way
// might make of the text first.
import { MAX_RETURN_CHARS, safeReturnUrl, signInPath } from '../../sidecar/identity/return-url.ts';
import { HOSTILE_URLS } from '../fixtures/hostile-urls.ts';
import type { Tally } from './properties.ts';
import { count, type Subject } from './subject.ts';

export const RETURN_URL: Subject = {
  name: 'return URL',
  seeds: [
    ...[
      '/',
      '/orders?q=a%20b#top',
      '/a//b',
      '/x?next=https://good.example/',
      '/@user',
      '/~a/b.c;d=e',
    ],
    ...[...HOSTILE_URLS.values()].flat(),
  ],
  units: [
    ...[
      '/',
      '\\',
      '//',
      '.',
      '..',
      '/../',
      '/./',
      '?',
      '#',
      '@',
      ':',
      ';',
      '%2f',
      '%5c',
      '%2e',
      '%252f',
    ],
    ...[
      '%25',
      '%09',
      '%0d%0a',
      '%00',
      'evil.example',
      'https:',
      'javascript:',
      '/.signet/login',
      '%EF%BC%8F',
    ],
    ...[
      '/.signet/logout',
      '/.signet/callback/x',
      '/%2esignet/login',
      '[::1]',
      '%c0%af',
      '%e0%80%af',
      '&',
    ],
  ],
  faultOf: returnFault,
  work(text) {
    safeReturnUrl(text);
    signInPath(text, 'login', text);
  },
  reached: ['return URL kept', 'return URL refused'],
};

function returnFault(text: string, tally: Tally): string | undefined {
  const asked = signInPath(text, undefined, text);
  const wanted = text.length > MAX_RETURN_CHARS ? '/' : text.toWellFormed();
  const isAsked = new URLSearchParams(asked.slice(asked.indexOf('?'))).get('return') === wanted;
  if (!isAsked || !/^[!-~]+$/.test(asked)) return 'asked for, it is another';
  const kept = safeReturnUrl(text);
  count(tally, kept === text && text !== '/' ? 'return URL kept' : 'return URL refused');
  if (kept !== '/' && kept !== text) return 'neither the text nor /';
  if (kept.length > MAX_RETURN_CHARS || !/^\/[!-~]*$/.test(kept)) return 'no header may hold it';
  if (safeReturnUrl(kept) !== kept) return 'asked again it is another';
  const astray = readings(kept).find((reading) => !staysHere(reading));
  return astray === undefined ? undefined : `it leads away as ${JSON.stringify(astray)}`;
}

/** Returns what somebody on the way may make of it: decoded, normalised, without what a browser leaves out, lower case. */
export function readings(text: string): string[] {
  const decoded = [text, decode(text), decode(decode(text))];
  return decoded.flatMap((one) => [
    one,
    one.normalize('NFKC'),
    one.replaceAll('\\', '/'),
    one.replaceAll(/[\t\r\n]/g, ''),
    one.trim(),
    one.toLowerCase(),
    one.replaceAll('+', ' '),
  ]);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return decodeURIComponent(text.replaceAll(/%(?![0-7][0-9a-f])/gi, '%25'));
  }
}

const BASES = [
  'https://app.example/',
  'https://app.example/.signet/callback?state=x',
  'http://app.example:8080/a/b/',
];
/** As the routes of http/sign-in.ts have it; a provider's name may stand behind the callback. */
const OWN_ACTION = /^\/\.signet\/(?:login|logout|accept|callback(?:\/[^/]*)?)\/*$/i;
/** RFC 3986, appendix B. */
const PARTS = /^(?:([^:/?#]+):)?(?:\/\/([^/?#]*))?([^?#]*)/;

function staysHere(text: string): boolean {
  const [, scheme, authority] = PARTS.exec(text) ?? [];
  if (scheme !== undefined || authority !== undefined) return false;
  return BASES.every((base) => {
    if (!URL.canParse(text, base)) return false;
    const { origin, pathname } = new URL(text, base);
    return origin === new URL(base).origin && !OWN_ACTION.test(pathname);
  });
}
