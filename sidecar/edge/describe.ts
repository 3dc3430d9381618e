// What stands in the configuration, in a few words for people. Pure.
import { type Handler, type MatcherSet, recordAt, type Route, textsAt } from './adapted.ts';
import { dialsOf, gateOf } from './gate-handler.ts';

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
  static_response: (handler) => `respond ${statusText(handler)}`.trimEnd(),
  invoke: ({ name }) => `invoke ${typeof name === 'string' ? name : ''}`,
  authentication: () => 'basic_auth',
};

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
  const words = [...textsAt(method), ...textsAt(host), ...textsAt(path)];
  return [...words, ...Object.keys(others).map((name) => `@${name}`)].join(' ');
}

function cut(words: string): string {
  return words.length > MAX_WORDS ? `${words.slice(0, MAX_WORDS - 1)}…` : words;
}
