// The lease of a session among sidecars of one store, by a clock of the test's own: who holds it refreshes,
// who dies with it is waited for as long as it lasts, and what cannot be had is tried again.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Fault } from '../../sidecar/fault.ts';
import { createSqliteSessions } from '../../sidecar/sessions/store-sqlite.ts';
import type { SessionStore } from '../../sidecar/sessions/store.ts';
import type { Refresh } from '../../sidecar/identity/begun.ts';
import type { SessionOptions, Sessions } from '../../sidecar/sessions/sessions.ts';
import { identity } from '../fixtures/identities.ts';
import { freshKey, keyOf, sessionsOver, whose } from '../fixtures/sessions.ts';
import { until } from '../fixtures/until.ts';

const RECHECK_MS = 40_000;
const LEASE_MS = 9_000;
const ALICE = { identity: identity(), tokens: { refreshToken: 'r1' } };
const ring = [freshKey()];

let folder: string;
let store: SessionStore;
let nowMs: number;
let used: string[];
let troubles: unknown[];
let made: Sessions[];
const now = () => nowMs;

/** A provider that gives r2 for r1, r3 for r2 and so on, and notes what it was given. */
const refresh: Refresh = async ({ identity: whom, tokens: { refreshToken = '' } }) => {
  used.push(refreshToken);
  return { identity: whom, tokens: { refreshToken: `r${Number(refreshToken.slice(1)) + 1}` } };
};

function sidecar(changes: Partial<SessionOptions> = {}): Sessions {
  const times = { recheckMs: RECHECK_MS, leaseMs: LEASE_MS, idleMs: 1e9, absoluteMs: 1e9 };
  const onTrouble = (error: unknown) => troubles.push(error);
  const sessions = sessionsOver({
    ...{ store, now, refresh, onTrouble, ...times },
    keys: () => ring,
    ...changes,
  });
  made.push(sessions);
  return sessions;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-lease-'));
  nowMs = 1_800_000_000_000;
  store = createSqliteSessions({ path: join(folder, 'sessions.db'), now });
  [used, troubles, made] = [[], [], []];
});
afterEach(async () => {
  await Promise.all(made.map((sessions) => sessions.close()));
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

test('a lease that another sidecar holds is respected, and waited for until it runs out', async () => {
  const sessions = sidecar();
  const id = await sessions.begin(ALICE);
  nowMs += RECHECK_MS / 2;
  expect(await store.lease(keyOf(id), 'one that died', LEASE_MS)).toBe(true);
  let asked = 0;
  const counted = {
    ...store,
    lease: (...args: Parameters<SessionStore['lease']>) => (asked++, store.lease(...args)),
  };
  const other = sidecar({ store: counted });
  expect(await whose(other, id)).toBe('alice');
  await until('a second look', () => asked >= 2);
  expect(used).toEqual([]);
  nowMs += LEASE_MS;
  await until('the refresh', () => used.length === 1);
});

test('a lease is renewed for as long as the provider takes its time', async () => {
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  const slow: Refresh = async (session) => {
    await answered;
    return refresh(session);
  };
  const sessions = sidecar({ refresh: slow, leaseMs: 150 });
  const id = await sessions.begin(ALICE);
  nowMs += RECHECK_MS / 2;
  expect(await whose(sessions, id)).toBe('alice');
  // The lease runs by the store's clock, renewals by the machine's: each step is less than one lease.
  for (let step = 0; step < 5; step++) {
    nowMs += 100;
    await until('a renewal', () => isHeldUntil(id, nowMs + 149));
  }
  expect(await store.lease(keyOf(id), 'another', LEASE_MS)).toBe(false);
  answer();
  await sessions.close();
  expect(used).toEqual(['r1']);
});

test('who had to wait finds the refreshed session, and refreshes nothing', async () => {
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  const slow: Refresh = async (session) => {
    await answered;
    return refresh(session);
  };
  const [here, there] = [sidecar({ refresh: slow }), sidecar()];
  const id = await here.begin(ALICE);
  nowMs += RECHECK_MS;
  const both = Promise.all([whose(here, id), whose(there, id)]);
  await until('the lease', () => isHeldUntil(id, nowMs));
  answer();
  expect(await both).toEqual(['alice', 'alice']);
  expect(used).toEqual(['r1']);
});

test('a provider that can’t be had is asked again after growing pauses; the session goes on', async () => {
  let asked = 0;
  const down: Refresh = async () => {
    asked++;
    throw new Fault('ERR_PROVIDER', 'down');
  };
  const sessions = sidecar({ refresh: down });
  const id = await sessions.begin(ALICE);
  nowMs += RECHECK_MS;
  const askedAt: number[] = [];
  const beganMs = nowMs;
  for (; nowMs < beganMs + 100_000; nowMs += 1_000) {
    expect(await whose(sessions, id)).toBe('alice');
    if (asked > askedAt.length) askedAt.push(nowMs - beganMs);
  }
  expect(askedAt).toEqual([0, 5_000, 15_000, 35_000, 75_000]);
  expect(troubles).toHaveLength(5);
});

test('new tokens are written as soon as the store can be written again', async () => {
  let isDown = true;
  const replace: SessionStore['replace'] = async (...args) => {
    if (isDown) throw new Fault('ERR_SESSION_STORE', 'down');
    return store.replace(...args);
  };
  const sessions = sidecar({ store: { ...store, replace } });
  const id = await sessions.begin(ALICE);
  nowMs += RECHECK_MS / 2;
  expect(await whose(sessions, id)).toBe('alice');
  await until('a write in vain', () => troubles.length > 0);
  isDown = false;
  await until('the write', async () => (await store.find(keyOf(id)))?.version === 2);
  nowMs += RECHECK_MS;
  expect(await whose(sessions, id)).toBe('alice');
  expect(used).toEqual(['r1', 'r2']);
});

test('new tokens replace the used-up ones, though the text was sealed anew meanwhile', async () => {
  const resealing: Refresh = async (session) => {
    const [stored] = await store.list(undefined, 1);
    if (stored !== undefined) await store.replace(stored.key, stored.version, stored);
    return refresh(session);
  };
  const sessions = sidecar({ refresh: resealing });
  const id = await sessions.begin(ALICE);
  nowMs += RECHECK_MS;
  expect(await whose(sessions, id)).toBe('alice');
  nowMs += RECHECK_MS;
  expect(await whose(sidecar(), id)).toBe('alice');
  expect(used).toEqual(['r1', 'r2']);
});

test('closing waits for the refresh under way: its tokens are in the store', async () => {
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  const slow: Refresh = async (session) => {
    await answered;
    return refresh(session);
  };
  const sessions = sidecar({ refresh: slow });
  const id = await sessions.begin(ALICE);
  nowMs += RECHECK_MS / 2;
  expect(await whose(sessions, id)).toBe('alice');
  await until('the lease', () => isHeldUntil(id, nowMs));
  let isClosed = false;
  const closed = sessions.close().then(() => (isClosed = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(isClosed).toBe(false);
  answer();
  await closed;
  expect((await store.find(keyOf(id)))?.version).toBe(2);
});

/** Whether nobody else could take the session's lease at this time. */
async function isHeldUntil(id: string, atMs: number): Promise<boolean> {
  const later = createSqliteSessions({ path: join(folder, 'sessions.db'), now: () => atMs });
  try {
    const isTaken = await later.lease(keyOf(id), 'who looks', 1);
    if (isTaken) await later.release(keyOf(id), 'who looks');
    return !isTaken;
  } finally {
    await later.close();
  }
}
