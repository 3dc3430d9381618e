// What sessions survive, and what ends them, on each store: a restart, other keys, a store that goes away and
// comes back; and a revocation holds on every sidecar within a second.
import type { KeyObject } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Begun } from '../../sidecar/identity/begun.ts';
import type { SessionStore, SessionText } from '../../sidecar/sessions/store.ts';
import type { SessionOptions, Sessions } from '../../sidecar/sessions/sessions.ts';
import { identity } from '../fixtures/identities.ts';
import { sessionStoreKinds } from '../fixtures/session-stores.ts';
import { freshKey, keyOf, sessionsOver, whose } from '../fixtures/sessions.ts';
import { until } from '../fixtures/until.ts';

const ALICE = { identity: identity(), tokens: { refreshToken: 'r1' }, sid: 'at the provider' };
const { issuer, subject } = ALICE.identity;

describe.each(Object.entries(sessionStoreKinds()))('%s', (name, kind) => {
  let open: (now: () => number) => SessionStore;
  let nowMs: number;
  let ring: readonly KeyObject[];
  let made: { store: SessionStore; sessions: Sessions }[];
  const now = () => nowMs;

  function sidecar(changes: Partial<SessionOptions> = {}) {
    const store = open(now);
    const sessions = sessionsOver({ store, now, keys: () => ring, ...changes });
    const pair = { store, sessions };
    made.push(pair);
    return pair;
  }

  async function stop({ store, sessions }: (typeof made)[number]): Promise<void> {
    await sessions.close();
    await store.close();
  }

  beforeAll(() => kind.start());
  afterAll(() => kind.stop());
  beforeEach(async () => {
    open = await kind.make();
    nowMs = Date.now();
    ring = [freshKey()];
    made = [];
  });
  afterEach(async () => {
    await Promise.all(made.map(stop));
  });

  test('a session survives a restart of the sidecar', async () => {
    const before = sidecar();
    const id = await before.sessions.begin(ALICE);
    await stop(before);
    expect(await whose(sidecar().sessions, id)).toBe('alice');
  });

  describe('keys that change', () => {
    test('log nobody out while the old one is behind the new', async () => {
      const { sessions } = sidecar();
      const id = await sessions.begin(ALICE);
      ring = [freshKey(), ...ring];
      expect(await whose(sessions, id)).toBe('alice');
      expect(await whose(sidecar().sessions, id)).toBe('alice');
    });

    test('log out nobody who was seen meanwhile, when the old one is taken out at last', async () => {
      const { sessions, store } = sidecar();
      const id = await sessions.begin(ALICE);
      const fresh = freshKey();
      ring = [fresh, ...ring];
      expect(await whose(sessions, id)).toBe('alice');
      await until('sealing anew', async () => (await store.find(keyOf(id)))?.version === 2);
      ring = [fresh];
      expect(await whose(sessions, id)).toBe('alice');
      expect(await whose(sidecar().sessions, id)).toBe('alice');
      expect(await sessions.end(id)).toMatchObject({ tokens: ALICE.tokens });
    });

    test('end at once what only a key that was taken out opens, in memory, too', async () => {
      const { sessions } = sidecar();
      const id = await sessions.begin(ALICE);
      expect(await whose(sessions, id)).toBe('alice');
      ring = [freshKey()];
      expect(await whose(sessions, id)).toBe('session-unknown');
    });

    test('leave sessions to be found by their names: those of the old key, and those sealed anew', async () => {
      const { sessions, store } = sidecar();
      const [one, other] = [await sessions.begin(ALICE), await sessions.begin(ALICE)];
      ring = [freshKey(), ...ring];
      expect(await whose(sessions, one)).toBe('alice');
      await until('sealing anew', async () => (await store.find(keyOf(one)))?.version === 2);
      expect(await sessions.endNamed({ issuer, subject })).toBe(2);
      expect(await whose(sessions, other)).toBe('session-unknown');
    });

    test('make one writing of each session, however many sidecars see it at once', async () => {
      const sidecars = [sidecar(), sidecar(), sidecar()];
      const id = (await sidecars[0]?.sessions.begin(ALICE)) ?? '';
      ring = [freshKey(), ...ring];
      await Promise.all(sidecars.map(({ sessions }) => whose(sessions, id)));
      await Promise.all(sidecars.map(({ sessions }) => sessions.close()));
      expect((await sidecars[0]?.store.find(keyOf(id)))?.version).toBe(2);
    });
  });

  describe('who can write the store, and has no key,', () => {
    async function changed(change: Partial<SessionText>, options: Partial<SessionOptions> = {}) {
      const { sessions, store } = sidecar(options);
      const id = await sessions.begin(ALICE);
      expect(await whose(sessions, id)).toBe('alice');
      const stored = await store.read(keyOf(id));
      if (stored) await store.replace(keyOf(id), 1, { ...stored, ...change });
      return { sessions, store, id };
    }

    test.each<[string, Partial<SessionText>]>([
      ['subject', { subjectTag: '' }],
      ['subject, which is another’s', { subjectTag: 'of another' }],
      ['sid', { sidTag: 'of another' }],
    ])('saves no session from being ended by its %s: it is unknown', async (_name, change) => {
      const { sessions, id } = await changed(change);
      nowMs += 1_000;
      expect(await whose(sessions, id)).toBe('session-unknown');
    });

    test('saves no session from being confirmed by its tokens: it ends, and is told', async () => {
      const told: string[] = [];
      const { sessions, store, id } = await changed(
        { tokens: 'overwritten' },
        {
          recheckMs: 10_000,
          refresh: async (session) => session,
          onEnded: ({ identity: { user }, why }) => told.push(`${user}: ${why}`),
        },
      );
      nowMs += 10_000;
      expect(await whose(sessions, id)).toBe('session-unknown');
      expect(await store.read(keyOf(id))).toBeUndefined();
      expect(told).toEqual([expect.stringContaining('alice: its tokens')]);
    });
  });

  test('a session whose sid is another after a refresh goes on, and is found by that', async () => {
    const sid = 'another sid';
    const refresh = async (session: Begun) => ({ ...session, sid });
    const { sessions } = sidecar({ recheckMs: 10_000, refresh });
    const id = await sessions.begin(ALICE);
    nowMs += 10_000;
    expect(await whose(sessions, id)).toBe('alice');
    nowMs += 1_000;
    expect(await whose(sessions, id)).toBe('alice');
    expect(await sessions.endNamed({ issuer, sid })).toBe(1);
  });

  test('a store that goes away closes, and its sessions are there again with it', async () => {
    let store = open(now);
    const outer = { ...store, find: (key: string) => store.find(key) };
    const sessions = sessionsOver({ store: outer, now, keys: () => ring });
    const id = await sessions.begin(ALICE);
    expect(await whose(sessions, id)).toBe('alice');
    // An open file would go on being read, whatever becomes of its name.
    if (name === 'SQLite') await store.close();
    await kind.breakDown();
    if (name === 'SQLite') store = open(now);
    nowMs += 1_000;
    const found = () => whose(sessions, id);
    await expect(found()).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' });
    await kind.mend();
    await until('the store', () => found().then(Boolean, () => void (nowMs += 1_000)));
    expect(await found()).toBe('alice');
    await sessions.close();
    await store.close();
  });

  describe('a revoked session is refused within a second on both of two sidecars', () => {
    async function both() {
      const [here, there] = [sidecar(), sidecar()];
      const id = await here.sessions.begin(ALICE);
      expect([await whose(here.sessions, id), await whose(there.sessions, id)]).toEqual([
        'alice',
        'alice',
      ]);
      return { here, there, id };
    }

    test.each<[string, (one: Sessions, id: string) => Promise<unknown>]>([
      ['by its person, signing out', (one, id) => one.end(id)],
      ['by the provider’s name of it', (one) => one.endNamed({ issuer, sid: ALICE.sid })],
      ['by its subject', (one) => one.endNamed({ issuer, subject })],
    ])('%s', async (_name, revoke) => {
      const { here, there, id } = await both();
      await revoke(here.sessions, id);
      expect(await whose(here.sessions, id)).toBe('session-unknown');
      nowMs += 999;
      expect(await whose(there.sessions, id)).toBe('alice');
      nowMs += 1;
      expect(await whose(there.sessions, id)).toBe('session-unknown');
    });

    test('by the command, straight in the store', async () => {
      const { here, there, id } = await both();
      const command = sidecar();
      expect(await command.store.remove(keyOf(id))).toBe(true);
      nowMs += 1_000;
      expect(await whose(here.sessions, id)).toBe('session-unknown');
      expect(await whose(there.sessions, id)).toBe('session-unknown');
    });
  });
});
