// What stands in the configuration, in a few words for people. Pure.
import { type Handler, type MatcherSet, recordAt, type Route, textsAt } from './adapted.ts';
import { declaredOpen, dialsOf, gateOf } from './gate-handler.ts';
import { htmlTarget } from './html-redirect.ts';

const MAX_WORDS = 60;

/** Returns what a handler is, as it would stand in a Caddyfile: `reverse_proxy app:3000`, `respond 200`. */
export function describeHandler(handler: Handler): string {
  const gate = gateOf(handler);
  if (gate) return `gate ${gate.route ?? ''}`.trimEnd();
  const describe = WORDS[handler.handler];
  return cut(describe ? describe(handler) : handler.handler);
}

const WORDS: Record<string, (handler: Handler) => string> = {
  reverse_proxy: (handler) =>
    [isFastCgi(handler) ? 'php_fastcgi' : 'reverse_proxy', ...dialsOf(handler)].join(' '),
  static_response: responseText,
  invoke: ({ name }) => `invoke ${typeof name === 'string' ? name : ''}`,
  authentication: () => 'basic_auth',
  vars: varsText,
};

function responseText(handler: Handler): string {
  const target = htmlTarget(handler['body']);
  return target === undefined ? `respond ${statusText(handler)}`.trimEnd() : `redir ${target} html`;
}

// Of what the Caddyfile has words of its own for, the JSON has variables.
function varsText(handler: Handler): string {
  if (handler['log_skip'] === true) return 'log_skip';
  if (handler['access_logger_names'] !== undefined) return 'log_name';
  const open = declaredOpen(handler);
  return open === undefined ? 'vars' : `unprotected ${open}`;
}

/** Returns whether a reverse_proxy speaks FastCGI, as `php_fastcgi` does. */
export function isFastCgi(handler: Handler): boolean {
  return recordAt(handler['transport'])['protocol'] === 'fastcgi';
}

function statusText({ status_code: status }: Handler): string {
  return typeof status === 'number' || typeof status === 'string' ? String(status) : '';
}

/** Returns when a route runs, in words: `/admin*`, `POST /x`; undefined where it always does. */
export function describeMatch({ match = [] }: Route): string | undefined {
  return match.length === 0 ? undefined : cut(match.map(describeSet).join(' or '));
}

function describeSet(set: MatcherSet): string {
  const { host, method, path, ...others } = set;
  const statuses = statusesOf(set);
  if (statuses !== undefined) return `handle_errors ${statuses}`;
  const words = [...textsAt(method), ...textsAt(host), ...textsAt(path)];
  return [...words, ...Object.keys(others).map((name) => `@${name}`)].join(' ');
}

/** What `handle_errors 404 5xx` leaves in the JSON, of Caddy 2.11: one list, and a range for each class. */
const OF_LIST = /^\{http\.error\.status_code\} in \[([\d, ]+)\]$/;
const OF_CLASS =
  /^\{http\.error\.status_code\} >= (\d)00 && \{http\.error\.status_code\} <= \1\d\d$/;

/** Returns what a route of `handle_errors` is for: `404 5xx`; undefined for any other's matchers. */
export function statusesOf({ expression, ...others }: MatcherSet): string | undefined {
  if (typeof expression !== 'string' || Object.keys(others).length > 0) return undefined;
  const parts = expression.split(' || ').map((part) => {
    const [, list] = OF_LIST.exec(part) ?? [];
    const [, digit] = OF_CLASS.exec(part) ?? [];
    return list?.replaceAll(',', '') ?? (digit === undefined ? undefined : `${digit}xx`);
  });
  return parts.includes(undefined) ? undefined : parts.join(' ');
}

function cut(words: string): string {
  return words.length > MAX_WORDS ? `${words.slice(0, MAX_WORDS - 1)}…` : words;
}
