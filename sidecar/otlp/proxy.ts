// Which way to a destination: straight, or through a proxy. By what the variables HTTPS_PROXY, HTTP_PROXY
// and NO_PROXY say, for both protocols alike; who reads the variables is config's to say.
import { BlockList, isIP, isIPv6 } from 'node:net';
import { Fault } from '../fault.ts';
import type { Secret } from '../secret.ts';

/** What the variables say. The URLs may hold a name and a password. */
export type ProxySettings = {
  /** For destinations by https. */
  readonly https?: Secret;
  /** For those by http. */
  readonly http?: Secret;
  /** Hosts that are reached straight: NO_PROXY, divided at its commas. */
  readonly no: readonly string[];
};

export type Proxy = { readonly url: Secret };

/**
 * Returns the proxy's URL, `http://[user:password@]host[:port]`; undefined for whatever else. What goes
 * through it is TLS of its own; a proxy that is itself reached by TLS, or SOCKS, is not spoken.
 */
export function parseProxyUrl(text: string): URL | undefined {
  const url = /^http:\/\//i.test(text) ? URL.parse(text) : null;
  return url === null || url.hostname === '' ? undefined : url;
}

/** Returns the same; throws ERR_DELIVERY, without the text, which may hold a password. */
export function openProxyUrl({ url }: Proxy): URL {
  const parsed = parseProxyUrl(url.reveal());
  if (parsed === undefined) throw new Fault('ERR_DELIVERY', 'the proxy is no http:// URL');
  return parsed;
}

/** Returns whether a connection failed because the proxy wants other credentials (RFC 9110, 15.5.8). */
export function isProxyUnauthorized(error: unknown): boolean {
  return (Object(error) as { statusCode?: unknown }).statusCode === 407;
}

/** Returns the proxy that leads to a URL; undefined for straight ahead, always so on this machine. */
export function proxyFor(url: string, { https, http, no }: ProxySettings): Proxy | undefined {
  const to = new URL(url);
  const proxy = to.protocol === 'https:' ? https : http;
  const host = to.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = to.port || (to.protocol === 'https:' ? '443' : '80');
  if (proxy === undefined || isLoopback(host)) return undefined;
  return no.some((entry) => isMeant(entry.trim().toLowerCase(), host, port))
    ? undefined
    : { url: proxy };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

// `*`, a host with all under it, an address, a block of them (CIDR); each but the first with `:port` at will.
function isMeant(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  const [, bracketed, bare, only] = /^(?:\[(.+)\]|(.*?))(?::(\d+))?$/.exec(entry) ?? [];
  if (isIPv6(entry)) return entry === host;
  const name = bracketed ?? bare ?? '';
  if (name === '' || (only !== undefined && only !== port)) return false;
  if (name.includes('/')) return isInBlock(name, host);
  const domain = name.replace(/^\*?\./, '');
  return host === domain || (isIP(host) === 0 && host.endsWith(`.${domain}`));
}

function isInBlock(block: string, host: string): boolean {
  const [network = '', bits = ''] = block.split('/');
  const family = isIPv6(host) ? 'ipv6' : 'ipv4';
  if (isIP(network) === 0 || isIP(network) !== isIP(host) || !/^\d{1,3}$/.test(bits)) return false;
  if (Number(bits) > (family === 'ipv6' ? 128 : 32)) return false;
  const blocks = new BlockList();
  blocks.addSubnet(network, Number(bits), family);
  return blocks.check(host, family);
}
