// The same among real processes that share a PostgreSQL and a real provider with single-use refresh tokens:
// one refresh for all, and one that dies in the middle of it keeps the others from it no longer than its lease.
import { createSecretKey, randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { createPostgresSessions } from '../../sidecar/sessions/store-postgres.ts';
import type { SessionStore } from '../../sidecar/sessions/store.ts';
import { startPostgres, type Postgres } from '../fixtures/postgres.ts';
import { holdFor, startRefreshing, type Refreshing } from '../fixtures/refreshing.ts';
import { startSessionProcess, type SessionProcess } from '../fixtures/session-processes.ts';
import { keyOf, sessionsOver } from '../fixtures/sessions.ts';
import { until } from '../fixtures/until.ts';

const RECHECK_MS = 20_000;
/** Five seconds for the last one who asks, too. */
const ENDPOINT_MS = 5_500;
const LEASE_MS = 3_000;
const key = randomBytes(32);

let at: Refreshing;
let postgres: Postgres;
let url: string;
let store: SessionStore;
let processes: SessionProcess[];
let made = 0;

async function start(): Promise<SessionProcess> {
  const times = { recheckMs: RECHECK_MS, leaseMs: LEASE_MS, aheadMs: RECHECK_MS };
  const settings = { url, key: key.toString('base64url'), client: at.client, ...times };
  const started = await startSessionProcess(settings);
  processes.push(started);
  return started;
}

/** Signs alice in, a while ago for the processes; returns her cookie. */
async function signedIn(): Promise<string> {
  const ring = [createSecretKey(key)];
  const sessions = sessionsOver({ store, now: Date.now, keys: () => ring });
  const id = await sessions.begin(await at.begin('alice'));
  await sessions.close();
  return id;
}

const versionOf = async (id: string) => (await store.find(keyOf(id)))?.version;

beforeAll(async () => {
  [at, postgres] = await Promise.all([startRefreshing(), startPostgres()]);
});
afterAll(async () => {
  await Promise.all([at.stop(), postgres.stop()]);
});
beforeEach(async () => {
  url = await postgres.url(`refresh_${++made}`);
  store = createPostgresSessions({ url, now: Date.now });
  processes = [];
  at.provider.granted.length = 0;
});
afterEach(async () => {
  await Promise.all(processes.map((one) => one.kill()));
  await store.close();
});

test('fifty requests at once in each of two processes, five seconds at the token endpoint: one refresh', async () => {
  const [id, one, other] = await Promise.all([signedIn(), start(), start()]);
  const held = holdFor(at.provider, ENDPOINT_MS);
  const told = await Promise.all([one.find(id, 50), other.find(id, 50)]);
  expect(told.map(({ who }) => who)).toEqual([['alice'], ['alice']]);
  await held;
  await until('the refresh', async () => (await versionOf(id)) === 2);
  const after = await Promise.all([one.find(id, 50), other.find(id, 50)]);
  expect(after.map(({ who }) => who)).toEqual([['alice'], ['alice']]);
  expect(at.uses()).toEqual({ granted: 1, refused: 0 });
});

test('what a process that dies has leased, another refreshes when the lease is over', async () => {
  const [id, dying, other] = await Promise.all([signedIn(), start(), start()]);
  const release = at.provider.holdTokens();
  void dying.find(id, 1).catch(() => {});
  const leased = 'SELECT 1 FROM signet_sessions WHERE lease_until > clock_timestamp()';
  await until('the lease', async () => (await postgres.query(url, leased)).length === 1);
  await dying.kill();
  release();
  await until('its end', async () => (await postgres.query(url, leased)).length === 0);
  expect((await other.find(id, 50)).who).toEqual(['alice']);
  expect(await versionOf(id)).toBe(2);
  expect(at.uses()).toEqual({ granted: 1, refused: 0 });
});
