// Listening on a socket that was handed over, as systemd does it: real sidecars, a real queue, a real Caddy.
import { spawn, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { takeInheritedSocket } from '../../sidecar/http/inherited-socket.ts';
import { freePort, SNIPPETS, startCaddy, startEchoApp } from '../fixtures/caddy.ts';
import { askAsCaddy, makeFolder } from '../fixtures/sidecar.ts';
import { startSteadyLoad } from '../fixtures/steady-load.ts';
import {
  handleOf,
  makeListeningSocket,
  superviseSidecar,
  type Supervised,
} from '../fixtures/systemd.ts';
import { until } from '../fixtures/until.ts';

const BIN = fileURLToPath(new URL('../../bin/signet.js', import.meta.url));
const VERIFY = '/verify?route=orders&require=public';
const REQUESTS_PER_SECOND = 60;
/** Before, between and after the restarts. */
const REQUESTS_EACH = 100;
/** More than the 511 that Node lets wait by itself. */
const MANY = 600;

let folder: string;
let path: string;
let stops: (() => unknown)[];
beforeEach(() => {
  const { folder: made, remove } = makeFolder();
  folder = made;
  path = join(folder, 'run', 'sidecar.sock');
  stops = [remove];
});
afterEach(async () => {
  for (const stop of stops.toReversed()) await stop();
});

/** Stopped after the test, whatever becomes of it: a sidecar that ended is started again. */
async function supervise(): Promise<Supervised> {
  const supervised = await superviseSidecar(folder, path, settings());
  stops.push(() => supervised.stop());
  return supervised;
}

const settings = () => ({
  SIGNET_ISSUER: 'http://127.0.0.1:1',
  SIGNET_CLIENT_ID: 'signet',
  SIGNET_CLIENT_SECRET: 'not-used',
  SIGNET_DESTINATION: 'none',
  SIGNET_SOCKET: path,
  SIGNET_ACCESS_LOG: join(folder, 'log', 'access.log'),
  SIGNET_HEALTH: '127.0.0.1:0',
});

/** Starts `signet serve` once, with that as descriptor 3, and returns how it refuses. */
async function serveWith(descriptor: unknown, env: Readonly<Record<string, string>> = {}) {
  const stdio = ['ignore', 'ignore', 'pipe', descriptor] as StdioOptions;
  const script = 'export LISTEN_FDS=1 LISTEN_PID=$$; exec "$0" "$1" serve';
  const child = spawn('sh', ['-c', script, process.execPath, BIN], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, SIGNET_STATE: folder, ...settings(), ...env },
    stdio,
  });
  const [printed, [code]] = await Promise.all([text(child.stderr!), once(child, 'exit')]);
  return { code: code as number, printed };
}

test('the socket that was handed over is listened on, and is still there after a stop', async () => {
  const supervised = await supervise();
  const answer = await askAsCaddy(path, VERIFY);
  await supervised.restart('SIGTERM');
  await supervised.stop();
  expect(answer.status).toBe(204);
  expect(existsSync(path)).toBe(true);
});

test('what is asked after a crash waits in the queue, and the next sidecar answers it', async () => {
  const supervised = await supervise();
  const restarted = supervised.restart('SIGKILL');
  const answers = await Promise.all(Array.from({ length: MANY }, () => askAsCaddy(path, VERIFY)));
  await restarted;
  expect(answers.filter(({ status }) => status !== 204)).toEqual([]);
});

test('no request fails while the sidecar is restarted under load', async () => {
  mkdirSync(join(folder, 'log'));
  const [port, app] = [await freePort(), await startEchoApp()];
  stops.push(() => app.stop());
  const supervised = await supervise();
  const caddy = await startCaddy({
    caddyfile: siteText(port, app.address),
    env: { SIGNET_SOCKET: `unix/${path}`, SIGNET_ACCESS_LOG: settings().SIGNET_ACCESS_LOG },
  });
  stops.push(() => caddy.stop());
  const load = startSteadyLoad(port, { path: '/orders' }, REQUESTS_PER_SECOND);
  stops.push(() => load.stop());
  const answered = (count: number) =>
    until(`${count} answers`, () => load.timed.length >= count, 20_000);
  await answered(REQUESTS_EACH);
  await supervised.restart('SIGTERM');
  await answered(load.timed.length + REQUESTS_EACH);
  await supervised.restart('SIGTERM');
  await answered(load.timed.length + REQUESTS_EACH);
  await load.stop();
  expect(load.timed.length).toBeGreaterThanOrEqual(3 * REQUESTS_EACH);
  expect(load.timed.filter(({ status }) => status !== 200)).toEqual([]);
});

/** With the snippets' bound on the gate's answer far off: how long a start takes here is not what is tested. */
function siteText(port: number, app: string): string {
  const snippets = join(folder, 'signet.caddy');
  const patient = readFileSync(SNIPPETS, 'utf8').replaceAll(
    'header_timeout 5s',
    'header_timeout 60s',
  );
  writeFileSync(snippets, patient);
  return `import ${snippets}
http://localhost:${port} {
	import signet
	import protect orders public {
		reverse_proxy ${app}
	}
}
`;
}

test('a socket that is not the one of the settings is refused, and both are named', async () => {
  const socket = await makeListeningSocket(path);
  const elsewhere = join(folder, 'elsewhere.sock');
  const { code, printed } = await serveWith(handleOf(socket), { SIGNET_SOCKET: elsewhere });
  socket.close();
  expect(code).toBe(69);
  expect(printed).toContain(`handed over is ${path}, and the settings say ${elsewhere}`);
});

test('a descriptor that is a file is refused', async () => {
  const { code, printed } = await serveWith('ignore');
  expect(code).toBe(69);
  expect(printed).toContain('descriptor 3 is no socket');
});

test('a descriptor that is a connection, and does not listen, is refused', async () => {
  const { code, printed } = await serveWith('pipe');
  expect(code).toBe(69);
  expect(printed).toContain('descriptor 3 is no listening unix socket');
});

test('nothing is taken over when nothing is handed over', () => {
  expect(takeInheritedSocket({}, 7)).toBeUndefined();
  expect(takeInheritedSocket({ LISTEN_FDS: '0', LISTEN_PID: '7' }, 7)).toBeUndefined();
});

test('more sockets than one are refused, with what to do', () => {
  const take = () => takeInheritedSocket({ LISTEN_FDS: '2', LISTEN_PID: '7' }, 7);
  expect(take).toThrow('LISTEN_FDS is 2; let one socket unit with one ListenStream= start it');
});

test('a socket that is meant for another process is refused, with what to do', () => {
  const take = (LISTEN_PID?: string) => () =>
    takeInheritedSocket({ LISTEN_FDS: '1', ...(LISTEN_PID && { LISTEN_PID }) }, 7);
  expect(take('8')).toThrow('LISTEN_PID is 8, and this is process 7; start it with `exec`');
  expect(take()).toThrow('LISTEN_PID is not set');
});

test('the variables are taken out of the environment, which children would inherit', () => {
  const env = { LISTEN_FDS: '2', LISTEN_PID: '7', LISTEN_FDNAMES: 'a:b', HOME: '/' };
  expect(() => takeInheritedSocket(env, 7)).toThrow();
  expect(env).toEqual({ HOME: '/' });
});
