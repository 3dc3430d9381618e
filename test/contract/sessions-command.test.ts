// `signet sessions` and `signet keys` as their users meet them: a process of its own beside sessions that are
// in use, on a real store.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createHash, randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openAuditStore } from '../../sidecar/audit/open.ts';
import { deriveKeys, parseKeys, type KeyRing } from '../../sidecar/config/keys.ts';
import { createSqliteSessions } from '../../sidecar/sessions/store-sqlite.ts';
import type { SessionStore } from '../../sidecar/sessions/store.ts';
import { createSessions, type Sessions } from '../../sidecar/sessions/sessions.ts';
import { runSignet } from '../fixtures/cli.ts';
import { identity } from '../fixtures/identities.ts';

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
    details: { why: 'command' },
    user: 'alice',
  });
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
