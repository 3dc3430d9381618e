// Nobody speaks for someone else: what of a client's identity headers, in every spelling, reaches the
// app through the snippets, asserted on the app's raw headers. Hostile cases 1–8.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { SeenRequest } from '../fixtures/caddy.ts';
import { ALICE, ALICE_HEADERS, CAROL, CAROL_HEADERS, startSite } from './snippet-site.ts';
import type { Site } from './snippet-site.ts';

let site: Site;
beforeAll(async () => {
  site = await startSite();
});
afterAll(() => site.stop());
beforeEach(() => {
  site.app.seen.length = 0;
  site.questions.length = 0;
});

/** Every name that an app might take for one of ours, whatever it maps names to. */
const isOurs = (name: string) => /^(remote|signet)[^a-z0-9]*/i.test(name);
const ours = (request: SeenRequest | undefined) => request?.names().filter(isOurs).toSorted();
const VOUCHED = ['remote-groups', 'remote-user'];

/** Spellings of one claim. */
const SPELLINGS: readonly (readonly string[])[] = [
  ['Remote-User: admin'],
  ['remote-user: admin'],
  ['REMOTE-USER: admin'],
  ['Remote_User: admin'],
  ['remote_user: admin'],
  ['Remote-User_: admin'],
  ['Remote.User: admin'],
  ['remote.user: admin'],
  ['Remote~User: admin'],
  ['Remote!User: admin'],
  ['RemoteUser: admin'],
  ['Remote-User: admin', 'Remote-User: root'],
  ['Remote-User: admin', 'remote_user: admin', 'Remote.User: admin'],
  ['Remote-Team: root', 'Remote-Email: root@example.com', 'Remote-Name: Root'],
  ['Remote-User-Type: service', 'Remote-Groups: admins'],
  ['Signet-Stamp: forged', 'Signet.Stamp: forged', 'signet_stamp: forged'],
  ['Signet-Key: forged'],
];

const BLOCKS = ['/public', '/open', '/prefix/x', '/'];

describe.each(SPELLINGS.map((lines) => ({ lines, name: lines.join(' + ') })))(
  'GHSA-7r4p, GHSA-f59h, GHSA-49wc: `$name`',
  ({ lines }) => {
    test('never reaches the app of a public or an unprotected block when signed out', async () => {
      for (const path of ['/public', '/open']) await site.ask(path, ...lines);
      expect(site.app.seen).toHaveLength(2);
      for (const request of site.app.seen) expect(ours(request)).toEqual([]);
    });

    test('gives way to what the gate vouched for when signed in', async () => {
      for (const path of BLOCKS) await site.ask(path, ALICE, ...lines);
      expect(site.app.seen).toHaveLength(BLOCKS.length);
      for (const request of site.app.seen) {
        const isOpen = request.url === '/open';
        expect(ours(request)).toEqual(isOpen ? [] : VOUCHED);
        expect(request.values('remote-user')).toEqual(isOpen ? [] : ['alice']);
      }
    });

    test('gives way as well when all is known of who is signed in', async () => {
      await site.ask('/', CAROL, ...lines, 'Tracestate: a=1', 'Baggage: user.id=admin');
      const [request] = site.app.seen;
      const names = Object.keys(CAROL_HEADERS).map((name) => name.toLowerCase());
      expect(ours(request)).toEqual(names.filter(isOurs).toSorted());
      for (const [name, value] of Object.entries(CAROL_HEADERS)) {
        expect(request?.values(name)).toEqual([value]);
      }
      expect(request?.values('tracestate')).toEqual([]);
    });

    test('is not seen by the gate either', async () => {
      await site.ask('/', ...lines);
      const { headers } = site.questions[0]!;
      const claimed = Object.entries(headers).filter(([name]) => isOurs(name));
      expect(claimed).toEqual([['signet-key', '']]);
    });
  },
);

/** Ways to make a proxy drop what it was told to add. */
const HOPS: readonly (readonly string[])[] = [
  ['Connection: close, Remote-User, traceparent'],
  ['Connection: close, remote-user, baggage'],
  ['connection: REMOTE-USER'],
  ['Connection: close', 'Connection: Remote-User, Traceparent'],
  ['Connection: Remote-User', 'Connection: close'],
  ['Connection: close,Remote-Groups,X-Request-Id,Baggage,Tracestate'],
  ['Connection: keep-alive, , Remote-User'],
  ['Connection: Authorization, Cookie'],
  ['Connection: X-Set-By-The-Operator'],
];

test.each(HOPS.map((lines) => ({ lines, name: lines.join(' + ') })))(
  'GHSA-w9mr: `$name` takes nothing away that the gate added',
  async ({ lines }) => {
    const { status } = await site.ask('/', ALICE, 'Cookie: a=1', ...lines);
    expect(status).toBe(200);
    const request = site.app.seen[0]!;
    for (const [name, value] of Object.entries(ALICE_HEADERS)) {
      expect(request.values(name)).toEqual([value]);
    }
    expect(request.values('x-request-id')).toHaveLength(1);
    expect(request.values('cookie')).toEqual(['a=1']);
    expect(request.values('authorization')).toEqual(['Bearer alice']);
  },
);

test('what the gate did not vouch for is absent at the app, not a placeholder', async () => {
  await site.ask('/', ALICE, 'Remote-Team: root');
  const request = site.app.seen[0]!;
  expect(request.values('remote-team')).toEqual([]);
  expect(request.rawHeaders.join('\n')).not.toContain('{http');
});

test('where the gate let through and said nothing, the app gets nothing, least of all a placeholder', async () => {
  const claims = ['Remote-User: admin', 'Baggage: user.id=admin', 'Tracestate: a=1'];
  await site.ask('/public', ...claims, 'Traceparent: 00-bad');
  const request = site.app.seen[0]!;
  expect(ours(request)).toEqual([]);
  for (const name of ['baggage', 'tracestate', 'traceparent']) {
    expect(request.values(name)).toEqual([]);
  }
  expect(request.rawHeaders.join('\n')).not.toContain('{http');
});

test("a client's baggage and traceparent give way to the gate's, once each", async () => {
  await site.ask('/', ALICE, 'baggage: user.id=admin', 'Baggage: team=root', 'traceparent: 00-bad');
  expect(site.app.seen[0]?.values('baggage')).toEqual([ALICE_HEADERS.Baggage]);
  expect(site.app.seen[0]?.values('traceparent')).toEqual([ALICE_HEADERS.Traceparent]);
});

test("an app's own Remote-User, stamp and request id reach neither the client nor the log", async () => {
  for (const path of ['/headers', '/open/headers']) {
    const answer = await site.ask(path, ALICE);
    expect(answer.values('x-app')).toEqual(['yes']);
    expect(answer.head).not.toMatch(/^(remote|signet)/im);
    expect(answer.values('x-request-id')).toHaveLength(1);
    expect(answer.values('x-request-id')).not.toContain('id-of-the-app');
  }
  expect(await site.logText()).not.toMatch(/of-the-app/);
});

test('neither the app nor the client sees a stamp or the key', async () => {
  for (const path of ['/', '/.signet/me', '/admin']) {
    expect((await site.ask(path, ALICE)).head).not.toMatch(/signet-/i);
  }
  expect(ours(site.app.seen[0])).toEqual(VOUCHED);
});

test('GHSA-j8px: a user name that looks like a placeholder stays as it is', async () => {
  const user = '{env.APP_SECRET}';
  const other = await startSite({ user });
  try {
    await other.ask('/', ALICE);
    expect(other.app.seen[0]?.values('remote-user')).toEqual([user]);
    expect((await other.log())[0]?.user_id).toBe(user);
  } finally {
    await other.stop();
  }
});

test('a gate on TCP is asked with the shared key, which goes nowhere else', async () => {
  const gateKey = 'key-of-the-gate';
  const other = await startSite({ gateKey });
  try {
    expect((await other.ask('/', ALICE, 'Signet-Key: forged')).status).toBe(200);
    expect((await other.ask('/.signet/me', 'Signet-Key: forged')).status).toBe(200);
    expect(other.questions.map(({ headers }) => headers['signet-key'])).toEqual([gateKey, gateKey]);
    expect(other.app.seen[0]?.rawHeaders.join('\n')).not.toContain(gateKey);
    expect((await other.ask('/headers', ALICE)).head).not.toContain(gateKey);
    expect(await other.logText()).not.toContain(gateKey);
  } finally {
    await other.stop();
  }
});
