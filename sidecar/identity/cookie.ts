// Cookies as they stand on the wire, RFC 6265. What a value means is decided elsewhere.

/** The session's cookie. `__Host-`: only this host, over TLS, for all of its paths, can have set it. */
export const SESSION_COOKIE = '__Host-signet';
/** The same for a parent domain: hosts beside ours can set it, too (RFC 6265 section 8.6). */
const DOMAIN_SESSION_COOKIE = '__Secure-signet';

/** Who shares the session's cookie: each host has its own, a domain's hosts have one, or one host hands over. */
export type Cookie =
  | { readonly kind: 'host' }
  | { readonly kind: 'domain'; readonly domain: string }
  /** `host` is where people sign in, with its port, unless it is the scheme's. */
  | { readonly kind: 'central'; readonly host: string };

export const HOST_COOKIE: Cookie = { kind: 'host' };

/** Pairs of a `Cookie` header that are looked at where all are listed; Caddy takes 32 KiB of headers. */
export const MAX_COOKIE_PAIRS = 1_000;
/** Values of one name that are told: a sign-out asks the store about each. */
export const MAX_COOKIE_VALUES = 20;
/** Names of one prefix that are told: each may be taken away by a header of the answer. */
export const MAX_COOKIE_NAMES = 100;

const SPACE = 32;
const EQUALS = 61;

/**
 * Returns the value of a cookie in a `Cookie` header, `repeated` when the name stands there twice, or
 * undefined. On the hot path: it allocates nothing but the value.
 */
export function readCookie(header: string | undefined, name: string): string | undefined {
  let found: string | undefined;
  for (let at = 0; header !== undefined && at < header.length;) {
    let end = header.indexOf(';', at);
    if (end < 0) end = header.length;
    while (header.charCodeAt(at) === SPACE) at++;
    if (header.startsWith(name, at) && header.charCodeAt(at + name.length) === EQUALS) {
      if (found !== undefined) return 'repeated';
      found = header.slice(at + name.length + 1, end).trimEnd();
    }
    at = end + 1;
  }
  return found;
}

/** Returns the values of a cookie in a `Cookie` header, each once, as far as the bounds go. */
export function cookieValues(header: string | undefined, name: string): string[] {
  const pairs = (header ?? '').split(';', MAX_COOKIE_PAIRS).map((pair) => pair.trim());
  const values = pairs.filter((pair) => pair.startsWith(`${name}=`));
  return [...new Set(values.map((pair) => pair.slice(name.length + 1)))].slice(
    0,
    MAX_COOKIE_VALUES,
  );
}

/** Returns the names of the cookies in a `Cookie` header that begin with a prefix, as far as the bounds go. */
export function cookieNames(header: string | undefined, prefix: string): string[] {
  return (header ?? '')
    .split(';', MAX_COOKIE_PAIRS)
    .map((pair) => pair.trimStart())
    .filter((pair) => pair.startsWith(prefix) && pair.includes('='))
    .slice(0, MAX_COOKIE_NAMES)
    .map((pair) => pair.slice(0, pair.indexOf('=')));
}

/** Returns what the session's cookie is called. */
export function sessionCookieName({ kind }: Cookie): string {
  return kind === 'domain' ? DOMAIN_SESSION_COOKIE : SESSION_COOKIE;
}

/** Returns the `Set-Cookie` header of a session; with an empty value, one that takes it away. */
export function setSessionCookie(cookie: Cookie, value: string): string {
  const line = value === '' ? clearCookie : (name: string) => setCookie(name, value);
  const whole = line(sessionCookieName(cookie));
  return cookie.kind === 'domain' ? `${whole}; Domain=${cookie.domain}` : whole;
}

/** Returns whether a host (with or without its port) can have the session's cookie. */
export function isCookieHost(cookie: Cookie, host: string): boolean {
  if (cookie.kind !== 'domain') return true;
  const name = host.replace(/:\d+$/, '');
  return name === cookie.domain || name.endsWith(`.${cookie.domain}`);
}

/**
 * Returns a `Set-Cookie` header. Without `maxAgeSeconds` the cookie lives as long as the browser runs.
 * `Lax`, because the way back from a provider is a cross-site navigation.
 */
export function setCookie(name: string, value: string, maxAgeSeconds?: number): string {
  const age = maxAgeSeconds === undefined ? '' : `; Max-Age=${maxAgeSeconds}`;
  return `${name}=${value}; Path=/${age}; Secure; HttpOnly; SameSite=Lax`;
}

/** Returns a `Set-Cookie` header that takes the cookie away. */
export function clearCookie(name: string): string {
  return setCookie(name, '', 0);
}
