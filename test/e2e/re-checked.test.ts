// What becomes of people at the provider becomes of their sessions here, and is in the record: through a real
// Caddy, the sidecar as a process, and a real provider that rotates refresh tokens.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startEdge, type Edge } from '../fixtures/edge.ts';
import { connect } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PEOPLE } from '../fixtures/provider.ts';
import { SITE } from '../fixtures/site.ts';
import { until } from '../fixtures/until.ts';

let edge: Edge;
beforeAll(async () => {
  edge = await startEdge(SITE, {
    settings: 'session: { recheck: 1s }\n',
    people: (origin) => ({
      refreshTokens: 'rotating',
      backChannelLogoutUri: `${origin}/.signet/back-channel-logout`,
    }),
  });
});
afterAll(async () => edge.stop());

const isRefused = async (cookie: string) => (await edge.send('/orders', [cookie])).status === 401;
const isGateClosed = () =>
  new Promise<boolean>((resolve) => {
    const socket = connect(join(edge.folder, 'run', 'sidecar.sock'));
    socket.once('connect', () => resolve(false)).once('error', () => resolve(true));
    socket.once('connect', () => socket.destroy());
  });
const revokedOf = (user: string) =>
  edge
    .allRows()
    .filter((row) => row.kind === 'event' && row.event === 'session-revoked')
    .filter(({ identity }) => identity?.user === user);

test('another team at the provider is another team here, without another sign-in', async () => {
  const cookie = await edge.signIn('alice');
  await edge.send('/orders', [cookie]);
  expect(edge.app.seen.at(-1)?.values('remote-team')).toEqual(['payments']);
  edge.provider.change('alice', { ...PEOPLE['alice'], roles: [], team: 'audit' });
  await until('the other team', async () => {
    expect((await edge.send('/orders', [cookie])).status).toBe(200);
    return edge.app.seen.at(-1)?.values('remote-team')[0] === 'audit';
  });
  expect((await edge.row((await edge.send('/orders', [cookie])).requestId)).identity?.team).toBe(
    'audit',
  );
});

test('whoever is gone at the provider is refused here, and the record says whose session ended', async () => {
  const cookie = await edge.signIn('bob');
  expect(await isRefused(cookie)).toBe(false);
  edge.provider.revoke('bob');
  await until('it is refused', () => isRefused(cookie));
  await until('the event', () => revokedOf('bob').length > 0);
  expect(revokedOf('bob')).toMatchObject([{ details: { why: 'provider' } }]);
});

test('whoever signs out at the provider is signed out here, and the record says who', async () => {
  const [hers, other] = [await edge.signIn('carol'), await edge.signIn('dave')];
  expect(await isRefused(hers)).toBe(false);
  await edge.provider.logOutByBackChannel('carol');
  await until('it is refused', () => isRefused(hers));
  expect(await isRefused(other)).toBe(false);
  await until('the event', () => revokedOf('carol').length > 0);
  expect(revokedOf('carol')).toMatchObject([{ details: { why: 'provider' } }]);
});

test('a sign-out at the provider that was answered is recorded, though Signet is killed and could not record it', async () => {
  const cookie = await edge.signIn('carol');
  const { sessionHash } = (await edge.row((await edge.send('/orders', [cookie])).requestId))
    .identity!;
  const lock = new DatabaseSync(join(edge.folder, 'audit.db'));
  lock.exec('BEGIN IMMEDIATE');
  await edge.provider.logOutByBackChannel('carol');
  await edge.sidecar().kill();
  lock.exec('ROLLBACK');
  lock.close();
  await edge.startSidecar();
  const events = () =>
    revokedOf('carol').filter(({ identity }) => identity?.sessionHash === sessionHash);
  await until('the event', () => events().length > 0);
  expect(events()).toMatchObject([{ details: { why: 'provider' }, route: 'signet' }]);
});

test('an end that stamp and memory both tell of is one row', async () => {
  const cookie = await edge.signIn('carol');
  await edge.row((await edge.send('/orders', [cookie])).requestId);
  const before = revokedOf('carol').length;
  await edge.provider.logOutByBackChannel('carol');
  await until('the row', () => revokedOf('carol').length > before);
  await edge.row((await edge.send('/orders')).requestId);
  expect(revokedOf('carol')).toHaveLength(before + 1);
});

test('whoever is refused at the provider while Signet stops is refused after it, and that is recorded', async () => {
  const cookie = await edge.signIn('bob');
  const release = edge.provider.holdTokens();
  await until('a refresh', async () => {
    const sentMs = performance.now();
    await edge.send('/orders', [cookie]);
    return performance.now() - sentMs > 1_000;
  });
  const before = revokedOf('bob').length;
  edge.provider.revoke('bob');
  const stopped = edge.sidecar().stop();
  await until('the gate is closed', isGateClosed);
  release();
  await stopped;
  await edge.startSidecar();
  await until('it is refused', () => isRefused(cookie));
  await until('the event', () => revokedOf('bob').length > before);
  expect(revokedOf('bob')).toHaveLength(before + 1);
});

test('an agent on behalf of a person leaves both names: at the app, in the row, on the span', async () => {
  const token = await edge.provider.delegatedToken('alice', ['build-agent', 'deploy-agent']);
  const { status, requestId } = await edge.send('/orders', [`Authorization: Bearer ${token}`]);
  expect(status).toBe(200);
  expect(edge.app.seen.at(-1)?.values('remote-user')).toEqual(['alice']);
  expect(edge.app.seen.at(-1)?.values('remote-user-type')).toEqual(['agent']);
  expect(edge.app.seen.at(-1)?.values('baggage')[0]).toContain('signet.actor.subject=deploy-agent');
  const { identity } = await edge.row(requestId);
  expect(identity).toMatchObject({
    user: 'alice',
    type: 'agent',
    actor: { subject: 'deploy-agent', actor: { subject: 'build-agent' } },
  });
  const spans = await edge.spans(requestId, 3);
  expect(spans.find(({ kind }) => kind === 'SERVER')?.attributes).toMatchObject({
    'signet.actor.chain': 'deploy-agent for build-agent on behalf of alice',
    'signet.actor.depth': 2,
  });
});

test('a provider that re-checks no session is told of on /readyz; the sessions go on', async () => {
  const cookie = await edge.signIn('alice');
  const { issuer } = edge.provider;
  const provider = async () => {
    const answer = await fetch(`http://127.0.0.1:${edge.healthPort}/readyz`);
    return ((await answer.json()) as { checks: Record<string, object> }).checks['provider'];
  };
  expect(await provider()).toEqual({ ok: true, issuer });
  await edge.provider.stop();
  await until('the problem', async () => {
    expect((await edge.send('/orders', [cookie])).status).toBe(200);
    return 'problem' in ((await provider()) ?? {});
  });
  const problem: unknown = expect.stringMatching(/^sessions can't be re-checked: .*; they go on$/);
  expect(await provider()).toEqual({ ok: false, issuer, problem });
});
