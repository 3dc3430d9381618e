// Cases 17 and 19 of the hostile list: two sites, each with a Caddy and a sidecar of its own, share one store of
// sessions. It may be down, slow or failing: then it closes. Whoever signed out at one is signed out at both.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runSignet } from '../fixtures/cli.ts';
import { startEdge, type Edge } from '../fixtures/edge.ts';
import { BLOCKS, fatesOf, namedOf, rowsOf } from '../fixtures/hostile.ts';
import { startPostgres, type Postgres } from '../fixtures/postgres.ts';
import { until } from '../fixtures/until.ts';

let postgres: Postgres;
let url: string;
let folder: string;
let one: Edge;
let other: Edge;
beforeAll(async () => {
  postgres = await startPostgres();
  url = await postgres.url('sessions');
  folder = mkdtempSync(join(tmpdir(), 'signet-ring-'));
  const ring = join(folder, 'ring');
  writeFileSync(ring, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
  const shared = { SIGNET_SESSION_STORE: url, SIGNET_KEYS_FILE: ring };
  one = await startEdge(BLOCKS, { extra: shared });
  const { issuer, clientId, clientSecret } = one.provider;
  const sameProvider = {
    ...{ SIGNET_ISSUER: issuer, SIGNET_CLIENT_ID: clientId, SIGNET_CLIENT_SECRET: clientSecret },
  };
  other = await startEdge(BLOCKS, { extra: { ...shared, ...sameProvider } });
});
afterAll(async () => {
  await other?.stop();
  await one?.stop();
  await postgres?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const statusOf = async (edge: Edge, cookie: string) =>
  (await edge.send('/orders', [cookie])).status;

/** How long a session that was found may be believed without asking the store again. */
const BELIEVED_MS = 1_000;

/** Asks the other site until what was found before can't be believed any more; resolves to the last requests. */
async function afterASecond(sinceMs: number, cookie: string): Promise<string[]> {
  while (performance.now() - sinceMs <= BELIEVED_MS) await statusOf(other, cookie);
  other.app.seen.length = 0;
  const ids: string[] = [];
  for (let n = 0; n < 5; n++) ids.push((await other.send('/orders', [cookie])).requestId);
  return ids;
}

async function expectSignedOut(ids: readonly string[]): Promise<void> {
  for (const row of (await rowsOf(other, ids)).values()) {
    expect(row).toMatchObject({ status: 401, decision: 'deny', reason: 'session-unknown' });
    expect(row).not.toHaveProperty('identity');
  }
  expect(other.app.seen).toEqual([]);
}

test('case 19, CVE-2024-21492, CVE-2025-29928: logged out at one site, the replayed cookie is refused there at once, and within a second at the other', async () => {
  const cookie = await one.signIn('alice');
  for (const edge of [one, other]) expect(await statusOf(edge, cookie)).toBe(200);
  const { status } = await one.send('/.signet/logout', [cookie]);
  const sinceMs = performance.now();
  expect(status).toBeLessThan(400);
  const [fate] = await fatesOf(one, [{ target: '/orders', lines: [cookie] }]);
  expect([fate?.reply.status, fate?.seen.length, namedOf(fate!)]).toEqual([401, 0, [undefined]]);
  await expectSignedOut(await afterASecond(sinceMs, cookie));
});

test('case 19, CVE-2025-29928: the same of a session that is revoked by the command, and after a restart', async () => {
  const cookie = await one.signIn('bob');
  for (const edge of [one, other]) expect(await statusOf(edge, cookie)).toBe(200);
  const env = { SIGNET_STATE: one.folder, SIGNET_SESSION_STORE: url };
  const ring = { SIGNET_KEYS_FILE: join(folder, 'ring') };
  const revoke = ['sessions', 'revoke', '--user', 'bob'];
  expect((await runSignet(revoke, { ...env, ...ring })).code).toBe(0);
  await expectSignedOut(await afterASecond(performance.now(), cookie));
  await other.sidecar().kill();
  await other.startSidecar();
  expect(await statusOf(other, cookie)).toBe(401);
});

type Trouble = readonly [string, () => unknown, () => unknown];
const TROUBLES: readonly Trouble[] = [
  ['down', () => postgres.kill(), () => postgres.restart()],
  ['slow beyond all patience', () => postgres.freeze(), () => postgres.thaw()],
  [
    'failing',
    () => postgres.query(url, 'ALTER TABLE signet_sessions RENAME TO away'),
    () => postgres.query(url, 'ALTER TABLE away RENAME TO signet_sessions'),
  ],
];

describe.each(TROUBLES)('a store that is %s', (_, spoil, mend) => {
  test('case 17: is 503 wherever a session’s cookie came, never 2xx, and recovers by itself', async () => {
    const cookie = await one.signIn('alice');
    const unknown = `Cookie: __Host-signet=${'A'.repeat(43)}`;
    expect(await statusOf(one, cookie)).toBe(200);
    await spoil();
    try {
      await until('it closes', async () => (await statusOf(one, cookie)) === 503);
      const withCookie = ['/orders', '/public/x', '/admin/x', '/.signet/me'].flatMap((target) =>
        [cookie, unknown].map((line) => ({ target, lines: [line] })),
      );
      for (const fate of await fatesOf(one, withCookie)) {
        const { target, reply, row, seen } = fate;
        expect({ target, status: reply.status, called: seen.length }).toEqual({
          ...{ target, status: 503, called: 0 },
        });
        expect(row).toMatchObject({ status: 503, reason: 'session-store-unavailable' });
        expect(namedOf(fate)).toEqual([undefined]);
      }
      const without = await fatesOf(one, [{ target: '/orders' }, { target: '/public/x' }]);
      expect(without.map(({ reply }) => reply.status)).toEqual([401, 200]);
    } finally {
      await mend();
    }
    await until('it opens', async () => (await statusOf(one, cookie)) === 200);
    const [fate] = await fatesOf(one, [{ target: '/orders', lines: [cookie] }]);
    expect(namedOf(fate!)).toEqual(['alice']);
  });
});
