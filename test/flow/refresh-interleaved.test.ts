// A thousand sign-ins and refreshes of different people, interleaved by random delays of the store and of
// the provider, over several sidecars of one store: a cookie is never answered with another's identity.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createPostgresSessions } from '../../sidecar/sessions/store-postgres.ts';
import { createSqliteSessions } from '../../sidecar/sessions/store-sqlite.ts';
import type { Awaitable, SessionStore } from '../../sidecar/sessions/store.ts';
import type { Refresh } from '../../sidecar/identity/begun.ts';
import type { Sessions } from '../../sidecar/sessions/sessions.ts';
import { identity } from '../fixtures/identities.ts';
import { startPostgres, type Postgres } from '../fixtures/postgres.ts';
import { createRandom, testSeeds, type Random } from '../fixtures/random.ts';
import { connectedStore } from '../fixtures/session-stores.ts';
import { freshKey, sessionsOver, whose } from '../fixtures/sessions.ts';

const STEPS = 1_000;
const PEOPLE = 40;
const RECHECK_MS = 10_000;

let folder: string;
let postgres: Postgres;
let made = 0;
const open = {
  SQLite: async () => {
    const path = join(folder, `${++made}.db`);
    return (now: () => number) => createSqliteSessions({ path, now });
  },
  PostgreSQL: async () => {
    const url = await postgres.url(`interleaved_${++made}`);
    return (now: () => number) => connectedStore(createPostgresSessions({ url, now }));
  },
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signet-interleaved-'));
  postgres = await startPostgres();
});
afterAll(async () => {
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Resolves after zero to three milliseconds, or at once. */
async function chance(random: Random): Promise<void> {
  const ms = random.below(4);
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
}

/** Returns a store whose answers come late, in any order. */
function late(store: SessionStore, random: Random): SessionStore {
  const delayed =
    <A extends unknown[], T>(act: (...args: A) => Awaitable<T>) =>
    async (...args: A): Promise<T> => {
      await chance(random);
      const answer = await act(...args);
      await chance(random);
      return answer;
    };
  return {
    ...store,
    find: delayed((key) => store.find(key)),
    read: delayed((key) => store.read(key)),
    put: delayed((...args) => store.put(...args)),
    replace: delayed((...args) => store.replace(...args)),
    lease: delayed((...args) => store.lease(...args)),
  };
}

/** A provider of single-use refresh tokens, each good for its person only. */
function provider(random: Random) {
  const good = new Map<string, string>();
  const misused: string[] = [];
  let given = 0;
  let refreshes = 0;
  const issue = (user: string) => {
    const token = `token ${++given}`;
    good.set(token, user);
    return token;
  };
  const refresh: Refresh = async ({ tokens: { refreshToken = '' } }) => {
    await chance(random);
    const user = good.get(refreshToken);
    good.delete(refreshToken);
    await chance(random);
    if (user === undefined) {
      misused.push(refreshToken);
      return { ended: 'used twice' };
    }
    refreshes++;
    return { identity: personOf(user), tokens: { refreshToken: issue(user) } };
  };
  return { issue, refresh, misused, refreshes: () => refreshes };
}

const personOf = (user: string) => identity({ user, subject: `subject of ${user}` });

test.each(Object.entries(open))(
  'a thousand steps on %s: never another’s identity, and no refresh token is used twice',
  async (_, place) => {
    const [seed = 0] = testSeeds(1);
    const random = createRandom(seed);
    let nowMs = Date.now();
    const now = () => nowMs;
    const create = await place();
    const stores = Array.from({ length: 3 }, () => create(now));
    const asked = provider(random);
    const ring = [freshKey()];
    const sidecars: Sessions[] = stores.map((store) =>
      sessionsOver({
        store: late(store, random),
        ...{ now, keys: () => ring, refresh: asked.refresh, recheckMs: RECHECK_MS },
        // Small, so that sessions leave the cache and come back all the time.
        ...{ maxCached: 10, idleMs: 1e9, absoluteMs: 1e9, leaseMs: 5e5 },
      }),
    );
    const signedIn: { cookie: string; user: string }[] = [];
    const wrong: string[] = [];
    const any = <T>(items: readonly T[]): T => items[random.below(items.length)] as T;

    async function step(number: number): Promise<void> {
      await chance(random);
      if (signedIn.length < PEOPLE || random.below(4) === 0) {
        const user = `person ${number}`;
        const tokens = { refreshToken: asked.issue(user) };
        const cookie = await any(sidecars).begin({ identity: personOf(user), tokens });
        signedIn.push({ cookie, user });
      }
      const { cookie, user } = any(signedIn.slice(-PEOPLE));
      nowMs += random.below(RECHECK_MS / 10);
      const found = await whose(any(sidecars), cookie);
      if (found !== user) wrong.push(`${user} was found as ${found} (seed ${seed})`);
    }

    // Fifty people at a time, each taking the next step when their last one is done.
    let next = 0;
    const walk = async (): Promise<void> => {
      while (next < STEPS) await step(next++);
    };
    await Promise.all(Array.from({ length: 50 }, walk));
    await Promise.all(sidecars.map((sessions) => sessions.close()));
    await Promise.all(stores.map((store) => store.close()));
    expect(wrong).toEqual([]);
    expect(asked.misused).toEqual([]);
    expect(asked.refreshes()).toBeGreaterThan(100);
  },
);
