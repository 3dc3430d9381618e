// A site's address, taken apart and normalized as Caddy 2.11 does it (httpcaddyfile/addresses.go). Nothing
// is checked: Caddy has accepted it.
import type { Place } from './token.ts';

export type Address = Place & {
  readonly text: string;
  /** '' where none is written. */
  readonly scheme: string;
  /** As in a JSON `host` matcher, lower case; '' for every host. */
  readonly host: string;
  /** As written; '' where none is. */
  readonly port: string;
  /** As written, from its slash on; '' where none is. */
  readonly path: string;
};

// Caddy looks at no more of an address.
const MAX_LENGTH = 4096;

/** Returns scheme, host and port of what stands in front of a site's block. */
export function parseAddress(text: string, { file, line }: Place): Address {
  const whole = text.slice(0, MAX_LENGTH).trim();
  const split = whole.indexOf('://');
  const rest = split < 0 ? whole : whole.slice(split + 3);
  const [hostPort = ''] = rest.split('/', 1);
  const { host, port } = splitHostPort(hostPort);
  const path = rest.slice(hostPort.length);
  const scheme = lowerCase(split < 0 ? '' : whole.slice(0, split));
  return { file, line, text, scheme, host: lowerCase(normalizeIp(host)), port, path };
}

// Go's net.SplitHostPort; what it refuses is a host as a whole.
function splitHostPort(text: string): { host: string; port: string } {
  const bracketed = /^\[([^[\]]*)\](?::([^:]*))?$/.exec(text);
  if (bracketed !== null) return { host: bracketed[1] ?? '', port: bracketed[2] ?? '' };
  const plain = /^([^:[\]]*)(?::([^:[\]]*))?$/.exec(text);
  return plain === null ? { host: text, port: '' } : { host: plain[1]!, port: plain[2] ?? '' };
}

function normalizeIp(host: string): string {
  const url = `http://[${host}]`;
  if (!/^[0-9a-f:]+$/i.test(host) || !URL.canParse(url)) return host;
  return new URL(url).hostname.slice(1, -1);
}

/** In lower case, but for placeholders. */
function lowerCase(text: string): string {
  return text.replaceAll(
    /(\{[^}]*\})|[^{]+|\{/g,
    (piece, placeholder?: string) => placeholder ?? piece.toLowerCase(),
  );
}

/** The ports of the two schemes, where an address names none. */
export type Ports = { readonly http: string; readonly https: string };

/** Returns the port that a site with this address is served on. */
export function portOf(address: Address, ports: Ports): string {
  if (address.port !== '') return address.port;
  return address.scheme === 'http' ? ports.http : ports.https;
}
