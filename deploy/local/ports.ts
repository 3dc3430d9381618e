// Loopback ports: is one free, and which one is.
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { Refusal } from './settings.ts';

/**
 * Returns `port`, or a free one for 0.
 * @throws {Refusal} when the port is in use; names `setting`, by which another can be chosen.
 */
export async function claimPort(port: number, setting: string): Promise<number> {
  try {
    return await tryPort(port);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EACCES')
      throw new Refusal(`Port ${port} needs rights that you lack: ${hint(setting, port)}`);
    if (code !== 'EADDRINUSE') throw cause;
    throw new Refusal(`Port ${port} is in use: stop what listens there, or ${hint(setting, port)}`);
  }
}

/** Returns `port` where it is free, else one that is. */
export function claimPreferred(port: number): Promise<number> {
  return tryPort(port).catch(() => tryPort(0));
}

function hint(setting: string, port: number): string {
  return `choose another port, such as ${setting}=${(port % 10_000) + 10_000}.`;
}

async function tryPort(port: number): Promise<number> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  const { port: found } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return found;
}
