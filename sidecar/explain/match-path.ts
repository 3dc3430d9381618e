// The matchers that look at the path: `path` and `path_regexp`. Written after Caddy 2.11's matchers.go.
import { firstMatch } from './bounded.ts';
import { cleanPath, escapedPath, globMatches, lower, unescaped } from './go-path.ts';
import { no, unknown, whether, yes, any, type Met } from './met.ts';
import { replaced } from './placeholders.ts';
import { isBelow } from '../edge/version.ts';
import { captures, goRegExp } from './regexp.ts';
import type { Request } from './request.ts';

/** Returns whether the path is one of these patterns'. */
export function matchPath(patterns: readonly string[], request: Request): Met {
  // Whatever else stands there.
  if (patterns.includes('*')) return yes('any path');
  return any(patterns.map((pattern) => matchOne(lower(pattern), request)));
}

function matchOne(written: string, request: Request): Met {
  const pattern = replaced(written, request);
  if (pattern === undefined) return unknown(`${written} is filled in when Caddy runs`);
  if (pattern === '*') return yes('any path');
  const { path, rawPath } = request;
  if (path === undefined) return unknown(`the path, which is not known here, is ${pattern}`);
  const merge = !pattern.includes('//');
  const isMatch = pattern.includes('%')
    ? matchesEscaped(cleanPath(escapedPath(path, rawPath), merge), pattern, request)
    : matchesPlain(cleanPath(lower(path), merge), pattern);
  const shown = path === '' ? 'the empty path' : path;
  return whether(isMatch, `${shown} is ${isMatch ? '' : 'not '}${pattern}`);
}

function matchesPlain(path: string, pattern: string): boolean {
  const stars = pattern.split('*').length - 1;
  const first = pattern.startsWith('*');
  const last = pattern.endsWith('*');
  if (stars === 2 && first && last) return path.includes(pattern.slice(1, -1));
  if (stars === 1 && first) return path.endsWith(pattern.slice(1));
  if (stars === 1 && last) return path.startsWith(pattern.slice(0, -1));
  return globMatches(pattern, path);
}

// A pattern with a % is held against the path as it was spelled, where the % stands; elsewhere against what it
// means. Pattern and path are walked side by side, as Caddy does it, byte by byte.
function matchesEscaped(spelled: string, written: string, { caddy }: Request): boolean {
  const path = bytes(lower(spelled));
  const pattern = bytes(written);
  const isPrefix = caddy !== undefined && isBelow(caddy, WHOLE_FROM);
  const made = followed(path, pattern, isPrefix);
  if (made === undefined) return false;
  return globMatches(text(pattern).replaceAll('%*', '*'), lower(text(made)));
}

/** Before, what stood behind the end of a pattern with a % was not looked at. */
const WHOLE_FROM = '2.11.5';

function followed(path: string, pattern: string, isPrefix: boolean): string | undefined {
  let made = '';
  let atPath = 0;
  for (let at = 0; at < pattern.length && atPath < path.length; at++) {
    const escaped =
      path[atPath] === '%' && path.length >= atPath + 3 ? path.slice(atPath, atPath + 3) : '';
    const one = escaped === '' ? (path[atPath] ?? '') : byteOf(escaped);
    if (escaped !== '') atPath += 2;
    const isEscape = pattern[at] === '%';
    if (isEscape && pattern.length >= at + 3 && pattern[at + 1] !== '*') {
      made += escaped;
      atPath += 1;
      at += 2;
    } else if (isEscape || pattern[at] === '*') {
      if (isEscape) at += 1;
      const span = spanUntil(path.slice(atPath), pattern, at);
      if (span === undefined) return undefined;
      made += isEscape ? span : bytes(unescaped(span) ?? '');
      atPath += span.length;
    } else {
      made += one;
      atPath += 1;
    }
  }
  const rest = path.slice(atPath);
  return isPrefix ? made : made + (rest === '' ? '' : bytes(unescaped(rest) ?? text(rest)));
}

function spanUntil(rest: string, pattern: string, at: number): string | undefined {
  if (at >= pattern.length - 1) return rest;
  const end = rest.indexOf(pattern[at + 1] ?? '');
  return end === -1 ? undefined : rest.slice(0, end);
}

function byteOf(escaped: string): string {
  return String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
}

function bytes(of: string): string {
  return Buffer.from(of, 'utf8').toString('latin1');
}

function text(of: string): string {
  return Buffer.from(of, 'latin1').toString('utf8');
}

/** A regular expression as matchers have it. */
export type Expression = { readonly pattern: string; readonly name: string };

/** Returns whether the cleaned path matches. */
export function matchPathRegExp(expression: Expression, { path }: Request): Met {
  if (path === undefined)
    return unknown(
      `the path, which is not known here, matches ${expression.pattern}`,
      captured(expression),
    );
  return matchText(cleanPath(path, true), path, expression);
}

/** Returns whether a text matches; `shown` is what it is called. */
export function matchText(subject: string, shown: string, expression: Expression): Met {
  const { pattern, name } = expression;
  const regExp = goRegExp(pattern);
  const match = regExp && firstMatch(regExp, subject);
  if (match === undefined) {
    return unknown(
      `${shown} matches ${pattern}, an expression that only Caddy can try`,
      captured(expression),
    );
  }
  if (match === null) return no(`${shown} does not match ${pattern}`);
  return yes(`${shown} matches ${pattern}`, captures(match, name));
}

/** Numbered groups that a placeholder may name. */
const GROUPS = Array.from({ length: 10 }, (_, at) => String(at));

/** Returns what an expression may have filled in, where nobody knows. */
export function captured({ pattern, name }: Expression): [string, undefined][] {
  const named = [...pattern.matchAll(/\(\?P?<(\w+)>/g)].map(([, group = '']) => group);
  const prefixes = name === '' ? ['http.regexp.'] : [`http.regexp.${name}.`, 'http.regexp.'];
  return [...GROUPS, ...named].flatMap((group) =>
    prefixes.map((prefix): [string, undefined] => [prefix + group, undefined]),
  );
}
