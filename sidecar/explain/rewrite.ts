// The handler `rewrite`: what it makes of method, path and query. Written after Caddy 2.11's rewrite.go; what is
// rarer (changes of single parameters) leaves the query unknown.
import { recordAt, type Handler } from '../edge/adapted.ts';
import { isBelow } from '../edge/version.ts';
import { replacedEvery } from './bounded.ts';
import { cleanPath, escapedPath, lower, unescaped } from './go-path.ts';
import { recordsAt, textAt } from './parts.ts';
import { placeholder, replaced } from './placeholders.ts';
import { goRegExp } from './regexp.ts';
import type { Maybe, Request } from './request.ts';

/** Returns the request as it goes on. */
export function rewritten(handler: Handler, request: Request): Request {
  const { method, uri, strip_path_prefix: prefix, strip_path_suffix: suffix, query } = handler;
  let made = request;
  if (isText(method)) made = { ...made, method: replaced(method, made)?.toUpperCase() };
  if (isText(uri)) made = withUri(uri, made);
  if (isText(prefix)) made = withoutPrefix(prefix, made);
  if (isText(suffix)) made = withoutSuffix(suffix, made);
  for (const one of recordsAt(handler['uri_substring'])) made = withSubstring(one, made);
  for (const one of recordsAt(handler['path_regexp'])) made = withRegExp(one, made);
  return query === undefined || query === null ? made : { ...made, query: undefined };
}

const URI = /^([^?#]*)(?:(\?)([^#]*))?(?:#.*)?$/s;

// The path that a placeholder brings stays spelled as it is; a `?` in what it brings begins a query.
function withUri(uri: string, request: Request): Request {
  const [, writtenPath = '', hasQuery, writtenQuery = ''] = URI.exec(uri) ?? [];
  const { path } = request;
  const spelled = writtenPath.replaceAll('{http.request.uri.path}', (written) =>
    path === undefined ? written : escapedPath(path, request.rawPath),
  );
  const file = placeholder('http.matchers.file.relative', request);
  const named = spelled.replaceAll('{http.matchers.file.relative}', (written) =>
    file === undefined ? written : escapedPath(file, ''),
  );
  const newPath = replaced(named, request);
  const [target, ...brought] = newPath?.split('?') ?? [];
  const query = queryOf(writtenQuery === '' ? inert(brought.join('?')) : writtenQuery, request);
  return {
    ...request,
    ...(writtenPath !== '' && pathOf(target)),
    ...(hasQuery !== undefined && { query }),
  };
}

// Braces that a client has sent are no placeholders (GHSA-j8px-rmrx-76h9).
function inert(brought: string): string {
  return brought.replaceAll('{', '%7B').replaceAll('}', '%7D');
}

function pathOf(target: Maybe<string>): Pick<Request, 'path' | 'rawPath'> {
  return { path: target === undefined ? undefined : (unescaped(target) ?? target), rawPath: '' };
}

// A placeholder's value is escaped, but for a whole query where a parameter begins. An empty parameter goes.
function queryOf(written: string, request: Request): Maybe<string> {
  let made = '';
  let isName = true;
  for (const [, piece = '', end = ''] of written.matchAll(/([^=&]*)([=&]|$)/g)) {
    if (piece === '' && end === '') break;
    const filled = filledIn(piece, isName, request);
    if (filled === undefined) return undefined;
    if (!isName) made += '=';
    else if (made !== '' && filled !== '') made += '&';
    made += filled;
    isName = end !== '=';
  }
  return made;
}

function filledIn(piece: string, isName: boolean, request: Request): Maybe<string> {
  const names = [...piece.matchAll(/\{([^}]*)\}/g)].map(([, name = '']) => name);
  if (names.some((name) => placeholder(name, request) === undefined)) return undefined;
  return piece.replaceAll(/\{([^}]*)\}/g, (_, name: string) => {
    const value = placeholder(name, request) ?? '';
    return isName && name === 'http.request.uri.query' ? value : queryEscaped(value);
  });
}

function queryEscaped(text: string): string {
  const escaped = encodeURIComponent(text.toWellFormed()).replaceAll('%20', '+');
  return escaped.replaceAll(
    /[!'()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function withoutPrefix(written: string, request: Request): Request {
  const prefix = replaced(written, request);
  if (prefix === undefined) return changed(request, () => undefined);
  const whole = prefix.startsWith('/') ? prefix : `/${prefix}`;
  const made = changed(request, (path) => trimmed(cleanPath(path, !whole.includes('//')), whole));
  return canonical(request, made);
}

/** Since then what a prefix or suffix leaves is cleaned, and begins with a slash. */
const CANONICAL_FROM = '2.11.5';

// Of a version that isn't known, as the newer ones do it.
function canonical(before: Request, after: Request): Request {
  const { path, rawPath, caddy } = after;
  const isOld = caddy !== undefined && isBelow(caddy, CANONICAL_FROM);
  const isSame = escapedPath(before.path ?? '', before.rawPath) === rawPath;
  if (isOld || path === undefined || isSame) return after;
  const cleaned = cleanPath(escapedPath(rooted(path), ''), false);
  const made = unescaped(cleaned) ?? cleaned;
  const raw = rawPath === '' ? '' : rooted(rawPath);
  // Bytes that are no UTF-8 are told by their spelling alone here; what was cleaned is spelled anew.
  if (made.includes('\ufffd')) {
    const isClean = cleanPath(raw, false) === raw;
    const spelled = isClean ? raw : raw.replaceAll(/%../g, (one) => one.toUpperCase());
    return { ...after, path: made, rawPath: spelled };
  }
  const isOwn = raw !== '' && unescaped(raw) === made && raw !== escapedPath(made, '');
  return { ...after, path: made, rawPath: isOwn ? raw : '' };
}

function rooted(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

function withoutSuffix(written: string, request: Request): Request {
  const suffix = replaced(written, request);
  // Caddy trims it backwards, where an escape is no escape any more.
  const made = changed(request, (path) => {
    if (suffix === undefined) return undefined;
    const cleaned = cleanPath(path, !suffix.includes('//'));
    const isEnd = lower(cleaned).endsWith(lower(suffix));
    return isEnd ? cleaned.slice(0, cleaned.length - suffix.length) : cleaned;
  });
  return canonical(request, made);
}

function trimmed(path: string, prefix: string): string {
  let at = 0;
  let of = 0;
  for (; at < path.length && of < prefix.length; of++) {
    const isEscape = path[at] === '%' && prefix[of] !== '%' && path.length >= at + 3;
    const one = isEscape ? unescaped(path.slice(at, at + 3)) : path[at];
    if (one?.toLowerCase() !== prefix[of]?.toLowerCase()) return path;
    at += isEscape ? 3 : 1;
  }
  return of >= prefix.length ? path.slice(at) : path;
}

function withSubstring(rule: Readonly<Record<string, unknown>>, request: Request): Request {
  const find = replaced(textAt(rule['find']), request);
  const by = replaced(textAt(rule['replace']), request);
  const limit = Number(rule['limit'] ?? 0) || Infinity;
  const { query } = request;
  if (find === '') return request;
  const merge = !textAt(rule['find']).includes('//');
  const inText = (text: string) =>
    find === undefined || by === undefined ? undefined : replaceUpTo(text, find, by, limit);
  const made = changed(request, (path) => inText(cleanPath(path, merge)));
  return { ...made, query: query === undefined ? undefined : inText(query) };
}

function replaceUpTo(text: string, find: string, by: string, limit: number): string {
  const parts = text.split(find);
  const done = Math.min(parts.length - 1, limit);
  return [...parts.slice(0, done), parts.slice(done).join(find)].join(by);
}

function withRegExp(rule: Readonly<Record<string, unknown>>, request: Request): Request {
  const find = goRegExp(textAt(rule['find']));
  const by = replaced(textAt(rule['replace']), request);
  if (find === undefined || by === undefined) return changed(request, () => undefined);
  return changed(request, (path) => replacedEvery(path, find, (match) => expanded(by, match)));
}

// Go's `$1`, `${1}`, `${name}`; a name goes as far as letters, digits and `_` do.
function expanded(template: string, match: RegExpExecArray): string {
  const groups = recordAt(match.groups);
  return template.replaceAll(
    /\$(?:\$|\{(\w+)\}|(\w+))/g,
    (whole, braced?: string, bare?: string) => {
      if (whole === '$$') return '$';
      const name = braced ?? bare ?? '';
      const value = /^\d+$/.test(name) ? match[Number(name)] : groups[name];
      return typeof value === 'string' ? value : '';
    },
  );
}

// As `changePath`: on the path as it is spelled, and what that means then.
function changed(request: Request, change: (path: string) => Maybe<string>): Request {
  const { path, rawPath } = request;
  if (path === undefined) return request;
  const raw = change(escapedPath(path, rawPath));
  if (raw === undefined) return { ...request, path: undefined, rawPath: '' };
  const meant = unescaped(raw);
  const made = meant === undefined || meant === '' ? change(path) : meant;
  return { ...request, path: made, rawPath: raw };
}

function isText(part: unknown): part is string {
  return typeof part === 'string' && part !== '';
}
