// Sessions over a real store in a temporary file, with a clock of the test's own. Hostile cases 16-19.
import { readFileSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { sealSession, sessionHashOf } from '../../sidecar/sessions/text.ts';
import { createSqliteSessions } from '../../sidecar/sessions/store-sqlite.ts';
import type { SessionOptions } from '../../sidecar/sessions/sessions.ts';
import { identity } from '../fixtures/identities.ts';
import {
  ABSOLUTE_MS,
  counting,
  freshKey,
  IDLE_MS,
  keyOf,
  sessionsOver,
  whose,
} from '../fixtures/sessions.ts';

const ALICE = { identity: identity({ groups: ['x'] }) };
const ring = [freshKey()];

let folder: string;
let nowMs: number;
let closes: (() => Promise<void>)[];

function sidecar(changes: Partial<SessionOptions> = {}) {
  const now = () => nowMs;
  const inner = createSqliteSessions({ path: join(folder, 'sessions.db'), now });
  const store = counting(inner);
  const sessions = sessionsOver({ store, now, keys: () => ring, ...changes });
  closes.push(
    () => sessions.close(),
    () => inner.close(),
  );
  return { store: inner, sessions, finds: store.finds };
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-session-'));
  nowMs = 1_800_000_000_000;
  closes = [];
});
afterEach(async () => {
  for (const close of closes) await close();
  rmSync(folder, { recursive: true, force: true });
});

describe('a session', () => {
  test('is found by its cookie, at once, with its hash, its method and its end', async () => {
    const { sessions } = sidecar();
    const id = await sessions.begin(ALICE);
    expect(sessions.find(id)).toEqual({
      ...ALICE.identity,
      expiresAtMs: nowMs + ABSOLUTE_MS,
      sessionHash: keyOf(id).slice(0, 16),
    });
  });

  test('has a new id of 256 bits each time', async () => {
    const { sessions } = sidecar();
    const ids = await Promise.all(Array.from({ length: 100 }, () => sessions.begin(ALICE)));
    expect(new Set(ids).size).toBe(100);
    expect(ids.every((id) => Buffer.from(id, 'base64url').length === 32)).toBe(true);
  });

  test('begun by a clock that is ahead, ends by the time that the store has', async () => {
    const { sessions, store } = sidecar();
    const startMs = nowMs;
    nowMs += 25 * 3_600_000;
    const id = await sessions.begin(ALICE);
    nowMs = startMs;
    // As PostgreSQL does it, by a clock of its own.
    const asServer: typeof store = {
      ...store,
      find: async (key) => {
        const seen = await store.find(key);
        return seen && { ...seen, createdAtMs: startMs, seenAtMs: nowMs };
      },
    };
    const other = sidecar({ store: asServer }).sessions;
    expect(await other.find(id)).toMatchObject({ user: 'alice' });
    nowMs += ABSOLUTE_MS;
    expect(await other.find(id)).toEqual({ refused: 'session-expired' });
  });

  test('is not in the store by its id: a copy of the file signs nobody in', async () => {
    const { sessions, store } = sidecar();
    const id = await sessions.begin(ALICE);
    await store.close();
    expect(readFileSync(join(folder, 'sessions.db')).includes(id)).toBe(false);
  });

  test.each([
    '',
    '%',
    'x'.repeat(1_000_000),
    'x'.repeat(42),
    'x'.repeat(44),
    `${'x'.repeat(42)}=`,
    `${'x'.repeat(42)}\n`,
    'ä'.repeat(43),
  ])('with a malformed cookie is signed out (case %#)', (cookie) => {
    expect(sidecar().sessions.find(cookie)).toEqual({ refused: 'cookie-malformed' });
  });

  test('with an unknown cookie of the right shape is signed out', () => {
    expect(sidecar().sessions.find('x'.repeat(43))).toEqual({ refused: 'session-unknown' });
  });

  test('ends when it was idle for too long, and lives on while it is used', async () => {
    const { sessions } = sidecar();
    const id = await sessions.begin(ALICE);
    nowMs += IDLE_MS - 1;
    expect(sessions.find(id)).toMatchObject({ user: 'alice' });
    nowMs += IDLE_MS - 1;
    expect(sessions.find(id)).toMatchObject({ user: 'alice' });
    nowMs += IDLE_MS;
    expect(sessions.find(id)).toEqual({ refused: 'session-expired' });
  });

  test('ends at its absolute age, however much it is used', async () => {
    const { sessions } = sidecar();
    const id = await sessions.begin(ALICE);
    for (const endMs = nowMs + ABSOLUTE_MS - 1; nowMs < endMs;) {
      expect(sessions.find(id)).toMatchObject({ user: 'alice' });
      nowMs = Math.min(nowMs + IDLE_MS - 1, endMs);
    }
    nowMs += 1;
    expect(sessions.find(id)).toEqual({ refused: 'session-expired' });
  });

  test('is refused while its provider does not count', async () => {
    let isAccepted = true;
    const { sessions } = sidecar({ isAccepted: () => isAccepted });
    const id = await sessions.begin(ALICE);
    expect(await whose(sessions, id)).toBe('alice');
    isAccepted = false;
    nowMs += 1_000;
    expect(await whose(sessions, id)).toBe('session-unknown');
  });
});

describe('the cache', () => {
  test('spares the store for a second, and no longer', async () => {
    const { sessions, finds } = sidecar();
    const id = await sessions.begin(ALICE);
    for (let index = 0; index < 100; index++) void sessions.find(id);
    nowMs += 999;
    void sessions.find(id);
    expect(finds()).toBe(1);
    nowMs += 1;
    void sessions.find(id);
    expect(finds()).toBe(2);
  });

  test('gives the same object for as long as the session is unchanged', async () => {
    const { sessions } = sidecar();
    const id = await sessions.begin(ALICE);
    const first = sessions.find(id);
    nowMs += 5_000;
    expect(sessions.find(id)).toBe(first);
  });

  test('gives a new object when the session was changed', async () => {
    const { sessions, store } = sidecar();
    const id = await sessions.begin(ALICE);
    const first = sessions.find(id);
    const alicia = { identity: identity({ user: 'alicia' }), tokens: {}, beganAtMs: nowMs };
    await store.replace(keyOf(id), 1, sealSession(keyOf(id), alicia, ring));
    nowMs += 1_000;
    expect(sessions.find(id)).not.toBe(first);
    expect(sessions.find(id)).toMatchObject({ user: 'alicia' });
  });

  test('asks again when the clock was set back', async () => {
    const { sessions, finds } = sidecar();
    const id = await sessions.begin(ALICE);
    void sessions.find(id);
    nowMs -= 10_000;
    void sessions.find(id);
    expect(finds()).toBe(2);
  });

  test('holds at most maxCached sessions', async () => {
    const { sessions, finds } = sidecar({ maxCached: 2 });
    const ids = await Promise.all([1, 2, 3].map(() => sessions.begin(ALICE)));
    for (const id of ids) void sessions.find(id);
    void sessions.find(ids[2] ?? '');
    expect(finds()).toBe(3);
    void sessions.find(ids[0] ?? '');
    expect(finds()).toBe(4);
  });
});

describe('signing out', () => {
  test('holds here at once and on every sidecar of the store within a second', async () => {
    const [here, there] = [sidecar(), sidecar()];
    const id = await here.sessions.begin(ALICE);
    expect(there.sessions.find(id)).toMatchObject({ user: 'alice' });
    await here.sessions.end(id);
    expect(here.sessions.find(id)).toEqual({ refused: 'session-unknown' });
    nowMs += 1_000;
    expect(there.sessions.find(id)).toEqual({ refused: 'session-unknown' });
  });

  test('returns what was ended, with its tokens, and only once', async () => {
    const { sessions } = sidecar();
    const tokens = { refreshToken: 'r', idToken: 'i' };
    const id = await sessions.begin({ ...ALICE, tokens, sid: 's' });
    expect(await sessions.end(id)).toMatchObject({ identity: { user: 'alice' }, tokens, sid: 's' });
    expect(await sessions.end(id)).toBeUndefined();
    expect(await sessions.end('%')).toBeUndefined();
  });

  test('is not undone by a last-seen time that is written later', async () => {
    const [here, there] = [sidecar(), sidecar()];
    const id = await here.sessions.begin(ALICE);
    void there.sessions.find(id);
    await here.sessions.end(id);
    await there.sessions.flush();
    nowMs += 1_000;
    expect(there.sessions.find(id)).toEqual({ refused: 'session-unknown' });
  });

  test('by the provider’s name of a session ends this one only', async () => {
    const { sessions } = sidecar();
    const [one, other] = [
      await sessions.begin({ ...ALICE, sid: '1' }),
      await sessions.begin({ ...ALICE, sid: '2' }),
    ];
    const { issuer, subject } = ALICE.identity;
    expect(await sessions.endNamed({ issuer, subject, sid: '1' })).toBe(1);
    expect(await whose(sessions, one)).toBe('session-unknown');
    expect(await whose(sessions, other)).toBe('alice');
  });

  test('by the provider’s name of a session ends those of its subject that know no such name', async () => {
    const { sessions } = sidecar();
    const nameless = await sessions.begin(ALICE);
    const others = await sessions.begin({ identity: identity({ subject: 'bob', user: 'bob' }) });
    const { issuer, subject } = ALICE.identity;
    expect(await sessions.endNamed({ issuer, subject, sid: '1' })).toBe(1);
    expect(await whose(sessions, nameless)).toBe('session-unknown');
    expect(await whose(sessions, others)).toBe('bob');
  });

  describe('by the provider’s name of a session that is still on its way here', () => {
    const { issuer, subject } = ALICE.identity;

    test('ends it when it comes, and tells of it', async () => {
      const told: string[] = [];
      const { sessions } = sidecar({ onEnded: ({ why }) => told.push(why) });
      await sessions.endNamed({ issuer, subject, sid: '1' });
      const late = await sessions.begin({ ...ALICE, sid: '1' });
      expect(await whose(sessions, late)).toBe('session-unknown');
      expect(told).toEqual(['provider']);
    });

    test('ends it also when it comes to sessions of other lifetimes, which are told of the same', async () => {
      const endedNames = new Map();
      const [before, after] = [sidecar({ endedNames }), sidecar({ endedNames, idleMs: 1_000 })];
      await before.sessions.endNamed({ issuer, subject, sid: '1' });
      const late = await after.sessions.begin({ ...ALICE, sid: '1' });
      expect(await whose(after.sessions, late)).toBe('session-unknown');
    });

    test('ends none of another name, of another provider or without one', async () => {
      const { sessions } = sidecar();
      await sessions.endNamed({ issuer, subject, sid: '1' });
      const elsewhere = { identity: identity({ issuer: 'https://other.example' }), sid: '1' };
      for (const begun of [{ ...ALICE, sid: '2' }, elsewhere, ALICE]) {
        expect(await whose(sessions, await sessions.begin(begun))).toBe('alice');
      }
    });

    test('ends none later than a minute after it', async () => {
      const { sessions } = sidecar();
      await sessions.endNamed({ issuer, subject, sid: '1' });
      nowMs += 60_000;
      expect(await whose(sessions, await sessions.begin({ ...ALICE, sid: '1' }))).toBe('alice');
    });

    test('ends it though the provider’s clock is 100 s behind ours', async () => {
      const { sessions } = sidecar();
      await sessions.endNamed({ issuer, subject, sid: '1', begunByMs: nowMs - 70_000 });
      const late = await sessions.begin({ ...ALICE, sid: '1' });
      expect(await whose(sessions, late)).toBe('session-unknown');
    });
  });

  describe('by subject, of a sign-in that is still on its way here', () => {
    const { issuer, subject } = ALICE.identity;
    const asked = (changes: object = {}) => ({ ...ALICE, askedAtMs: nowMs, ...changes });

    test.each([
      ['a logout of the subject ends it', {}, {}],
      ['a logout of the subject ends it, though it has a sid', {}, { sid: '1' }],
      ['a logout of subject and sid ends one that doesn’t know its sid', { sid: '1' }, {}],
    ])('%s', async (_what, named, begun) => {
      const { sessions } = sidecar();
      const late = asked(begun);
      nowMs += 1_000;
      await sessions.endNamed({ issuer, subject, ...named });
      nowMs += 1_000;
      expect(await whose(sessions, await sessions.begin(late))).toBe('session-unknown');
    });

    test.each([
      ['one that the provider was asked about after it', {}, {}, 1_001],
      ['another sid’s', { sid: '1' }, { sid: '2' }, 0],
      ['another person’s', { subject: 'bob' }, {}, 0],
      ['another issuer’s', { issuer: 'https://other.example' }, {}, 0],
    ])('and leaves %s', async (_whose, named, begun, laterMs) => {
      const { sessions } = sidecar();
      const late = asked({ ...begun, askedAtMs: nowMs + laterMs });
      nowMs += 1_000;
      await sessions.endNamed({ issuer, subject, ...named });
      nowMs += 1_000;
      expect(await whose(sessions, await sessions.begin(late))).toBe('alice');
    });

    test('goes by the time of a token that is shown again', async () => {
      const { sessions } = sidecar();
      await sessions.endNamed({ issuer, subject, begunByMs: nowMs - 1 });
      expect(await whose(sessions, await sessions.begin(asked()))).toBe('alice');
    });
  });

  test('by subject ends all of them, of this issuer', async () => {
    const { sessions } = sidecar();
    const elsewhere = identity({ issuer: 'https://other.example', user: 'another' });
    const ids = [await sessions.begin(ALICE), await sessions.begin({ ...ALICE, sid: '2' })];
    const namesake = await sessions.begin({ identity: elsewhere });
    for (const id of ids) void sessions.find(id);
    const { issuer, subject } = ALICE.identity;
    expect(await sessions.endNamed({ issuer, subject })).toBe(2);
    for (const id of ids) expect(await whose(sessions, id)).toBe('session-unknown');
    expect(await whose(sessions, namesake)).toBe('another');
  });

  test('by name tells whose each of them was, and that the provider ended it', async () => {
    const told: unknown[] = [];
    const { sessions } = sidecar({ onEnded: (ended) => told.push(ended) });
    const id = await sessions.begin({ ...ALICE, sid: '1' });
    const { issuer, subject } = ALICE.identity;
    await sessions.endNamed({ issuer, sid: '1' });
    const sessionHash = sessionHashOf(keyOf(id));
    expect(told).toEqual([
      { identity: expect.objectContaining({ issuer, subject, sessionHash }), why: 'provider' },
    ]);
    await sessions.endNamed({ issuer, sid: '1' });
    expect(told).toHaveLength(1);
  });

  test.each(['sid', 'subject'] as const)(
    'by %s leaves those that began later than is meant',
    async (by) => {
      const { sessions } = sidecar();
      const begun = { ...ALICE, sid: '1' };
      const early = await sessions.begin(begun);
      const begunByMs = nowMs;
      nowMs += 1;
      const late = await sessions.begin(begun);
      const { issuer, subject } = ALICE.identity;
      const name = by === 'sid' ? { sid: '1' } : { subject };
      expect(await sessions.endNamed({ issuer, ...name, begunByMs })).toBe(1);
      expect([await whose(sessions, early), await whose(sessions, late)]).toEqual([
        'session-unknown',
        'alice',
      ]);
    },
  );

  test('goes by the sealed time of beginning: a later one in the store saves nobody', async () => {
    const { sessions } = sidecar();
    const id = await sessions.begin(ALICE);
    const database = new DatabaseSync(join(folder, 'sessions.db'));
    database.exec('UPDATE sessions SET created_ms = created_ms + 60000');
    database.close();
    const { issuer, subject } = ALICE.identity;
    expect(await sessions.endNamed({ issuer, subject, begunByMs: nowMs })).toBe(1);
    expect(await whose(sessions, id)).toBe('session-unknown');
  });

  test('ends ten times as many sessions of one name in not much more than ten times as long', async () => {
    const { store } = sidecar();
    async function took(count: number): Promise<number> {
      const keys = Array.from({ length: count }, (_, at) => String(at));
      // Those that no key opens are meant, too: whom they are of can't be known.
      const found = keys.map((key) => ({ key, payload: '' }));
      const many = { ...store, findTagged: async () => found, removeAll: async () => keys };
      const { sessions } = sidecar({ store: many });
      const { issuer, subject } = ALICE.identity;
      const from = performance.now();
      expect(await sessions.endNamed({ issuer, subject })).toBe(count);
      return performance.now() - from;
    }
    const fastest = async (count: number) =>
      Math.min(await took(count), await took(count), await took(count));
    // Each compared with each, it would take a hundred times as long.
    expect(await fastest(50_000)).toBeLessThan(40 * Math.max(await fastest(5_000), 1));
  });

  test('of nobody in particular ends nothing', async () => {
    const { sessions } = sidecar();
    const id = await sessions.begin(ALICE);
    expect(await sessions.endNamed({ issuer: ALICE.identity.issuer })).toBe(0);
    expect(await whose(sessions, id)).toBe('alice');
  });
});

test('use on one sidecar keeps the session alive on another', async () => {
  const [here, there] = [sidecar(), sidecar()];
  const id = await here.sessions.begin(ALICE);
  nowMs += IDLE_MS - 1;
  void here.sessions.find(id);
  await here.sessions.flush();
  nowMs += IDLE_MS - 1;
  expect(there.sessions.find(id)).toMatchObject({ user: 'alice' });
});

test('a store that fails never serves a session beyond the second, and recovers', async () => {
  const path = join(folder, 'sessions.db');
  const open = () => createSqliteSessions({ path, now: () => nowMs });
  let inner = open();
  const { sessions } = sidecar({ store: { ...inner, find: (key) => inner.find(key) } });
  const id = await sessions.begin(ALICE);
  void sessions.find(id);
  await inner.close();
  const whole = readFileSync(path);
  writeFileSync(path, 'broken'.repeat(1_000));
  inner = open();
  nowMs += 999;
  expect(sessions.find(id)).toMatchObject({ user: 'alice' });
  nowMs += 1;
  expect(() => sessions.find(id)).toThrow(expect.objectContaining({ code: 'ERR_SESSION_STORE' }));
  writeFileSync(path, whole);
  nowMs += 1_000;
  expect(sessions.find(id)).toMatchObject({ user: 'alice' });
  await inner.close();
});

describe('in the store', () => {
  test('nothing says who somebody is, and no token can be read', async () => {
    const { sessions, store } = sidecar();
    const named = identity({ user: 'alice-the-user', groups: ['a-group-of-hers'] });
    const tokens = { refreshToken: 'the-refresh-token', idToken: 'the-id-token' };
    await sessions.begin({ identity: named, tokens, sid: 'the-sid' });
    const [stored] = await store.list(undefined, 10);
    const { issuer, subject, user } = named;
    const secrets = [issuer, subject, user, 'a-group-of-hers', 'the-refresh-token', 'the-id-token'];
    const text = textOf(stored);
    const readable = [...secrets, 'the-sid'].filter((word) => text.includes(word));
    expect(readable).toEqual([]);
  });

  test.each(['', '{}', 'AAAA', 'x'.repeat(500)])(
    'a session whose text is no seal of ours is signed out, never served (case %#)',
    async (payload) => {
      const { sessions, store } = sidecar();
      const id = await sessions.begin(ALICE);
      const stored = await store.read(keyOf(id));
      if (stored !== undefined) await store.replace(keyOf(id), 1, { ...stored, payload });
      expect(sessions.find(id)).toEqual({ refused: 'session-unknown' });
    },
  );

  test('the text of one session opens in no other’s place', async () => {
    const { sessions, store } = sidecar();
    const admin = await sessions.begin({ identity: identity({ user: 'admin' }) });
    const mallory = await sessions.begin({ identity: identity({ user: 'mallory' }) });
    const stored = await store.read(keyOf(admin));
    if (stored !== undefined) await store.replace(keyOf(mallory), 1, stored);
    expect(sessions.find(mallory)).toEqual({ refused: 'session-unknown' });
  });

  test('a later time of beginning makes no old session young', async () => {
    const { sessions } = sidecar({ idleMs: ABSOLUTE_MS * 10 });
    const id = await sessions.begin(ALICE);
    nowMs += ABSOLUTE_MS;
    const database = new DatabaseSync(join(folder, 'sessions.db'));
    database.exec(`UPDATE sessions SET created_ms = ${nowMs}`);
    database.close();
    expect(sessions.find(id)).toEqual({ refused: 'session-expired' });
  });

  test('the hash that rows carry is the beginning of the key', () => {
    expect(sessionHashOf(keyOf('x'))).toBe(keyOf('x').slice(0, 16));
  });
});

/** All that is stored, as it stands and as base64 may hide it. */
function textOf(stored: object | undefined): string {
  const texts = Object.values(stored ?? {}).map(String);
  return [
    ...texts,
    ...texts.map((text) => Buffer.from(text, 'base64url').toString('latin1')),
  ].join();
}
