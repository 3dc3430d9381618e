// Which server of the configuration a connection comes to, by its port.
import type { Adapted, Server } from '../edge/adapted.ts';
import { isIP } from 'node:net';

export type Listening = {
  readonly name: string;
  readonly server: Server;
  /** The address that it must have come to, where another server has the same port elsewhere. */
  readonly at: string | undefined;
};

/** `[network/]host:port[-port]`; Caddy's `ParseNetworkAddress`. */
const ADDRESS = /^(?:(?:tcp|udp)[46]?\/)?(.*):(\d+)(?:-(\d+))?$/s;

/** Returns the servers that may get it: none where nothing listens, several where the address decides. */
export function serversAt({ servers }: Adapted, hostname: string, port: number): Listening[] {
  const found = Object.entries(servers).flatMap(([name, server]) =>
    hostsOn(server, port).map((host) => ({ name, server, host })),
  );
  const address = hostname.replace(/^\[|\]$/g, '');
  const exact = found.filter(({ host }) => isIP(address) !== 0 && host === address);
  const taken = exact.length > 0 ? exact : found;
  return taken.map(({ name, server, host }) => ({
    name,
    server,
    at: taken.length > 1 ? host || 'any other address' : undefined,
  }));
}

function hostsOn({ listen = [] }: Server, port: number): string[] {
  const hosts = listen.flatMap((address) => {
    const [, host = '', first, last = first] = ADDRESS.exec(address) ?? [];
    return port >= Number(first) && port <= Number(last) ? [host.replaceAll(/^\[|\]$/g, '')] : [];
  });
  return [...new Set(hosts)];
}
