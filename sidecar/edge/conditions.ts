// When a route runs: its matchers, and whether one such condition surely holds where another does. Pure. Says yes
// only where it is sure: what it can't compare is taken for different.
import { type MatcherSet, recordAt, type Route, textsAt } from './adapted.ts';

/** Any one of the sets matches, in the request as it was in this epoch. */
export type Condition = {
  readonly sets: readonly MatcherSet[];
  /** The request as it was when these matchers were asked: another text where it may have changed since. */
  readonly epoch: string;
  /** Whether they look at nothing but the request's line and where it comes from: a later matcher may ask the same. */
  readonly isOfLine: boolean;
};

/** Returns the condition of a route that runs only where these don't match. */
export function negated({ sets, epoch, isOfLine }: Condition): Condition {
  return { sets: [{ not: sets }], epoch, isOfLine };
}

/** Returns whether the two can't both hold, as far as that can be told. */
export function excludes(one: Condition, other: Condition): boolean {
  if (one.epoch !== other.epoch) return false;
  return isNegationOf(one, other) || isNegationOf(other, one) || areDisjoint(one, other);
}

// Each set of the one asks for something that no set of the other can have.
function areDisjoint(one: Condition, other: Condition): boolean {
  return one.sets.every((set) => other.sets.every((against) => setsExclude(set, against)));
}

function setsExclude(one: MatcherSet, other: MatcherSet): boolean {
  return Object.entries(ITEMS_EXCLUDE).some(([name, exclude]) => {
    const [ours, theirs] = [textsAt(one[name]), textsAt(other[name])];
    if (ours.length === 0 || theirs.length === 0) return false;
    return ours.every((item) => theirs.every((against) => exclude(item, against)));
  });
}

const ITEMS_EXCLUDE: Record<string, (one: string, other: string) => boolean> = {
  method: (one, other) => one !== other && !/[{]/.test(one + other),
  path: pathsExclude,
};

// Plain ones, with at most a `*` behind: neither begins like the other.
function pathsExclude(one: string, other: string): boolean {
  const plain = /^\/[\w./-]*\*?$/;
  if (!plain.test(one) || !plain.test(other) || /\/\/|\.\.|\/\./.test(one + other)) return false;
  const [a, b] = [readPath(one), readPath(other)];
  if (a.isPrefix && b.isPrefix) return !a.text.startsWith(b.text) && !b.text.startsWith(a.text);
  if (a.isPrefix) return !b.text.startsWith(a.text);
  return b.isPrefix ? !a.text.startsWith(b.text) : a.text !== b.text;
}

function readPath(pattern: string): { readonly text: string; readonly isPrefix: boolean } {
  const isPrefix = pattern.endsWith('*');
  return { text: pattern.toLowerCase().replace('*', ''), isPrefix };
}

function isNegationOf({ sets }: Condition, other: Condition): boolean {
  const [only, ...more] = sets;
  if (only === undefined || more.length > 0 || Object.keys(only).length !== 1) return false;
  const inner = only['not'];
  if (!Array.isArray(inner)) return false;
  return other.sets.every((set) => inner.some((wider) => setCovers(recordAt(wider), set)));
}

// Each matcher of the wider set is there in the narrower one, as narrow or narrower.
/** Returns whether the narrower set takes only requests that the wider takes, too; no, where that can't be told. */
export function setCovers(wider: MatcherSet, narrower: MatcherSet): boolean {
  return Object.entries(wider).every(
    ([name, matcher]) =>
      isWhole(name, matcher) ||
      (Object.hasOwn(narrower, name) && matcherCovers(name, matcher, narrower[name])),
  );
}

// `/*` is not: of a target `http://host` the path is empty.
function isWhole(name: string, matcher: unknown): boolean {
  return name === 'path' && textsAt(matcher).includes('*');
}

function matcherCovers(name: string, wider: unknown, narrower: unknown): boolean {
  if (canonical(wider) === canonical(narrower)) return true;
  if (!Array.isArray(wider) || !Array.isArray(narrower)) return false;
  const covers = ITEM_COVERS[name];
  if (covers === undefined) return false;
  return textsAt(narrower).every((item) => textsAt(wider).some((other) => covers(other, item)));
}

const ITEM_COVERS: Record<string, (wider: string, narrower: string) => boolean> = {
  path: pathCovers,
  host: hostCovers,
  method: (wider, narrower) => wider === narrower,
};

/** Returns whether each path that the narrower pattern matches is one of the wider's (Caddy 2.11: `MatchPath`). */
function pathCovers(wider: string, narrower: string): boolean {
  const [wide, narrow] = [wider.toLowerCase(), narrower.toLowerCase()];
  if (wide === narrow) return true;
  // An escape changes how Caddy reads the path; and where `//` stands in a pattern, it merges no slashes of the path.
  if (/[?[%\\]|\/\//.test(wide + narrow)) return false;
  const [, before = '', word = '', behind = ''] = /^(\*?)([^*]+)(\*?)$/.exec(wide) ?? [];
  if (word === '') return false;
  const runs = narrow.split('*');
  if (before && behind) return runs.some((run) => run.includes(word));
  if (before) return runs.at(-1)?.endsWith(word) === true;
  return behind !== '' && runs[0]?.startsWith(word) === true;
}

function hostCovers(wider: string, narrower: string): boolean {
  const [wide, narrow] = [wider.toLowerCase(), narrower.toLowerCase()];
  if (wide === narrow) return true;
  const labels = wide.split('.');
  const others = narrow.split('.');
  return (
    labels.length === others.length && labels.every((one, at) => one === '*' || one === others[at])
  );
}

/** Returns the same text for JSON that says the same, whatever the order of its keys. */
export function canonical(json: unknown): string {
  return JSON.stringify(json, (_key, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

/** What looks at nothing but the request's line and where it comes from. */
const OF_THE_LINE = ['path', 'path_regexp', 'host', 'method', 'query', 'remote_ip', 'client_ip'];

/** How often a request's line, or anything of it, may have been changed. */
type Age = { readonly rewrites: number; readonly changes: number };

/** Returns the condition of a route for a request of this age; undefined where all match. */
export function conditionOf({ match = [] }: Route, age: Age): Condition | undefined {
  if (match.length === 0 || match.some((set) => Object.keys(set).length === 0)) return undefined;
  const isOfLine = match.every(looksAtLine);
  const epoch = isOfLine ? `${age.rewrites}` : `${age.rewrites}/${age.changes}`;
  return { sets: match, epoch, isOfLine };
}

function looksAtLine(set: MatcherSet): boolean {
  return Object.entries(set).every(([name, matcher]) =>
    name === 'not' && Array.isArray(matcher)
      ? matcher.map(recordAt).every(looksAtLine)
      : isOfTheLine(name, matcher) && !holdsPlaceholder(matcher),
  );
}

// `grpc` looks at a header.
function isOfTheLine(name: string, matcher: unknown): boolean {
  if (name === 'protocol') return typeof matcher === 'string' && /^http/.test(matcher);
  return OF_THE_LINE.includes(name);
}

function holdsPlaceholder(json: unknown): boolean {
  if (typeof json === 'string') return json.includes('{');
  return typeof json === 'object' && json !== null && Object.values(json).some(holdsPlaceholder);
}
