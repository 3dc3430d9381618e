// Two sidecars, as on two machines: folders, sockets and audit stores of their own; one PostgreSQL with the
// sessions, one key ring, one provider. Asked over their sockets as Caddy asks.
import { randomBytes } from 'node:crypto';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runSignet } from '../fixtures/cli.ts';
import { freePort } from '../fixtures/caddy.ts';
import { startPostgres, type Postgres } from '../fixtures/postgres.ts';
import { keepCookies, startProvider, type Jar, type TestProvider } from '../fixtures/provider.ts';
import {
  askAsCaddy,
  makeFolder,
  readiness,
  startSidecar,
  type RunningSidecar,
} from '../fixtures/sidecar.ts';
import { storedRows } from '../fixtures/stored.ts';
import { until } from '../fixtures/until.ts';

type Machine = {
  readonly folder: string;
  readonly env: Record<string, string>;
  readonly remove: () => void;
  readonly healthPort: number;
  sidecar: RunningSidecar;
};

let postgres: Postgres;
let provider: TestProvider;
let machines: [Machine, Machine];

const keysOf = ({ folder }: Machine) => join(folder, 'ring');

beforeAll(async () => {
  postgres = await startPostgres();
  provider = await startProvider({
    redirectUris: ['https://app.example.com/.signet/callback'],
    audience: 'https://orders.example',
  });
  const ring = `${randomBytes(32).toString('base64')}\n`;
  const url = await postgres.url('sessions');
  const start = async (): Promise<Machine> => {
    const { folder, remove } = makeFolder();
    writeFileSync(join(folder, 'ring'), ring, { mode: 0o600 });
    const healthPort = await freePort();
    const env = {
      SIGNET_ISSUER: provider.issuer,
      SIGNET_CLIENT_ID: provider.clientId,
      SIGNET_CLIENT_SECRET: provider.clientSecret,
      SIGNET_DESTINATION: 'none',
      SIGNET_SESSION_STORE: url,
      SIGNET_KEYS_FILE: join(folder, 'ring'),
      SIGNET_SOCKET: join(folder, 'run', 'sidecar.sock'),
      SIGNET_ACCESS_LOG: join(folder, 'access.log'),
      SIGNET_HEALTH: `127.0.0.1:${healthPort}`,
    };
    return { folder, env, remove, healthPort, sidecar: startSidecar(folder, env) };
  };
  machines = [await start(), await start()];
  for (const machine of machines) await isReady(machine);
});

afterAll(async () => {
  for (const { sidecar, remove } of machines ?? []) {
    await sidecar.stop();
    remove();
  }
  await provider?.stop();
  await postgres?.stop();
});

const isReady = ({ healthPort, sidecar }: Machine) =>
  readiness(
    healthPort,
    sidecar,
    ({ checks }) => checks['provider']?.ok === true && checks['sessions']?.ok === true,
  );

const ask = ({ env }: Machine, path: string, cookie = '') =>
  askAsCaddy(env['SIGNET_SOCKET'] ?? '', path, { cookie });

/** A sign-in that begins at one sidecar and comes back to the other, as behind a load balancer. */
async function signIn(login: string, [from, to]: [Machine, Machine]): Promise<string> {
  const jar: Jar = new Map();
  const cookie = () => [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
  const begun = await ask(from, '/.signet/login');
  keepCookies(jar, begun.headers['set-cookie'] ?? []);
  const back = new URL(await provider.signIn(new Map(), begun.headers.location ?? '', login));
  const done = await ask(to, `${back.pathname}${back.search}`, cookie());
  expect(done.status).toBe(302);
  keepCookies(jar, done.headers['set-cookie'] ?? []);
  return `__Host-signet=${jar.get('__Host-signet')}`;
}

const verify = async (machine: Machine, cookie: string) =>
  (await ask(machine, '/verify?route=orders&require=any', cookie)).status;

async function refusedOnBoth(cookie: string): Promise<void> {
  for (const machine of machines) {
    await until('it is refused', async () => (await verify(machine, cookie)) === 401);
  }
}

async function servedOnBoth(cookie: string): Promise<void> {
  for (const machine of machines) expect(await verify(machine, cookie)).toBe(204);
}

test('a sign-in may begin at one and end at the other, and holds at both', async () => {
  const cookie = await signIn('alice', machines);
  await servedOnBoth(cookie);
});

test('whoever signs out at one is signed out at the other', async () => {
  const cookie = await signIn('alice', machines);
  await servedOnBoth(cookie);
  const [one] = machines;
  await ask(one, '/.signet/logout', cookie);
  await refusedOnBoth(cookie);
});

test('who is revoked by the command is refused at both, and it is told in the record', async () => {
  const cookie = await signIn('bob', machines);
  await servedOnBoth(cookie);
  const [{ env, folder }] = machines;
  const ended = await runSignet(['sessions', 'revoke', '--user', 'bob'], {
    ...env,
    SIGNET_STATE: folder,
  });
  expect(ended).toMatchObject({ code: 0, out: '1 session ended\n' });
  await refusedOnBoth(cookie);
  const events = storedRows(join(folder, 'audit.db')).filter(({ kind }) => kind === 'event');
  expect(events).toContainEqual(
    expect.objectContaining({
      event: 'session-revoked',
      details: expect.objectContaining({ why: 'command', by: expect.any(String) }) as object,
    }),
  );
});

test('sessions survive a restart of a sidecar', async () => {
  const cookie = await signIn('alice', machines);
  const [, two] = machines;
  expect(await two.sidecar.stop()).toBe(0);
  two.sidecar = startSidecar(two.folder, two.env);
  await isReady(two);
  await servedOnBoth(cookie);
});

test('sessions survive a rotation of the keys, in two steps, machine by machine', async () => {
  const cookie = await signIn('carol', machines);
  const [one, two] = machines;
  const keys = (...args: string[]) =>
    runSignet(['keys', ...args], { ...one.env, SIGNET_STATE: one.folder });
  const sealing = async ({ healthPort }: Machine) => {
    const body = await (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).json();
    return (body as { checks: { keys: { seals: string; count: number } } }).checks.keys;
  };
  const before = await sealing(one);
  for (const [step, count] of [['--stage', 2] as const, ['--staged', 2] as const]) {
    expect((await keys('rotate', step)).code).toBe(0);
    await servedOnBoth(cookie);
    copyFileSync(keysOf(one), keysOf(two));
    for (const machine of machines) {
      const isTaken = ({ seals, count: has }: Awaited<ReturnType<typeof sealing>>) =>
        has === count && (seals !== before.seals) === (step === '--staged');
      await until(step, async () => isTaken(await sealing(machine)));
    }
    await servedOnBoth(cookie);
  }
  expect((await sealing(two)).seals).toBe((await sealing(one)).seals);
});

test('while the store is down everyone is refused by 503; when it is back, sessions are', async () => {
  const cookie = await signIn('alice', machines);
  await servedOnBoth(cookie);
  await postgres.kill();
  for (const machine of machines) {
    await until('it closes', async () => (await verify(machine, cookie)) === 503);
  }
  await postgres.restart();
  for (const machine of machines) {
    await until('it opens', async () => (await verify(machine, cookie)) === 204);
  }
});
