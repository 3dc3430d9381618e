// A running sidecar with a wrong client secret, at a real OpenID provider, without Caddy: told in /readyz,
// until the right one is in its file.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { freePort } from '../fixtures/caddy.ts';
import { startMortalSidecar, type MortalSidecar } from '../fixtures/edge.ts';
import { startProvider, type Jar, type TestProvider } from '../fixtures/provider.ts';
import { makeFolder, readiness } from '../fixtures/sidecar.ts';
import { until } from '../fixtures/until.ts';

const HOST = 'app.example.com';
const KEY = 'a'.repeat(32);

let folder: string;
let remove: () => void;
let port: number;
let gatePort: number;
let provider: TestProvider;
let sidecar: MortalSidecar;

beforeEach(async () => {
  ({ folder, remove } = makeFolder());
  [port, gatePort] = [await freePort(), await freePort()];
  const redirectUris = [`https://${HOST}/.signet/callback`];
  provider = await startProvider({ redirectUris, audience: 'https://orders.example' });
  const settings = {
    issuer: provider.issuer,
    client_id: provider.clientId,
    client_secret_file: 'client-secret',
    gate_key_file: 'gate-key',
    listen: `127.0.0.1:${gatePort}`,
    health: `127.0.0.1:${port}`,
    destinations: [],
    state: folder,
  };
  writeFileSync(join(folder, 'gate-key'), KEY);
  writeFileSync(join(folder, 'client-secret'), 'another than the provider knows');
  writeFileSync(join(folder, 'signet.yaml'), JSON.stringify(settings));
  sidecar = startMortalSidecar(folder, { SIGNET_STATE: '' });
  await untilProvider((ok) => ok);
});

afterEach(async () => {
  await sidecar.stop();
  await provider.stop();
  remove();
});

const check = async () => (await readiness(port, sidecar)).checks['provider'];
const untilProvider = (condition: (ok: boolean) => boolean) =>
  until('the provider', async () => condition((await check())?.ok === true));

/** Asks as Caddy does for a browser; follows nothing. */
const ask = (path: string, cookie = '') =>
  fetch(`http://127.0.0.1:${gatePort}${path}`, {
    redirect: 'manual',
    headers: {
      'Signet-Key': KEY,
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Host': HOST,
      'X-Forwarded-For': '192.0.2.7',
      'X-Request-Id': crypto.randomUUID(),
      cookie,
    },
  });

async function signIn(): Promise<number> {
  const begun = await ask('/.signet/login');
  const cookie = begun.headers.getSetCookie().map((line) => line.split(';')[0]);
  const jar: Jar = new Map();
  const back = await provider.signIn(jar, begun.headers.get('location') ?? '', 'alice');
  const { pathname, search } = new URL(back);
  return (await ask(pathname + search, cookie.join('; '))).status;
}

test('a wrong client secret is told in /readyz once somebody signs in, until another one is taken over', async () => {
  expect(await signIn()).toBe(400);
  const { problem } = { problem: undefined, ...(await check()) };
  expect(problem).toContain('refuses this client: invalid_client');
  writeFileSync(join(folder, 'client-secret'), provider.clientSecret);
  await untilProvider((ok) => ok);
  expect(await signIn()).toBe(302);
});
