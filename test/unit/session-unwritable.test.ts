// While the store of sessions can be read and not be written: who is to be put out is out here at once, and in the
// store as soon as it can be written; a re-check that can't begin closes its session after a bound.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Refresh } from '../../sidecar/identity/begun.ts';
import { Fault } from '../../sidecar/fault.ts';
import { CLOSED_AFTER_RECHECKS } from '../../sidecar/sessions/renewal.ts';
import { MAX_UNREMOVED } from '../../sidecar/sessions/removals.ts';
import { createSqliteSessions } from '../../sidecar/sessions/store-sqlite.ts';
import { watchWrites } from '../../sidecar/sessions/store-writes.ts';
import type { SessionStore } from '../../sidecar/sessions/store.ts';
import type { SessionOptions, Sessions } from '../../sidecar/sessions/sessions.ts';
import { identity } from '../fixtures/identities.ts';
import { freshKey, keyOf, sessionsOver, whose } from '../fixtures/sessions.ts';
import { READ_ONLY, unwritable } from '../fixtures/unwritable.ts';

const RECHECK_MS = 600_000;
const { issuer } = identity();
const ALICE = { identity: identity(), sid: '1', tokens: { refreshToken: 'r' } };
const ring = [freshKey()];

let folder: string;
let nowMs: number;
let inner: SessionStore;
let store: SessionStore;
let isReadOnly: boolean;
let leases: number;
/** What each try to write waits for. */
let hold: () => Promise<void>;
let ended: string[];
let asked: number;
let made: Sessions[];
const now = () => nowMs;
const refresh: Refresh = async ({ identity: whom, tokens }) => {
  asked++;
  return { identity: whom, tokens };
};

function sidecar(changes: Partial<SessionOptions> = {}): Sessions {
  const onEnded: SessionOptions['onEnded'] = ({ identity: { user }, why }) =>
    ended.push(`${user}: ${why}`);
  const long = { idleMs: 1e9, absoluteMs: 1e9, recheckMs: RECHECK_MS };
  const sessions = sessionsOver({
    ...{ store, now, keys: () => ring, refresh, onEnded, ...long, ...changes },
  });
  made.push(sessions);
  return sessions;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-unwritable-'));
  nowMs = 1_800_000_000_000;
  inner = createSqliteSessions({ path: join(folder, 'sessions.db'), now });
  const failing = unwritable(inner, () => isReadOnly);
  store = {
    ...failing,
    lease: async (...args) => (leases++, await hold(), failing.lease(...args)),
    tryWriting: async () => (await hold(), failing.tryWriting()),
  };
  hold = async () => {};
  [isReadOnly, leases, asked, ended, made] = [false, 0, 0, [], []];
});
afterEach(async () => {
  jest.useRealTimers();
  isReadOnly = false;
  await Promise.all(made.map((sessions) => sessions.close()));
  await inner.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('who is to be put out', () => {
  test('by their own sign-out is out here at once, and is told that it isn’t written', async () => {
    const sessions = sidecar();
    const id = await sessions.begin(ALICE);
    await whose(sessions, id);
    isReadOnly = true;
    expect(await sessions.end(id)).toMatchObject({
      identity: { user: 'alice' },
      unwritten: READ_ONLY,
    });
    expect(await whose(sessions, id)).toBe('session-unknown');
  });

  test('by the provider’s logout is out here at once, and the provider is told that it failed', async () => {
    const sessions = sidecar();
    const id = await sessions.begin(ALICE);
    await whose(sessions, id);
    isReadOnly = true;
    await expect(sessions.endNamed({ issuer, sid: '1' })).rejects.toBe(READ_ONLY);
    expect([await whose(sessions, id), ended]).toEqual(['session-unknown', ['alice: provider']]);
  });

  test('by a refresh token that is refused is out, though that can’t be written', async () => {
    const refuse: Refresh = async () => {
      isReadOnly = true;
      return { ended: 'invalid_grant' };
    };
    const sessions = sidecar({ refresh: refuse });
    const id = await sessions.begin(ALICE);
    nowMs += RECHECK_MS;
    expect(await whose(sessions, id)).toBe('session-unknown');
    expect(ended).toEqual(['alice: invalid_grant']);
  });

  test('fails the provider’s logout as long as it isn’t written, and is recorded once', async () => {
    const sessions = sidecar();
    await sessions.begin(ALICE);
    isReadOnly = true;
    const logOut = () => sessions.endNamed({ issuer, sid: '1' });
    await expect(logOut()).rejects.toBe(READ_ONLY);
    await expect(logOut()).rejects.toBe(READ_ONLY);
    isReadOnly = false;
    await logOut();
    expect(ended).toEqual(['alice: provider']);
  });

  test('who signs out, having been put out, is told as long as it isn’t written', async () => {
    const sessions = sidecar();
    const id = await sessions.begin(ALICE);
    isReadOnly = true;
    await sessions.end(id);
    await expect(sessions.end(id)).rejects.toBe(READ_ONLY);
    isReadOnly = false;
    expect(await sessions.end(id)).toBeUndefined();
    expect(await inner.find(keyOf(id))).toBeUndefined();
  });

  test('is removed from the store when it can be written again', async () => {
    jest.useFakeTimers();
    const sessions = sidecar();
    const id = await sessions.begin(ALICE);
    isReadOnly = true;
    await sessions.end(id);
    await jest.advanceTimersByTimeAsync(30_000);
    expect(await inner.find(keyOf(id))).toBeDefined();
    isReadOnly = false;
    await jest.advanceTimersByTimeAsync(5_000);
    expect(await inner.find(keyOf(id))).toBeUndefined();
  });

  test('stays out under another configuration', async () => {
    const unremoved = new Map<string, number>();
    const [before, after] = [sidecar({ unremoved }), sidecar({ unremoved, idleMs: 1e8 })];
    const id = await before.begin(ALICE);
    isReadOnly = true;
    await before.end(id);
    expect(await whose(after, id)).toBe('session-unknown');
  });

  test('is remembered for so many, and beyond that the oldest is forgotten', async () => {
    const unremoved = new Map(Array.from({ length: MAX_UNREMOVED }, (_, at) => [`${at}`, 0]));
    const sessions = sidecar({ unremoved });
    const id = await sessions.begin(ALICE);
    isReadOnly = true;
    await sessions.end(id);
    expect([unremoved.size, unremoved.has('0'), unremoved.has(keyOf(id))]).toEqual([
      MAX_UNREMOVED,
      false,
      true,
    ]);
    unremoved.clear();
  });
});

describe('a re-check that can’t begin, because no lease can be written', () => {
  const LONG_DUE_MS = CLOSED_AFTER_RECHECKS * RECHECK_MS;

  test('leaves its session as it was until it is overdue by another interval', async () => {
    const sessions = sidecar();
    const id = await sessions.begin(ALICE);
    isReadOnly = true;
    nowMs += LONG_DUE_MS - 1;
    expect(await whose(sessions, id)).toBe('alice');
  });

  test('closes it then: a fault of the store, and no other answer', async () => {
    const sessions = sidecar();
    const id = await sessions.begin(ALICE);
    isReadOnly = true;
    nowMs += LONG_DUE_MS;
    await expect(whose(sessions, id)).rejects.toBe(READ_ONLY);
    expect(asked).toBe(0);
  });

  test('is tried by one for all, once in five seconds: the others are closed at once', async () => {
    const sessions = sidecar();
    const ids = await Promise.all([1, 2, 3].map(() => sessions.begin(ALICE)));
    isReadOnly = true;
    nowMs += LONG_DUE_MS;
    await expect(whose(sessions, ids[0]!)).rejects.toBe(READ_ONLY);
    nowMs += 4_999;
    for (const id of ids) await expect(whose(sessions, id)).rejects.toBe(READ_ONLY);
    expect(leases).toBe(1);
  });

  test('begins, and opens all, when the store can be written again', async () => {
    const sessions = sidecar();
    const ids = await Promise.all([1, 2].map(() => sessions.begin(ALICE)));
    isReadOnly = true;
    nowMs += LONG_DUE_MS;
    for (const id of ids) await expect(whose(sessions, id)).rejects.toBe(READ_ONLY);
    isReadOnly = false;
    nowMs += 5_000;
    for (const id of ids) expect(await whose(sessions, id)).toBe('alice');
    expect(asked).toBe(2);
  });

  test('closes nobody longer than five seconds after it can be written, though their provider is away', async () => {
    const whom = (user: string) => ({ ...ALICE, identity: identity({ subject: user, user }) });
    const awayFor: Refresh = async (session) => {
      if (session.identity.user === 'alice') throw new Fault('ERR_PROVIDER', 'away');
      return refresh(session);
    };
    const sessions = sidecar({ refresh: awayFor });
    const alice = await sessions.begin(whom('alice'));
    const bob = await sessions.begin(whom('bob'));
    for (let dueMs = 0; dueMs <= LONG_DUE_MS; dueMs += 10_000) {
      nowMs += 10_000;
      expect(await whose(sessions, alice)).toBe('alice');
    }
    isReadOnly = true;
    await expect(whose(sessions, bob)).rejects.toBe(READ_ONLY);
    await expect(whose(sessions, alice)).rejects.toBe(READ_ONLY);
    isReadOnly = false;
    nowMs += 5_000;
    expect(await whose(sessions, alice)).toBe('alice');
  });

  test('closes nobody longer because another sidecar holds the lease', async () => {
    const sessions = sidecar();
    const ids = await Promise.all([1, 2].map(() => sessions.begin(ALICE)));
    isReadOnly = true;
    nowMs += LONG_DUE_MS;
    await expect(whose(sessions, ids[0]!)).rejects.toBe(READ_ONLY);
    isReadOnly = false;
    await inner.lease(keyOf(ids[1]!), 'another', 60_000);
    nowMs += 5_000;
    expect(await whose(sessions, ids[1]!)).toBe('alice');
  });

  test('closes all who are long due while one of them tries, though their provider failed before', async () => {
    let isAway = true;
    const away: Refresh = async (session) => {
      if (isAway) throw new Fault('ERR_PROVIDER', 'away');
      return refresh(session);
    };
    const sessions = sidecar({ refresh: away });
    const ids = await Promise.all([1, 2, 3, 4].map(() => sessions.begin(ALICE)));
    nowMs += RECHECK_MS;
    for (const id of ids) expect(await whose(sessions, id)).toBe('alice');
    [isAway, isReadOnly] = [false, true];
    nowMs += LONG_DUE_MS;
    await expect(whose(sessions, ids[0]!)).rejects.toBe(READ_ONLY);
    nowMs += 5_000;
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    hold = () => held;
    const trying = expect(whose(sessions, ids[0]!)).rejects.toBe(READ_ONLY);
    await new Promise((resolve) => setImmediate(resolve));
    for (const id of ids.slice(1)) await expect(whose(sessions, id)).rejects.toBe(READ_ONLY);
    letGo();
    await trying;
  });

  test('closes nobody whom the provider is never asked about', async () => {
    const sessions = sidecar();
    const id = await sessions.begin({ identity: identity() });
    isReadOnly = true;
    nowMs += LONG_DUE_MS;
    expect(await whose(sessions, id)).toBe('alice');
  });
});

describe('the state of the store', () => {
  const watched = () => watchWrites(store, now);

  test('tells of a write that failed, and that it can be read', async () => {
    const told = watched();
    isReadOnly = true;
    await expect(told.remove('a')).rejects.toBe(READ_ONLY);
    expect(told.state()).toMatchObject({ ready: false, readable: true });
  });

  test('goes on telling it until something was written: what changed nothing shows nothing', async () => {
    const told = watched();
    await told.put('a', { payload: 'p', tokens: 't', subjectTag: 's' }, nowMs);
    isReadOnly = true;
    await expect(told.lease('a', 'me', 1_000)).rejects.toBe(READ_ONLY);
    isReadOnly = false;
    await told.remove('nobody');
    expect(told.state().ready).toBe(false);
    await told.remove('a');
    expect(told.state()).toEqual({ ready: true });
  });

  test('is told anew by whoever else tries to write', async () => {
    const told = watched();
    isReadOnly = true;
    await expect(told.remove('a')).rejects.toBe(READ_ONLY);
    isReadOnly = false;
    await told.tryWriting();
    expect(told.state()).toEqual({ ready: true });
  });

  test('finds out by itself, when it is asked, that it can be written again', async () => {
    const told = watched();
    isReadOnly = true;
    await expect(told.remove('a')).rejects.toBe(READ_ONLY);
    isReadOnly = false;
    nowMs += 1_000;
    expect(told.state().ready).toBe(false);
    await Promise.resolve().then(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    expect(told.state()).toEqual({ ready: true });
  });
});
