// Which line of a Caddyfile a finding is about: the configuration has no lines, so it is looked for by what stands
// at the finding's place. Rather no line than a wrong one. Pure.
import {
  locate,
  type Located,
  placeOutside,
  type Wanted,
  type WantedLine,
} from '../caddyfile/locate.ts';
import type { WantedSite } from '../caddyfile/sites.ts';
import type { CaddyfileTree, Directive, Site } from '../caddyfile/tree.ts';
import { recordAt } from '../edge/adapted.ts';
import { htmlTarget } from '../edge/html-redirect.ts';
import type { Code } from './codes.ts';
import type { Found, SourceLine } from './finding.ts';
import { alongPointer, levelsAlong, sitePaths, textsOf } from './json-places.ts';

export type Source = {
  readonly tree: CaddyfileTree;
  /** The adapted configuration, as it was parsed. */
  readonly json: unknown;
  /** Whether a file is Signet's own: of a line in it the import is told. */
  readonly isShipped: (file: string) => boolean;
};

/** Global options that a finding about the whole is about. */
const GLOBAL: Partial<Record<Code, string>> = {
  'admin-open': 'admin',
  'admin-exposed': 'admin',
  'header-bound': 'max_header_size',
  'proxies-trusted': 'trusted_proxies',
  'proxies-not-strict': 'trusted_proxies',
};

/** How Caddyfiles say what the JSON calls so. */
const DIRECTIVES: Readonly<Record<string, readonly string[]>> = {
  reverse_proxy: ['reverse_proxy', 'forward_auth'],
  static_response: ['respond', 'redir', 'abort'],
  // What FrankenPHP has beside it, brings one of its own; php_fastcgi brings none.
  file_server: ['file_server', 'php_server'],
  rewrite: ['rewrite', 'uri', 'try_files'],
  headers: ['request_header', 'header'],
  vars: ['log_skip', 'skip_log', 'log_name', 'vars'],
  authentication: ['basic_auth'],
};

/** Those that are about what is done to a header, and found at the app that gets it. */
const ABOUT_HEADERS: readonly Code[] = ['identity-overwritten', 'identity-deleted-late'];

/** Those that are mended where the handler stands, whoever invokes its route. */
const OF_ITSELF: readonly Code[] = [
  'gate-lets-refused-in',
  'gate-unstamped',
  'gate-waits',
  'gate-question',
  'gate-key-missing',
  'requirement-invalid',
  'requirement-unmeetable',
  'requirement-placeholder',
  'route-placeholder',
  'route-invalid',
  'sidecar-exposed',
];

/** Directives that Caddy runs before `handle`, and that lead elsewhere. */
const BEFORE_PAGES = ['redir', 'rewrite', 'uri', 'try_files'];

/** Returns what tells a finding's line; undefined where it can't be told. */
export function createLocate(source: Source): (found: Found) => SourceLine | undefined {
  return (found) => {
    const located = lineOf(found, source);
    return located && placeOutside(located, source.isShipped);
  };
}

function lineOf(found: Found, source: Source): Located | undefined {
  const { tree } = source;
  const option = found.where.handler === undefined ? GLOBAL[found.code] : undefined;
  if (option !== undefined) return locate(tree, { global: option });
  if (found.where.pointer.startsWith('/logging/logs/')) return logLine(found, source);
  if (/^\/apps\/http\/servers\/[^/]*\/logs$/.test(found.where.pointer)) {
    return locate(tree, { global: 'log_credentials' });
  }
  const other = otherLine(found, source);
  if (other !== undefined) return other;
  return found.where.handler === undefined && found.code !== 'signet-missing'
    ? locate(tree, siteOf(found, source))
    : handlerLine(found, source);
}

// What is to be mended stands elsewhere than what it is found at.
function otherLine(found: Found, source: Source): Located | undefined {
  const isIt = doesIt(found, source);
  if (isIt !== undefined) return ownLine(found, source, isIt);
  if (found.code === 'identity-not-copied') return gateLine(found, source);
  if (found.code === 'signet-unreachable') return inTheWay(found, source);
  if (found.code !== 'signet-missing' || found.where.handler !== undefined) return undefined;
  const open = { directives: ['vars'], words: ['signet_unprotected'] };
  return locate(source.tree, { hosts: found.where.hosts, ...open });
}

function handlerLine(found: Found, source: Source): Located | undefined {
  const { pointer, path } = found.where;
  const tree = treeOf(found, source);
  const site = siteOf(found, source);
  const invoked = path.map((words) => /^invoke (.+)$/.exec(words)?.[1]).find(Boolean);
  const { last, within } = alongPointer(source.json, pointer);
  const line = lineFor(recordAt(last));
  const levels = levelsAlong(source.json, pointer);
  const fitting = { ...line, ...(levels && { levels }) };
  if (invoked === undefined || !pointer.includes('/named_routes/')) {
    return closest(tree, { ...site, ...fitting }, within);
  }
  if (OF_ITSELF.includes(found.code)) {
    return closest(tree, { namedRoute: invoked, ...fitting }, within);
  }
  return invokeLine(found, tree, invoked);
}

// A route may be guarded where one site invokes it, and open where another does: that is where it is mended.
function invokeLine(
  { where: { hosts, path } }: Found,
  tree: CaddyfileTree,
  name: string,
): Located | undefined {
  const before = path.slice(0, path.indexOf(`invoke ${name}`));
  const around = before.flatMap((words) => words.split(' ')).filter((word) => word.includes('/'));
  const line = { hosts, directives: ['invoke'], words: [name] };
  return closest(tree, { ...line, ...(before.length === 0 && { levels: [] }) }, around);
}

function lineFor(handler: Readonly<Record<string, unknown>>): WantedLine {
  const name = String(handler['handler']);
  const words = textsOf(wordsOf(handler));
  const directives = directivesOf(handler, DIRECTIVES[name] ?? [name]);
  return { directives, ...(words.length > 0 && { words }) };
}

// By what stands around it; else by itself.
function closest(
  tree: CaddyfileTree,
  wanted: Wanted,
  within: readonly string[],
): Located | undefined {
  if (within.length === 0) return locate(tree, wanted);
  return locate(tree, { ...wanted, within }) ?? locate(tree, wanted);
}

// What tells one from another of its kind: the question of a gate, where it dials, what it answers.
function wordsOf(handler: Readonly<Record<string, unknown>>): unknown {
  const { uri } = recordAt(handler['rewrite']);
  if (typeof uri === 'string' && uri.startsWith('/verify')) return uri;
  const { upstreams, status_code: status, body, headers, name } = handler;
  const { Location: target } = recordAt(headers);
  if (handler['handler'] === 'rewrite') return [handler['uri'], handler['strip_path_prefix']];
  if (handler['handler'] === 'headers') return [];
  return [upstreams, htmlTarget(body) ?? body, target, name, ...(body ? [] : [status])];
}

function directivesOf(
  handler: Readonly<Record<string, unknown>>,
  all: readonly string[],
): readonly string[] {
  const { handler: name, transport } = handler;
  if (name === 'reverse_proxy' && recordAt(transport)['protocol'] === 'fastcgi') {
    return ['php_fastcgi', 'reverse_proxy'];
  }
  if (handler['log_skip'] === true) return ['log_skip', 'skip_log'];
  if (handler['access_logger_names'] !== undefined) return ['log_name'];
  return all;
}

// An error route has the same words as the site, and stands in a block of its own; so has what is guarded.
function treeOf({ code, where: { pointer } }: Found, { tree, isShipped }: Source): CaddyfileTree {
  // A named route's own pointer tells nothing of who invokes it.
  const isError =
    code.startsWith('error-route') || /^\/apps\/http\/servers\/[^/]*\/errors\//.test(pointer);
  const sites = tree.sites.map((site) => {
    const directives = site.directives.filter(({ name }) => (name === 'handle_errors') === isError);
    if (code === 'unguarded') return { ...site, directives: unguardedOf(directives) };
    // The gate itself stands there, too.
    const isOthers = code === 'sidecar-exposed';
    return { ...site, directives: isOthers ? othersOf(directives, isShipped) : directives };
  });
  return { ...tree, sites };
}

function unguardedOf(directives: readonly Directive[]): Directive[] {
  return directives
    .filter(({ importedAt }) => !['protect', 'unprotected'].includes(importedAt?.name ?? ''))
    .map((directive) => ({ ...directive, block: unguardedOf(directive.block) }));
}

// What a shipped line has around itself is the operator's.
function othersOf(
  directives: readonly Directive[],
  isShipped: Source['isShipped'],
): readonly Directive[] {
  return directives.flatMap((line) => {
    const block = othersOf(line.block, isShipped);
    return isShipped(line.file) ? block : [{ ...line, block }];
  });
}

// Two sites of one host differ in their ports, or in what stands behind the host.
function siteOf(found: Found, source: Source): WantedSite {
  const paths = sitePaths(source.json, found.where.pointer);
  return { hosts: found.where.hosts, ...portOf(found, source), ...(paths && { paths }) };
}

function portOf({ where: { pointer } }: Found, { json }: Source): { readonly port?: string } {
  const server = /^(\/apps\/http\/servers\/[^/]*)/.exec(pointer)?.[1];
  if (server === undefined) return {};
  const { listen } = recordAt(alongPointer(json, server).last);
  const ports = textsOf(listen).map((address) => /:(\d+)$/.exec(address)?.[1]);
  const [port] = ports;
  return port !== undefined && ports.length === 1 ? { port } : {};
}

// Of several of one name Caddy takes the last; the operator's own is the one to mend.
function logLine({ where: { pointer } }: Found, { tree, isShipped }: Source): Located | undefined {
  const name = pointer.slice('/logging/logs/'.length);
  const logs = tree.sites
    .flatMap(({ directives }) => directives)
    .filter((line) => line.name === 'log' && line.args.some(({ text }) => text === name));
  return logs.findLast(({ file }) => !isShipped(file)) ?? logs.at(-1);
}

// The operator's own line that does it; several can't be told apart.
function ownLine(
  { where }: Found,
  { tree, isShipped }: Source,
  isIt: (line: Directive) => boolean,
): Located | undefined {
  const lines = sitesWith(tree, where.hosts).flatMap(({ directives }) => inside(directives));
  const fitting = lines.filter((line) => !isShipped(line.file) && isIt(line));
  return fitting.length === 1 ? fitting[0] : undefined;
}

function doesIt(
  { code, seen, where }: Found,
  { json }: Source,
): ((line: Directive) => boolean) | undefined {
  if (code.startsWith('proxies-')) return (line) => line.name === 'trusted_proxies';
  if (ABOUT_HEADERS.includes(code)) {
    const names = [...seen.matchAll(/\b(?:remote|signet)[\w.-]+/gi)].map(([name]) => name);
    return ({ name, args }) =>
      ['request_header', 'header_up'].includes(name) &&
      args.some(({ text }) => names.some((header) => namesHeader(text, header)));
  }
  const { handler, key } = recordAt(alongPointer(json, where.pointer).last);
  if (handler !== 'log_append') return undefined;
  return ({ name, args }) =>
    name === 'log_append' && args.some(({ text }) => text.replace('<', '') === key);
}

// What Caddy runs before Signet's pages: the operator's own, at the top of the site.
function inTheWay({ where }: Found, { tree, isShipped }: Source): Located | undefined {
  const lines = sitesWith(tree, where.hosts)
    .flatMap(({ directives }) => directives)
    .filter(({ file, name, args }) => {
      if (isShipped(file)) return false;
      return BEFORE_PAGES.includes(name) || args.some(({ text }) => text.startsWith('/.signet'));
    });
  return lines.length === 1 ? lines[0] : undefined;
}

// The operator's own gate, where there is one.
function gateLine({ where }: Found, { tree, isShipped }: Source): Located | undefined {
  const isQuestion = (line: Directive) =>
    ['uri', 'rewrite'].includes(line.name) &&
    line.args.some(({ text }) => text.startsWith('/verify?'));
  const lines = sitesWith(tree, where.hosts).flatMap(({ directives }) => inside(directives));
  const gates = lines.filter(({ file, block }) => !isShipped(file) && block.some(isQuestion));
  return gates.length === 1 ? gates[0] : undefined;
}

function sitesWith(tree: CaddyfileTree, hosts: readonly string[]): readonly Site[] {
  return tree.sites.filter(({ addresses }) =>
    hosts.every((host) => addresses.some((address) => address.host === host)),
  );
}

function inside(directives: readonly Directive[]): Directive[] {
  return directives.flatMap((line) => [line, ...inside(line.block)]);
}

// `-Remote-*`, `+Remote-User`, `>Remote-User`.
function namesHeader(text: string, name: string): boolean {
  const word = text.replace(/^[-+?>]/, '').toLowerCase();
  if (word.endsWith('*'))
    return word.length > 1 && name.toLowerCase().startsWith(word.slice(0, -1));
  return word === name.toLowerCase();
}
