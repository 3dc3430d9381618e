// What can only go wrong with a server, and what several sidecars may expect that share one: a real
// PostgreSQL, which is killed, frozen, restarted and locked under the audit store's hands.
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Database } from '../../sidecar/audit/database.ts';
import { openPostgres, openPostgresForReading } from '../../sidecar/audit/postgres.ts';
import { SCHEMA_VERSION } from '../../sidecar/audit/schema.ts';
import { explain } from '../../sidecar/fault.ts';
import type { PostgresOptions } from '../../sidecar/postgres/pool.ts';
import { append, CHAIN, withSamples } from '../fixtures/databases.ts';
import {
  isPostgresHere,
  POSTGRES_PASSWORD,
  startPostgres,
  type Postgres,
} from '../fixtures/postgres.ts';
import { until } from '../fixtures/until.ts';

const OTHER_CHAIN = '0b1f7a52-6a0e-4a3f-9c75-1d1f6f1f0002';
/** Yet enough for what a server on a stalled machine does answer. */
const QUICK: PostgresOptions = { statementTimeoutMs: 1_000 };

const where = isPostgresHere()
  ? { describe, name: 'PostgreSQL' }
  : { describe: describe.skip, name: 'PostgreSQL (not tried: no initdb, in PATH or of Debian)' };

where.describe(where.name, () => {
  let server: Postgres;
  let made = 0;
  const opened: Database[] = [];
  beforeAll(async () => void (server = await startPostgres()));
  afterAll(() => server.stop());
  afterEach(async () => {
    server.thaw();
    for (const each of opened.splice(0)) await each.close();
  });

  const empty = () => server.url(`postgres_${++made}`);
  const prepared = async () => withSamples(await empty(), 'BIGINT', 'BYTEA', '');
  const keep = (database: Database): Database => {
    opened.push(database);
    return database;
  };
  const open = async (url: string, chain = CHAIN, options: PostgresOptions = {}) =>
    keep(await openPostgres(url, chain, options));
  const idsIn = async (database: Database) =>
    (await database.all('SELECT id FROM samples ORDER BY id')).map(({ id }) => id);
  const reasonOf = (failing: Promise<unknown>) =>
    failing.then(
      () => 'it did not fail',
      (error: unknown) => explain(error),
    );

  describe('a server that goes away', () => {
    test('and dies in mid-transaction is a Fault, and leaves nothing of it', async () => {
      const database = await open(await prepared());
      const failing = database.transaction(async (queries) => {
        await queries.insert('samples', ['id'], [[1]]);
        await server.kill();
        await queries.insert('samples', ['id'], [[2]]);
      });
      await expect(failing).rejects.toMatchObject({ code: 'ERR_AUDIT_STORE' });
      await server.restart();
      expect(await idsIn(database)).toEqual([]);
    });

    test('and is not missed by a transaction before its end is a Fault as well', async () => {
      const database = await open(await prepared());
      const failing = database.transaction(async (queries) => {
        await queries.insert('samples', ['id'], [[1]]);
        await server.restart();
      });
      await expect(failing).rejects.toMatchObject({ code: 'ERR_AUDIT_STORE' });
      expect(await idsIn(database)).toEqual([]);
    });

    test('and comes back between two calls is not noticed', async () => {
      const database = await open(await prepared());
      await append(database, 'before');
      await server.restart();
      await append(database, 'after');
      expect(await idsIn(database)).toEqual([1, 2]);
    });

    test('is told with host, port and database, and what to do, and without a secret', async () => {
      const url = `${await prepared()}?application_name=hidden`;
      const database = await open(url);
      await server.kill();
      const reason = await reasonOf(append(database, 'lost'));
      expect(reason).toContain(
        `PostgreSQL at 127.0.0.1:${server.port}, database postgres_${made}, `,
      );
      expect(reason).toContain('refuses connections: start it, or correct host and port');
      expect(reason).not.toMatch(/hidden|signet:|p@ss|p%40ss/);
      await server.restart();
      await append(database, 'after');
    });

    test('is a Fault when opening, too', async () => {
      const url = await prepared();
      await server.kill();
      expect(await reasonOf(openPostgres(url, CHAIN))).toContain('refuses connections');
      await server.restart();
    });

    test('one connection that an administrator ends is a Fault once', async () => {
      const url = await prepared();
      const database = await open(url);
      const failing = database.transaction(async (queries) => {
        const [backend] = await queries.all('SELECT pg_backend_pid() AS pid');
        await server.query(url, `SELECT pg_terminate_backend(${Number(backend?.['pid'])})`);
        await queries.run('INSERT INTO samples (id) VALUES (1)');
      });
      expect(await reasonOf(failing)).toContain('is being shut down or restarted');
      await append(database, 'after');
    });
  });

  describe('a server that hangs', () => {
    test('in mid-transaction is a Fault in time, and leaves nothing of it', async () => {
      const database = await open(await prepared(), CHAIN, QUICK);
      const failing = database.transaction(async (queries) => {
        await queries.insert('samples', ['id'], [[1]]);
        server.freeze();
        await queries.insert('samples', ['id'], [[2]]);
      });
      expect(await reasonOf(failing)).toContain('does not answer as it should');
      server.thaw();
      await append(database, 'after');
      expect(await idsIn(database)).toEqual([1]);
    });

    test('is a Fault in time when opening', async () => {
      const url = await prepared();
      server.freeze();
      const failing = openPostgres(url, CHAIN, { connectTimeoutMs: 300 });
      expect(await reasonOf(failing)).toContain('does not answer as it should');
    });

    test('can be closed', async () => {
      const database = await openPostgres(await prepared(), CHAIN);
      await idsIn(database);
      server.freeze();
      await expect(database.close()).resolves.toBeUndefined();
    });

    test('over one statement ends it by itself', async () => {
      const database = await open(await prepared(), CHAIN, QUICK);
      expect(await reasonOf(database.all('SELECT pg_sleep(60)'))).toContain('took too long');
    });
  });

  describe('a server that refuses', () => {
    const withUser = (url: string, user: string, password: string) => {
      const changed = new URL(url);
      [changed.username, changed.password] = [user, password];
      return changed.href;
    };

    test('a wrong password says so', async () => {
      const url = withUser(await empty(), 'signet', 'wrong-secret');
      const reason = await reasonOf(openPostgres(url, CHAIN));
      expect(reason).toContain('does not let Signet in: correct user and password');
      expect(reason).not.toContain('wrong-secret');
    });

    test('a database that is not there says so', async () => {
      const url = `${await empty()}_not_there`;
      expect(await reasonOf(openPostgres(url, CHAIN))).toContain("doesn't have that database");
    });

    test('a user without rights says so', async () => {
      const url = await empty();
      await server.query(url, `CREATE ROLE guest_${made} LOGIN PASSWORD 'guest'`);
      await server.query(url, 'REVOKE ALL ON SCHEMA public FROM PUBLIC');
      await server.query(url, `GRANT USAGE ON SCHEMA public TO guest_${made}`);
      const failing = openPostgres(withUser(url, `guest_${made}`, 'guest'), CHAIN);
      expect(await reasonOf(failing)).toContain("does not grant Signet's user what it needs");
    });

    test('TLS that the URL asks for is a Fault: nothing is sent without it', async () => {
      const url = `${await empty()}?sslmode=verify-full`;
      expect(await reasonOf(openPostgres(url, CHAIN))).toContain('does not support SSL');
    });

    test('a database that is not in UTF-8 is refused', async () => {
      const url = `${await empty()}_latin1`;
      const form = "ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0";
      await server.query(
        url.replace(/[^/]*$/, 'postgres'),
        `CREATE DATABASE postgres_${made}_latin1 ${form}`,
      );
      expect(await reasonOf(openPostgres(url, CHAIN))).toContain('keeps text as LATIN1');
    });

    test('values of rows are in no message', async () => {
      const database = await open(await prepared());
      const first = reasonOf(database.run('INSERT INTO samples (id) VALUES (?)', ['of-a-person']));
      expect(await first).not.toContain('of-a-person');
      const rows = [['of-a-person'], ['of-a-person']];
      await database.run('CREATE TABLE names (name TEXT PRIMARY KEY)');
      const second = reasonOf(database.insert('names', ['name'], rows));
      expect(await second).toContain('holds a row already');
      expect(await second).not.toContain('of-a-person');
    });
  });

  describe('the tables', () => {
    test('are made once, however many start at once', async () => {
      const url = await empty();
      const all = [1, 2, 3, 4].map((number) => open(url, `chain-${number}`));
      await expect(Promise.all(all)).resolves.toHaveLength(4);
      expect(await server.query(url, 'SELECT version FROM signet_meta')).toEqual([
        { version: String(SCHEMA_VERSION) },
      ]);
    });

    test('of a newer Signet are left alone', async () => {
      const url = await prepared();
      await server.query(url, `UPDATE signet_meta SET version = ${SCHEMA_VERSION + 1}`);
      await expect(openPostgres(url, CHAIN)).rejects.toMatchObject({ code: 'ERR_STORE_NEWER' });
    });

    test('of somebody else are left alone', async () => {
      const url = await empty();
      await server.query(url, 'CREATE TABLE audit_rows (somebody TEXT)');
      expect(await reasonOf(openPostgres(url, CHAIN))).toContain('not of Signet');
      expect(await server.query(url, "SELECT to_regclass('signet_meta') AS name")).toEqual([
        { name: null },
      ]);
    });

    test('take the chain from who writes', async () => {
      const url = await prepared();
      for (const chain of [CHAIN, OTHER_CHAIN]) {
        const database = await open(url, chain);
        await database.insert('notes', ['name', 'value'], [['n', 'v']]);
      }
      const rows = await server.query(url, 'SELECT chain FROM notes ORDER BY chain');
      expect(rows.map(({ chain }) => chain)).toEqual([CHAIN, OTHER_CHAIN]);
    });

    test('take it also from one statement that returns what it has written', async () => {
      const database = await open(await prepared());
      const sql = "INSERT INTO notes (name, value) VALUES ('n', 'v') RETURNING chain";
      expect(await database.all(sql)).toEqual([{ chain: CHAIN }]);
    });
  });

  describe('a chain', () => {
    // Resolves when the first transaction holds its chain; `let go` ends it.
    async function held(database: Database) {
      const hold = Promise.withResolvers<void>();
      const letGo = Promise.withResolvers<void>();
      const done = database.transaction(async (queries) => {
        await queries.run('INSERT INTO samples (id) VALUES (1)');
        hold.resolve();
        await letGo.promise;
      });
      await hold.promise;
      return { letGo: () => letGo.resolve(), done };
    }
    const isSomebodyWaiting = async (url: string) => {
      const sql =
        "SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
      return (await server.query(url, sql))[0]?.['n'] === 1;
    };

    test('is written by one at a time: the other waits, and sees what was written', async () => {
      const url = await prepared();
      const first = await held(await open(url));
      const second = append(await open(url), 'second');
      await until('the second waits', () => isSomebodyWaiting(url));
      first.letGo();
      await Promise.all([first.done, second]);
      expect(await idsIn(await open(url))).toEqual([1, 2]);
    });

    test('is written in order also where the server sees old states by default', async () => {
      const url = await prepared();
      await server.query(
        url,
        `ALTER DATABASE postgres_${made} SET default_transaction_isolation = 'serializable'`,
      );
      const both = [await open(url), await open(url)];
      await Promise.all(Array.from({ length: 20 }, (_, at) => append(both[at % 2]!, `${at}`)));
      expect(await idsIn(both[0]!)).toHaveLength(20);
    });

    test('does not wait for another chain', async () => {
      const url = await prepared();
      const first = await held(await open(url));
      const other = await open(url, OTHER_CHAIN);
      await other.run('INSERT INTO samples (id) VALUES (2)');
      expect(await idsIn(other)).toEqual([2]);
      first.letGo();
      await first.done;
    });

    test('that another process keeps for too long is a Fault, and free afterwards', async () => {
      const url = await prepared();
      const first = await held(await open(url));
      const second = await open(url, CHAIN, QUICK);
      expect(await reasonOf(append(second, 'second'))).toContain('kept this chain locked');
      first.letGo();
      await first.done;
      await append(second, 'second');
    });
  });

  describe('a transaction', () => {
    test('is undone when a statement failed, whatever its work makes of that', async () => {
      const database = await open(await prepared());
      const failing = database.transaction(async (queries) => {
        await queries.insert('samples', ['id'], [[1]]);
        await queries.insert('samples', ['id'], [[1]]).catch(() => {});
        return 'all is well';
      });
      expect(await reasonOf(failing)).toContain('holds a row already');
      expect(await idsIn(database)).toEqual([]);
    });

    test('takes no statement after its end: the connection may be another one’s', async () => {
      const database = await open(await prepared());
      const late = await database.transaction(async (queries) => ({ queries }));
      expect(await reasonOf(late.queries.run('DELETE FROM samples'))).toContain(
        'after its transaction',
      );
    });

    test('that is durable waits for the disk where others don’t', async () => {
      const url = await prepared();
      await server.query(url, `ALTER DATABASE postgres_${made} SET synchronous_commit = off`);
      const database = await open(url);
      const sql = "SELECT current_setting('synchronous_commit') AS wait";
      const waits = (isDurable: boolean) =>
        database.transaction((queries) => queries.all(sql), { isDurable });
      expect(await waits(true)).toEqual([{ wait: 'on' }]);
      expect(await waits(false)).toEqual([{ wait: 'off' }]);
    });
  });

  describe('readers', () => {
    test('many at once share a few connections', async () => {
      const url = await prepared();
      const database = await open(url);
      const all = Array.from({ length: 50 }, () => database.all('SELECT pg_sleep(0.01), 1 AS n'));
      expect(await Promise.all(all)).toHaveLength(50);
      const sql =
        'SELECT count(*)::int AS n FROM pg_stat_activity ' +
        "WHERE application_name = 'signet' AND datname = current_database()";
      expect(await server.query(url, sql)).toEqual([{ n: 3 }]);
    });

    test('do not wait for a transaction', async () => {
      const database = await open(await prepared());
      const seen = await database.transaction(async (queries) => {
        await queries.insert('samples', ['id'], [[1]]);
        return idsIn(database);
      });
      expect(seen).toEqual([]);
    });

    test('of their own see every chain, change nothing, and see one state in a transaction', async () => {
      const url = await prepared();
      const writer = await open(url);
      const reader = keep(await openPostgresForReading(url));
      await append(writer, 'before');
      const seen = await reader.transaction(async (queries) => {
        const before = await queries.all('SELECT count(*) AS n FROM samples');
        await append(writer, 'meanwhile');
        return [...before, ...(await queries.all('SELECT count(*) AS n FROM samples'))];
      });
      expect(seen).toEqual([{ n: 1 }, { n: 1 }]);
      expect(await idsIn(reader)).toEqual([1, 2]);
      expect(await reasonOf(reader.run('DELETE FROM samples'))).toContain('accepts no changes');
    });

    test('of an empty database are told that there is nothing yet', async () => {
      const failing = openPostgresForReading(await empty());
      expect(await reasonOf(failing)).toContain('holds no audit store yet');
    });
  });

  test('closing waits for what is under way, and can be done twice', async () => {
    const url = await prepared();
    const database = await openPostgres(url, CHAIN);
    const last = append(database, 'last');
    await Promise.all([database.close(), database.close()]);
    await last;
    expect(await reasonOf(idsIn(database))).toContain('was closed');
    expect(await idsIn(await open(url))).toEqual([1]);
  });

  test('the password is in no Fault, however it is printed', async () => {
    const database = await open(await prepared());
    const fault: unknown = await database.all('SELECT * FROM nothing').catch((error) => error);
    const { inspect } = await import('node:util');
    expect(inspect(fault, { depth: 9, showHidden: true })).not.toContain(POSTGRES_PASSWORD);
  });
});
