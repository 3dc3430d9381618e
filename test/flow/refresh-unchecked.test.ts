// A provider that gave a new refresh token and then could not be understood: the token is kept, the person stays
// as they were and unconfirmed, and the provider is asked again, by the new token, after the usual pauses.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Fault } from '../../sidecar/fault.ts';
import type { Refresh } from '../../sidecar/identity/begun.ts';
import { createSqliteSessions } from '../../sidecar/sessions/store-sqlite.ts';
import type { SessionStore } from '../../sidecar/sessions/store.ts';
import type { Sessions } from '../../sidecar/sessions/sessions.ts';
import { FAILED_IN_A_ROW } from '../../sidecar/sessions/turns.ts';
import { openPayload } from '../../sidecar/sessions/text.ts';
import { identity } from '../fixtures/identities.ts';
import { freshKey, keyOf, sessionsOver, whose } from '../fixtures/sessions.ts';
import { until } from '../fixtures/until.ts';

const RECHECK_MS = 40_000;
const ring = [freshKey()];
const unchecked = new Fault('ERR_PROVIDER', 'the keys can’t be had');

let folder: string;
let store: SessionStore;
let sessions: Sessions;
let nowMs: number;
let isMended: boolean;
let used: string[];
let troubles: unknown[];
let id: string;

const refresh: Refresh = async ({ identity: whom, tokens: { refreshToken = '' } }) => {
  if (used.includes(refreshToken)) return { ended: 'invalid_grant' };
  used.push(refreshToken);
  const tokens = { refreshToken: `r${Number(refreshToken.slice(1)) + 1}` };
  return isMended ? { identity: { ...whom, team: 'search' }, tokens } : { unchecked, tokens };
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signet-unchecked-'));
  nowMs = 1_800_000_000_000;
  const now = () => nowMs;
  store = createSqliteSessions({ path: join(folder, 'sessions.db'), now });
  [isMended, used, troubles] = [false, [], []];
  sessions = sessionsOver({
    ...{ store, now, refresh, recheckMs: RECHECK_MS, idleMs: 1e9, absoluteMs: 1e9 },
    keys: () => ring,
    onTrouble: (error) => void troubles.push(error),
  });
  const tokens = { refreshToken: 'r1' };
  id = await sessions.begin({ identity: identity({ team: 'payments' }), tokens });
});
afterEach(async () => {
  await sessions.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function checkedAtMs(): Promise<number | undefined> {
  const payload = (await store.find(keyOf(id)))?.payload ?? '';
  return openPayload(keyOf(id), payload, ring)?.payload.checkedAtMs;
}

test('the session goes on as it was, and counts as no more confirmed than before', async () => {
  const beganMs = nowMs;
  nowMs += RECHECK_MS;
  expect(await sessions.find(id)).toMatchObject({ user: 'alice', team: 'payments' });
  await until('the write', async () => (await store.find(keyOf(id)))?.version === 2);
  expect(await checkedAtMs()).toBe(beganMs);
  expect(troubles).toEqual([unchecked]);
});

test('each try spends the token of the one before, after growing pauses', async () => {
  nowMs += RECHECK_MS;
  const askedAt: number[] = [];
  const beganMs = nowMs;
  for (; nowMs < beganMs + 40_000; nowMs += 1_000) {
    expect(await whose(sessions, id)).toBe('alice');
    if (used.length > askedAt.length) askedAt.push(nowMs - beganMs);
  }
  expect(askedAt).toEqual([0, 5_000, 15_000, 35_000]);
  expect(used).toEqual(['r1', 'r2', 'r3', 'r4']);
});

test('when it can be understood again, the person is confirmed', async () => {
  nowMs += RECHECK_MS;
  await whose(sessions, id);
  isMended = true;
  nowMs += 5_000;
  expect(await sessions.find(id)).toMatchObject({ user: 'alice', team: 'search' });
  expect(await checkedAtMs()).toBe(nowMs);
});

test('a provider that several people can’t be confirmed by is left alone by the others for a while', async () => {
  const begun = Array.from({ length: FAILED_IN_A_ROW + 1 }, (_, index) =>
    sessions.begin({ identity: identity(), tokens: { refreshToken: `r${100 * (index + 1)}` } }),
  );
  const ids = await Promise.all(begun);
  nowMs += RECHECK_MS;
  for (const one of ids) expect(await whose(sessions, one)).toBe('alice');
  expect(used).toHaveLength(FAILED_IN_A_ROW);
});
