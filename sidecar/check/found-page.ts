// The page that an error route looked for, as Caddy's own manual has it: `file /{err.status_code}.html /error.html`, and a
// rewrite to what was found. The operator's, if all names are that were looked for. Pure.
import { recordAt, textsAt } from '../edge/adapted.ts';
import { withoutOperators } from '../edge/effects.ts';
import type { Visit } from '../edge/walk.ts';
import { isBefore, runOf } from './run-of.ts';

/** Of a server, as Caddy 2.11 writes `handle_errors`: no matcher ran there before the error. */
const ERRORS = /^\/apps\/http\/servers\/[^/]+\/errors$/;

/** Returns whether the path is one of fixed names, of which one was found; `others` are all visits, in order. */
export function isFoundPage(visit: Visit, others: readonly Visit[]): boolean {
  const run = runOf(visit.pointer);
  if (run === undefined || !ERRORS.test(run)) return false;
  const own = others.filter(({ site, mode }) => site === visit.site && mode === visit.mode);
  const before = own.slice(0, own.indexOf(visit));
  const last = before.findLast(({ handler }) => handler.handler === 'rewrite');
  if (last === undefined || !isBefore(last, visit) || !isToFound(last)) return false;
  // Whichever of them looked last.
  return own.every(({ given }) => given.every(({ sets }) => sets.every(looksForFixed)));
}

function isToFound({ handler, given }: Visit): boolean {
  const { handler: _, uri, ...others } = handler;
  const isWhole = uri === '{http.matchers.file.relative}' && Object.keys(others).length === 0;
  return isWhole && given.some(({ sets }) => sets.every((set) => Object.hasOwn(set, 'file')));
}

// No other matcher of Caddy's looks for files, but an expression can ask this one.
function looksForFixed(json: unknown): boolean {
  return Object.entries(recordAt(json)).every(([name, matcher]) => {
    if (name === 'file') return isForFixed(matcher);
    if (name === 'not') return Array.isArray(matcher) && matcher.every(looksForFixed);
    return name !== 'expression' || !JSON.stringify(matcher).includes('file(');
  });
}

function isForFixed(matcher: unknown): boolean {
  const names = textsAt(recordAt(matcher)['try_files']);
  return names.length > 0 && names.every((name) => !/[{*?[\\]/.test(withoutOperators(name)));
}
