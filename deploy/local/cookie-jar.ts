// A browser's cookies, as far as the local stack needs them (RFC 6265): by host, not by port; with path,
// Secure and deletion. Expiry is a matter of minutes here: only "delete now" counts.

export type CookieJar = {
  /** Keeps what an answer from `url` set. */
  keep(url: string, setCookies: readonly string[]): void;
  /** Returns the `Cookie` header for `url`; undefined when there is none. */
  header(url: string): string | undefined;
};

type Cookie = {
  readonly name: string;
  readonly value: string;
  readonly host: string;
  readonly path: string;
  readonly secure: boolean;
};

/** Returns an empty jar. */
export function createCookieJar(): CookieJar {
  const cookies = new Map<string, Cookie>();

  function keep(url: string, setCookies: readonly string[]): void {
    const { hostname } = new URL(url);
    for (const text of setCookies) {
      const { cookie, isDeleted } = parse(text, hostname);
      const key = `${cookie.host} ${cookie.path} ${cookie.name}`;
      if (isDeleted) cookies.delete(key);
      else cookies.set(key, cookie);
    }
  }

  function header(url: string): string | undefined {
    const to = new URL(url);
    const sent = [...cookies.values()].filter((cookie) => goesTo(cookie, to));
    return sent.length === 0 ? undefined : sent.map((c) => `${c.name}=${c.value}`).join('; ');
  }

  return { keep, header };
}

function parse(text: string, host: string): { cookie: Cookie; isDeleted: boolean } {
  const [pair = '', ...rest] = text.split(';').map((part) => part.trim());
  const attributes = new Map(
    rest.map((part): [string, string] => {
      const [name = '', value = ''] = split(part);
      return [name.toLowerCase(), value];
    }),
  );
  const [name = '', value = ''] = split(pair);
  const expires = Date.parse(attributes.get('expires') ?? '');
  // Servers delete with a date in 1970 or an age of 0.
  const isDeleted = Number(attributes.get('max-age') ?? 1) <= 0 || expires < YEAR_2000_MS;
  const path = attributes.get('path') ?? '/';
  return { cookie: { name, value, host, path, secure: attributes.has('secure') }, isDeleted };
}

const YEAR_2000_MS = Date.UTC(2000);

function split(part: string): string[] {
  const at = part.indexOf('=');
  return at < 0 ? [part] : [part.slice(0, at), part.slice(at + 1)];
}

function goesTo({ host, path, secure }: Cookie, to: URL): boolean {
  if (host !== to.hostname || (secure && to.protocol !== 'https:')) return false;
  const folder = path.endsWith('/') ? path : `${path}/`;
  return to.pathname === path || to.pathname.startsWith(folder);
}
