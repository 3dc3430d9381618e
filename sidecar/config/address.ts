// The texts for places on the network and for spans of time: read, or undefined. Opens nothing.
import { isAllowedUrl } from '../identity/bounded-fetch.ts';

/** A unix socket's path, or a TCP host (IPv6 without brackets) and port. */
export type Address =
  { readonly socket: string } | { readonly host: string; readonly port: number };

/**
 * Returns what the text names: `host:port`, or a path with a slash in it, which may be written as
 * Caddy does: `unix//run/signet/sidecar.sock`.
 */
export function parseAddress(text: string): Address | undefined {
  if (!text.includes('/')) return parseHostPort(text);
  const socket = text.startsWith('unix/') ? text.slice('unix/'.length) : text;
  return socket === '' || socket.includes('\0') || /^[a-z]+:\//i.test(socket)
    ? undefined
    : { socket };
}

/** Returns host and port; port 0 takes a free one. */
export function parseHostPort(text: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port > 65_535 ? undefined : { host, port };
}

/** Returns whether this can be an issuer: https, or http on loopback, and no query or fragment. */
export function isIssuer(text: string): boolean {
  const url = parseHttpUrl(text);
  if (url === undefined || /[?#\s]/.test(text)) return false;
  return isAllowedUrl(url);
}

/**
 * Returns `https://host:port` (TLS) or `http://host:port` (plaintext). Without a port it is 443 for
 * https and 4317 for http. gRPC has no path: one that is given is not quietly dropped.
 */
export function parseEndpoint(text: string): string | undefined {
  const url = parseHttpUrl(text);
  if (url === undefined || url.pathname !== '/' || /[?#\s]/.test(text)) return undefined;
  return originOf(url, text);
}

/** Returns `scheme://host:port` of an http(s) URL, whatever its path; a port that isn't written is as in `parseEndpoint`. */
export function parseOrigin(text: string): string | undefined {
  const url = parseHttpUrl(text);
  return url && originOf(url, text);
}

function originOf({ protocol, hostname, port }: URL, text: string): string {
  const own = protocol === 'https:' ? '443' : '80';
  // URL drops a scheme's own port, so `http://host:80` has to be told from `http://host`.
  const isWritten = /^https?:\/+[^/]*:\d+(?:\/|$)/i.test(text);
  const fallback = protocol === 'https:' ? '443' : '4317';
  return `${protocol}//${hostname}:${port || (isWritten ? own : fallback)}`;
}

/** Returns an http(s) URL as it is, which may have a path; undefined with a query, a fragment, a user or port 0. */
export function parsePlainUrl(text: string): string | undefined {
  return /[?#\s]/.test(text) ? undefined : parseHttpUrl(text)?.href;
}

function parseHttpUrl(text: string): URL | undefined {
  // URL takes a backslash for a slash; what else reads the text may not.
  const url = /^https?:\/\/[^\\]*$/i.test(text) ? URL.parse(text) : null;
  const isSound = url?.username === '' && url.password === '' && url.port !== '0';
  return isSound ? url : undefined;
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Returns milliseconds, more than 0: a number and `ms`, `s`, `m`, `h` or `d`, as in `30m`. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  const ms = Math.round(Number(match?.[1]) * (UNIT_MS[match?.[2] ?? ''] ?? 0));
  return ms > 0 && Number.isSafeInteger(ms) ? ms : undefined;
}
