// Caddy's placeholders in a text, with the values of one request. A value that only the running Caddy has makes the
// whole text unknown. Written after Caddy 2.11's replacer.go.
import { posix } from 'node:path';
import { hostnameOf, uriOf, type Maybe, type Request } from './request.ts';

/** What a placeholder stands for: `known: false` is a name that Caddy doesn't know either. */
type Value = { readonly known: boolean; readonly text: Maybe<string> };

/** Filled by handlers that are not evaluated here, or by the running Caddy. */
const RUNTIME =
  /^(?:env|file|system|time|tls|http\.(?:reverse_proxy|auth|matchers|handlers|intercept|response|cookie|shutting_down)|http\.request\.(?:uuid|tls|body|duration|local|remote))(?:[./_]|$)/;

const OPEN_OR_CLOSED = /\\([{}])|\{([^}]*)\}/gs;

/** Returns the text with its placeholders replaced; undefined where one is not known. */
export function replaced(text: string, request: Request): Maybe<string> {
  return replaceIn(text, request, () => '');
}

/** The same, but names that Caddy doesn't know stay as they are (`ReplaceKnown`). */
export function replacedKnown(text: string, request: Request): Maybe<string> {
  return replaceIn(text, request, (whole) => whole);
}

function replaceIn(
  text: string,
  request: Request,
  unknown: (whole: string) => string,
): Maybe<string> {
  let isKnown = true;
  const made = text.replaceAll(OPEN_OR_CLOSED, (whole, escaped?: string, name?: string) => {
    if (escaped !== undefined) return escaped;
    const value = valueOf(name ?? '', request);
    if (value.known && value.text === undefined) isKnown = false;
    return value.known ? (value.text ?? '') : unknown(whole);
  });
  return isKnown ? made : undefined;
}

/** Returns the value of one placeholder, named without its braces; '' for a name that Caddy doesn't know. */
export function placeholder(name: string, request: Request): Maybe<string> {
  const { known, text } = valueOf(name, request);
  return known ? text : '';
}

function valueOf(name: string, request: Request): Value {
  if (request.placeholders.has(name)) return is(request.placeholders.get(name));
  if (request.unknownPrefixes.some((prefix) => name.startsWith(prefix))) return is(undefined);
  return named(name, request) ?? prefixed(name, request) ?? guessed(name, request);
}

function guessed(name: string, request: Request): Value {
  if (name === 'http.request.remote.host' && request.from !== undefined) return is(request.from);
  return RUNTIME.test(name) ? is(undefined) : { known: false, text: '' };
}

function is(text: Maybe<string>): Value {
  return { known: true, text };
}

function named(name: string, request: Request): Value | undefined {
  const { method, scheme, host, path, query, original } = request;
  switch (name) {
    case 'http.request.method':
      return is(method);
    case 'http.request.proto':
      // As in `matchProtocol`: which one TLS brings is not known.
      return is(scheme === 'http' ? 'HTTP/1.1' : undefined);
    case 'http.request.scheme':
      return is(scheme);
    case 'http.request.host':
      return is(host && host.replace(/:\d*$/, ''));
    case 'http.request.port':
      return is(host && (/:(\d+)$/.exec(host)?.[1] ?? ''));
    case 'http.request.hostport':
      return is(host);
    case 'http.request.uri':
      return is(uriOf(request));
    case 'http.request.uri.path':
      return is(path);
    case 'http.request.uri.path.file':
      return is(path?.slice(path.lastIndexOf('/') + 1));
    case 'http.request.uri.path.dir':
      return is(path?.slice(0, path.lastIndexOf('/') + 1));
    case 'http.request.uri.path.file.base':
      return is(path && posix.basename(path).replace(/\.[^.]*$/, ''));
    case 'http.request.uri.path.file.ext':
      return is(path && (/\.[^./]*$/.exec(path)?.[0] ?? ''));
    case 'http.request.uri.query':
      return is(query);
    case 'http.request.uri.prefixed_query':
      return is(query && `?${query}`);
    case 'http.request.orig_method':
      return is(original.method);
    case 'http.request.orig_uri':
      return is(original.uri);
    case 'http.request.orig_uri.path':
      return is(original.path);
    case 'http.request.orig_uri.path.file_escaped':
      return is(original.uri.split('?')[0]?.replace(/^.*\//s, ''));
    case 'http.request.orig_uri.query':
      return is(original.query);
    case 'http.request.orig_uri.prefixed_query':
      return is(original.query && `?${original.query}`);
    default:
      return undefined;
  }
}

const PREFIXED =
  /^http\.(request\.header|request\.cookie|request\.uri\.query|request\.uri\.path|request\.orig_uri\.path|request\.host\.labels|vars)\.(.*)$/s;

function prefixed(name: string, request: Request): Value | undefined {
  const [, kind, rest = ''] = PREFIXED.exec(name) ?? [];
  const { path, host, query, original, headers, vars } = request;
  switch (kind) {
    case 'request.header':
      return is(headers.has(rest.toLowerCase()) ? headers.get(rest.toLowerCase())?.join(',') : '');
    case 'request.cookie':
      return cookie(rest, headers);
    case 'request.uri.query':
      return is(
        query === undefined ? undefined : new URLSearchParams(query).getAll(rest).join(','),
      );
    case 'request.uri.path':
      return part(path, '/', rest);
    case 'request.orig_uri.path':
      return part(original.path, '/', rest);
    case 'request.host.labels':
      return label(host, rest);
    case 'vars':
      return is(vars.has(rest) ? vars.get(rest) : RUNTIME_VARS.has(rest) ? undefined : '');
    default:
      return undefined;
  }
}

/** Caddy's own variables of a request. */
const RUNTIME_VARS = new Set(['start_time', 'uuid', 'trusted_proxy']);

// A cookie that isn't there is a name that Caddy doesn't know.
function cookie(name: string, headers: Request['headers']): Value {
  if (!headers.has('cookie')) return { known: false, text: '' };
  const sent = headers.get('cookie');
  if (sent === undefined) return is(undefined);
  const pairs = sent
    .join('; ')
    .split(';')
    .map((pair) => pair.trim());
  const found = pairs.find((pair) => pair.toLowerCase().startsWith(`${name.toLowerCase()}=`));
  return found === undefined ? { known: false, text: '' } : is(found.slice(name.length + 1));
}

function part(path: Maybe<string>, separator: string, at: string): Value | undefined {
  if (!/^\d+$/.test(at)) return undefined;
  return is(
    path === undefined ? undefined : (path.replace(/^\//, '').split(separator)[Number(at)] ?? ''),
  );
}

function label(host: Maybe<string>, at: string): Value | undefined {
  if (!/^\d+$/.test(at)) return undefined;
  return is(host && (hostnameOf(host).split('.').toReversed()[Number(at)]?.toLowerCase() ?? ''));
}
