// Who can reach an address, as far as its text says it. Pure.

export type Reach = 'unix' | 'loopback' | 'others' | 'unknown';

// Caddy takes any network that begins so for one; these are those that the system knows. Without its slash it is a host.
const SOCKET = /^\s*unix(gram|packet)?(\+h2c)?\s*\//i;
/** Opened by whoever started Caddy: only they know where. */
const INHERITED = /^\s*fd(gram)?\s*\//i;

/** Returns who can reach what Caddy dials or listens on: `unix//run/x.sock`, `127.0.0.1:9000`, `:2019`, `{env.X}`. */
export function reachOf(address: string): Reach {
  if (SOCKET.test(address)) return 'unix';
  if (INHERITED.test(address) || address.includes('{')) return 'unknown';
  const host = hostOf(address);
  return /^(localhost|127(\.\d+){3}|\[?::1\]?)$/i.test(host) ? 'loopback' : 'others';
}

/** Returns the host of `host:port`, with or without a network in front (`tcp/host:port`); empty for all addresses. */
export function hostOf(address: string): string {
  const [, host = ''] = /^(?:[a-z0-9]+\/)?(?:[a-z]+:\/\/)?(\[[^\]]*\]|[^:/]*)/i.exec(address) ?? [];
  return host;
}

/** Returns whether a range takes in more than any network of proxies: `0.0.0.0/0`, `::/0`, `1.0.0.0/4`. */
export function isEverybody(range: string): boolean {
  const [, bits] = /\/(\d+)$/.exec(range) ?? [];
  return bits !== undefined && Number(bits) < 8 && !/^f[cd]/i.test(range);
}
