// Hundreds of sessions of one provider that are due at once: a few of them ask at a time, and while the provider
// can't be had hardly any does. Nobody is logged out, and nobody waits for long.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Fault } from '../../sidecar/fault.ts';
import type { Refresh } from '../../sidecar/identity/begun.ts';
import { createSqliteSessions } from '../../sidecar/sessions/store-sqlite.ts';
import type { SessionStore } from '../../sidecar/sessions/store.ts';
import type { Sessions } from '../../sidecar/sessions/sessions.ts';
import { FAILED_IN_A_ROW, MAX_AT_ONCE } from '../../sidecar/sessions/turns.ts';
import { identity } from '../fixtures/identities.ts';
import { freshKey, keyOf, sessionsOver, whose } from '../fixtures/sessions.ts';
import { until } from '../fixtures/until.ts';

const RECHECK_MS = 20_000;
const CROWD = 200;
const ring = [freshKey()];

let folder: string;
let store: SessionStore;
let sessions: Sessions;
let nowMs: number;
let refresh: Refresh;
let asked: number;
let underWay: number;
let most: number;

const confirmed: Refresh = async ({ identity: who }) => ({
  identity: who,
  tokens: { refreshToken: 'next' },
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-crowd-'));
  nowMs = Date.now();
  [asked, underWay, most] = [0, 0, 0];
  const now = () => nowMs;
  store = createSqliteSessions({ path: join(folder, 'sessions.db'), now });
  sessions = sessionsOver({
    ...{ store, now, keys: () => ring, recheckMs: RECHECK_MS },
    refresh: async (session) => {
      asked++;
      most = Math.max(most, ++underWay);
      return refresh(session).finally(() => underWay--);
    },
  });
});
afterEach(async () => {
  await sessions.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function crowd(): Promise<string[]> {
  const begun = { identity: identity({ provider: 'main' }), tokens: { refreshToken: 'first' } };
  const ids = await Promise.all(Array.from({ length: CROWD }, () => sessions.begin(begun)));
  nowMs += RECHECK_MS / 2;
  return ids;
}

const areConfirmed = async (ids: string[]) =>
  (await Promise.all(ids.map((id) => store.read(keyOf(id))))).every((seen) => seen?.version === 2);
const isWhose = async (ids: string[]) =>
  new Set(await Promise.all(ids.map((id) => whose(sessions, id))));

test('all are confirmed, a few at a time', async () => {
  const ids = await crowd();
  refresh = async (session) => {
    await new Promise((resolve) => setImmediate(resolve));
    return confirmed(session);
  };
  expect(await isWhose(ids)).toEqual(new Set(['alice']));
  await until('all', () => areConfirmed(ids));
  expect(most).toBe(MAX_AT_ONCE);
});

test('of a provider that is down a few ask, and all go on; when it is back, all are confirmed', async () => {
  const ids = await crowd();
  refresh = () => Promise.reject(new Fault('ERR_PROVIDER', 'away'));
  for (const id of ids) expect(sessions.find(id)).toMatchObject({ user: 'alice' });
  await until('the failures', () => asked >= FAILED_IN_A_ROW && underWay === 0);
  for (const id of ids) expect(sessions.find(id)).toMatchObject({ user: 'alice' });
  expect(asked).toBeLessThanOrEqual(MAX_AT_ONCE);
  nowMs += 5_000;
  refresh = confirmed;
  await until('all', async () => {
    expect(await isWhose(ids)).toEqual(new Set(['alice']));
    return areConfirmed(ids);
  });
});

test('of a provider that hangs, closing waits for those who ask, and not for those who would', async () => {
  const ids = await crowd();
  const { promise, resolve } = Promise.withResolvers<void>();
  refresh = (session) => promise.then(() => confirmed(session));
  expect(await isWhose(ids)).toEqual(new Set(['alice']));
  await until('the first', () => asked === MAX_AT_ONCE);
  const closed = sessions.close();
  resolve();
  await closed;
  expect(asked).toBe(MAX_AT_ONCE);
});
