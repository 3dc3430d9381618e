// The matcher `file`: whether one of some files is there, only the disk can tell; which ones it would be is told here.
import { textsAt } from '../edge/adapted.ts';
import { cleanPath } from './go-path.ts';
import { unknown, type Case, type Met } from './met.ts';
import { replaced } from './placeholders.ts';
import type { Maybe, Request } from './request.ts';

const FILLED = ['relative', 'absolute', 'type', 'remainder'];

/** Returns that it is unknown, and what it fills in for each file that may be there. */
export function matchFile(wanted: Readonly<Record<string, unknown>>, request: Request): Met {
  const tried = textsAt(wanted['try_files']);
  const names = tried.length === 0 ? ['{http.request.uri.path}'] : tried;
  const splits = textsAt(wanted['split_path']);
  const cases = distinct(names.map((name) => caseOf(name, splits, request)));
  const shown = names.map((name) => replaced(name, request) ?? name).join(' or ');
  const met = unknown(`there is a file ${shown} on the disk`, fills(undefined));
  const isKnown = cases.every((one) => one !== undefined);
  // The last one is taken whether it is there or not.
  const isSure =
    wanted['try_policy'] === 'first_exist_fallback' || names.at(-1)?.startsWith('=') === true;
  return isKnown ? { ...met, cases, isSure } : met;
}

// `index.php` in the root is `{path}/index.php`, too.
function distinct(cases: readonly (Case | undefined)[]): (Case | undefined)[] {
  return cases.filter((one, at) => cases.findIndex((other) => other?.why === one?.why) === at);
}

function caseOf(name: string, splits: readonly string[], request: Request): Case | undefined {
  // `=404` in place of a file: an error where none is there.
  if (/^=\d+$/.test(name))
    return { why: 'there is none of the files', fills: [], fails: name.slice(1) };
  const written = replaced(name, request);
  if (written === undefined || /[*?[\]\\]/.test(written)) return undefined;
  // What stands behind `.php` is taken off, where there is such a file.
  if (splits.some((split) => inside(written, split))) return undefined;
  const path = cleanPath(`/${written}`, true);
  return { why: `there is a file ${path} on the disk`, fills: fills(path) };
}

function inside(path: string, split: string): boolean {
  const at = path.toLowerCase().indexOf(split.toLowerCase());
  return at !== -1 && at + split.length < path.length;
}

function fills(relative: Maybe<string>): [string, Maybe<string>][] {
  return FILLED.map((key) => [
    `http.matchers.file.${key}`,
    key === 'relative' ? relative : undefined,
  ]);
}
