// A burst at the door while the sidecar is busy: what comes waits in the kernel's queue, on whatever address it listens.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type Address, MAX_QUEUED } from '../../sidecar/http/listen.ts';
import { freePort } from '../fixtures/caddy.ts';
import { makeFolder } from '../fixtures/sidecar.ts';

const LISTEN = fileURLToPath(new URL('../../sidecar/http/listen.ts', import.meta.url));
const SCRIPT = `
import { createServer } from 'node:http';
import { listen } from ${JSON.stringify(LISTEN)};
await listen(createServer(), JSON.parse(process.argv[1]), 'none');
console.log('open');
`;
/** More than the 511 that Node lets wait by itself, and fewer than MAX_QUEUED. */
const MANY = 700;

let folder: string;
let remove: () => void;
let listener: ChildProcess | undefined;
let sockets: Socket[];

beforeEach(() => {
  ({ folder, remove } = makeFolder());
  sockets = [];
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  if (listener !== undefined) {
    const ended = once(listener, 'exit');
    listener.kill('SIGKILL');
    await ended;
  }
  remove();
});

/** Starts a listener at this address, and stops it in its tracks: it is there, and accepts nobody. */
async function startHeld(address: Address): Promise<void> {
  const args = ['--input-type=module', '-e', SCRIPT, JSON.stringify(address)];
  listener = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(listener.stdout!, 'data');
  listener.kill('SIGSTOP');
}

/** Resolves with the codes of the errors of so many connections, made all at once. */
async function connectMany(address: { path: string } | { port: number; host: string }) {
  const ends = Array.from({ length: MANY }, async () => {
    const socket = connect(address);
    sockets.push(socket);
    return once(socket, 'connect').then(
      () => [],
      (error: NodeJS.ErrnoException) => [error.code],
    );
  });
  return (await Promise.all(ends)).flat();
}

test('the queue of a unix socket of our own takes more than Node’s 511, up to MAX_QUEUED', async () => {
  const path = join(folder, 'sidecar.sock');
  await startHeld({ socket: path });
  expect(await connectMany({ path })).toEqual([]);
  expect(MAX_QUEUED).toBeGreaterThan(MANY);
});

test('the queue of a TCP port takes as many', async () => {
  const address = { host: '127.0.0.1', port: await freePort() };
  await startHeld(address);
  expect(await connectMany(address)).toEqual([]);
});
