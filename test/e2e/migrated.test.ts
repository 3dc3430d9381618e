// Whoever moves from oauth2-proxy to Signet by deploy/migrating.md lets in the same requests as before, and
// refuses the same. The guide's own blocks run here, beside each other.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  peopleWith,
  realPeople,
  startMigrated,
  type Migrated,
  type Side,
} from '../fixtures/migrated.ts';

/** oauth2-proxy may have to be built first. */
const START_MS = 15 * 60_000;
const SIDES = ['theirs', 'ours'] as const;

let world: Migrated;
/** Header lines by who asks, at each side. */
const evidence: Record<Side, Record<string, string[]>> = { theirs: {}, ours: {} };

beforeAll(async () => {
  world = await startMigrated(realPeople);
  const token = await world.people.token('deploy-agent');
  const tampered = `${token.slice(0, -8)}AAAAAAAA`;
  for (const side of SIDES) {
    evidence[side] = {
      nobody: [],
      alice: [await world.signIn(side, 'alice')],
      bob: [await world.signIn(side, 'bob')],
      'a service': [`Authorization: Bearer ${token}`],
      'a forged token': [`Authorization: Bearer ${tampered}`],
      'an opaque token': ['Authorization: Bearer 0123456789abcdef'],
    };
  }
}, START_MS);

afterAll(() => world?.stop());

/** Asks one side; also says what of it reached the app. */
async function send(side: Side, who: string, path: string, more: string[] = [], method = 'GET') {
  const before = world.app.seen.length;
  const headers = [...(evidence[side][who] ?? []), ...more];
  const { status } = await world.ask(side, path, headers, method);
  return { status, seen: world.app.seen[before] };
}

describe('is allowed by both, or refused by both', () => {
  const NAVIGATION = ['Sec-Fetch-Mode: navigate', 'Accept: text/html'];
  test.each<[string, string, string, boolean, string[]]>([
    ['nobody', 'GET', '/', false, NAVIGATION],
    ['nobody', 'GET', '/', false, []],
    ['nobody', 'POST', '/orders', false, []],
    ['alice', 'GET', '/', true, NAVIGATION],
    ['alice', 'POST', '/orders?id=1', true, []],
    ['bob', 'GET', '/', true, []],
    ['alice', 'GET', '/admin', true, []],
    ['alice', 'DELETE', '/admin/users/7', true, []],
    ['bob', 'GET', '/admin', false, []],
    ['bob', 'GET', '/admin/users', false, []],
    ['bob', 'GET', '/ADMIN', false, []],
    ['bob', 'GET', '//admin', false, []],
    ['bob', 'GET', '/%61dmin', false, []],
    ['bob', 'GET', '/x/../admin', false, []],
    ['bob', 'GET', '/administration', true, []],
    ['nobody', 'GET', '/health', true, []],
    ['nobody', 'GET', '/health?full=1', true, []],
    ['nobody', 'GET', '/healthz', false, []],
    ['nobody', 'GET', '/health/deep', false, []],
    ['alice', 'GET', '/health', true, []],
    ['a service', 'GET', '/', true, []],
    ['a service', 'GET', '/admin', false, []],
    ['a forged token', 'GET', '/', false, []],
    ['an opaque token', 'GET', '/', false, []],
    ['nobody', 'GET', '/', false, ['Remote-User: alice', 'X-Auth-Request-User: alice']],
    ['nobody', 'GET', '/', false, ['X-Forwarded-Uri: /health', 'X-Forwarded-Method: GET']],
    ['bob', 'GET', '/admin', false, ['X-Forwarded-Uri: /', 'X-Original-URL: /']],
    ['bob', 'GET', '/admin', false, ['X-Auth-Request-Groups: engineer', 'Remote-Groups: engineer']],
    ['nobody', 'GET', '/', false, ['Cookie: _oauth2_proxy=x; __Host-signet=x']],
  ])('%s, %s %s: %s %j', async (who, method, path, isAllowed, more) => {
    for (const side of SIDES) {
      const { seen } = await send(side, who, path, more, method);
      expect({ side, isAllowed: seen !== undefined }).toEqual({ side, isAllowed });
    }
  });
});

test.each(['alice', 'bob'])(
  'the app reads the same of %s under the names it knows',
  async (who) => {
    const [theirs, ours] = [await send('theirs', who, '/'), await send('ours', who, '/')];
    for (const name of ['Preferred-Username', 'Email', 'Groups']) {
      const header = `X-Auth-Request-${name}`;
      expect(ours.seen?.values(header)).toEqual(theirs.seen?.values(header));
    }
    expect(ours.seen?.values('X-Auth-Request-Preferred-Username')).toEqual([who]);
  },
);

test('nobody but the edge sets the names that the app knows, not even where it is public', async () => {
  const forged = ['X-Auth-Request-Preferred-Username: root', 'X-Auth-Request-Groups: root'];
  const { seen } = await send('ours', 'nobody', '/health', forged);
  expect(seen?.names().filter((name) => name.startsWith('x-auth-request'))).toEqual([]);
});

test('a session of one is none of the other: people sign in anew', async () => {
  const [theirs = ''] = evidence.theirs['alice'] ?? [];
  const [ours = ''] = evidence.ours['alice'] ?? [];
  expect((await send('ours', 'nobody', '/', [theirs])).seen).toBeUndefined();
  expect((await send('theirs', 'nobody', '/', [ours])).seen).toBeUndefined();
});

describe('is refused in another way', () => {
  test('a call without a session is a 401 where it was a redirect', async () => {
    expect((await send('theirs', 'nobody', '/api')).status).toBe(302);
    expect((await send('ours', 'nobody', '/api')).status).toBe(401);
  });

  test('a method that is not public is refused, where theirs took it: it sees the question, a GET', async () => {
    expect((await send('theirs', 'nobody', '/health', [], 'POST')).status).toBe(200);
    expect((await send('ours', 'nobody', '/health', [], 'POST')).status).toBe(401);
  });

  test('known and not allowed is a 403 of both', async () => {
    expect((await send('theirs', 'bob', '/admin')).status).toBe(403);
    expect((await send('ours', 'bob', '/admin')).status).toBe(403);
  });
});

describe('is decided otherwise, as the guide says', () => {
  const address = { email: 'erin@example.com', email_verified: true };
  const LOGINS = {
    'somebody with the role': { ...address, roles: ['engineer'] },
    'somebody with a group': { ...address, groups: ['engineer'] },
    'somebody whose address is unverified': { ...address, email_verified: false },
    'somebody with the role and an unverified address': {
      ...{ ...address, email_verified: false, roles: ['engineer'] },
    },
    'somebody whose address may be verified': { email: address.email },
    'somebody without an address': {},
  };
  let other: Migrated;
  beforeAll(async () => {
    other = await startMigrated(peopleWith(LOGINS));
  }, START_MS);
  afterAll(() => other?.stop());

  /** What a browser or a program sends; a browser that could not sign in has nothing to send. */
  async function evidenceOf(side: Side, who: string, how: string): Promise<string[]> {
    if (how === 'token') return [`Authorization: Bearer ${await other.people.token(who)}`];
    return other.signIn(side, who).then(
      (cookie) => [cookie],
      () => [],
    );
  }

  async function isLetIn(side: Side, who: string, how: string, path: string): Promise<boolean> {
    const before = other.app.seen.length;
    await other.ask(side, path, await evidenceOf(side, who, how));
    return other.app.seen[before] !== undefined;
  }

  type Row = [who: keyof typeof LOGINS, how: string, path: string, theirs: boolean, ours: boolean];
  test.each<Row>([
    ['somebody whose address is unverified', 'browser', '/', false, true],
    ['somebody whose address is unverified', 'token', '/', false, true],
    ['somebody with the role and an unverified address', 'browser', '/admin', false, true],
    ['somebody without an address', 'browser', '/', false, true],
    ['somebody with the role', 'token', '/admin', false, true],
    ['somebody with a group', 'token', '/admin', true, false],
    // What is decided alike beside it.
    ['somebody whose address may be verified', 'browser', '/', true, true],
    ['somebody whose address may be verified', 'token', '/', true, true],
    ['somebody without an address', 'token', '/', true, true],
    ['somebody with the role', 'browser', '/admin', true, true],
    ['somebody with the role', 'token', '/', true, true],
    ['somebody whose address is unverified', 'browser', '/admin', false, false],
    ['somebody whose address is unverified', 'token', '/admin', false, false],
  ])('%s, by %s, %s: oauth2-proxy %s, Signet %s', async (who, how, path, theirs, ours) => {
    expect({
      theirs: await isLetIn('theirs', who, how, path),
      ours: await isLetIn('ours', who, how, path),
    }).toEqual({ theirs, ours });
  });

  test('an address that is unverified reaches no app', async () => {
    const who = 'somebody whose address is unverified';
    const before = other.app.seen.length;
    await other.ask('ours', '/', await evidenceOf('ours', who, 'token'));
    expect(other.app.seen[before]?.names()).not.toContain('x-auth-request-email');
  });
});
