// How seldom an issuer's keys and metadata are fetched, and how long they are good when it is down; by a
// clock that is set by hand.
import { beforeEach, describe, expect, test } from '@jest/globals';
import { createSeldomFetched, type SeldomFetched } from '../../sidecar/identity/seldom-fetched.ts';

const FRESH_MS = 600_000;
const STALE_MS = 86_400_000;
const IDLE_MS = 1_200_000;
const COOL_DOWN_MS = 10_000;
const RETRY_KEPT_MS = 30_000;
const RETRY_MS = 1_000;

let nowMs: number;
let fetched: number;
let isDown: boolean;
let keys: SeldomFetched<{ edition: number }>;

beforeEach(() => {
  nowMs = 1_800_000_000_000;
  fetched = 0;
  isDown = false;
  keys = createSeldomFetched({
    what: 'the keys',
    now: () => nowMs,
    fetch: async () => {
      fetched += 1;
      if (isDown) throw new Error('no route to it');
      return { edition: fetched };
    },
  });
});

/** Lets a fetch in the background come to its end: each step of it is one turn. */
const settled = () => new Promise((resolve) => setImmediate(resolve));
const editionAfter = async (ms: number) => {
  nowMs += ms;
  return (await keys.current()).edition;
};

test('nothing is fetched before it is needed, and once for all who need it', async () => {
  expect(fetched).toBe(0);
  await Promise.all(Array.from({ length: 50 }, () => keys.current()));
  expect(fetched).toBe(1);
});

describe('what is ten minutes old', () => {
  test('is fetched anew in the background: who asks does not wait', async () => {
    await keys.current();
    expect(await editionAfter(FRESH_MS - 1)).toBe(1);
    expect(fetched).toBe(1);
    expect(await editionAfter(1)).toBe(1);
    await settled();
    expect(await editionAfter(0)).toBe(2);
  });

  test('is used on for a day while the issuer is down, and not a moment longer', async () => {
    await keys.current();
    isDown = true;
    expect(await editionAfter(FRESH_MS)).toBe(1);
    await settled();
    expect(keys.state()).toEqual({
      ready: true,
      problem: "the keys can't be had: no route to it",
    });
    expect(await editionAfter(STALE_MS - FRESH_MS - 1)).toBe(1);
    await settled();
    await expect(editionAfter(RETRY_MS)).rejects.toMatchObject({ code: 'ERR_PROVIDER' });
    expect(keys.state().ready).toBe(false);
  });

  test('is asked for every thirty seconds while the issuer is down, whoever needs it', async () => {
    await keys.current();
    isDown = true;
    await editionAfter(FRESH_MS);
    await settled();
    for (let at = 0; at < 299; at++) await editionAfter(100);
    expect(fetched).toBe(2);
    await editionAfter(RETRY_KEPT_MS);
    expect(fetched).toBe(3);
  });
});

describe('what nobody has asked for in twenty minutes', () => {
  test('is not used before the new one is there, by all who ask at once', async () => {
    await keys.current();
    nowMs += IDLE_MS;
    const all = await Promise.all([keys.current(), keys.current()]);
    expect(all.map(({ edition }) => edition)).toEqual([2, 2]);
    expect(fetched).toBe(2);
  });

  test('is used on where the issuer is down, and then nobody waits for it', async () => {
    await keys.current();
    isDown = true;
    expect(await editionAfter(IDLE_MS)).toBe(1);
    isDown = false;
    expect(await editionAfter(RETRY_KEPT_MS)).toBe(1);
    await settled();
    expect(await editionAfter(0)).toBe(3);
  });
});

test('a day-old one is not used before the new one is there, even if the issuer is up', async () => {
  await keys.current();
  expect(await editionAfter(STALE_MS)).toBe(2);
});

test('while there is nothing at all, it is asked for once a second', async () => {
  isDown = true;
  for (let at = 0; at < 20; at++) await expect(keys.current()).rejects.toThrow();
  expect(fetched).toBe(1);
  isDown = false;
  expect(await editionAfter(RETRY_MS)).toBe(2);
  expect(keys.state()).toEqual({ ready: true });
});

describe('who misses something in it', () => {
  test('gets what is newer, at most once in ten seconds, however many miss something', async () => {
    const first = await keys.current();
    expect(await keys.newerThan(first)).toBeUndefined();
    nowMs += COOL_DOWN_MS;
    const all = await Promise.all(Array.from({ length: 50 }, () => keys.newerThan(first)));
    expect(new Set(all.map((one) => one?.edition))).toEqual(new Set([2]));
    expect(fetched).toBe(2);
  });

  test('gets nothing where the issuer is down, and what is there goes on', async () => {
    const first = await keys.current();
    isDown = true;
    nowMs += COOL_DOWN_MS;
    expect(await keys.newerThan(first)).toBeUndefined();
    expect(await keys.current()).toBe(first);
  });
});

test('a clock that is set back by a year makes nothing good for a year', async () => {
  await keys.current();
  expect(await editionAfter(-365 * STALE_MS)).toBe(2);
});
