// Which client an address stands for, where there is a bound for each. Proves nothing: behind a proxy of one's own it is what
// that proxy says.

/**
 * Returns the same text for all addresses of one client: whoever has one of IPv6 has its /64. Caddy writes them as RFC 5952
 * has it, and IPv4 as such; what a proxy before Caddy has put in front stays as it is.
 */
export function clientOf(address: string): string {
  if (!/^[0-9a-f:]+$/i.test(address)) return address;
  const [head = [], tail] = address.split('::').map((part) => part.split(':').filter(Boolean));
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  const groups = [...head, ...Array<string>(zeros).fill('0'), ...(tail ?? [])];
  return groups.slice(0, 4).join(':');
}
