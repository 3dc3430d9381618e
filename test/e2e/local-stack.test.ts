// The local stack as a whole, as somebody at a terminal has it: it says in a sentence what is wrong,
// and leaves nothing behind, however it ends.
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn, execFileSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createBrowser } from '../../deploy/local/browser.ts';
import { createClient } from '../../deploy/local/client.ts';
import { claimPort } from '../../deploy/local/ports.ts';
import { authorityFile } from '../../deploy/local/programs.ts';
import { until } from '../fixtures/until.ts';

const START = resolve('deploy', 'local', 'start.ts');
/** Meant to be five seconds, and takes about one: a machine with much else to do is given more. */
const GONE_WITHIN_MS = 20_000;
/** The first start on a machine may have to fetch Caddy. */
const START_WITHIN_MS = 300_000;

type Process = { readonly pid: number; readonly parent: number };
type Started = { readonly process: ChildProcess; readonly output: () => string };

/** Nothing here waits for a port that another test has. */
const FREE_PORTS = Object.fromEntries(
  ['PORT', 'PROVIDER_PORT', 'RECEIVER_PORT', 'HEALTH_PORT'].map((name) => [
    `SIGNET_LOCAL_${name}`,
    '0',
  ]),
);

const started: Started[] = [];
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signet-stack-'));
});
afterEach(async () => {
  for (const { process: child } of started.splice(0)) await stopped(child);
  rmSync(folder, { recursive: true, force: true });
});

describe('what cannot be started says why, in one sentence, and exits 1', () => {
  let holder: Server;
  afterAll(() => void holder?.close());

  test('a port in use', async () => {
    holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const { code, output } = await runToEnd({ SIGNET_LOCAL_PORT: String(port) });
    expect(code).toBe(1);
    expect(output).toContain(`Port ${port} is in use: stop what listens there, or choose another`);
    expect(output).not.toContain('    at ');
  });

  test('a second copy', async () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'lock'), String(process.pid));
    const { code, output } = await runToEnd({});
    expect(code).toBe(1);
    expect(output).toContain(`A local stack runs in ${folder} already (process ${process.pid})`);
    expect(existsSync(join(folder, 'lock'))).toBe(true);
  });

  test('a Caddy that is not there', async () => {
    const { code, output } = await runToEnd({ CADDY: join(folder, 'no-such-caddy') });
    expect(code).toBe(1);
    expect(output).toMatch(/^CADDY is .*no-such-caddy/m);
    expect(output).not.toContain('    at ');
    expect(existsSync(join(folder, 'lock'))).toBe(false);
  });

  test('a port that is no port', async () => {
    const { code, output } = await runToEnd({ SIGNET_LOCAL_PORT: 'https' });
    expect(code).toBe(1);
    expect(output).toContain('SIGNET_LOCAL_PORT is "https", but a port is a number');
  });
});

describe('of settings', () => {
  test('the file in its own folder counts, and what is wrong in it is said', async () => {
    writeFileSync(join(folder, 'signet.yaml'), 'sampling: { ratio: often }\n');
    const { code, output } = await runToEnd({});
    expect(code).toBe(1);
    expect(output).toContain(`${join(folder, 'signet.yaml')}: sampling.ratio`);
    expect(output).toContain('read:    "often"');
  });

  test(
    'a signet.yaml where it is started is not read, and the banner says which is',
    async () => {
      const elsewhere = mkdtempSync(join(folder, 'elsewhere-'));
      writeFileSync(join(elsewhere, 'signet.yaml'), 'sampling: { ratio: often }\n');
      const { output } = await startWhole({ cwd: elsewhere });
      await until('the whole banner', () => output().includes('Ctrl-C'), START_WITHIN_MS);
      expect(output()).toContain(join(folder, 'signet.yaml'));
      const metrics = /http:\/\/127\.0\.0\.1:\d+\/metrics/.exec(output())?.[0] ?? '';
      expect((await fetch(metrics)).status).toBe(200);
    },
    START_WITHIN_MS,
  );
});

test(
  'the command for doctor in the banner looks at all of it, and finds nothing wrong',
  async () => {
    const { output } = await startWhole();
    await until('the whole banner', () => output().includes('Ctrl-C'), START_WITHIN_MS);
    const command = /^ *Doctor +(.*)$/m.exec(output())?.[1] ?? 'false';
    const { lines } = JSON.parse(execFileSync('sh', ['-c', command], { encoding: 'utf8' })) as {
      lines: { name: string; verdict: string }[];
    };
    const isBad = (verdict: string) => ['wrong', 'not-looked-at'].includes(verdict);
    expect(lines.filter(({ verdict }) => isBad(verdict))).toEqual([]);
    expect(lines.map(({ name }) => name)).toContain('provider main');
  },
  START_WITHIN_MS,
);

describe('however it ends, no process of the stack lives on and the port is free', () => {
  test(
    'Ctrl-C, which every process of the terminal’s group gets, stops it in order',
    async () => {
      const { child, family, port, output } = await startWhole();
      await keepBusy(port);
      await until('a line for her request', () => /alice .* \/orders /.test(output()));
      process.kill(-pidOf(child), 'SIGINT');
      await until('it has ended', () => child.exitCode !== null, GONE_WITHIN_MS);
      expect(child.exitCode).toBe(0);
      expect(output()).toContain('Stopping');
      expect(output()).not.toContain('ended (');
      expect(family.filter(isAlive)).toEqual([]);
      expect(await claimPort(port, '')).toBe(port);
      expect(existsSync(join(folder, 'lock'))).toBe(false);
    },
    START_WITHIN_MS,
  );

  test(
    'kill -9 of the supervisor',
    async () => {
      const { child, family, port } = await startWhole();
      process.kill(pidOf(child), 'SIGKILL');
      await until('all are gone', () => !family.some(isAlive), GONE_WITHIN_MS);
      expect(await claimPort(port, '')).toBe(port);
    },
    START_WITHIN_MS,
  );

  test(
    'kill -9 of what started the supervisor, such as npm',
    async () => {
      // A shell that does not become the supervisor, but waits for it.
      const command = `"${process.execPath}" deploy/local/start.ts; true`;
      const { child, family, port } = await startWhole({ command: 'sh', args: ['-c', command] });
      process.kill(pidOf(child), 'SIGKILL');
      await until('all are gone', () => !family.some(isAlive), GONE_WITHIN_MS);
      expect(await claimPort(port, '')).toBe(port);
    },
    START_WITHIN_MS,
  );

  // The second one stands behind a guard.
  test.each([
    ['inventory', 'inventory.ts'],
    ['sidecar', 'signet.js serve'],
  ])(
    'when the %s dies, it takes the rest with it, and where it stops that is said',
    async (name, command) => {
      const { child, family, output } = await startWhole();
      const all = family.filter((pid) => commandOf(pid).includes(command));
      const pid = all.find((one) => !commandOf(one).includes('guard.ts'));
      // 0 would be our own group.
      if (pid === undefined) throw new Error(`no ${name} among ${family.map(commandOf).join()}`);
      process.kill(pid, 'SIGKILL');
      const [code] = (await once(child, 'close')) as [number];
      expect(code).toBe(1);
      expect(output()).toContain(`Stopping all, because ${name} ended (SIGKILL)`);
      expect(family.filter(isAlive)).toEqual([]);
    },
    START_WITHIN_MS,
  );
});

type How = {
  readonly env?: Record<string, string>;
  readonly command?: string;
  readonly args?: string[];
  readonly cwd?: string;
};

function start({ env, command = process.execPath, args = [START], cwd }: How): Started {
  const child = spawn(command, args, {
    detached: true,
    ...(cwd !== undefined && { cwd }),
    env: { ...process.env, SIGNET_LOCAL_DIR: folder, ...FREE_PORTS, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  }
  const one = { process: child, output: () => text };
  started.push(one);
  return one;
}

async function runToEnd(env: Record<string, string>) {
  const { process: child, output } = start({ env });
  const [code] = (await once(child, 'close')) as [number];
  return { code, output: output() };
}

async function startWhole(how: How = {}) {
  const { process: child, output } = start(how);
  const site = () => /https:\/\/localhost:(\d+)\//.exec(output())?.[1];
  const isUp = () => site() !== undefined || child.exitCode !== null;
  await until('the banner', isUp, START_WITHIN_MS);
  if (site() === undefined) throw new Error(output());
  const family = descendants(pidOf(child));
  // Six processes, two of them guarded.
  expect(family.length).toBeGreaterThanOrEqual(8);
  return { child, family, port: Number(site()), output };
}

// Somebody is signed in, with a download and a WebSocket under way.
async function keepBusy(port: number): Promise<void> {
  const site = `https://localhost:${port}`;
  const ca = readFileSync(authorityFile(folder), 'utf8');
  const browser = createBrowser(createClient(ca), site, () => {});
  await browser.signIn('alice', '/orders');
  browser.open('/download').catch(() => {});
  browser.hold('/socket', START_WITHIN_MS).catch(() => {});
  await browser.open('/orders');
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('it did not start');
  return child.pid;
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

function descendants(pid: number, all = processes()): number[] {
  const children = all.filter(({ parent }) => parent === pid);
  return children.flatMap((child) => [child.pid, ...descendants(child.pid, all)]);
}

function isAlive(pid: number): boolean {
  return processes().some((one) => one.pid === pid);
}

// Zombies are dead: in a container nobody may come to bury them.
function processes(): Process[] {
  if (!existsSync('/proc/self/stat')) return processesByPs();
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const [state, parent] = statOf(name);
      return state === undefined || state === 'Z'
        ? []
        : [{ pid: Number(name), parent: Number(parent) }];
    });
}

function statOf(pid: string): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

function processesByPs(): Process[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat=']).toString().trim().split('\n');
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , state]) => state?.startsWith('Z') !== true)
    .map(([pid, parent]) => ({ pid: Number(pid), parent: Number(parent) }));
}

function commandOf(pid: number): string {
  if (existsSync('/proc/self/stat'))
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  return execFileSync('ps', ['-o', 'command=', '-p', String(pid)]).toString();
}
