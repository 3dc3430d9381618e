// Sessions that are confirmed by a real provider whose refresh tokens are good for one use: many requests at
// once, one refresh, and nobody is logged out by it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createSqliteSessions } from '../../sidecar/sessions/store-sqlite.ts';
import type { SessionStore } from '../../sidecar/sessions/store.ts';
import type { SessionOptions, Sessions } from '../../sidecar/sessions/sessions.ts';
import { holdFor, startRefreshing, type Refreshing } from '../fixtures/refreshing.ts';
import { freshKey, keyOf, sessionsOver, whose } from '../fixtures/sessions.ts';
import { until } from '../fixtures/until.ts';
import { PEOPLE } from '../fixtures/provider.ts';

const RECHECK_MS = 20_000;
/** Five seconds for the last one who asks, too. */
const ENDPOINT_MS = 5_500;
const ring = [freshKey()];

let at: Refreshing;
let folder: string;
let store: SessionStore;
let nowMs: number;
let ended: string[];
let made: Sessions[];
const now = () => nowMs;

function sidecar(changes: Partial<SessionOptions> = {}): Sessions {
  const onEnded: SessionOptions['onEnded'] = ({ identity, why }) =>
    ended.push(`${identity.user}: ${why}`);
  const options = { store, now, keys: () => ring, recheckMs: RECHECK_MS, refresh: at.refresh };
  const sessions = sessionsOver({ ...options, onEnded, ...changes });
  made.push(sessions);
  return sessions;
}

/** Finds a session so many times at once; returns each answer once. */
async function findAll(sessions: Sessions, id: string, times = 50): Promise<string[]> {
  return [...new Set(await Promise.all(Array.from({ length: times }, () => whose(sessions, id))))];
}

async function versionOf(id: string): Promise<number | undefined> {
  return (await store.find(keyOf(id)))?.version;
}

beforeAll(async () => {
  at = await startRefreshing();
});
afterAll(() => at.stop());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-refresh-'));
  nowMs = Date.now();
  store = createSqliteSessions({ path: join(folder, 'sessions.db'), now });
  [ended, made] = [[], []];
  at.provider.granted.length = 0;
});
afterEach(async () => {
  await Promise.all(made.map((sessions) => sessions.close()));
  await store.close();
  rmSync(folder, { recursive: true, force: true });
  for (const [login, person] of Object.entries(PEOPLE)) at.provider.change(login, person);
});

describe('fifty requests at once, and a token endpoint that takes five seconds', () => {
  test('are one refresh, and nobody is logged out', async () => {
    const sessions = sidecar();
    const id = await sessions.begin(await at.begin('alice'));
    nowMs += RECHECK_MS;
    const held = holdFor(at.provider, ENDPOINT_MS);
    expect(await findAll(sessions, id)).toEqual(['alice']);
    expect(await findAll(sessions, id)).toEqual(['alice']);
    await held;
    await until('the refresh', async () => (await versionOf(id)) === 2);
    expect(await findAll(sessions, id)).toEqual(['alice']);
    expect(at.uses()).toEqual({ granted: 1, refused: 0 });
  });

  test('are one refresh also for two sidecars of one store', async () => {
    const [here, there] = [sidecar(), sidecar()];
    const id = await here.begin(await at.begin('alice'));
    nowMs += RECHECK_MS;
    const held = holdFor(at.provider, ENDPOINT_MS);
    const answers = await Promise.all([findAll(here, id), findAll(there, id)]);
    expect(answers).toEqual([['alice'], ['alice']]);
    await held;
    await until('the refresh', async () => (await versionOf(id)) === 2);
    expect([await findAll(here, id), await findAll(there, id)]).toEqual([['alice'], ['alice']]);
    expect(at.uses()).toEqual({ granted: 1, refused: 0 });
  });
});

describe('a session', () => {
  test('is left alone for the first half of its time', async () => {
    const sessions = sidecar();
    const id = await sessions.begin(await at.begin('alice'));
    nowMs += RECHECK_MS / 2 - 1;
    expect(sessions.find(id)).toMatchObject({ user: 'alice' });
    await sessions.close();
    expect(at.uses()).toEqual({ granted: 0, refused: 0 });
  });

  test('is refreshed in the background from half of its time on: the request has its answer at once', async () => {
    const sessions = sidecar();
    const id = await sessions.begin(await at.begin('alice'));
    at.provider.change('alice', { team: 'search', roles: [] });
    nowMs += RECHECK_MS / 2;
    expect(sessions.find(id)).toMatchObject({ user: 'alice', team: 'payments' });
    await until('the refresh', async () => (await versionOf(id)) === 2);
    nowMs += 1_000;
    expect(await sessions.find(id)).toMatchObject({ user: 'alice', team: 'search' });
  });

  test('is waited for when its time is over, so that what changed holds for this request', async () => {
    const sessions = sidecar();
    const id = await sessions.begin(await at.begin('alice'));
    at.provider.change('alice', { team: 'search', roles: [] });
    nowMs += RECHECK_MS;
    expect(await sessions.find(id)).toMatchObject({ user: 'alice', team: 'search' });
  });

  test('goes on with each new refresh token, and keeps its hash and its end', async () => {
    const sessions = sidecar({ idleMs: 100 * RECHECK_MS, absoluteMs: 100 * RECHECK_MS });
    const id = await sessions.begin(await at.begin('alice'));
    const first = await sessions.find(id);
    for (let round = 0; round < 5; round++) {
      nowMs += RECHECK_MS;
      expect(await sessions.find(id)).toEqual(first);
    }
    expect(at.uses()).toEqual({ granted: 5, refused: 0 });
  });

  test('without a refresh token is not asked about', async () => {
    const sessions = sidecar();
    const { identity } = await at.begin('alice');
    const id = await sessions.begin({ identity });
    nowMs += RECHECK_MS * 2;
    expect(sessions.find(id)).toMatchObject({ user: 'alice' });
  });

  test('ends when the provider no longer knows its person, and whoever is told knows whose it was', async () => {
    const sessions = sidecar();
    const id = await sessions.begin(await at.begin('bob'));
    at.provider.change('bob', undefined);
    nowMs += RECHECK_MS;
    expect(await findAll(sessions, id)).toEqual(['session-unknown']);
    expect(await store.find(keyOf(id))).toBeUndefined();
    expect(ended).toEqual([expect.stringMatching(/^bob: invalid_grant/)]);
  });

  test('is refused when its refresh token was stolen and used: the second use ends it', async () => {
    const sessions = sidecar();
    const begun = await at.begin('alice');
    const id = await sessions.begin(begun);
    await at.refresh({ identity: begun.identity, tokens: begun.tokens ?? {} });
    nowMs += RECHECK_MS;
    expect(await whose(sessions, id)).toBe('session-unknown');
  });

  test('never becomes another’s, whatever the provider answers', async () => {
    const bob = await at.begin('bob');
    const sessions = sidecar({ refresh: async () => bob });
    const id = await sessions.begin(await at.begin('alice'));
    nowMs += RECHECK_MS;
    expect(await whose(sessions, id)).toBe('session-unknown');
    expect(ended).toEqual(['alice: the provider answered for somebody else']);
  });
});

describe('signing out during a refresh', () => {
  test('holds: the new tokens are not written, and the session stays ended', async () => {
    let asked = 0;
    const sessions = sidecar({ refresh: (session) => (asked++, at.refresh(session)) });
    const id = await sessions.begin(await at.begin('alice'));
    nowMs += RECHECK_MS / 2;
    const release = at.provider.holdTokens();
    expect(await whose(sessions, id)).toBe('alice');
    await until('the question', () => asked === 1);
    expect(await sessions.end(id)).toMatchObject({ identity: { user: 'alice' } });
    release();
    await until('the refresh', () => at.uses().granted === 1);
    await sessions.close();
    expect(await store.find(keyOf(id))).toBeUndefined();
    expect(await whose(sessions, id)).toBe('session-unknown');
  });
});
