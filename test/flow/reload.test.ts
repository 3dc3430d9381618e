// Configurations that a running sidecar is to take over, without Caddy: another provider, another key.
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { freePort } from '../fixtures/caddy.ts';
import { fromCaddy } from '../fixtures/gate.ts';
import { startProvider, type TestProvider } from '../fixtures/provider.ts';
import { startMortalSidecar, type MortalSidecar } from '../fixtures/edge.ts';
import { makeFolder, readiness } from '../fixtures/sidecar.ts';
import { storedRows } from '../fixtures/stored.ts';
import { until } from '../fixtures/until.ts';

let folder: string;
let remove: () => void;
let port: number;
let gatePort: number;
let provider: TestProvider;
let other: TestProvider;
let sidecar: MortalSidecar;

const [FIRST_KEY, SECOND_KEY] = ['a'.repeat(32), 'b'.repeat(32)];
const REGISTERED = {
  redirectUris: ['https://app.example.com/.signet/callback'],
  audience: 'https://orders.example',
};

function write({ issuer, clientId, clientSecret }: TestProvider, more: object = {}): void {
  writeFileSync(join(folder, 'client-secret'), clientSecret);
  const files = { client_secret_file: 'client-secret', gate_key_file: 'gate-key' };
  const places = { listen: `127.0.0.1:${gatePort}`, health: `127.0.0.1:${port}` };
  const settings = {
    issuer,
    client_id: clientId,
    destinations: [],
    state: folder,
    ...files,
    ...places,
    ...more,
  };
  writeFileSync(join(folder, 'signet.yaml'), JSON.stringify(settings));
}

const checks = async () => (await readiness(port, sidecar)).checks;
const untilChecks = (condition: (all: Awaited<ReturnType<typeof checks>>) => boolean) =>
  until('the checks', async () => condition(await checks()));

beforeEach(async () => {
  ({ folder, remove } = makeFolder());
  [port, gatePort] = [await freePort(), await freePort()];
  provider = await startProvider(REGISTERED);
  other = await startProvider(REGISTERED);
  writeFileSync(join(folder, 'gate-key'), FIRST_KEY);
  write(provider);
  sidecar = startMortalSidecar(folder, { SIGNET_STATE: '' });
  await untilChecks(({ provider: { ok } = { ok: false } }) => ok);
});

afterEach(async () => {
  await sidecar.stop();
  await Promise.all([provider.stop(), other.stop()]);
  remove();
});

test('another provider is found before it takes over', async () => {
  write(other);
  await untilChecks(({ provider: told }) => {
    const { ok, issuer } = { issuer: '', ...told };
    return ok === true && issuer === other.issuer;
  });
});

test('a provider that cannot be found is refused, and people go on signing in at the one before', async () => {
  const { issuer } = other;
  await other.stop();
  write(other);
  await untilChecks(({ configuration: { ok } = { ok: true } }) => !ok);
  const { configuration, provider: told } = await checks();
  expect(configuration?.problem).toContain(issuer);
  expect(told).toMatchObject({ ok: true, issuer: provider.issuer });
});

test('what held for a moment only is a row all the same', async () => {
  const changes = () =>
    storedRows(join(folder, 'audit.db')).flatMap((row) =>
      'event' in row && row.event === 'configuration-changed' ? [row.details?.['changed']] : [],
    );
  await until('its first rows', () => storedRows(join(folder, 'audit.db')).length > 0);
  for (const trust of ['always', 'bearer', 'always', 'bearer']) {
    const { read_at: before } = { read_at: '', ...(await checks())['configuration'] };
    write(provider, { trace: { trust } });
    sidecar.signal('SIGHUP');
    await untilChecks(({ configuration }) => {
      return { read_at: '', ...configuration }.read_at !== before;
    });
  }
  await until('all changes', () => changes().length === 4);
  expect(changes()).toEqual(['trace', 'trace', 'trace', 'trace']);
});

test('another mapping of claims says, in the log and as a row, that open sessions keep theirs', async () => {
  write(provider, { claims: { roles: 'groups' } });
  const said = `open sessions of main (${provider.issuer}) keep what was mapped at their sign-in`;
  await until('the log', () => sidecar.printed().includes(said));
  const told = () =>
    storedRows(join(folder, 'audit.db')).flatMap((row) =>
      'event' in row && row.event === 'configuration-changed' ? [row.details] : [],
    );
  await until('the row', () => told().length > 0);
  expect(told()).toEqual([{ changed: 'claims', sessions: expect.stringContaining(said) }]);
});

test('an issuer of tokens that goes on keeps what was verified, though it is down when another one changes', async () => {
  const bearer = (...names: string[]) =>
    names.map((name) => {
      const { issuer } = name === 'kept' ? other : { issuer: `https://${name}.example.com` };
      return { name, issuer, audiences: [REGISTERED.audience] };
    });
  const readAt = async () => ({ read_at: '', ...(await checks())['configuration'] }).read_at;
  const take = async (...names: string[]) => {
    const before = await readAt();
    write(provider, { bearer: bearer(...names) });
    await until('the settings', async () => (await readAt()) !== before);
  };
  const authorization = `Bearer ${await other.clientCredentialsToken()}`;
  const ask = async () => {
    const url = `http://127.0.0.1:${gatePort}/verify?route=orders&require=any`;
    const headers = { ...fromCaddy(), 'Signet-Key': FIRST_KEY, authorization };
    return (await fetch(url, { headers })).status;
  };
  await take('kept');
  expect(await ask()).toBe(204);
  await other.stop();
  await take('kept', 'another');
  expect(await ask()).toBe(204);
});

test('another state folder waits for the next start, and nothing is made there', async () => {
  const elsewhere = join(folder, 'elsewhere');
  write(provider, { state: elsewhere, hosts: ['app.example.com'] });
  await untilChecks(({ configuration }) => {
    return { waits_for_restart: [''], ...configuration }.waits_for_restart.includes('state');
  });
  expect((await checks())['configuration']?.ok).toBe(true);
  expect(existsSync(elsewhere)).toBe(false);
});

test.each(['emptied', 'gone'])(
  'a file that is %s is refused: nobody wants all defaults',
  async (how) => {
    if (how === 'gone') rmSync(join(folder, 'signet.yaml'));
    else writeFileSync(join(folder, 'signet.yaml'), '\n');
    await untilChecks(({ configuration: { ok } = { ok: true } }) => !ok);
  },
);

test('a pipe in place of the file is refused at once, and requests are answered meanwhile', async () => {
  rmSync(join(folder, 'signet.yaml'));
  execFileSync('mkfifo', [join(folder, 'signet.yaml')]);
  await untilChecks(({ configuration: { ok } = { ok: true } }) => !ok);
  expect((await checks())['configuration']?.problem).toContain('it is no file');
});

test('a block that is closed by mistake is named, until there are other settings', async () => {
  const ask = (requirement: string) =>
    fetch(`http://127.0.0.1:${gatePort}/verify?route=orders&require=${requirement}`, {
      headers: { ...fromCaddy(), 'Signet-Key': FIRST_KEY },
    });
  await ask('idp:main');
  expect((await checks())['requirements']).toEqual({ ok: true });
  expect((await ask('idp:mian')).status).toBe(403);
  const { requirements } = await checks();
  expect(requirements?.ok).toBe(false);
  expect(requirements?.problem).toContain('orders: idp:mian is no name');
  expect(requirements?.problem).toContain('there are main');
  write(provider, { name: 'mian' });
  await untilChecks(({ requirements: told }) => told?.ok === true);
  expect((await ask('idp:mian')).status).toBe(401);
});

test('another key of the gate holds as soon as it is read', async () => {
  const ask = async (key: string) =>
    (await fetch(`http://127.0.0.1:${gatePort}/verify`, { headers: { 'Signet-Key': key } })).status;
  // 400: it is Caddy's key, and not Caddy's question.
  expect([await ask(FIRST_KEY), await ask(SECOND_KEY)]).toEqual([400, 403]);
  writeFileSync(join(folder, 'gate-key'), SECOND_KEY);
  await until('the new key', async () => (await ask(SECOND_KEY)) === 400);
  expect(await ask(FIRST_KEY)).toBe(403);
});
