// Two sidecars of one store that is away, or has lost a lease, while one of them holds a new refresh token: the
// other spends nothing twice, ends nobody's session by a refusal that only that explains, and holds nobody up.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Fault } from '../../sidecar/fault.ts';
import type { Refresh } from '../../sidecar/identity/begun.ts';
import { createSqliteSessions } from '../../sidecar/sessions/store-sqlite.ts';
import type { SessionStore } from '../../sidecar/sessions/store.ts';
import type { SessionOptions, Sessions } from '../../sidecar/sessions/sessions.ts';
import { identity } from '../fixtures/identities.ts';
import { freshKey, keyOf, sessionsOver, whose } from '../fixtures/sessions.ts';
import { until } from '../fixtures/until.ts';

const RECHECK_MS = 600_000;
const ALICE = { identity: identity(), tokens: { refreshToken: 'r1' } };
const ring = [freshKey()];

let folder: string;
let store: SessionStore;
let nowMs: number;
let isDown: boolean;
let inVain: number;
let leases: number;
let used: string[];
let ended: string[];
let made: Sessions[];
const now = () => nowMs;

/** A provider of refresh tokens that are good once: r2 for r1, and so on. */
const refresh: Refresh = async ({ identity: whom, tokens: { refreshToken = '' } }) => {
  const isSpent = used.includes(refreshToken);
  used.push(refreshToken);
  if (isSpent) return { ended: 'invalid_grant' };
  return { identity: whom, tokens: { refreshToken: `r${Number(refreshToken.slice(1)) + 1}` } };
};

function sidecar(changes: Partial<SessionOptions> = {}): Sessions {
  const sessions = sessionsOver({
    ...{ store, now, refresh, recheckMs: RECHECK_MS, idleMs: 1e9, absoluteMs: 1e9 },
    keys: () => ring,
    onEnded: ({ why }) => void ended.push(why),
    ...changes,
  });
  made.push(sessions);
  return sessions;
}

/** The store of a sidecar that can't write while it is down. */
const away = (): SessionStore => ({
  ...store,
  replace: async (...args) => {
    if (!isDown) return store.replace(...args);
    inVain++;
    throw new Fault('ERR_SESSION_STORE', 'away');
  },
});

/** The store of another sidecar, whose leases are counted; `answer` is asked first. */
const leasing = (answer = (): boolean | undefined => undefined): SessionStore => ({
  ...store,
  lease: async (...args) => {
    leases++;
    return answer() ?? store.lease(...args);
  },
});

const versionOf = async (id: string) => (await store.find(keyOf(id)))?.version;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-away-'));
  nowMs = 1_800_000_000_000;
  store = createSqliteSessions({ path: join(folder, 'sessions.db'), now });
  [isDown, inVain, leases] = [false, 0, 0];
  [used, ended, made] = [[], [], []];
});
afterEach(async () => {
  isDown = false;
  await Promise.all(made.map((sessions) => sessions.close()));
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

test('a store that is away for a minute costs no session: the lease lasts until the tokens are written', async () => {
  const [here, there] = [sidecar({ store: away() }), sidecar({ store: leasing() })];
  const id = await here.begin(ALICE);
  isDown = true;
  nowMs += RECHECK_MS / 2;
  expect(await whose(here, id)).toBe('alice');
  await until('a write in vain', () => inVain > 0);
  nowMs += 60_000;
  expect(await whose(there, id)).toBe('alice');
  await until('the other’s look', () => leases > 0);
  isDown = false;
  await until('the write', async () => (await versionOf(id)) === 2);
  expect([used, ended]).toEqual([['r1'], []]);
});

/** Both at one session, of which the second gets the lease though the first still writes. */
async function bothAtOnce(times: Partial<SessionOptions> = {}) {
  const here = sidecar({ store: away(), ...times });
  const there = sidecar({ store: leasing(() => (leases === 1 ? false : true)), ...times });
  const id = await here.begin(ALICE);
  isDown = true;
  nowMs += RECHECK_MS / 2;
  expect(await whose(here, id)).toBe('alice');
  await until('a write in vain', () => inVain > 0);
  expect(await whose(there, id)).toBe('alice');
  await until('the second use', () => used.length === 2);
  return { id, here, there };
}

test('a lease that the store lost costs no session: who is refused waits for what the other may write', async () => {
  const { id, there } = await bothAtOnce();
  isDown = false;
  await until('the write', async () => (await versionOf(id)) === 2);
  nowMs += 1_000;
  expect(await whose(there, id)).toBe('alice');
  expect(used).toEqual(['r1', 'r1']);
  expect(ended).toEqual([]);
});

test('and no longer than that one’s lease could have lasted: then the session ends', async () => {
  const { id, there } = await bothAtOnce();
  expect(await whose(there, id)).toBe('alice');
  nowMs += 120_000;
  await until('the end', async () => (await versionOf(id)) === undefined);
  expect(ended).toEqual(['invalid_grant']);
});

test('closing meanwhile leaves the session to whoever asks next', async () => {
  const { id, there } = await bothAtOnce();
  await there.close();
  expect(await versionOf(id)).toBe(1);
  expect(ended).toEqual([]);
  // It is not waited out: that would take ten seconds.
}, 9_000);

test('after one wait in vain, requests of the session don’t wait for ten seconds', async () => {
  const sessions = sidecar({ store: leasing() });
  const id = await sessions.begin(ALICE);
  expect(await store.lease(keyOf(id), 'one that died', 120_000)).toBe(true);
  nowMs += RECHECK_MS;
  expect(await store.lease(keyOf(id), 'one that died', 120_000)).toBe(true);
  expect(await whose(sessions, id)).toBe('alice');
  await until('the last look', () => sessions.find(id) instanceof Promise === false);
  nowMs += 9_999;
  const looked = leases;
  expect(sessions.find(id)).toMatchObject({ user: 'alice' });
  expect(leases).toBe(looked);
  nowMs += 1;
  expect(sessions.find(id)).toBeInstanceOf(Promise);
});

test('whoever waited for the provider in vain, and was revoked meanwhile, is refused', async () => {
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  let asked = 0;
  const slow: Refresh = (session) => (asked++, answered.then(() => refresh(session)));
  const sessions = sidecar({ refresh: slow });
  const id = await sessions.begin(ALICE);
  nowMs += RECHECK_MS;
  const waiting = whose(sessions, id);
  await until('the question', () => asked === 1);
  await store.remove(keyOf(id));
  nowMs += 1_000;
  expect(await waiting).toBe('session-unknown');
  answer();
});
