// Opening the sidecar's door: a unix socket or TCP. A live process's socket is never taken over, unless
// it was handed over by whoever started this one.
import { lstatSync, mkdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import type { Server } from 'node:http';
import { dirname } from 'node:path';
import { Fault } from '../fault.ts';
import { isSamePath, type InheritedSocket } from './inherited-socket.ts';

export type Address =
  { readonly socket: string } | { readonly host: string; readonly port: number };

/** Group may use the socket, others may not. */
const SOCKET_UMASK = 0o117;
/**
 * How many connections wait to be accepted, while no sidecar is there or it is busy, as systemd has it: Caddy's dial to a
 * unix socket fails at once beyond it, and Node's own 511 are a burst of strangers. The kernel bounds it by
 * net.core.somaxconn, which is 4096 where nobody changed it.
 */
export const MAX_QUEUED = 4_096;

/**
 * Resolves when the server accepts. A stale socket is replaced; a used one is Fault ERR_SOCKET_IN_USE,
 * which names the `setting` that would choose another. An `inherited` socket is used in place of one of its own
 * when it is the one that `address` names, and ERR_SOCKET_IN_USE when it is not.
 */
export async function listen(
  server: Server,
  address: Address,
  setting: string,
  inherited?: InheritedSocket,
): Promise<void> {
  if (inherited !== undefined) checkSame(inherited, address, setting);
  else if ('socket' in address) await makeWay(address.socket, setting);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(inUse(address, setting, error)));
    server.once('listening', resolve);
    begin(server, address, inherited);
  });
}

function begin(server: Server, address: Address, inherited?: InheritedSocket): void {
  // Node does not remove such a socket's file when it closes it. It does bound its queue anew.
  if (inherited !== undefined) return void server.listen({ fd: inherited.fd }, MAX_QUEUED);
  if (!('socket' in address)) return void server.listen(address.port, address.host, MAX_QUEUED);
  // The socket is made with these rights, so that there is no moment with others.
  const umask = process.umask(SOCKET_UMASK);
  server.listen(address.socket, MAX_QUEUED);
  process.umask(umask);
}

// The settings say where Caddy is expected, and whether a key is needed there: one that is not as they say is none.
function checkSame({ path }: InheritedSocket, address: Address, setting: string): void {
  if ('socket' in address && isSamePath(path, address.socket)) return;
  const mend = `set listen in signet.yaml, or ${setting}, to ${path}, or change ListenStream= of the socket unit`;
  const read = `the socket that was handed over is ${path}, and the settings say ${textOf(address)}`;
  throw new Fault('ERR_SOCKET_IN_USE', `${read}: ${mend}`);
}

function textOf(address: Address): string {
  return 'socket' in address ? address.socket : `${address.host}:${address.port}`;
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
  const where = textOf(address);
  if (cause !== undefined && (cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') {
    return new Fault('ERR_SOCKET_IN_USE', `cannot listen on ${where}`, { cause });
  }
  const mend = `stop that one, or choose another ${isSocket ? 'path' : 'port'} by ${setting}`;
  return new Fault('ERR_SOCKET_IN_USE', `${where} is in use by a running process; ${mend}`);
}
