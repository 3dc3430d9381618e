// Cases 24 and 25 of the hostile list, through a real Caddy: whoever chooses where a browser goes after signing in
// or out can't send it to another place, in whatever spelling, encoded or as it is.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HOSTILE_URLS } from '../fixtures/hostile-urls.ts';
import { startMisledEdge, type MisledEdge } from '../fixtures/misled-edge.ts';

const techniques = [...HOSTILE_URLS];
const AT_ONCE = 8;
const LOGIN = '/.signet/login?idp=main&return=';
const LOGOUT = '/.signet/logout?return=';

let edge: MisledEdge;
let cookie: string;
beforeAll(async () => {
  edge = await startMisledEdge();
  cookie = await edge.enter();
});
afterAll(async () => edge.stop());

/** Does `work` for each, some at once; returns what came of those of which it is not `wanted`. */
async function wrong<T>(items: readonly T[], wanted: string, work: (item: T) => Promise<string>) {
  const left = [...items];
  const found: [T, string][] = [];
  const walk = async () => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) {
      const got = await work(item);
      if (got !== wanted) found.push([item, got]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, walk));
  return found;
}

const placeOf = async (target: string, lines: string[] = [], method = 'GET') => {
  const { status, headers } = await edge.send(target, lines, method);
  return headers.get('location') ?? `status ${status}`;
};

test('case 24: there are more than 600 payloads, by sixteen techniques', () => {
  expect(techniques.flatMap(([, urls]) => urls).length).toBeGreaterThan(600);
  expect(techniques.length).toBeGreaterThanOrEqual(16);
});

describe.each(techniques)('%s', (_technique, urls) => {
  test('case 24, CVE-2021-21291, CVE-2024-21497: a sign-in ends on /', async () => {
    const through = async (url: string) => {
      const { status, headers } = await edge.come(LOGIN + encodeURIComponent(url));
      return headers.get('location') ?? `status ${status}`;
    };
    expect(await wrong(urls, '/', through)).toEqual([]);
  });

  test('case 24, CVE-2021-21291, CVE-2024-21497: whoever is signed in is led to /', async () => {
    const led = (url: string) => placeOf(LOGIN + encodeURIComponent(url), [cookie]);
    expect(await wrong(urls, '/', led)).toEqual([]);
  });

  test('case 25, CVE-2021-29456: a sign-out leads to /', async () => {
    const led = (url: string) => placeOf(LOGOUT + encodeURIComponent(url));
    expect(await wrong(urls, '/', led)).toEqual([]);
  });
});

test('cases 24 and 25: the same as it is spelled, where a request target can hold it', async () => {
  // A fragment or another parameter would cut it short.
  const all = techniques.flatMap(([, urls]) => urls);
  const raw = all.filter((url) => /^[!"$%'-~]+$/.test(url));
  expect(raw.length).toBeGreaterThan(400);
  expect(await wrong(raw, '/', (url) => placeOf(LOGIN + url, [cookie]))).toEqual([]);
  expect(await wrong(raw, '/', (url) => placeOf(LOGOUT + url))).toEqual([]);
});

const FRAGMENTS = [
  ...['/', '//', '\\', '%2f', '%5c', '%252f', '.', '..', ';', '@', ':', '?', '#', '&return='],
  ...['\t', '\r\n', '\0', ' ', '\u2028', '／', '。', 'é', '%', '%0d%0a', '%00', '%c0%af'],
  ...[
    'https:',
    'javascript:',
    'data:',
    'evil.example',
    'localhost',
    'app',
    '[::1]',
    '.signet/login',
  ],
];
const anything = fc
  .array(fc.constantFrom(...FRAGMENTS), { minLength: 1, maxLength: 8 })
  .map((parts) => parts.join(''));

test.each([
  ['24, CVE-2021-21291, CVE-2024-21497: a sign-in', LOGIN, () => [cookie]],
  ['25, CVE-2021-29456: a sign-out', LOGOUT, () => []],
])('case %s leads to a path of this host, whatever is put together', async (_, target, lines) => {
  const here = `http://localhost:${edge.port}`;
  await fc.assert(
    fc.asyncProperty(anything, async (url) => {
      const place = await placeOf(target + encodeURIComponent(url), lines());
      expect(place).toMatch(/^\/(?![/\\])[!-~]*$/);
      expect(new URL(place, here).origin).toBe(here);
    }),
    { numRuns: 150 },
  );
});

test('case 25, CVE-2021-29456: a posted sign-out of somebody who is signed in leads to /', async () => {
  const one = techniques.map(([, urls]) => urls[0] ?? '');
  const signOut = async (url: string) => {
    const lines = [
      await edge.enter(),
      'Content-Length: 0',
      `Origin: http://localhost:${edge.port}`,
    ];
    return placeOf(LOGOUT + encodeURIComponent(url), lines, 'POST');
  };
  expect(await wrong(one, '/', signOut)).toEqual([]);
});
