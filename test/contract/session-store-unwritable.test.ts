// Real stores of sessions that can be read and not be written: a file on a full disk, a PostgreSQL that is read-only,
// as after a failover to a standby. Each tells so, and that it can be written again.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createPostgresSessions } from '../../sidecar/sessions/store-postgres.ts';
import { createSqliteSessions } from '../../sidecar/sessions/store-sqlite.ts';
import { watchWrites } from '../../sidecar/sessions/store-writes.ts';
import type { SessionStore } from '../../sidecar/sessions/store.ts';
import { isPostgresHere, startPostgres } from '../fixtures/postgres.ts';
import { aText, connected } from '../fixtures/session-stores.ts';
import { isMountable, mountSmallDisk } from '../fixtures/small-disk.ts';
import { until } from '../fixtures/until.ts';

type Place = {
  store: SessionStore;
  readonly shut: () => Promise<void>;
  readonly open: () => Promise<void>;
};

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of undo.splice(0).toReversed()) await each();
});

async function onSmallDisk(): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'signet-full-'));
  undo.push(() => rmSync(folder, { recursive: true }));
  const disk = mountSmallDisk(folder, 4);
  undo.push(() => disk.unmount());
  const store = createSqliteSessions({ path: join(folder, 'sessions.db'), now: Date.now });
  undo.push(() => store.close());
  return { store, shut: async () => disk.fill(), open: async () => disk.free() };
}

async function onPostgres(): Promise<Place> {
  const server = await startPostgres();
  undo.push(() => server.stop());
  const url = await server.url('sessions');
  const store = createPostgresSessions({ url, now: Date.now });
  undo.push(() => store.close());
  const others = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = 'sessions' AND pid <> pg_backend_pid()`;
  // From beside it: within it nothing could be altered back.
  const admin = await server.url('admin');
  const setReadOnly = async (to: 'on' | 'off') => {
    await server.query(admin, `ALTER DATABASE sessions SET default_transaction_read_only = ${to}`);
    await server.query(admin, others);
  };
  return { store, shut: () => setReadOnly('on'), open: () => setReadOnly('off') };
}

const PLACES: readonly (readonly [string, () => Promise<Place>])[] = [
  ...(isMountable() ? ([['SQLite on a full disk', onSmallDisk]] as const) : []),
  ...(isPostgresHere() ? ([['a read-only PostgreSQL', onPostgres]] as const) : []),
];

describe.each(PLACES)('%s', (_name, make) => {
  test('tells that it can be read and not be written, until it can', async () => {
    const { store, shut, open } = await make();
    const told = watchWrites(store, Date.now);
    await connected(() => told.put('a', aText(), Date.now()));
    await shut();
    const grown = aText({ payload: 'p'.repeat(200_000) });
    await until('a write fails', async () =>
      told.replace('a', 1, grown).then(
        () => false,
        () => true,
      ),
    );
    expect(told.state()).toMatchObject({ ready: false, readable: true });
    expect(await told.find('a')).toMatchObject({ payload: 'payload' });
    await open();
    await until('it is told that it can be written', () => told.state().ready);
    expect(await told.remove('a')).toBe(true);
  });
});
