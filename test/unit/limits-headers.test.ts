// Bounds on what a client's headers can make grow, each tried below, at and above: what is above is refused or left out,
// and nothing breaks. All bounds: test/fixtures/limits.ts.
import { createSecretKey, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import {
  chooseLanguage,
  MAX_CHARS as MAX_LANGUAGE_CHARS,
  MAX_RANGES,
} from '../../sidecar/http/language.ts';
import { createSidecarServer, MAX_HEADER_BYTES } from '../../sidecar/http/server.ts';
import {
  cookieNames,
  cookieValues,
  MAX_COOKIE_NAMES,
  MAX_COOKIE_PAIRS,
  MAX_COOKIE_VALUES,
} from '../../sidecar/identity/cookie.ts';
import {
  createSignInsUnderWay,
  MAX_UNDER_WAY,
  type UnderWay,
} from '../../sidecar/identity/login-under-way.ts';
import { MAX_RETURN_CHARS, safeReturnUrl, signInPath } from '../../sidecar/identity/return-url.ts';
import { createNumbers, MAX_RECENT } from '../../sidecar/numbers.ts';
import { createRequirements, MAX_REMEMBERED } from '../../sidecar/policy/requirement.ts';
import { MAX_ROUTE_CHARS } from '../../sidecar/policy/route-name.ts';
import { readAsked } from '../../sidecar/request.ts';
import { joinBaggage, MAX_BYTES, MAX_MEMBERS } from '../../sidecar/trace/baggage.ts';
import {
  carryTracestate,
  LONG_MEMBER_CHARS,
  MAX_CHARS as MAX_STATE_CHARS,
  MAX_MEMBERS as MAX_STATES,
} from '../../sidecar/trace/tracestate.ts';

/** One less, the bound itself, and one more. */
const around = (limit: number) => [limit - 1, limit, limit + 1] as const;
const many = (count: number, of: (index: number) => string, between: string) =>
  Array.from({ length: count }, (_, index) => of(index)).join(between);

describe('a request', () => {
  // Node counts the target, and names and values of headers; those of every request are measured first.
  test('whose headers are longer than MAX_HEADER_BYTES is a 431', async () => {
    const server = createSidecarServer((req, res) => {
      const own = req.rawHeaders.join('').length + (req.url ?? '').length;
      res.end(String(own));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const ask = (chars: number) =>
      new Promise<[status: number, counted: number]>((resolve, reject) => {
        const headers = { x: 'x'.repeat(chars), connection: 'close' };
        request({ port, headers }, (answer) => {
          answer
            .setEncoding('utf8')
            .once('data', (text) => resolve([answer.statusCode ?? 0, Number(text)]));
          answer.once('end', () => resolve([answer.statusCode ?? 0, 0]));
        })
          .once('error', reject)
          .end();
      });
    const [, counted] = await ask(1);
    const sizes = around(MAX_HEADER_BYTES - 1).map((bytes) => bytes - counted + 1);
    const statuses = [];
    for (const chars of sizes) statuses.push((await ask(chars))[0]);
    await new Promise((resolve) => server.close(resolve));
    expect(statuses).toEqual([200, 200, 431]);
  });

  test('for a block whose name is longer than MAX_ROUTE_CHARS is none of our snippet’s', () => {
    const headers = {
      ...{ 'x-request-id': '4d032074-7bbc-4e5d-964f-a0f15a34b6f6', 'x-forwarded-for': '192.0.2.1' },
      ...{ 'x-forwarded-proto': 'https', 'x-forwarded-host': 'app.example.com' },
      ...{ 'x-forwarded-method': 'GET', 'x-forwarded-uri': '/' },
    };
    const asked = around(MAX_ROUTE_CHARS).map((chars) =>
      readAsked(`/verify?route=${'r'.repeat(chars)}&require=any`, headers),
    );
    expect(asked.map((one) => one?.route.length)).toEqual([127, 128, undefined]);
  });

  test('of a text that is no requirement is told once, of MAX_REMEMBERED of them; then they are told anew', () => {
    const told: string[] = [];
    const read = createRequirements({ onInvalid: (_route, text) => told.push(text) });
    const ask = (count: number) => {
      for (let index = 0; index < count; index++) read('a', `wrong-${index}`);
      read('a', 'wrong-0');
      return told.length;
    };
    expect(ask(MAX_REMEMBERED - 1)).toBe(MAX_REMEMBERED - 1);
    expect(ask(MAX_REMEMBERED)).toBe(MAX_REMEMBERED);
    expect(ask(MAX_REMEMBERED + 1)).toBe(MAX_REMEMBERED + 2);
  });

  test('that is asked about again is known for the last MAX_RECENT others, and not for twice as many', () => {
    const again = (others: number) => {
      const numbered = createNumbers();
      numbered('first');
      for (let index = 0; index < others; index++) numbered(`other-${index}`);
      return numbered('first').supersedes;
    };
    expect([...around(MAX_RECENT), 2 * MAX_RECENT].map(again)).toEqual([1, 1, 1, undefined]);
  });
});

describe('tracestate', () => {
  test('of more than MAX_MEMBERS is none', () => {
    const kept = around(MAX_STATES).map((count) =>
      carryTracestate(many(count, (i) => `k${i}=v`, ',')),
    );
    expect(kept.map((one) => one?.split(',').length)).toEqual([
      MAX_STATES - 1,
      MAX_STATES,
      undefined,
    ]);
  });

  test('of more than MAX_CHARS loses whole members at its end', () => {
    const member = (index: number) => `k${index}=${'v'.repeat(47)}`; // 50 characters, 51 with a comma
    const kept = around(MAX_STATE_CHARS).map((chars) => {
      const text = `${many(9, member, ',')},z=`;
      return carryTracestate(text + 'v'.repeat(chars - text.length));
    });
    expect(kept.map((one) => one?.length)).toEqual([
      MAX_STATE_CHARS - 1,
      MAX_STATE_CHARS,
      9 * 51 - 1,
    ]);
  });

  test('that is too long loses those of more than LONG_MEMBER_CHARS first', () => {
    const kept = around(LONG_MEMBER_CHARS).map((chars) => {
      const long = `long=${'v'.repeat(chars - 5)}`;
      const others = many(4, (index) => `k${index}=${'v'.repeat(96)}`, ',');
      return carryTracestate(`${long},${others},x=y`)?.startsWith('long=');
    });
    expect(kept).toEqual([true, true, false]);
  });
});

describe('baggage', () => {
  test('has MAX_MEMBERS at most', () => {
    const counts = around(MAX_MEMBERS).map(
      (count) =>
        joinBaggage(
          'user.id=alice',
          many(count - 1, (index) => `k${index}=v`, ','),
        ).split(',').length,
    );
    expect(counts).toEqual([MAX_MEMBERS - 1, MAX_MEMBERS, MAX_MEMBERS]);
  });

  test('has MAX_BYTES at most, of whole members', () => {
    const ours = 'user.id=alice';
    const bytes = around(MAX_BYTES).map((size) => {
      const theirs = 'k=';
      return joinBaggage(ours, theirs + 'v'.repeat(size - ours.length - 1 - theirs.length)).length;
    });
    expect(bytes).toEqual([MAX_BYTES - 1, MAX_BYTES, ours.length]);
  });
});

describe('cookies', () => {
  test('behind MAX_COOKIE_PAIRS others are not listed', () => {
    const found = around(MAX_COOKIE_PAIRS).map((pairs) => {
      const header = `${many(pairs - 1, (index) => `o${index}=1`, '; ')}; name=value`;
      return [cookieValues(header, 'name').length, cookieNames(header, 'na').length];
    });
    expect(found).toEqual([
      [1, 1],
      [1, 1],
      [0, 0],
    ]);
  });

  test('of one name are told up to MAX_COOKIE_VALUES, of one prefix up to MAX_COOKIE_NAMES', () => {
    const values = around(MAX_COOKIE_VALUES).map(
      (count) =>
        cookieValues(
          many(count, (index) => `a=${index}`, ';'),
          'a',
        ).length,
    );
    const names = around(MAX_COOKIE_NAMES).map(
      (count) =>
        cookieNames(
          many(count, (index) => `a${index}=x`, ';'),
          'a',
        ).length,
    );
    expect(values).toEqual([MAX_COOKIE_VALUES - 1, MAX_COOKIE_VALUES, MAX_COOKIE_VALUES]);
    expect(names).toEqual([MAX_COOKIE_NAMES - 1, MAX_COOKIE_NAMES, MAX_COOKIE_NAMES]);
  });

  test('of sign-ins under way are MAX_UNDER_WAY at most: each that is one too many is taken away', () => {
    const it = createSignInsUnderWay({
      ...{ keys: [createSecretKey(randomBytes(32))], now: () => 1e12, used: new Map() },
    });
    const aSignIn: UnderWay = {
      ...{
        issuer: 'https://idp.example',
        host: 'app.example',
        returnTo: '/',
        verifier: 'v',
        nonce: 'n',
      },
      ...{ signIns: 0, atMs: 1e12 },
    };
    const begun = around(MAX_UNDER_WAY).map((there) => {
      const cookies = many(
        there,
        (index) => `__Host-signet-login-${it.newState(1e12 + index)}=x`,
        '; ',
      );
      return it.keep(it.newState(1e12 + 99), aSignIn, cookies).length - 1;
    });
    expect(begun).toEqual([0, 1, 2]);
  });
});

test('a return URL of more than MAX_RETURN_CHARS is /, and so it is in the way to the sign-in', () => {
  const urls = around(MAX_RETURN_CHARS).map((chars) => `/${'x'.repeat(chars - 1)}`);
  expect(urls.map((url) => safeReturnUrl(url).length)).toEqual([2_047, 2_048, 1]);
  const asked = urls.map((url) => decodeURIComponent(signInPath(url).split('return=')[1] ?? ''));
  expect(asked.map(({ length }) => length)).toEqual([2_047, 2_048, 1]);
});

test('a sealed sign-in with the longest return URL stays below the 4,096 bytes that browsers keep', () => {
  const it = createSignInsUnderWay({
    ...{ keys: [createSecretKey(randomBytes(32))], now: () => 1e12, used: new Map() },
  });
  const cookie = it.keep(
    it.newState(1e12),
    {
      ...{ issuer: `https://${'i'.repeat(100)}.example`, host: `${'h'.repeat(200)}.example:8443` },
      ...{
        returnTo: 'x'.repeat(MAX_RETURN_CHARS),
        verifier: 'v'.repeat(43),
        nonce: 'n'.repeat(43),
      },
      ...{ provider: 'p'.repeat(64), signIns: 3, atMs: 1e12 },
    },
    undefined,
  );
  expect(cookie[0]?.split(';')[0]?.length).toBeLessThan(4_096);
});

describe('Accept-Language', () => {
  test('is read up to MAX_CHARS', () => {
    const found = around(MAX_LANGUAGE_CHARS).map((chars) =>
      chooseLanguage(`${' '.repeat(chars - 2)}de`, ['en', 'de']),
    );
    expect(found).toEqual(['de', 'de', 'en']);
  });

  test('is read up to MAX_RANGES', () => {
    const found = around(MAX_RANGES).map((ranges) =>
      chooseLanguage(`${many(ranges - 1, () => 'fr', ',')},de`, ['en', 'de']),
    );
    expect(found).toEqual(['de', 'de', 'en']);
  });
});
