// Ports in addresses that Caddy listens on: `:443`, `127.0.0.1:8000-8010`. A unix socket has none. Pure.

const PORTS = /:(\d+)(?:-(\d+))?$/;

/** Returns the first port of an address; undefined where it has none. */
export function portOf(address: string): number | undefined {
  const [, first] = PORTS.exec(address) ?? [];
  return first === undefined || /^unix/i.test(address) ? undefined : Number(first);
}

/** Returns whether the port is among those of the address. */
export function isOnPort(address: string, port: number): boolean {
  const [, first, last = first] = PORTS.exec(address) ?? [];
  if (portOf(address) === undefined) return false;
  return port >= Number(first) && port <= Number(last);
}
