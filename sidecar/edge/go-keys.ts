// Which keys Go reads out of the JSON: in any case of letters, where a struct stands. Walks all that is read of a
// configuration, and finds what would be read otherwise there than here, and where routes stand. Pure.

import { escapePointer } from './pointer.ts';

/** A list of routes, wherever it stands. */
export type RoutesPlace = { readonly pointer: string; readonly routes: unknown };

/** A struct's keys → what stands there: a struct by its name, `[]` a list of it, `{}` a map of names. */
type Keys = Readonly<Record<string, string>>;

/** What stands behind a key and is only taken as it is. */
const LEAF = '';

function leaves(...names: readonly string[]): Keys {
  return Object.fromEntries(names.map((name) => [name, LEAF]));
}

/** Structs of Caddy 2.11, with the keys of them that some room of ours reads. */
const STRUCTS: Readonly<Record<string, Keys>> = {
  config: { admin: 'admin', logging: 'logging', apps: 'apps' },
  admin: { ...leaves('disabled', 'listen', 'origins', 'enforce_origin', 'remote'), config: 'load' },
  load: leaves('load', 'load_delay', 'persist'),
  logging: { logs: 'log{}', sink: LEAF },
  log: {
    ...leaves('level', 'include', 'exclude'),
    ...{ writer: 'writer', encoder: 'encoder', sampling: 'sampling' },
  },
  sampling: leaves('interval', 'first', 'thereafter'),
  writer: leaves('filename', 'mode', 'address', 'roll', 'roll_size_mb', 'roll_keep', 'roll_gzip'),
  encoder: {
    ...leaves('message_key', 'level_key', 'time_key', 'name_key', 'caller_key', 'stacktrace_key'),
    ...leaves('line_ending', 'time_format', 'time_local', 'duration_format', 'level_format'),
    ...{ wrap: 'encoder', fields: 'filter{}' },
  },
  filter: {
    ...leaves('value', 'regexp', 'name', 'ipv4_cidr', 'ipv6_cidr'),
    ...{ actions: 'action[]', operations: 'operation[]' },
  },
  operation: leaves('regexp', 'value'),
  action: leaves('type', 'parameter', 'name', 'value'),
  apps: { http: 'http' },
  http: { servers: 'server{}', http_port: LEAF, https_port: LEAF },
  server: {
    ...leaves('listen', 'max_header_bytes', 'tls_connection_policies', 'client_ip_headers'),
    ...{ routes: 'routes', errors: 'errors', named_routes: 'route{}', logs: 'server-logs' },
    ...{ automatic_https: 'automatic-https', trusted_proxies: 'ranges' },
  },
  'automatic-https': leaves('disable', 'disable_redirects', 'skip', 'skip_certificates'),
  'server-logs': leaves(
    ...['default_logger_name', 'logger_names', 'skip_hosts', 'skip_unmapped_hosts'],
    ...['should_log_credentials', 'trace'],
  ),
  errors: { routes: 'routes' },
  route: { match: 'matchers[]', handle: 'handler[]', terminal: LEAF, group: LEAF },
  ranges: leaves('ranges'),
  expression: leaves('pattern', 'name'),
  tls: leaves('handshake_complete'),
  file: leaves('root', 'try_files', 'try_policy', 'split_path'),
  rewrite: {
    ...leaves('method', 'uri', 'strip_path_prefix', 'strip_path_suffix', 'query'),
    ...{ uri_substring: 'substitution[]', path_regexp: 'substitution[]' },
  },
  substitution: leaves('find', 'replace', 'limit'),
  headers: { request: 'header-ops', response: 'header-ops' },
  'header-ops': {
    ...leaves('add', 'set', 'delete', 'deferred'),
    ...{ replace: 'replacement[]{}', require: 'answer' },
  },
  replacement: leaves('search', 'search_regexp', 'replace'),
  answer: leaves('status_code', 'headers'),
  response: { match: 'answer', status_code: LEAF, routes: 'routes' },
  upstream: leaves('dial', 'max_requests'),
  transport: leaves('response_header_timeout', 'keep_alive', 'tls', 'versions', 'dial_timeout'),
};

/** Handlers of Caddy's own; the keys of others are theirs. */
const HANDLERS: Readonly<Record<string, Keys>> = {
  subroute: { routes: 'routes', errors: 'errors' },
  reverse_proxy: {
    ...leaves('trusted_proxies', 'dynamic_upstreams'),
    ...{ rewrite: 'rewrite', headers: 'headers', handle_response: 'response[]' },
    ...{ upstreams: 'upstream[]', transport: 'transport' },
  },
  intercept: { handle_response: 'response[]' },
  headers: STRUCTS['headers'] ?? {},
  rewrite: STRUCTS['rewrite'] ?? {},
  static_response: leaves('status_code', 'headers', 'body', 'close', 'abort'),
  error: leaves('error', 'status_code'),
  file_server: leaves('root', 'pass_thru', 'hide', 'index_names', 'status_code', 'fs', 'browse'),
  authentication: leaves('providers'),
  invoke: leaves('name'),
  log_append: leaves('key', 'value', 'early'),
  acme_server: leaves('path_prefix'),
  copy_response: leaves('status_code'),
  copy_response_headers: leaves('include', 'exclude'),
  templates: leaves('file_root', 'mime_types', 'delimiters'),
  map: leaves('source', 'destinations', 'mappings', 'defaults'),
};

/** Matchers that are structs, or maps of such; names of matchers are a map's, and matter as they are spelled. */
const MATCHERS: Keys = {
  path_regexp: 'expression',
  header_regexp: 'expression{}',
  vars_regexp: 'expression{}',
  remote_ip: 'ranges',
  client_ip: 'ranges',
  tls: 'tls',
  file: 'file',
  not: 'matchers[]',
};

type Found = { problem: string | undefined; readonly places: RoutesPlace[] };

/** Returns where routes stand; a sentence where the JSON says something else to Go than to us. Never throws. */
export function routesIn(
  config: unknown,
): { readonly places: readonly RoutesPlace[] } | { readonly problem: string } {
  const found: Found = { problem: undefined, places: [] };
  read(config, 'config', '', found);
  const { problem, places } = found;
  return problem === undefined ? { places } : { problem };
}

function read(part: unknown, shape: string, pointer: string, found: Found): void {
  if (shape === LEAF || part === null || part === undefined || found.problem !== undefined) return;
  if (shape === 'routes') {
    found.places.push({ pointer, routes: part });
    return read(part, 'route[]', pointer, found);
  }
  const many = /(\[\]|\{\})$/.exec(shape)?.[0];
  if (Array.isArray(part) !== (many === '[]') || typeof part !== 'object') {
    found.problem = `at ${pointer}: Caddy reads ${many === '[]' ? 'a list' : 'an object'} here`;
    return;
  }
  for (const [key, inner] of Object.entries(part)) {
    const next = many === undefined ? shapeOf(key, part, shape) : shape.slice(0, -2);
    const at = `${pointer}/${escapePointer(key)}`;
    if (typeof next === 'object') found.problem ??= `at ${at}: ${next.problem}`;
    else read(inner, next, at, found);
  }
}

function shapeOf(key: string, of: object, shape: string): string | { readonly problem: string } {
  const keys = keysOf(of, shape);
  if (Object.hasOwn(keys, key)) return keys[key] ?? LEAF;
  const name = folded(key);
  if (shape === 'matchers' || !Object.hasOwn(keys, name)) return LEAF;
  return { problem: `Caddy reads this as \`${name}\`; write it so` };
}

function keysOf(of: object, shape: string): Keys {
  if (shape === 'matchers') return MATCHERS;
  // What `append` puts onto a line are values, not filters.
  if (shape === 'encoder' && 'format' in of && of.format === 'append') {
    return { ...STRUCTS['encoder'], fields: LEAF };
  }
  if (shape !== 'handler') return STRUCTS[shape] ?? {};
  const { handler } = of as { readonly handler?: unknown };
  return typeof handler === 'string' && Object.hasOwn(HANDLERS, handler)
    ? (HANDLERS[handler] ?? {})
    : {};
}

// As Go's encoding/json folds names: to it ſ is an s, and the sign for Kelvin a k.
function folded(key: string): string {
  return key.replaceAll('ſ', 's').toLowerCase();
}
