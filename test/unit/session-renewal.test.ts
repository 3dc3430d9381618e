// What renewing sessions costs the store, and what it leaves behind: few are sealed anew at once, a lease whose
// answer was lost is given back, and closing sweeps nobody out.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Fault } from '../../sidecar/fault.ts';
import { takeLease } from '../../sidecar/sessions/lease.ts';
import { MAX_RESEALED } from '../../sidecar/sessions/renewal.ts';
import { createSqliteSessions } from '../../sidecar/sessions/store-sqlite.ts';
import type { SessionStore } from '../../sidecar/sessions/store.ts';
import { identity } from '../fixtures/identities.ts';
import { freshKey, keyOf, sessionsOver, whose } from '../fixtures/sessions.ts';
import { until } from '../fixtures/until.ts';

const ALICE = { identity: identity(), tokens: { refreshToken: 'r' } };
const LOST = new Fault('ERR_SESSION_STORE', 'the answer was lost');

let folder: string;
let store: SessionStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-renewal-'));
  store = createSqliteSessions({ path: join(folder, 'sessions.db'), now: Date.now });
});
afterEach(async () => {
  jest.useRealTimers();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

test('after a change of keys a few sessions are sealed anew at once, and the others later', async () => {
  let ring = [freshKey()];
  const waiting: (() => void)[] = [];
  const lease: SessionStore['lease'] = async (...asked) => {
    await new Promise<void>((resolve) => waiting.push(resolve));
    return store.lease(...asked);
  };
  const sessions = sessionsOver({ store: { ...store, lease }, now: Date.now, keys: () => ring });
  const ids = await Promise.all(Array.from({ length: 12 }, () => sessions.begin(ALICE)));
  ring = [freshKey(), ...ring];
  const seeAll = () => Promise.all(ids.map((id) => whose(sessions, id)));
  expect(new Set(await seeAll())).toEqual(new Set(['alice']));
  expect(waiting).toHaveLength(MAX_RESEALED);
  await until('all are sealed anew', async () => {
    for (const go of waiting.splice(0)) go();
    await seeAll();
    const seen = await Promise.all(ids.map((id) => store.read(keyOf(id))));
    return seen.every((each) => each?.version === 2);
  });
  await sessions.close();
});

test('a lease whose answer was lost is given back', async () => {
  await store.put('a', { payload: 'p', tokens: 't', subjectTag: 's' }, Date.now());
  const lease: SessionStore['lease'] = async (...asked) => {
    await store.lease(...asked);
    throw LOST;
  };
  const taking = takeLease('a', {
    store: { ...store, lease },
    ...{ forMs: 60_000, waitMs: 0, onHeld: () => {}, isWanted: async () => false },
  });
  await expect(taking).rejects.toBe(LOST);
  expect(await store.lease('a', 'another', 60_000)).toBe(true);
});

test('closing sweeps no more, and writes what was seen when the renewals are done', async () => {
  jest.useFakeTimers();
  const did: string[] = [];
  const watched: SessionStore = {
    ...store,
    sweep: async () => did.push('sweep'),
    touch: async () => void did.push('touch'),
    release: async (...asked) => {
      await store.release(...asked);
      did.push('renewed');
    },
  };
  const asked = Promise.withResolvers<typeof ALICE>();
  const refresh = () => asked.promise;
  const lifetimes = { idleMs: 3_600_000, absoluteMs: 3_600_000, recheckMs: 160_000 };
  const options = {
    now: Date.now,
    keys: (
      (ring) => () =>
        ring
    )([freshKey()]),
    ...lifetimes,
  };
  const sessions = sessionsOver({ store: watched, ...options, refresh });
  const id = await sessions.begin(ALICE);
  await jest.advanceTimersByTimeAsync(59_500);
  await whose(sessions, id);
  await jest.advanceTimersByTimeAsync(58_000);
  expect(did.splice(0).toSorted()).toEqual(['sweep', 'touch']);
  await whose(sessions, id);
  const closed = sessions.close();
  await jest.advanceTimersByTimeAsync(8_000);
  asked.resolve(ALICE);
  await closed;
  expect(did).toEqual(['renewed', 'touch']);
});
