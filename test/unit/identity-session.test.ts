// Sessions over a real store in a temporary file, with a clock of the test's own. Hostile cases 16-19.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Identity } from '../../sidecar/identity/identity.ts';
import type { SessionStore } from '../../sidecar/identity/session-store.ts';
import { createSessionStore } from '../../sidecar/identity/session-store.ts';
import type { Sessions } from '../../sidecar/identity/session.ts';
import { createSessions } from '../../sidecar/identity/session.ts';

const IDLE_MS = 60_000;
const ABSOLUTE_MS = 600_000;
const ALICE: Identity = {
  issuer: 'https://id.example',
  subject: 's',
  user: 'alice',
  groups: ['x'],
  roles: [],
  scopes: [],
  type: 'human',
  method: 'session',
  expiresAtMs: 0,
};

let folder: string;
let nowMs: number;
let sidecars: { store: SessionStore; sessions: Sessions; finds: () => number }[];

function sidecar(changes: { maxCached?: number } = {}) {
  const inner = createSessionStore({ path: join(folder, 'sessions.db'), now: () => nowMs });
  let finds = 0;
  const counted = (key: string) => {
    finds++;
    return inner.find(key);
  };
  const store = { ...inner, find: counted };
  const times = { idleMs: IDLE_MS, absoluteMs: ABSOLUTE_MS };
  const sessions = createSessions({ store, now: () => nowMs, ...times, ...changes });
  const made = { store: inner, sessions, finds: () => finds };
  sidecars.push(made);
  return made;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-session-'));
  nowMs = 1_800_000_000_000;
  sidecars = [];
});
afterEach(() => {
  for (const { sessions, store } of sidecars) {
    sessions.close();
    store.close();
  }
  rmSync(folder, { recursive: true, force: true });
});

describe('a session', () => {
  test('is found by its cookie, with its hash, its method and its end', () => {
    const { sessions } = sidecar();
    const id = sessions.begin(ALICE);
    expect(sessions.find(id)).toEqual({
      ...ALICE,
      expiresAtMs: nowMs + ABSOLUTE_MS,
      sessionHash: createHash('sha256').update(id).digest('hex').slice(0, 16),
    });
  });

  test('has a new id of 256 bits each time', () => {
    const { sessions } = sidecar();
    const ids = Array.from({ length: 100 }, () => sessions.begin(ALICE));
    expect(new Set(ids).size).toBe(100);
    expect(ids.every((id) => Buffer.from(id, 'base64url').length === 32)).toBe(true);
  });

  test('is not in the store by its id: a copy of the file signs nobody in', () => {
    const { sessions, store } = sidecar();
    const id = sessions.begin(ALICE);
    store.close();
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

  test('ends when it was idle for too long, and lives on while it is used', () => {
    const { sessions } = sidecar();
    const id = sessions.begin(ALICE);
    nowMs += IDLE_MS - 1;
    expect(sessions.find(id)).toMatchObject({ user: 'alice' });
    nowMs += IDLE_MS - 1;
    expect(sessions.find(id)).toMatchObject({ user: 'alice' });
    nowMs += IDLE_MS;
    expect(sessions.find(id)).toEqual({ refused: 'session-expired' });
  });

  test('ends at its absolute age, however much it is used', () => {
    const { sessions } = sidecar();
    const id = sessions.begin(ALICE);
    for (const endMs = nowMs + ABSOLUTE_MS - 1; nowMs < endMs;) {
      expect(sessions.find(id)).toMatchObject({ user: 'alice' });
      nowMs = Math.min(nowMs + IDLE_MS - 1, endMs);
    }
    nowMs += 1;
    expect(sessions.find(id)).toEqual({ refused: 'session-expired' });
  });
});

describe('the cache', () => {
  test('spares the store for a second, and no longer', () => {
    const { sessions, finds } = sidecar();
    const id = sessions.begin(ALICE);
    for (let index = 0; index < 100; index++) sessions.find(id);
    nowMs += 999;
    sessions.find(id);
    expect(finds()).toBe(1);
    nowMs += 1;
    sessions.find(id);
    expect(finds()).toBe(2);
  });

  test('gives the same object for as long as the session is unchanged', () => {
    const { sessions } = sidecar();
    const id = sessions.begin(ALICE);
    const first = sessions.find(id);
    nowMs += 5_000;
    expect(sessions.find(id)).toBe(first);
  });

  test('gives a new object when the session was changed', () => {
    const { sessions, store } = sidecar();
    const id = sessions.begin(ALICE);
    const first = sessions.find(id);
    const key = createHash('sha256').update(id).digest('hex');
    const stored = store.find(key);
    if (!stored) throw new Error('not stored');
    store.put(key, { ...stored, payload: stored.payload.replace('alice', 'alicia') });
    nowMs += 1_000;
    expect(sessions.find(id)).not.toBe(first);
    expect(sessions.find(id)).toMatchObject({ user: 'alicia' });
  });

  test('asks again when the clock was set back', () => {
    const { sessions, finds } = sidecar();
    const id = sessions.begin(ALICE);
    sessions.find(id);
    nowMs -= 10_000;
    sessions.find(id);
    expect(finds()).toBe(2);
  });

  test('holds at most maxCached sessions', () => {
    const { sessions, finds } = sidecar({ maxCached: 2 });
    const ids = [1, 2, 3].map(() => sessions.begin(ALICE));
    for (const id of ids) sessions.find(id);
    sessions.find(ids[2] ?? '');
    expect(finds()).toBe(3);
    sessions.find(ids[0] ?? '');
    expect(finds()).toBe(4);
  });
});

describe('signing out', () => {
  test('holds here at once and on every sidecar of the store within a second', () => {
    const [here, there] = [sidecar(), sidecar()];
    const id = here.sessions.begin(ALICE);
    expect(there.sessions.find(id)).toMatchObject({ user: 'alice' });
    here.sessions.end(id);
    expect(here.sessions.find(id)).toEqual({ refused: 'session-unknown' });
    nowMs += 1_000;
    expect(there.sessions.find(id)).toEqual({ refused: 'session-unknown' });
  });

  test('is not undone by a last-seen time that is written later', () => {
    const [here, there] = [sidecar(), sidecar()];
    const id = here.sessions.begin(ALICE);
    there.sessions.find(id);
    here.sessions.end(id);
    there.sessions.flush();
    nowMs += 1_000;
    expect(there.sessions.find(id)).toEqual({ refused: 'session-unknown' });
  });
});

test('use on one sidecar keeps the session alive on another', () => {
  const [here, there] = [sidecar(), sidecar()];
  const id = here.sessions.begin(ALICE);
  nowMs += IDLE_MS - 1;
  here.sessions.find(id);
  here.sessions.flush();
  nowMs += IDLE_MS - 1;
  expect(there.sessions.find(id)).toMatchObject({ user: 'alice' });
});

test('a store that fails never serves a session beyond the second, and recovers', () => {
  const { sessions, store } = sidecar();
  const id = sessions.begin(ALICE);
  sessions.find(id);
  const path = join(folder, 'sessions.db');
  store.close();
  const whole = readFileSync(path);
  writeFileSync(path, 'broken'.repeat(1_000));
  nowMs += 999;
  expect(sessions.find(id)).toMatchObject({ user: 'alice' });
  nowMs += 1;
  expect(() => sessions.find(id)).toThrow(expect.objectContaining({ code: 'ERR_SESSION_STORE' }));
  writeFileSync(path, whole);
  nowMs += 1_000;
  expect(sessions.find(id)).toMatchObject({ user: 'alice' });
});

test('a stored session that is no JSON is a fault', () => {
  const { sessions, store } = sidecar();
  const id = sessions.begin(ALICE);
  store.close();
  const database = new DatabaseSync(join(folder, 'sessions.db'));
  database.exec(`UPDATE sessions SET payload = '{'`);
  database.close();
  expect(() => sessions.find(id)).toThrow(expect.objectContaining({ code: 'ERR_SESSION_STORE' }));
});
