// Another configuration under load, through a real Caddy: nobody is refused for it, what is new holds, and a
// file that is wrong changes nothing.
import { execFile } from 'node:child_process';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findCaddy } from '../../caddy/find.ts';
import { EDGE_OPTIONS, startEdge, type Edge } from '../fixtures/edge.ts';
import { startReceiver, type Receiver } from '../fixtures/receiver.ts';
import { makeFolder, readiness } from '../fixtures/sidecar.ts';
import { SITE } from '../fixtures/site.ts';
import { startSteadyLoad, type SteadyLoad } from '../fixtures/steady-load.ts';
import { storedRows } from '../fixtures/stored.ts';
import { until } from '../fixtures/until.ts';

const REQUESTS_PER_SECOND = 150;

let remove = () => {};
let folder: string;
let file: string;
let keysFile: string;
let admin: string;
let edge: Edge;
let alice: string;
let load: SteadyLoad;
let first: Receiver;
let second: Receiver;
let destinations: object[];

const NEWER = randomBytes(32).toString('base64');
const OLDER = randomBytes(32).toString('base64');

/** The whole file; JSON is YAML. */
const write = (settings: object) =>
  writeFileSync(file, JSON.stringify({ keys_file: keysFile, destinations, ...settings }));

const to = (name: string, { endpoint }: Receiver) => ({ name, profile: 'otlp', endpoint });

async function checked(name: string): Promise<Record<string, unknown>> {
  return { ...(await readiness(edge.healthPort, edge.sidecar())).checks[name] };
}

/** Runs `change`, and resolves when the configuration was read after it, and so many more were answered. */
async function taking(change: () => void): Promise<void> {
  const { read_at: before } = await checked('configuration');
  change();
  await until('a new configuration', async () => {
    const { ok, read_at: at } = await checked('configuration');
    return ok === true && at !== before;
  });
  const answered = load.timed.length;
  await until('more answers', () => load.timed.length >= answered + REQUESTS_PER_SECOND / 3);
}

/** Runs `change`, and resolves to why it was refused. */
async function refusing(change: () => void): Promise<string> {
  const { problem: before } = await checked('configuration');
  change();
  let problem: unknown;
  await until('the refusal', async () => {
    ({ problem } = await checked('configuration'));
    return problem !== undefined && problem !== before;
  });
  return String(problem);
}

const changedSettings = () =>
  storedRows(join(edge.folder, 'audit.db')).flatMap((row) =>
    'event' in row && row.event === 'configuration-changed' ? [row.details?.['changed']] : [],
  );

const asked = () => ({
  path: '/orders',
  headers: { Cookie: alice.slice('Cookie: '.length) },
});

/** The first few that were not let through. */
const refusedOf = ({ timed }: SteadyLoad) =>
  timed.filter(({ status }) => status !== 200).slice(0, 3);

beforeAll(async () => {
  const made = makeFolder();
  ({ remove, folder } = made);
  file = join(folder, 'signet.yaml');
  keysFile = join(folder, 'ring');
  admin = `unix/${join(folder, 'admin.sock')}`;
  writeFileSync(keysFile, OLDER);
  [first, second] = [await startReceiver(), await startReceiver()];
  destinations = [to('first', first)];
  write({});
  edge = await startEdge(SITE, {
    extra: { SIGNET_CONFIG: file, SIGNET_DESTINATION: '' },
    options: EDGE_OPTIONS.replace('admin off', `admin ${admin}`),
  });
  alice = await edge.signIn('alice');
  load = startSteadyLoad(edge.port, asked(), REQUESTS_PER_SECOND);
  await until('the load', () => load.timed.length > 50);
});

afterAll(async () => {
  await load?.stop();
  await edge?.stop();
  await Promise.all([first?.stop(), second?.stop()]);
  remove?.();
});

test('a file that has changed is taken over by itself', async () => {
  await taking(() => write({ sampling: { ratio: 0 } }));
  const { requestId } = await edge.send('/orders', [alice]);
  expect((await edge.row(requestId)).sampled).toBe(false);
});

test('the names of the settings that changed are a row', async () => {
  await until('the event', () => changedSettings().includes('sampling'));
});

test('a file that is replaced, as editors do, is taken over as well', async () => {
  const draft = `${file}.new`;
  writeFileSync(
    draft,
    JSON.stringify({ keys_file: keysFile, destinations, sampling: { ratio: 1 } }),
  );
  await taking(() => renameSync(draft, file));
  const { requestId } = await edge.send('/orders', [alice]);
  expect((await edge.row(requestId)).sampled).toBe(true);
});

test('a file that is wrong changes nothing; log and /readyz say what is wrong with it', async () => {
  await until('the rows of the changes before', () => changedSettings().length === 2);
  const problem = await refusing(() => write({ sampling: { ratio: 'often' }, hosts: 7 }));
  expect(problem).toContain('sampling.ratio');
  expect(problem).toContain('hosts');
  expect((await readiness(edge.healthPort, edge.sidecar())).status).toBe('degraded');
  expect(edge.sidecar().printed()).toContain('the new configuration is refused');
  const { requestId } = await edge.send('/orders', [alice]);
  expect((await edge.row(requestId)).sampled).toBe(true);
  expect(changedSettings()).toEqual(['sampling', 'sampling']);
});

test('a file that is no YAML, or gone, changes nothing either', async () => {
  const notYaml = await refusing(() => writeFileSync(file, 'sampling: [\n'));
  expect(notYaml).toContain('YAML');
  const before = edge.sidecar().printed().length;
  rmSync(file);
  edge.sidecar().signal('SIGHUP');
  await until('the refusal', () => edge.sidecar().printed().slice(before).includes('not there'));
});

test('once it is mended, it holds', async () => {
  await taking(() => write({ sampling: { ratio: 1 } }));
});

test('SIGHUP reads at once what nobody has seen to change', async () => {
  const before = edge.sidecar().printed().length;
  await taking(() => edge.sidecar().signal('SIGHUP'));
  expect(edge.sidecar().printed().slice(before)).toContain('nothing has changed');
});

test('a key ring with a new key in front seals by it, and every stamp is believed', async () => {
  const { seals: before } = await checked('keys');
  await taking(() => writeFileSync(keysFile, `${NEWER}\n${OLDER}\n`));
  expect(await checked('keys')).toMatchObject({ count: 2 });
  expect((await checked('keys'))['seals']).not.toBe(before);
  expect(await checked('recorder')).toMatchObject({ invalidStamps: 0 });
});

test('a key ring without the key that seals is refused', async () => {
  const problem = await refusing(() => writeFileSync(keysFile, OLDER));
  expect(problem).toContain('lacks the key that has sealed until now');
  await taking(() => writeFileSync(keysFile, `${NEWER}\n${OLDER}\n`));
});

test('a destination that is new gets spans from its first row on, and the one before goes on', async () => {
  destinations = [...destinations, to('second', second)];
  await taking(() => write({}));
  const { requestId } = await edge.send('/orders', [alice]);
  const { traceId } = await edge.row(requestId);
  for (const { spans } of [first, second]) {
    await until('its spans', () => spans.some((span) => span.traceId === traceId));
  }
});

test('what is told to hold does: the very next request is recorded by it', async () => {
  for (const kept of ['truncate', 'keep', 'truncate', 'keep', 'truncate']) {
    const { read_at: before } = await checked('configuration');
    write({ privacy: { client_address: kept } });
    await until('a new configuration', async () => {
      return (await checked('configuration'))['read_at'] !== before;
    });
    const { requestId } = await edge.send('/orders', [alice]);
    const { clientAddress } = await edge.row(requestId);
    expect([kept, clientAddress]).toEqual([kept, kept === 'keep' ? '127.0.0.1' : '127.0.0.0']);
  }
});

test('what a running sidecar cannot change is named, and waits', async () => {
  await taking(() => write({ audit: { heads_file: join(folder, 'heads.jsonl') } }));
  expect(await checked('configuration')).toMatchObject({
    waits_for_restart: ['audit.heads_file'],
  });
  expect(edge.sidecar().printed()).toContain('hold from the next start on');
});

test('nobody was refused for any of it, and every request is a row', async () => {
  await load.stop();
  expect(refusedOf(load)).toEqual([]);
  await until('all rows', () => {
    const ofLoad = edge.rows().filter(({ route }) => route === 'orders');
    return ofLoad.length >= load.timed.length;
  });
  expect(edge.rows().filter(({ reason }) => reason === 'stamp-invalid')).toEqual([]);
  expect(edge.allRows().filter(({ kind }) => kind === 'lost' || kind === 'unexplained')).toEqual(
    [],
  );
});

test('a requirement that Caddy reloads holds from then on', async () => {
  const config = join(edge.caddy().folder, 'Caddyfile');
  const text = readFileSync(config, 'utf8');
  writeFileSync(config, text.replace('protect orders any', 'protect orders user:alice'));
  // Of connections that it has not looked at yet Caddy resets a few, and a client asks again: those have no
  // answer. An answer that refuses would be another matter.
  const during = startSteadyLoad(edge.port, asked(), REQUESTS_PER_SECOND, { keepAlive: false });
  const bob = await edge.signIn('bob');
  expect((await edge.send('/orders', [bob])).status).toBe(200);
  const { path } = await findCaddy({ env: process.env, say: () => {} });
  await promisify(execFile)(path, ['reload', '--config', config, '--address', admin], {
    // It is this command that fills in the snippets' variables, not the running Caddy.
    env: { ...process.env, ...edge.caddyEnv },
  });
  await until(
    'the new requirement',
    async () => (await edge.send('/orders', [bob])).status === 403,
  );
  await during.stop();
  expect(refusedOf(during).filter(({ status }) => status !== 0)).toEqual([]);
});
