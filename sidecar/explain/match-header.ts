// The matchers that look at headers and query: `header`, `header_regexp`, `query`. Written after Caddy 2.11's matchers.go.
import { all, any, no, unknown, whether, yes, type Met } from './met.ts';
import { captured, matchText, type Expression } from './match-path.ts';
import { replaced } from './placeholders.ts';
import type { Maybe, Request } from './request.ts';

/** Values of a field that are allowed: null: it must not be there; none: it must. */
export type Allowed = readonly string[] | null;

/** Returns whether each of the fields has one of its values. */
export function matchHeaders(fields: Readonly<Record<string, Allowed>>, request: Request): Met {
  return all(Object.entries(fields).map(([name, allowed]) => matchField(name, allowed, request)));
}

function matchField(name: string, allowed: Allowed, request: Request): Met {
  const isSent = isThere(name, request);
  const values = valuesOf(name, request);
  if (isSent && values === undefined)
    return unknown(`the header ${name} is ${wordsOf(allowed)}; say so by --header`);
  if (!isSent) return whether(allowed === null, `there is no header ${name}`);
  if (allowed === null) return no(`there is a header ${name}`);
  if (allowed.length === 0) return yes(`there is a header ${name}`);
  return any(allowed.map((one) => matchValues(name, values ?? [], one, request)));
}

function wordsOf(allowed: Allowed): string {
  if (allowed === null) return 'not sent';
  return allowed.length === 0 || allowed.includes('*') ? 'sent' : allowed.join(' or ');
}

function matchValues(
  name: string,
  values: readonly string[],
  written: string,
  request: Request,
): Met {
  const allowed = replaced(written, request);
  if (allowed === undefined)
    return unknown(`the header ${name} is ${written}, which is filled in when Caddy runs`);
  const isMatch = values.some((value) => matchesValue(value, allowed));
  return whether(isMatch, `the header ${name} is ${isMatch ? '' : 'not '}${allowed}`);
}

function matchesValue(value: string, allowed: string): boolean {
  if (allowed === '*') return true;
  const first = allowed.startsWith('*');
  const last = allowed.endsWith('*');
  if (first && last) return value.includes(allowed.slice(1, -1));
  if (first) return value.endsWith(allowed.slice(1));
  return last ? value.startsWith(allowed.slice(0, -1)) : value === allowed;
}

/** Returns whether each of the fields has a value that matches. */
export function matchHeaderRegExps(
  fields: Readonly<Record<string, Expression>>,
  request: Request,
): Met {
  return all(
    Object.entries(fields).map(([name, expression]) => matchFieldRegExp(name, expression, request)),
  );
}

function matchFieldRegExp(name: string, expression: Expression, request: Request): Met {
  if (!isThere(name, request)) return no(`there is no header ${name}`);
  const values = valuesOf(name, request);
  if (values === undefined)
    return unknown(`the header ${name} matches ${expression.pattern}`, captured(expression));
  const tried = values.map((value) => matchText(value, `the header ${name}`, expression));
  return (
    tried.find(({ met }) => met !== 'no') ??
    no(`the header ${name} does not match ${expression.pattern}`)
  );
}

function isThere(name: string, { headers }: Request): boolean {
  return name.toLowerCase() === 'host' || headers.has(name.toLowerCase());
}

// Go takes Host off the headers.
function valuesOf(name: string, { headers, host }: Request): Maybe<readonly string[]> {
  if (name.toLowerCase() !== 'host') return headers.get(name.toLowerCase());
  return host === undefined ? undefined : [host];
}

/** Returns whether each of the parameters has one of its values; without any, whether there is no query. */
export function matchQuery(
  wanted: Readonly<Record<string, readonly string[]>>,
  request: Request,
): Met {
  const { query } = request;
  if (query === undefined) return unknown('the query, which is not known here, is as asked for');
  const parsed = parseQuery(query);
  const entries = Object.entries(wanted);
  if (entries.length === 0)
    return whether(
      query.split('&').every((one) => one === ''),
      `the query is ${query === '' ? 'empty' : query}`,
    );
  if (parsed === undefined) return no('the query is malformed, and matches nothing');
  return all(entries.map(([name, values]) => matchParameter(name, values, parsed, request)));
}

function matchParameter(
  written: string,
  values: readonly string[],
  parsed: ReadonlyMap<string, readonly string[]>,
  request: Request,
): Met {
  const name = replaced(written, request);
  if (name === undefined) return unknown(`the query has ${written}`);
  const given = parsed.get(name);
  if (given === undefined) return no(`the query has no ${name}`);
  return any(values.map((one) => matchGiven(name, given, one, request)));
}

function matchGiven(
  name: string,
  given: readonly string[],
  written: string,
  request: Request,
): Met {
  const value = replaced(written, request);
  if (value === undefined) return unknown(`${name} is ${written}`);
  const isMatch = value === '*' || given.includes(value);
  return whether(isMatch, `${name} is ${isMatch ? '' : 'not '}${value}`);
}

// Go refuses a semicolon and a malformed escape, and with them the whole query.
function parseQuery(query: string): Map<string, string[]> | undefined {
  const parsed = new Map<string, string[]>();
  for (const pair of query.split('&').filter((one) => one !== '')) {
    if (pair.includes(';') || /%(?![0-9A-Fa-f]{2})/.test(pair)) return undefined;
    const [[name = '', value = ''] = []] = new URLSearchParams(pair);
    parsed.set(name, [...(parsed.get(name) ?? []), value]);
  }
  return parsed;
}
