// `signet sessions` and `signet keys` as their users meet them: a process of its own beside sessions that are
// in use, on a real store.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createHash, randomBytes } from 'node:crypto';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openAuditStore } from '../../sidecar/audit/open.ts';
import { deriveKeys, parseKeys, type KeyRing } from '../../sidecar/config/keys.ts';
import { createPostgresSessions } from '../../sidecar/sessions/store-postgres.ts';
import { createSqliteSessions } from '../../sidecar/sessions/store-sqlite.ts';
import type { SessionStore } from '../../sidecar/sessions/store.ts';
import { createSessions, type Sessions } from '../../sidecar/sessions/sessions.ts';
import { runSignet, startSignet, type Ended } from '../fixtures/cli.ts';
import { identity } from '../fixtures/identities.ts';
import { startPostgres } from '../fixtures/postgres.ts';
import { until } from '../fixtures/until.ts';

let folder: string;
let store: SessionStore;
let sessions: Sessions;
let nowMs: number;

const keyLine = () => randomBytes(32).toString('base64');

function ring(): KeyRing {
  const parsed = parseKeys(readFileSync(join(folder, 'keys'), 'utf8'));
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed;
}

// As a running sidecar has them: it takes over the ring of the file.
let keys: ReturnType<typeof deriveKeys>;
const takeOver = () => (keys = deriveKeys(ring(), 'session'));

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'signet-'));
  writeFileSync(join(folder, 'keys'), `${keyLine()} # the first\n`, { mode: 0o600 });
  takeOver();
  nowMs = Date.now();
  await (await openAuditStore({ path: join(folder, 'audit.db') })).close();
  store = createSqliteSessions({ path: join(folder, 'sessions.db'), now: () => nowMs });
  const lifetimes = { idleMs: 3_600_000, absoluteMs: 86_400_000 };
  sessions = createSessions({ store, now: () => nowMs, ...lifetimes, keys: () => keys });
});
afterEach(async () => {
  await sessions.close();
  await store.close();
  rmSync(folder, { recursive: true });
});

const signet = (...args: string[]) => runSignet([...args, '--state', folder]);
const signIn = (user: string, issuer = 'https://idp.example') =>
  sessions.begin({ identity: identity({ user, subject: `${user}-subject`, issuer }) });
const hashOf = (cookie: string) => createHash('sha256').update(cookie).digest('hex').slice(0, 16);
const UNKNOWN = { refused: 'session-unknown' };

test('the list has each session with its hash, and nothing that opens anything', async () => {
  const cookie = await signIn('alice');
  await signIn('bob');
  const { code, out } = await signet('sessions', 'list', '--user', 'alice');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ session: hashOf(cookie), user: 'alice' });
  expect(out).not.toContain(cookie);
});

test('where nobody is signed in, the list says so and ends with 1', async () => {
  const { code, out } = await signet('sessions', 'list', '--format', 'table');
  expect([code, out]).toEqual([1, 'Nobody is signed in.\n']);
});

test('revoking a user ends all of their sessions within the second, and nobody else’s', async () => {
  const hers = [await signIn('alice'), await signIn('alice')];
  const his = await signIn('bob');
  for (const cookie of hers) await sessions.find(cookie);
  const { code, out } = await signet('sessions', 'revoke', '--user', 'alice');
  expect([code, out]).toEqual([0, '2 sessions ended\n']);
  nowMs += 1_000;
  for (const cookie of hers) expect(await sessions.find(cookie)).toEqual(UNKNOWN);
  expect(await sessions.find(his)).toMatchObject({ user: 'bob' });
});

test('a user of another issuer of the same name stays, where the issuer is said', async () => {
  const hers = await signIn('alice');
  const other = await signIn('alice', 'https://other.example');
  await signet('sessions', 'revoke', '--user', 'alice', '--issuer', 'https://idp.example');
  nowMs += 1_000;
  expect(await sessions.find(hers)).toEqual(UNKNOWN);
  expect(await sessions.find(other)).toMatchObject({ issuer: 'https://other.example' });
});

test('each session that is ended is an event of its person', async () => {
  const cookie = await signIn('alice');
  await signet('sessions', 'revoke', '--session', hashOf(cookie));
  const { out } = await signet('audit', '--kind', 'event', '--format', 'json');
  const [event] = out.split('\n').filter((line) => line.includes('session-revoked'));
  expect(JSON.parse(event ?? '{}')).toMatchObject({
    event: 'session-revoked',
    details: { why: 'command', by: userInfo().username, recorded: 'beforehand' },
    user: 'alice',
  });
});

const revokedRows = () => {
  const database = new DatabaseSync(join(folder, 'audit.db'), { readOnly: true });
  const sql = `SELECT * FROM audit_rows WHERE event = 'session-revoked' ORDER BY sequence`;
  const rows = database.prepare(sql).all();
  database.close();
  return rows;
};
const revoked = () => revokedRows().map(({ details }) => JSON.parse(String(details)) as object);
const byCommand = (recorded: 'beforehand' | 'withdrawn') => ({
  ...{ why: 'command', by: userInfo().username },
  recorded,
});

/** Keeps everybody else from writing this file of the folder, until `free`. */
function locked(file: string): { free(): void } {
  const lock = new DatabaseSync(join(folder, file));
  lock.exec('BEGIN IMMEDIATE');
  return {
    free: () => {
      lock.exec('ROLLBACK');
      lock.close();
    },
  };
}

/** Starts it, and locks the sessions once it has found that they can be written; then it records. */
async function startedWithLock() {
  const watch = new DatabaseSync(join(folder, 'sessions.db'));
  const changes = () => Number(watch.prepare('PRAGMA data_version').get()?.['data_version']);
  const before = changes();
  const record = locked('audit.db');
  const started = startSignet(['sessions', 'revoke', '--all', '--state', folder]);
  await until('it has tried to write', () => changes() !== before);
  watch.close();
  const lock = locked('sessions.db');
  record.free();
  return { ...started, lock };
}

describe('where the session store can’t be written', () => {
  test('nothing is recorded while another process holds a lock on it: they go on', async () => {
    const cookie = await signIn('alice');
    const lock = locked('sessions.db');
    const { code, out, err } = await signet('sessions', 'revoke', '--all');
    lock.free();
    expect([code, out]).toEqual([69, '']);
    expect(err).toContain('sessions.db');
    expect(revoked()).toEqual([]);
    nowMs += 1_000;
    expect(await sessions.find(cookie)).toMatchObject({ user: 'alice' });
  });

  test('nothing is recorded in a PostgreSQL that is read-only', async () => {
    const server = await startPostgres();
    const url = await server.url('sessions');
    const shared = createPostgresSessions({ url, now: () => nowMs });
    const lifetimes = { idleMs: 3_600_000, absoluteMs: 86_400_000 };
    const there = createSessions({
      ...{ store: shared, now: () => nowMs, ...lifetimes, keys: () => keys },
    });
    try {
      await there.begin({ identity: identity({ user: 'alice' }) });
      await server.query(url, 'ALTER DATABASE sessions SET default_transaction_read_only = on');
      const settings = { SIGNET_STATE: folder, SIGNET_SESSION_STORE: url };
      const { code, err } = await runSignet(['sessions', 'revoke', '--all'], settings);
      expect([code, err]).toEqual([69, expect.stringContaining('read-only')]);
      expect(revoked()).toEqual([]);
    } finally {
      await there.close();
      await shared.close();
      await server.stop();
    }
  });

  /** What was recorded of one whose end failed, after it was recorded. */
  async function failed(): Promise<Ended> {
    const { ended, lock } = await startedWithLock();
    const { code, out, err } = await ended;
    lock.free();
    return { code, out, err };
  }

  test('from the record on, the event is taken back, and it says of how many', async () => {
    await signIn('alice');
    const { code, out, err } = await failed();
    expect([code, out]).toEqual([69, '']);
    expect(err).toContain(
      'recorded beforehand, and not ended: 1 (it is recorded that this failed)',
    );
    expect(revoked()).toEqual([byCommand('beforehand'), byCommand('withdrawn')]);
  });

  test('the next attempt has an event of its own', async () => {
    await signIn('alice');
    await failed();
    expect((await signet('sessions', 'revoke', '--all')).out).toBe('1 session ended\n');
    expect(revoked().slice(2)).toEqual([byCommand('beforehand')]);
  });

  test('the id that another end of the session is recorded by stays free', async () => {
    const hash = hashOf(await signIn('alice'));
    await failed();
    const ids = revokedRows().map((row) => row['request_id']);
    expect(ids).toHaveLength(2);
    expect(ids).not.toContain(`session-revoked:${hash}`);
  });
});

describe('stopped between the record of a page and its end', () => {
  const [more, page] = [60, 50];
  const open = async () => (await store.list(undefined, 500)).length;

  /** Sends the signal when the first events are there, while nobody can write sessions. */
  async function stoppedBy(signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL'): Promise<Ended> {
    const { child, ended, lock } = await startedWithLock();
    await until('the first events', () => revoked().length > 0);
    child.kill(signal);
    if (signal === 'SIGKILL') await ended;
    lock.free();
    return ended;
  }

  beforeEach(async () => {
    for (let at = 0; at < more; at++) await signIn(`person-${at}`);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'by %s, what is recorded is ended, it says how many that were, and ends with 130',
    async (signal) => {
      const { code, out, err } = await stoppedBy(signal);
      expect([code, out]).toEqual([130, `${page} sessions ended\n`]);
      expect(err).toContain('interrupted');
      expect([revoked().length, await open()]).toEqual([page, more - page]);
    },
  );

  test('by SIGKILL, the events are there, and say that they were written beforehand', async () => {
    await stoppedBy('SIGKILL');
    expect(await open()).toBe(more);
    expect(revoked()).toEqual(Array.from({ length: page }, () => byCommand('beforehand')));
  });

  test('run again, it ends all, and records each: the earlier events came to nothing', async () => {
    await stoppedBy('SIGKILL');
    expect((await signet('sessions', 'revoke', '--all')).out).toBe(`${more} sessions ended\n`);
    expect(revoked()).toHaveLength(page + more);
  });
});

test('who ends sessions by sudo is named as who called it', async () => {
  await signIn('alice');
  const args = ['sessions', 'revoke', '--all', '--state', folder];
  expect((await runSignet(args, { SUDO_USER: 'oncall' })).code).toBe(0);
  const { out } = await signet('audit', '--event', 'session-revoked', '--format', 'json');
  expect(JSON.parse(out)).toMatchObject({ details: { by: 'oncall' } });
});

test('the list says when the provider last confirmed a session, or that it is never asked', async () => {
  await signIn('alice');
  await sessions.begin({ identity: identity({ user: 'bob' }), tokens: { refreshToken: 'r' } });
  const { out } = await signet('sessions', 'list', '--format', 'json');
  const checked = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { user: string; checked: string | null });
  expect(checked.find(({ user }) => user === 'alice')?.checked).toBeNull();
  expect(checked.find(({ user }) => user === 'bob')?.checked).toBe(new Date(nowMs).toISOString());
  const table = (await signet('sessions', 'list', '--format', 'table')).out;
  expect(table).toMatch(/CHECKED[^]*bob .* now {2,}now\n/);
  expect(table).toMatch(/alice .* never {2,}now\n/);
});

test('without saying which, nothing is revoked', async () => {
  const cookie = await signIn('alice');
  const { code, err } = await signet('sessions', 'revoke');
  expect(code).toBe(2);
  expect(err).toContain('--all');
  nowMs += 1_000;
  expect(await sessions.find(cookie)).toMatchObject({ user: 'alice' });
});

test('--all ends such as no key of the ring opens, too', async () => {
  await signIn('alice');
  writeFileSync(join(folder, 'keys'), `${keyLine()}\n`);
  const listed = await signet('sessions', 'list');
  expect([listed.code, listed.out]).toEqual([1, '']);
  expect(listed.err).toContain("1 more can't be read");
  expect((await signet('sessions', 'revoke', '--all')).out).toBe('1 session ended\n');
});

test('a state folder without a session store is said to have none, and gets none', async () => {
  const empty = mkdtempSync(join(tmpdir(), 'signet-'));
  const { code, err } = await runSignet(['sessions', 'list', '--state', empty]);
  expect([code, err]).toEqual([69, expect.stringContaining('there is no session store')]);
  rmSync(empty, { recursive: true });
});

describe('--state where the settings name PostgreSQL', () => {
  const shared = (...args: string[]) =>
    runSignet(args, {
      SIGNET_STATE: folder,
      SIGNET_SESSION_STORE: 'postgres://signet:secret@127.0.0.1:1/signet',
    });
  const said = expect.stringContaining('sessions are in PostgreSQL: leave --state out');

  test('a folder without a file of sessions is not where they are, and the message says so', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'signet-'));
    const { code, err } = await shared('sessions', 'list', '--state', empty);
    expect([code, err]).toEqual([69, said]);
    rmSync(empty, { recursive: true });
  });

  test('a file that was left behind in the folder of the settings is not taken for it', async () => {
    const cookie = await signIn('alice');
    const { code, err } = await shared('sessions', 'revoke', '--all', '--state', folder);
    expect([code, err]).toEqual([69, said]);
    nowMs += 1_000;
    expect(await sessions.find(cookie)).toMatchObject({ user: 'alice' });
  });

  test('a key is not removed as if nobody were signed in by it', async () => {
    await signet('keys', 'rotate');
    const [, old = ''] = (await signet('keys', 'list')).out.split('\n');
    const id = old.split(' ')[0] ?? '';
    const { code, err } = await shared('keys', 'remove', id, '--state', folder);
    expect([code, err]).toEqual([1, expect.stringContaining('can’t be asked')]);
  });

  test('the help says which store it looks for', async () => {
    const { out } = await runSignet(['sessions', 'list', '--help']);
    expect(out.replaceAll(/\s+/g, ' ')).toContain('SQLite file is meant; leave it out where');
  });
});

test('rotations at once lose no key', async () => {
  const rotated = await Promise.all(Array.from({ length: 4 }, () => signet('keys', 'rotate')));
  expect(rotated.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
  const { out } = await signet('keys', 'list');
  const added = rotated.map((one) => one.out.split(' ')[0]);
  expect(out.trimEnd().split('\n')).toHaveLength(5);
  for (const id of added) expect(out).toContain(id);
});

test('rotated keys: whoever is signed in stays so, is sealed anew, and the old key can go', async () => {
  const cookie = await signIn('alice');
  expect((await signet('keys', 'rotate')).code).toBe(0);
  const [, old = ''] = (await signet('keys', 'list')).out
    .split('\n')
    .map((line) => line.split(' ')[0]);
  expect((await signet('keys', 'remove', old)).err).toContain('1 session is sealed by it');
  takeOver();
  nowMs += 1_000;
  expect(await sessions.find(cookie)).toMatchObject({ user: 'alice' });
  await sessions.flush();
  expect((await signet('keys', 'remove', old)).code).toBe(0);
  takeOver();
  nowMs += 1_000;
  expect(await sessions.find(cookie)).toMatchObject({ user: 'alice' });
});

test('a staged key opens before it seals; then it seals', async () => {
  const before = (await signet('keys', 'list')).out.slice(0, 16);
  await signet('keys', 'rotate', '--stage');
  expect((await signet('keys', 'list')).out.slice(0, 16)).toBe(before);
  await signet('keys', 'rotate', '--staged');
  const after = (await signet('keys', 'list')).out.split('\n');
  expect(after[0]?.slice(0, 16)).not.toBe(before);
  expect(after[1]).toContain(before);
});

test('a second time nothing is put in front, and no second key is staged', async () => {
  expect((await signet('keys', 'rotate', '--staged')).err).toContain('nothing is staged');
  await signet('keys', 'rotate', '--stage');
  const [, staged] = (await signet('keys', 'list')).out
    .split('\n')
    .map((line) => line.slice(0, 16));
  const again = await signet('keys', 'rotate', '--stage');
  expect([again.code, again.err]).toEqual([1, expect.stringContaining(`${staged} is staged`)]);
  await signet('keys', 'rotate', '--staged');
  const { code, err } = await signet('keys', 'rotate', '--staged');
  expect([code, err]).toEqual([1, expect.stringContaining('nothing is staged')]);
  expect((await signet('keys', 'list')).out.slice(0, 16)).toBe(staged);
});

test('the ring stays as private as it was, and the key that seals can’t be removed', async () => {
  await signet('keys', 'rotate');
  expect(statSync(join(folder, 'keys')).mode & 0o777).toBe(0o600);
  const [first = ''] = (await signet('keys', 'list')).out.split(' ');
  const { code, err } = await signet('keys', 'remove', first);
  expect([code, err]).toEqual([1, expect.stringContaining('is the one that seals')]);
});

test('a ring that stands in a variable is not a file to be changed', async () => {
  const { code, err } = await runSignet(['keys', 'list'], { SIGNET_KEYS: keyLine() });
  expect([code, err]).toEqual([78, expect.stringContaining('SIGNET_KEYS')]);
});

test('a session whose times make no sense holds up no command, and --all ends it, too', async () => {
  const broken = await signIn('mallory');
  await signIn('alice');
  const database = new DatabaseSync(join(folder, 'sessions.db'));
  const spoil = `UPDATE sessions SET seen_ms = 9223372036854775807 WHERE key LIKE ? || '%'`;
  database.prepare(spoil).run(hashOf(broken));
  database.close();
  const { out, err } = await signet('sessions', 'list');
  expect(JSON.parse(out)).toMatchObject({ user: 'alice' });
  expect(err).toContain("1 more can't be read");
  expect((await signet('sessions', 'revoke', '--all')).out).toBe('2 sessions ended\n');
});
