// The host that people type into their browser: read from a text, and what follows from it. Whatever is
// accepted stands in a Caddyfile as it is, so nothing is that Caddy's lexer would take for more than a word.
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { isLoopback } from '../identity/bounded-fetch.ts';
import { type Parsed, refuse } from './parsed.ts';

export type Host = {
  /** Lower case, in ASCII; IPv6 in brackets. */
  readonly name: string;
  /** Absent: 443. */
  readonly port?: number;
};

const ALLOWED =
  'one host name such as app.example.com, with a port where it is not 443; localhost:8443 for a trial';
const LABELS = /^(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*$/;
const HTTPS_PORT = 443;
const HTTP_PORT = 80;

/** Returns the host of `app.example.com`, `app.example.com:8443`, `[::1]:8443`, each also behind `https://`. */
export function parseHost(text: string): Parsed<Host> {
  const match = /^(?:https:\/\/)?(\[[0-9a-f:.]+\]|[^\s:/?#@[\]\\]+)(?::(\d{1,5}))?\/?$/i.exec(text);
  const name = nameOf(match?.[1] ?? '');
  if (match === null || name === undefined) return refuse(text, ALLOWED);
  const port = Number(match[2] ?? HTTPS_PORT);
  if (port === HTTP_PORT)
    return { problem: 'port 80 is for plain HTTP, and signing in needs https' };
  if (port === 0 || port > 65_535) return refuse(text, ALLOWED);
  return { value: port === HTTPS_PORT ? { name } : { name, port } };
}

function nameOf(text: string): string | undefined {
  if (text.startsWith('[')) return URL.parse(`https://${text}`)?.hostname;
  const ascii = domainToASCII(text);
  // It also makes addresses of numbers (`127.1`, `3000`), and drops what can't be seen.
  const isMeant = /^[\x21-\x7e]+$/.test(text)
    ? ascii === text.toLowerCase()
    : !isIP(ascii) && !/[\p{Cc}\p{Cf}%]/u.test(text);
  return isMeant && ascii.length <= 253 && LABELS.test(ascii) ? ascii : undefined;
}

/** Returns `name`, or `name:port`. */
export function authorityOf({ name, port }: Host): string {
  return port === undefined ? name : `${name}:${port}`;
}

/** Returns the URI to register at the provider. */
export function redirectUriOf(host: Host): string {
  return `https://${authorityOf(host)}/.signet/callback`;
}

/** Returns whether the host is this machine and no other: a trial, with a certificate of Caddy's own. */
export function isTrial({ name }: Host): boolean {
  return isLoopback(name) || name.endsWith('.localhost');
}
