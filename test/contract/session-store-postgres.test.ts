// What can only go wrong with a server, and what several sidecars may expect that share one: a real
// PostgreSQL, which is killed, frozen and restarted under the session store's hands.
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { openPostgres } from '../../sidecar/audit/postgres.ts';
import { explain } from '../../sidecar/fault.ts';
import { createConnections } from '../../sidecar/postgres/pool.ts';
import type { PostgresUse } from '../../sidecar/postgres/use.ts';
import { createPostgresSessions } from '../../sidecar/sessions/store-postgres.ts';
import type { SessionStore } from '../../sidecar/sessions/store.ts';
import { CHAIN } from '../fixtures/databases.ts';
import { isPostgresHere, startPostgres, type Postgres } from '../fixtures/postgres.ts';
import { aText, connected } from '../fixtures/session-stores.ts';
import { until } from '../fixtures/until.ts';

const HOUR_MS = 3_600_000;
const LEASE_MS = 300_000;
/** Of the gate's five seconds a store takes less than two; a busy machine comes on top, and the gate must answer yet. */
const LONGEST_MS = 4_500;
const IS_DOWN = { code: 'ERR_SESSION_STORE' };

const where = isPostgresHere()
  ? { describe, name: 'PostgreSQL' }
  : { describe: describe.skip, name: 'PostgreSQL (not tried: no initdb, in PATH or of Debian)' };

where.describe(where.name, () => {
  let server: Postgres;
  let made = 0;
  const opened: SessionStore[] = [];
  beforeAll(async () => void (server = await startPostgres()));
  afterAll(() => server.stop());
  afterEach(async () => {
    server.thaw();
    for (const each of opened.splice(0)) await each.close();
  });

  const empty = () => server.url(`sessions_${++made}`);
  const open = (url: string, now: () => number = Date.now) => {
    const store = createPostgresSessions({ url, now });
    opened.push(store);
    return store;
  };
  /** A store with one session, `a`. */
  async function prepared(): Promise<{ url: string; store: SessionStore }> {
    const url = await empty();
    const store = open(url);
    await connected(() => store.put('a', aText(), Date.now()));
    return { url, store };
  }
  const find = async (store: SessionStore) => store.find('a');
  const reasonOf = (failing: Promise<unknown>) =>
    failing.then(
      () => 'it did not fail',
      (error: unknown) => explain(error),
    );
  const tookMs = async (act: () => Promise<unknown>) => {
    const from = performance.now();
    await act();
    return performance.now() - from;
  };

  describe('a server that goes away', () => {
    test('and fails over to one on the same port has all sessions again, and is told', async () => {
      const { store } = await prepared();
      await server.kill();
      await expect(find(store)).rejects.toMatchObject(IS_DOWN);
      expect(store.state().problem).toContain('refuses connections: start it');
      await server.restart();
      expect(await find(store)).toMatchObject({ payload: 'payload' });
      expect(store.state()).toEqual({ ready: true });
    });

    test('and comes back between two finds is not noticed', async () => {
      const { store } = await prepared();
      await server.restart();
      expect(await find(store)).toBeDefined();
    });

    test('and comes back empty gets its table again', async () => {
      const { url, store } = await prepared();
      await server.query(url, 'DROP TABLE signet_sessions, signet_sessions_schema');
      await expect(find(store)).rejects.toMatchObject(IS_DOWN);
      expect(await find(store)).toBeUndefined();
      await store.put('a', aText(), Date.now());
      expect(await find(store)).toBeDefined();
    });

    test('before the first try is told, and found when it comes', async () => {
      const url = await empty();
      await server.kill();
      const store = open(url);
      await until('it was tried', () => store.state().problem?.includes('refuses connections'));
      await server.restart();
      await until('it is ready', () => store.state().ready);
      expect(await find(store)).toBeUndefined();
    });

    test('is told without a secret', async () => {
      const { store } = await prepared();
      await server.kill();
      const reason = await reasonOf(find(store));
      expect(reason).toContain(`127.0.0.1:${server.port}, database sessions_${made}, refuses`);
      expect(reason).not.toMatch(/p@ss|p%40ss/);
      await server.restart();
    });

    test('with one connection is asked again by another one', async () => {
      const { url, store } = await prepared();
      const found = store.find('a');
      await server.query(
        url,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name = 'signet' AND datname = current_database()`,
      );
      expect(await found).toBeDefined();
      expect(await find(store)).toBeDefined();
    });
  });

  describe('a server that hangs', () => {
    test('costs each of many finds under two seconds, and works again when it does', async () => {
      const { store } = await prepared();
      await Promise.all(Array.from({ length: 8 }, () => connected(() => find(store))));
      server.freeze();
      const failing = await tookMs(async () => {
        const finds = Array.from({ length: 30 }, () => find(store));
        const ended = await Promise.allSettled(finds);
        expect(ended.filter(({ status }) => status === 'rejected')).toHaveLength(30);
      });
      expect(failing).toBeLessThan(LONGEST_MS);
      expect(store.state()).toMatchObject({ ready: false });
      server.thaw();
      await until('a find works again', () => find(store).catch(() => undefined));
      expect(store.state()).toEqual({ ready: true });
    });

    test('costs no more when nothing was asked of it before', async () => {
      const url = await empty();
      server.freeze();
      const store = open(url);
      expect(await tookMs(() => reasonOf(find(store)))).toBeLessThan(LONGEST_MS);
    });

    test('on all its connections, as behind a firewall, is found by a new one', async () => {
      const { url, store } = await prepared();
      await Promise.all(Array.from({ length: 8 }, () => connected(() => find(store))));
      const backends = await server.query(
        url,
        `SELECT pid FROM pg_stat_activity
         WHERE application_name = 'signet' AND datname = current_database()`,
      );
      expect(backends.length).toBeGreaterThan(1);
      const pids = backends.map(({ pid }) => Number(pid));
      pids.forEach((pid) => process.kill(pid, 'SIGSTOP'));
      try {
        // The first loses most of its time on one that hangs; the next don't try another of that age.
        expect(await find(store)).toBeDefined();
        expect(await find(store)).toBeDefined();
      } finally {
        pids.forEach((pid) => process.kill(pid, 'SIGCONT'));
      }
    });

    test('can be closed, twice', async () => {
      const { store } = await prepared();
      server.freeze();
      await store.close();
      await expect(store.close()).resolves.toBeUndefined();
      await expect(find(store)).rejects.toMatchObject(IS_DOWN);
    });
  });

  describe('its connections', () => {
    const use = (maxConnections: number): PostgresUse => ({
      code: 'ERR_SESSION_STORE',
      store: 'session store',
      locked: 'a session',
      maxConnections,
    });

    test('that are all in use are told as such', async () => {
      const connections = createConnections(await empty(), use(1), { connectTimeoutMs: 1_500 });
      const only = await connections.take();
      const reason = await reasonOf(connections.take());
      expect(reason).toContain("had none of this process's 1 connections free in time");
      only.release();
      await connections.close();
    });

    test('are closed, also when one breaks meanwhile', async () => {
      const url = await empty();
      const connections = createConnections(url, use(2));
      const taken = await connections.take();
      const closed = connections.close();
      await server.query(
        url,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name = 'signet' AND datname = current_database()`,
      );
      await until('it broke', () => taken.isBroken());
      taken.release();
      await expect(closed).resolves.toBeUndefined();
    });
  });

  describe("a sidecar whose clock is wrong goes by the server's", () => {
    const ahead = () => Date.now() + 5 * HOUR_MS;

    test('what another one put is as old for it as it is', async () => {
      const { url } = await prepared();
      const seen = await find(open(url, ahead));
      expect(Math.abs(ahead() - (seen?.createdAtMs ?? 0))).toBeLessThan(60_000);
    });

    test('its sweep takes nobody away', async () => {
      const { url, store } = await prepared();
      const before = { createdMs: ahead() - HOUR_MS, seenMs: ahead() - HOUR_MS };
      expect(await open(url, ahead).sweep(before)).toBe(0);
      expect(await find(store)).toBeDefined();
    });

    test("it takes nobody's lease before its end", async () => {
      const { url, store } = await prepared();
      await store.lease('a', 'me', LEASE_MS);
      expect(await open(url, ahead).lease('a', 'you', LEASE_MS)).toBe(false);
    });

    test('times of the future are now', async () => {
      const { url, store } = await prepared();
      await store.touch(new Map([['a', Date.now() + HOUR_MS]]));
      const [row] = await server.query(
        url,
        'SELECT (seen_at <= clock_timestamp())::int AS ok FROM signet_sessions',
      );
      expect(row).toEqual({ ok: 1 });
    });
  });

  test('who waited for a lease sees who has it, also where the server sees old states by default', async () => {
    const { url } = await prepared();
    await server.query(
      url,
      `ALTER DATABASE sessions_${made} SET default_transaction_isolation = 'serializable'`,
    );
    const store = open(url);
    await find(store);
    const other = new Client({ connectionString: url });
    await other.connect();
    try {
      await other.query(
        `BEGIN; UPDATE signet_sessions
         SET lease_owner = 'other', lease_until = clock_timestamp() + interval '5 minutes'`,
      );
      // The store waits for less than a second: where the machine stalled, it is asked again.
      let taken: Promise<boolean | undefined> | undefined;
      const take = () => store.lease('a', 'me', LEASE_MS).catch(() => (taken = undefined));
      await until('the lease waits', async () => {
        taken ??= take();
        const sql = 'SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted';
        return (await server.query(url, sql))[0]?.['n'] === 1;
      });
      await other.query('COMMIT');
      expect((await taken) ?? (await take())).toBe(false);
    } finally {
      await other.end();
    }
  });

  describe('the table', () => {
    test('is made once, however many start at once', async () => {
      const url = await empty();
      const stores = Array.from({ length: 6 }, () => open(url));
      await Promise.all(stores.map(find));
      expect(stores.map((store) => store.state())).toEqual(stores.map(() => ({ ready: true })));
      expect(await server.query(url, 'SELECT version FROM signet_sessions_schema')).toEqual([
        { version: '1' },
      ]);
    });

    test('of a newer Signet is refused in a clear sentence', async () => {
      const { url } = await prepared();
      await server.query(url, 'UPDATE signet_sessions_schema SET version = 7');
      const store = open(url);
      expect(await reasonOf(find(store))).toContain(
        'written by a newer Signet (schema 7; this one knows 1)',
      );
      expect(store.state()).toMatchObject({ ready: false });
    });

    test('without its row is not one of a newer Signet, and says what to do', async () => {
      const { url } = await prepared();
      await server.query(url, 'DELETE FROM signet_sessions_schema');
      const reason = await reasonOf(find(open(url)));
      expect(reason).toContain('signet_sessions_schema is empty; restore its row');
      expect(reason).not.toContain('newer');
    });

    test('of somebody else is left alone', async () => {
      const url = await empty();
      await server.query(url, 'CREATE TABLE signet_sessions (customer TEXT)');
      expect(await reasonOf(find(open(url)))).toContain('not of Signet');
    });

    test("may lie beside the audit store's, which finds nothing wrong with it", async () => {
      const { url, store } = await prepared();
      const audit = await openPostgres(url, CHAIN);
      expect(await audit.examine()).toEqual([]);
      await audit.close();
      expect(await find(store)).toBeDefined();
    });
  });

  describe('its role', () => {
    async function guest(url: string, ...grants: string[]): Promise<string> {
      const role = `guest_${made}`;
      await server.query(url, `CREATE ROLE ${role} LOGIN PASSWORD 'guest'`);
      await server.query(url, 'REVOKE ALL ON SCHEMA public FROM PUBLIC');
      for (const grant of grants) await server.query(url, `GRANT ${grant} TO ${role}`);
      const changed = new URL(url);
      [changed.username, changed.password] = [role, 'guest'];
      return changed.href;
    }
    const ROWS = 'SELECT, INSERT, UPDATE, DELETE ON signet_sessions';

    test('needs no right to make tables where they are', async () => {
      const { url } = await prepared();
      const url2 = await guest(
        url,
        'USAGE ON SCHEMA public',
        ROWS,
        'SELECT ON signet_sessions_schema',
      );
      const store = open(url2);
      await store.put('b', aText(), Date.now());
      expect(await store.lease('b', 'me', LEASE_MS)).toBe(true);
      await store.touch(new Map([['b', Date.now()]]));
      expect(await store.findTagged(['alice'])).toHaveLength(2);
      expect(await store.removeAll(['b'])).toEqual(['b']);
      expect(await store.sweep({ createdMs: 0, seenMs: 0 })).toBe(0);
    });

    test('without the right to change is fit for reading: upkeep that fails tells nothing of that', async () => {
      const { url } = await prepared();
      const reads = ['signet_sessions', 'signet_sessions_schema'].map(
        (name) => `SELECT ON ${name}`,
      );
      const store = open(await guest(url, 'USAGE ON SCHEMA public', ...reads));
      expect(await find(store)).toBeDefined();
      const before = { createdMs: Date.now(), seenMs: Date.now() };
      await expect(store.touch(new Map([['a', Date.now()]]))).rejects.toMatchObject(IS_DOWN);
      await expect(store.sweep(before)).rejects.toMatchObject(IS_DOWN);
      await expect(store.release('a', 'me')).rejects.toMatchObject(IS_DOWN);
      expect(store.state()).toEqual({ ready: true });
    });

    test.each(['INSERT', 'UPDATE', 'DELETE'])(
      'without %s finds that it can’t write',
      async (missing) => {
        const { url } = await prepared();
        const rights = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'].filter((each) => each !== missing);
        const store = open(
          await guest(
            url,
            'USAGE ON SCHEMA public',
            `${rights.join(', ')} ON signet_sessions`,
            'SELECT ON signet_sessions_schema',
          ),
        );
        await expect(store.tryWriting()).rejects.toMatchObject(IS_DOWN);
        expect(store.state()).toEqual({ ready: true });
      },
    );

    test('without rights is told which it needs', async () => {
      const url = await guest(await empty(), 'USAGE ON SCHEMA public');
      expect(await reasonOf(find(open(url)))).toContain("does not grant Signet's user");
    });

    test('makes the tables itself where it may', async () => {
      const url = await guest(await empty(), 'USAGE, CREATE ON SCHEMA public');
      expect(await find(open(url))).toBeUndefined();
    });
  });

  test('trying to write takes room as a session does, and leaves none, however many try at once', async () => {
    const { url, store } = await prepared();
    const roomTaken = async () => {
      const [row] = await server.query(url, "SELECT pg_table_size('signet_sessions') AS bytes");
      return Number(row?.['bytes']);
    };
    const before = await roomTaken();
    const stores = [store, open(url)];
    await Promise.all(stores.flatMap((each) => [1, 2, 3].map(() => each.tryWriting())));
    expect((await store.list(undefined, 10)).map(({ key }) => key)).toEqual(['a']);
    expect(await roomTaken()).toBeGreaterThan(before);
  });

  test('a URL that is none is refused at once, without a part of it', () => {
    const refused = () => createPostgresSessions({ url: 'mysql://u:cret@host/d', now: Date.now });
    expect(refused).toThrow(expect.objectContaining(IS_DOWN));
    expect(refused).toThrow('the URL of the session store is not of the form');
    expect(refused).not.toThrow(/cret/);
  });
});
