// Reading sessions of a store that takes its time: many who ask at once are one question, and what ended
// while the store was answering is not brought back by its answer.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import {
  MARKED_AT_ONCE,
  MAX_MARKED_READ,
  MAX_UNKNOWN_READ,
  UNKNOWN_AT_ONCE,
} from '../../sidecar/sessions/cache.ts';
import { isMarked, newCookieValue } from '../../sidecar/sessions/cookie-value.ts';
import { createSqliteSessions } from '../../sidecar/sessions/store-sqlite.ts';
import { sealSession } from '../../sidecar/sessions/text.ts';
import type { SessionStore } from '../../sidecar/sessions/store.ts';
import type { Sessions } from '../../sidecar/sessions/sessions.ts';
import { identity } from '../fixtures/identities.ts';
import { counting, freshKey, keyOf, sessionsOver, whose } from '../fixtures/sessions.ts';
import { until } from '../fixtures/until.ts';

const ALICE = { identity: identity() };
const ring = [freshKey()];

let folder: string;
let nowMs: number;
let inner: SessionStore;
let store: ReturnType<typeof counting>;
let sessions: Sessions;
let answers: (() => void)[];

/** Lets the store answer what it was asked so far. */
function answer(): void {
  for (const go of answers.splice(0)) go();
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-reading-'));
  nowMs = 1_800_000_000_000;
  answers = [];
  const now = () => nowMs;
  inner = createSqliteSessions({ path: join(folder, 'sessions.db'), now });
  const find = async (key: string) => {
    const seen = await inner.find(key);
    await new Promise<void>((resolve) => answers.push(resolve));
    return seen;
  };
  store = counting({ ...inner, find });
  sessions = sessionsOver({ store, now, keys: () => ring });
});
afterEach(async () => {
  await sessions.close();
  await inner.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Resolves when so many questions wait for an answer. */
const asked = (count: number) => until('the questions', () => answers.length === count, 2_000);

/** Lets the store answer whatever it is asked, until all of these are settled. */
async function answerAll<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const timer = setInterval(answer, 1);
  return Promise.all(promises).finally(() => clearInterval(timer));
}

/** Finds the session, and returns when the store has been asked. */
async function asking(id: string): Promise<Promise<string>[]> {
  const found = [whose(sessions, id)];
  await asked(1);
  return found;
}

test('a hundred who ask at once are one question', async () => {
  const id = await sessions.begin(ALICE);
  const found = Array.from({ length: 100 }, () => whose(sessions, id));
  await asked(1);
  answer();
  expect(new Set(await Promise.all(found))).toEqual(new Set(['alice']));
  expect(store.finds()).toBe(1);
});

test('a question that is a second old is not joined: it may be of before a revocation', async () => {
  const id = await sessions.begin(ALICE);
  const [first] = await asking(id);
  await inner.remove(keyOf(id));
  nowMs += 1_000;
  const second = whose(sessions, id);
  expect(store.finds()).toBe(2);
  await asked(2);
  answer();
  expect([await first, await second]).toEqual(['alice', 'session-unknown']);
});

test('an answer that was overtaken by a refresh gives way to it, and is not kept', async () => {
  const { promise: refreshed, resolve: refresh } = Promise.withResolvers<void>();
  const alicia = { identity: identity({ user: 'alicia' }) };
  const options = { recheckMs: 10_000, refresh: () => refreshed.then(() => alicia) };
  const refreshing = sessionsOver({ store, now: () => nowMs, keys: () => ring, ...options });
  const id = await refreshing.begin({ ...ALICE, tokens: { refreshToken: 'r' } });
  nowMs += 5_000;
  const first = whose(refreshing, id);
  await asked(1);
  answer();
  expect(await first).toBe('alice');
  nowMs += 1_000;
  const second = whose(refreshing, id);
  await asked(1);
  refresh();
  await refreshing.close();
  answer();
  expect(await second).toBe('alicia');
  const third = whose(refreshing, id);
  await asked(1);
  answer();
  expect(await third).toBe('alicia');
});

test('of made-up cookies a bounded number is asked about at once, and known sessions go on', async () => {
  const id = await sessions.begin(ALICE);
  const [known] = await asking(id);
  answer();
  await known;
  const madeUp = () => whose(sessions, randomBytes(32).toString('base64url'));
  const finding = Array.from({ length: MAX_UNKNOWN_READ }, madeUp);
  await expect(madeUp()).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' });
  nowMs += 1_000;
  const again = whose(sessions, id);
  await asked(UNKNOWN_AT_ONCE + 1);
  answer();
  expect(await again).toBe('alice');
  expect(new Set(await answerAll(finding))).toEqual(new Set(['session-unknown']));
  const next = madeUp();
  await asked(1);
  answer();
  expect(await next).toBe('session-unknown');
});

test('a flood of made-up cookies does not shut out who has signed in a moment ago, at this sidecar or another', async () => {
  const id = await sessions.begin(ALICE);
  const madeUp = () => whose(sessions, randomBytes(32).toString('base64url'));
  const finding = Array.from({ length: MAX_UNKNOWN_READ }, madeUp);
  await asked(UNKNOWN_AT_ONCE);
  const found = whose(sessions, id);
  await asked(UNKNOWN_AT_ONCE + 1);
  answer();
  expect(await found).toBe('alice');
  await answerAll(finding);
});

test('made-up cookies take four of the store’s connections at a time: the others wait in front of nobody', async () => {
  const madeUp = () => whose(sessions, randomBytes(32).toString('base64url'));
  const finding = Array.from({ length: MAX_UNKNOWN_READ }, madeUp);
  await asked(UNKNOWN_AT_ONCE);
  expect(store.finds()).toBe(UNKNOWN_AT_ONCE);
  answer();
  await asked(UNKNOWN_AT_ONCE);
  expect(store.finds()).toBe(2 * UNKNOWN_AT_ONCE);
  await answerAll(finding);
  expect(store.finds()).toBe(MAX_UNKNOWN_READ);
});

test('of cookies that were marked by a key of another ring a bounded number is asked about, too', async () => {
  const other = [freshKey()];
  const madeUp = () => whose(sessions, newCookieValue(other));
  const finding = Array.from({ length: MAX_UNKNOWN_READ }, madeUp);
  await expect(madeUp()).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' });
  await answerAll(finding);
});

test('a cookie that was marked by the key before is known for ours as long as that key is in the ring', () => {
  const [old, next] = [freshKey(), freshKey()];
  const id = newCookieValue([old]);
  expect(isMarked(id, [next, old])).toBe(true);
  expect(isMarked(id, [next])).toBe(false);
});

test('a mark has one spelling: the bits that its last character has to spare are zero', () => {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const id = newCookieValue(ring);
  const last = letters.indexOf(id.slice(-1));
  const spellings = [0, 1, 2, 3].map((bits) => `${id.slice(0, -1)}${letters[last | bits]}`);
  expect(spellings.filter((one) => isMarked(one, ring))).toEqual([id]);
});

test('cookies of sessions that have ended, marked as they are, leave a connection to those who are in', async () => {
  const id = await sessions.begin(ALICE);
  const [known] = await asking(id);
  answer();
  await known;
  const madeUp = () => whose(sessions, randomBytes(32).toString('base64url'));
  const ended = () => whose(sessions, newCookieValue(ring));
  const finding = Array.from({ length: MAX_UNKNOWN_READ }, madeUp);
  finding.push(...Array.from({ length: MAX_UNKNOWN_READ }, ended));
  await asked(UNKNOWN_AT_ONCE + MARKED_AT_ONCE);
  nowMs += 1_000;
  const again = whose(sessions, id);
  await asked(UNKNOWN_AT_ONCE + MARKED_AT_ONCE + 1);
  answer();
  expect(await again).toBe('alice');
  await answerAll(finding);
});

test('of MAX_MARKED_READ marked cookies that are not known here the store is asked, and of no more', async () => {
  const ended = () => whose(sessions, newCookieValue(ring));
  const finding = Array.from({ length: MAX_MARKED_READ - 1 }, ended);
  const last = ended();
  await expect(ended()).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' });
  await answerAll([...finding, last]);
  const next = ended();
  await asked(1);
  answer();
  expect(await next).toBe('session-unknown');
});

test('signing out with cookies of sessions that have ended is bounded as reading them is, and removes nothing', async () => {
  const ended = Array.from({ length: MAX_MARKED_READ }, () => sessions.end(newCookieValue(ring)));
  await expect(sessions.end(newCookieValue(ring))).rejects.toMatchObject({
    code: 'ERR_SESSION_STORE',
  });
  expect(new Set(await Promise.all(ended))).toEqual(new Set([undefined]));
});

test('signing out with made-up cookies asks the store for a bounded number at once, and removes nothing', async () => {
  const ending = () => sessions.end(randomBytes(32).toString('base64url'));
  const ended = Array.from({ length: MAX_UNKNOWN_READ }, ending);
  await expect(ending()).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' });
  expect(new Set(await answerAll(ended))).toEqual(new Set([undefined]));
});

test('a session of an older Signet, whose cookie has no mark, is found and can be ended', async () => {
  const id = randomBytes(32).toString('base64url');
  const text = sealSession(keyOf(id), { identity: identity(), tokens: {} }, ring);
  await inner.put(keyOf(id), text, nowMs);
  const [found] = await asking(id);
  answer();
  expect(await found).toBe('alice');
  expect(await sessions.end(id)).toMatchObject({ identity: { user: 'alice' } });
});

test('a session that ended while it was being read is refused, and stays so', async () => {
  const id = await sessions.begin(ALICE);
  const [found] = await asking(id);
  await sessions.end(id);
  answer();
  expect(await found).toBe('session-unknown');
  const again = whose(sessions, id);
  await asked(1);
  answer();
  expect(await again).toBe('session-unknown');
});

test('an answer counts from when it was asked for, not from when it came', async () => {
  const id = await sessions.begin(ALICE);
  const [found] = await asking(id);
  nowMs += 999;
  answer();
  await found;
  expect(sessions.find(id)).toMatchObject({ user: 'alice' });
  nowMs += 1;
  void whose(sessions, id);
  expect(store.finds()).toBe(2);
  await asked(1);
  answer();
});

test('a session at hand is answered at once, though the store takes its time', async () => {
  const id = await sessions.begin(ALICE);
  const [found] = await asking(id);
  answer();
  await found;
  expect(sessions.find(id)).not.toBeInstanceOf(Promise);
});
