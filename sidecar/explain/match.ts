// Whether a route's matchers take a request: Caddy's own for certain where that can be told, and never guessed.
import { recordAt, textsAt, type MatcherSet } from '../edge/adapted.ts';
import { matchFile } from './match-file.ts';
import { matchAddress, matchHost, matchProtocol, matchTls } from './match-address.ts';
import { matchExpression } from './match-expression.ts';
import { matchHeaderRegExps, matchHeaders, matchQuery, type Allowed } from './match-header.ts';
import { matchMethod } from './match-method.ts';
import { captured, matchPath, matchPathRegExp, matchText, type Expression } from './match-path.ts';
import { all, any, opposite, unknown, whether, yes, type Met } from './met.ts';
import { placeholder, replaced } from './placeholders.ts';
import type { Maybe, Request } from './request.ts';

/** Returns whether any of the sets takes it; yes where there is none. */
export function matchSets(sets: readonly MatcherSet[] | undefined, request: Request): Met {
  if (sets === undefined || sets.length === 0) return yes('always');
  return any(sets.map((set) => matchSet(set, request)));
}

function matchSet(set: MatcherSet, request: Request): Met {
  const parts = Object.entries(set).map(([name, wanted]) => matchOne(name, wanted, request));
  return parts.length === 0 ? yes('always') : all(parts);
}

/** Returns whether one matcher takes it. */
export function matchOne(name: string, wanted: unknown, request: Request): Met {
  const known = MATCHERS[name];
  return known
    ? known(wanted, request)
    : unknown(`the matcher ${name} takes it, which only Caddy can tell`);
}

const MATCHERS: Readonly<Record<string, (wanted: unknown, request: Request) => Met>> = {
  host: (wanted, request) => matchHost(textsAt(wanted), request),
  path: (wanted, request) => matchPath(textsAt(wanted), request),
  path_regexp: (wanted, request) => matchPathRegExp(expressionAt(wanted), request),
  method: (wanted, request) => matchMethod(textsAt(wanted), request),
  query: (wanted, request) => matchQuery(listsAt(wanted), request),
  header: (wanted, request) => matchHeaders(allowedAt(wanted), request),
  header_regexp: (wanted, request) => matchHeaderRegExps(expressionsAt(wanted), request),
  protocol: (wanted, request) => matchProtocol(String(wanted), request),
  tls: (wanted, request) => matchTls(recordAt(wanted)['handshake_complete'], request),
  remote_ip: (wanted, request) => matchAddress(textsAt(recordAt(wanted)['ranges']), request),
  client_ip: (wanted, request) => matchAddress(textsAt(recordAt(wanted)['ranges']), request),
  not: (wanted, request) => opposite(any(setsAt(wanted).map((set) => matchSet(set, request)))),
  vars: (wanted, request) => matchVars(listsAt(wanted), request),
  vars_regexp: (wanted, request) => matchVarsRegExps(expressionsAt(wanted), request),
  expression: (wanted, request) => matchExpression(wanted, request, matchOne),
  file: (wanted, request) => matchFile(recordAt(wanted), request),
};

function matchVars(wanted: Readonly<Record<string, readonly string[]>>, request: Request): Met {
  const entries = Object.entries(wanted);
  if (entries.length === 0) return yes('always');
  return any(
    entries.flatMap(([key, values]) => values.map((value) => matchVar(key, value, request))),
  );
}

function matchVar(key: string, written: string, request: Request): Met {
  const value = variable(key, request);
  const wanted = replaced(written, request);
  const shown = written === '' ? 'empty' : written;
  if (value === undefined || wanted === undefined) return unknown(`${key} is ${shown}`);
  return whether(value === wanted, `${key} is ${value === wanted ? '' : 'not '}${shown}`);
}

function matchVarsRegExps(wanted: Readonly<Record<string, Expression>>, request: Request): Met {
  return any(
    Object.entries(wanted).map(([key, expression]) => matchVarRegExp(key, expression, request)),
  );
}

function matchVarRegExp(key: string, expression: Expression, request: Request): Met {
  const value = variable(key, request);
  if (value !== undefined) return matchText(value, key, expression);
  return unknown(`${key} matches ${expression.pattern}`, captured(expression));
}

function variable(key: string, request: Request): Maybe<string> {
  return placeholder(
    /^\{[^{]*\}$/.test(key) ? key.replaceAll(/^\{+|\}+$/g, '') : `http.vars.${key}`,
    request,
  );
}

function expressionAt(part: unknown): Expression {
  const { pattern, name } = recordAt(part);
  return {
    pattern: typeof pattern === 'string' ? pattern : '',
    name: typeof name === 'string' ? name : '',
  };
}

function expressionsAt(part: unknown): Record<string, Expression> {
  return Object.fromEntries(
    Object.entries(recordAt(part)).map(([key, one]) => [key, expressionAt(one)]),
  );
}

function listsAt(part: unknown): Record<string, readonly string[]> {
  return Object.fromEntries(
    Object.entries(recordAt(part)).map(([key, one]) => [key, textsAt(one)]),
  );
}

function allowedAt(part: unknown): Record<string, Allowed> {
  return Object.fromEntries(
    Object.entries(recordAt(part)).map(([key, one]) => [key, one === null ? null : textsAt(one)]),
  );
}

function setsAt(part: unknown): MatcherSet[] {
  return Array.isArray(part) ? part.map(recordAt) : [];
}
