// Whether a file server shows the same files whatever was asked for: their folder, and what is looked for in it, are the
// operator's. Where the path is, is known of the way (edge/effects.ts). Pure.
import { textsAt } from '../edge/adapted.ts';
import { withoutOperators } from '../edge/effects.ts';
import type { Visit } from '../edge/walk.ts';
import { isFoundPage } from './found-page.ts';
import { isBefore } from './run-of.ts';

/** Returns whether no request has a say in which file this shows; `others` are all visits of its server, in order. */
export function isFileFixed(visit: Visit, others: readonly Visit[]): boolean {
  return isPathFixed(visit, others) && isPlaceFixed(visit, others);
}

// Behind `intercept` everything runs before what it does with the answer: only a path that is set there is surely it.
function isPathFixed(visit: Visit, others: readonly Visit[]): boolean {
  if (!visit.known.isPathFixed) return isFoundPage(visit, others);
  if (visit.mode !== 'answer') return true;
  const own = others.slice(0, others.indexOf(visit)).filter((other) => isBefore(other, visit));
  return own.some(
    ({ handler: { handler, uri } }) =>
      handler === 'rewrite' && typeof uri === 'string' && /^[^?#]/.test(uri),
  );
}

function isPlaceFixed(visit: Visit, others: readonly Visit[]): boolean {
  const { root, fs, index_names: names, browse } = visit.handler;
  // A list of what is there is no page.
  if (browse !== undefined && browse !== null) return false;
  if (textsAt(names).some((name) => !isFixed(name, visit))) return false;
  return isVarFixed('root', root, visit, others) && isVarFixed('fs', fs, visit, others);
}

// Of Caddy 2.11: what a file server does not say itself is the variable's, and that is what was set last.
function isVarFixed(name: string, own: unknown, visit: Visit, others: readonly Visit[]): boolean {
  const said = typeof own === 'string' && own !== '' ? own : selfOf(name);
  if (!isFixed(said, visit, name)) return false;
  if (!said.includes(selfOf(name))) return true;
  return settersOf(name, visit, others).every(({ handler, ...at }) =>
    Object.entries(handler).every(
      ([key, value]) => !isNamed(key, name) || isFixed(value, at, name),
    ),
  );
}

// From the last that surely ran on, or all that may have run: variables live on in an error.
function settersOf(name: string, visit: Visit, others: readonly Visit[]): readonly Visit[] {
  const sets = others.filter(
    (other) =>
      other.handler.handler === 'vars' &&
      Object.keys(other.handler).some((key) => isNamed(key, name)) &&
      meets(other, visit),
  );
  const place = others.indexOf(visit);
  const before = sets.filter((other) => others.indexOf(other) < place);
  const last = before.findLastIndex(
    (other) => isBefore(other, visit) && isWhole(other.handler[name], name),
  );
  return last === -1 ? sets : before.slice(last);
}

function isNamed(key: string, name: string): boolean {
  return key === name || (key !== 'handler' && key.includes('{'));
}

// Says it anew, not something more of what it was.
function isWhole(value: unknown, name: string): boolean {
  return typeof value === 'string' && !value.includes(selfOf(name));
}

function selfOf(name: string): string {
  return `{http.vars.${name}}`;
}

/** One name of those that the site has. */
const OF_HOST = /\{http\.request\.host(?:\.labels\.\d+)?\}/g;

function isFixed(value: unknown, { hosts }: Pick<Visit, 'hosts'>, name = ''): boolean {
  if (typeof value !== 'string') return true;
  const rest = withoutOperators(value).replaceAll(selfOf(name), '');
  return !(hosts.length > 0 ? rest.replaceAll(OF_HOST, '') : rest).includes('{');
}

// Whether one request can come to both. Error routes may be for more hosts than a site.
function meets(one: Visit, other: Visit): boolean {
  if (one.server !== other.server) return false;
  if (one.hosts.length === 0 || other.hosts.length === 0) return true;
  return one.hosts.some((ours) => other.hosts.some((theirs) => overlap(ours, theirs)));
}

function overlap(one: string, other: string): boolean {
  if (one.includes('{') || other.includes('{')) return true;
  const [ours, theirs] = [one.toLowerCase().split('.'), other.toLowerCase().split('.')];
  const isAlike = (label: string, at: number) =>
    label === '*' || theirs[at] === '*' || label === theirs[at];
  return ours.length === theirs.length && ours.every(isAlike);
}
