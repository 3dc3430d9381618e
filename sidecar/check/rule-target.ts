// Request targets without a path (`x:http://x/admin`): no matcher of a path sees them, and an app behind an open block would
// get them whole. Behind a gate there are none: the sidecar refuses to be asked about them.
import type { MatcherSet } from '../edge/adapted.ts';
import { recordAt, textsAt } from '../edge/adapted.ts';
import type { Visit } from '../edge/walk.ts';
import { goRegExp } from '../explain/regexp.ts';
import type { Found } from './finding.ts';
import { servedBy } from './places.ts';
import { foundAt, isDeclaredOpen, isGuarded, type Rule } from './rule.ts';

/** Returns open apps beside guarded ones, where such a target is not refused. */
export const findTargets: Rule = ({ sites }) =>
  sites
    .filter(({ visits, lacksSignet }) => !lacksSignet && visits.some(isGuardedApp))
    .filter(({ visits }) => !visits.some(isRefusal) && !isRefusedByVariable(visits))
    .flatMap(({ visits }) => visits.filter(isOpenApp).map(found));

function isGuardedApp(visit: Visit): boolean {
  return isGuarded(visit) && servedBy(visit) === 'app';
}

function isOpenApp(visit: Visit): boolean {
  return isDeclaredOpen(visit) && visit.mode === 'request' && servedBy(visit) === 'app';
}

// What answers only what has no path, and no app does.
function isRefusal(visit: Visit): boolean {
  const { handler, given } = visit;
  if (!['static_response', 'error'].includes(handler.handler)) return false;
  return given.some(({ sets }) => sets.every(isNoPath));
}

// As the snippets do it: one handler marks it, another refuses what is marked.
function isRefusedByVariable(visits: readonly Visit[]): boolean {
  const isMarked = ({ handler, given }: Visit) =>
    handler.handler === 'vars' && MARK in handler && given.some(({ sets }) => sets.every(isNoPath));
  const isRefused = ({ handler, given }: Visit) =>
    handler.handler === 'static_response' &&
    given.some(({ sets }) => sets.every(({ vars }) => MARK in recordAt(vars)));
  return visits.some(isMarked) && visits.some(isRefused);
}

const MARK = 'signet_refused';

// Said of it, or of its opposite.
function isNoPath({ not, ...others }: MatcherSet): boolean {
  if (Array.isArray(not)) return not.some(isPath);
  const pattern = uriPattern(others);
  return pattern?.test(TARGET) === true && !pattern.test('/admin');
}

/** What is to be refused. */
const TARGET = 'x:http://x/admin';

function isPath(set: unknown): boolean {
  const matchers = recordAt(set);
  if (textsAt(matchers['path']).includes('/*')) return true;
  const pattern = uriPattern(matchers);
  return pattern?.test('/admin') === true && !pattern.test(TARGET);
}

// undefined where anything else is asked, too.
function uriPattern(set: MatcherSet): RegExp | undefined {
  const [[name, byRegexp] = [], ...more] = Object.entries(set);
  if (name !== 'vars_regexp' || more.length > 0) return undefined;
  const { pattern } = recordAt(recordAt(byRegexp)['{http.request.uri}']);
  return typeof pattern === 'string' ? goRegExp(pattern) : undefined;
}

function found(visit: Visit): Found {
  const seen = `${visit.path.at(-1) ?? ''} gets any target, also one without a path`;
  return foundAt('target-unchecked', visit, seen);
}
