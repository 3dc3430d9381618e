// One request as Caddy has it while it goes through the routes: what came, and what handlers have made of it since.
// What can't be told from here (a file's path, an answer's header) is `undefined`, and stays so.
import type { CaddyVersion } from '../edge/version.ts';
import { escapedPath, unescaped } from './go-path.ts';

/** Not known: it hangs on something that only the running Caddy has. */
export type Maybe<T> = T | undefined;

/** Lower-case name → its values; a name that isn't there was not sent. */
export type Headers = ReadonlyMap<string, Maybe<readonly string[]>>;

export type Request = {
  readonly method: Maybe<string>;
  readonly scheme: 'http' | 'https';
  /** As the `Host` header has it, with a port where the client sends one. */
  readonly host: Maybe<string>;
  /** With its escapes read. */
  readonly path: Maybe<string>;
  /** As it was spelled; empty where it was made anew. */
  readonly rawPath: string;
  /** Without the `?`. */
  readonly query: Maybe<string>;
  readonly headers: Headers;
  /** Of Caddy's `vars`; one that isn't there was not set. */
  readonly vars: ReadonlyMap<string, Maybe<string>>;
  /** Placeholders that matchers and handlers have filled. */
  readonly placeholders: ReadonlyMap<string, Maybe<string>>;
  /** Beginnings of placeholders whose values nobody can tell from here. */
  readonly unknownPrefixes: readonly string[];
  /** The address that it comes from. */
  readonly from: Maybe<string>;
  /** Which Caddy it comes to. */
  readonly caddy: Maybe<CaddyVersion>;
  /** As it came, before any rewriting. */
  readonly original: {
    readonly method: string;
    readonly uri: string;
    readonly path: string;
    readonly query: string;
  };
};

/** What is asked about. */
export type Wanted = {
  readonly method: string;
  /** Absolute; read as it is spelled, never tidied. */
  readonly url: string;
  /** In the order given; names may repeat. */
  readonly headers?: readonly (readonly [name: string, value: string])[] | undefined;
  /** Headers that the caller has, and whose values are not known. */
  readonly unknownHeaders?: readonly string[] | undefined;
  readonly from?: string | undefined;
  /** Of the Caddy that it comes to; undefined: what hangs on it may be so or so. */
  readonly caddy?: CaddyVersion | undefined;
};

/** The request, and where it goes. */
export type Read = {
  readonly request: Request;
  /** As it is where the URL has no path and is sent whole, as to a proxy: its path is empty then, and not `/`. */
  readonly bare?: Request;
  readonly hostname: string;
  readonly port: number;
};

/** Every client sends these, each its own. */
const OF_THE_CLIENT = ['user-agent', 'accept', 'accept-encoding', 'accept-language'];

const URL_TEXT =
  /^(https?):\/\/((?:\[[0-9A-Fa-f:.]+\]|[^/?#:@[\]]+)(?::(\d{1,5}))?)(\/[^?#]*)?(?:\?([^#]*))?(?:#.*)?$/isu;

/** Returns the request as Caddy would read it, or a sentence that says why it would not. Never throws. */
export function readRequest(wanted: Wanted): Read | { readonly problem: string } {
  const parts = URL_TEXT.exec(wanted.url);
  if (parts === null)
    return {
      problem: `${JSON.stringify(wanted.url)} is no URL that begins with http:// or https:// and a host`,
    };
  const [, scheme = '', host = '', portText, rawPath = '/', query = ''] = parts;
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$/.test(wanted.method)) {
    return { problem: `${JSON.stringify(wanted.method)} is no method` };
  }
  // Go's server answers these itself, with 400.
  if (/[\p{Cc} ]/u.test(rawPath + query))
    return { problem: 'the URL holds a space or a control character: escape it' };
  const path = unescaped(rawPath);
  if (path === undefined)
    return { problem: 'the path holds a % that is no escape: Caddy answers it with 400' };
  const secure = scheme.toLowerCase() === 'https';
  const { method } = wanted;
  const uri = rawPath + (parts[5] === undefined ? '' : `?${query}`);
  const request: Request = {
    ...{ method, scheme: secure ? 'https' : 'http', host: hostOf(wanted) ?? host },
    ...{ path, rawPath, query },
    headers: headersOf(wanted),
    vars: new Map([['client_ip', wanted.from]]),
    placeholders: new Map(),
    unknownPrefixes: [],
    ...{ from: wanted.from, caddy: wanted.caddy },
    original: { method, uri, path, query },
  };
  return {
    hostname: host.replace(/:\d+$/, ''),
    port: portText === undefined ? (secure ? 443 : 80) : Number(portText),
    request,
    ...(parts[4] === undefined && { bare: bareOf(request, wanted.url) }),
  };
}

function bareOf(request: Request, url: string): Request {
  const original = { ...request.original, path: '', uri: url.replace(/#.*/s, '') };
  return { ...request, path: '', rawPath: '', original };
}

function hostOf({ headers = [] }: Wanted): string | undefined {
  return headers.find(([name]) => name.toLowerCase() === 'host')?.[1];
}

// Caddy 2.11.4 drops names with an underscore before anything looks at them (GHSA-f59h-q822-g45g).
function headersOf({ headers = [], unknownHeaders = [] }: Wanted): Headers {
  const read = new Map<string, Maybe<readonly string[]>>();
  for (const name of [...OF_THE_CLIENT, ...unknownHeaders]) read.set(name.toLowerCase(), undefined);
  const kept = headers.filter(([name]) => !name.includes('_') && name.toLowerCase() !== 'host');
  for (const [name] of kept) read.set(name.toLowerCase(), []);
  for (const [name, value] of kept) {
    const key = name.toLowerCase();
    read.set(key, [...(read.get(key) ?? []), value.trim()]);
  }
  return read;
}

/** Returns path and query as the client would write them; undefined where they are not known. */
export function uriOf({ path, rawPath, query }: Request): Maybe<string> {
  if (path === undefined || query === undefined) return undefined;
  return (escapedPath(path, rawPath) || '/') + (query === '' ? '' : `?${query}`);
}

/** Returns a host without its port and brackets. */
export function hostnameOf(host: string): string {
  return host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1');
}
