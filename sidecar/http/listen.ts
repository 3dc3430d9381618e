// Opening the sidecar's door: a unix socket or TCP. A live process's socket is never taken over.
import { lstatSync, mkdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import type { Server } from 'node:http';
import { dirname } from 'node:path';
import { Fault } from '../fault.ts';

export type Address =
  { readonly socket: string } | { readonly host: string; readonly port: number };

/** Group may use the socket, others may not. */
const SOCKET_UMASK = 0o117;

/**
 * Resolves when the server accepts. A stale socket is replaced; a used one is Fault ERR_SOCKET_IN_USE,
 * which names the `setting` that would choose another.
 */
export async function listen(server: Server, address: Address, setting: string): Promise<void> {
  if ('socket' in address) await makeWay(address.socket, setting);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(inUse(address, setting, error)));
    server.once('listening', resolve);
    if (!('socket' in address)) {
      server.listen(address.port, address.host);
      return;
    }
    // The socket is made with these rights, so that there is no moment with others.
    const umask = process.umask(SOCKET_UMASK);
    server.listen(address.socket);
    process.umask(umask);
  });
}

async function makeWay(path: string, setting: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (!there.isSocket()) {
    throw new Fault('ERR_SOCKET_IN_USE', `${path} is there and is no socket; it is left as it is`);
  }
  if (await isAlive(path)) throw inUse({ socket: path }, setting);
  rmSync(path, { force: true });
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    // Only a refusal says that nobody is there; a full backlog or missing rights say the contrary.
    probe.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT'),
    );
  });
}

function inUse(address: Address, setting: string, cause?: Error): Fault {
  const isSocket = 'socket' in address;
  const where = isSocket ? address.socket : `${address.host}:${address.port}`;
  if (cause !== undefined && (cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') {
    return new Fault('ERR_SOCKET_IN_USE', `cannot listen on ${where}`, { cause });
  }
  const mend = `stop that one, or choose another ${isSocket ? 'path' : 'port'} by ${setting}`;
  return new Fault('ERR_SOCKET_IN_USE', `${where} is in use by a running process; ${mend}`);
}
