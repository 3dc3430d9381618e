// When a route runs: its matchers, and whether one such condition surely holds where another does. Pure. Says yes
// only where it is sure: what it can't compare is taken for different.
import { type MatcherSet, recordAt, textsAt } from './adapted.ts';

/** Any one of the sets matches, in the request as it was in this epoch. */
export type Condition = {
  readonly sets: readonly MatcherSet[];
  /** The request as it was when these matchers were asked: another text where it may have changed since. */
  readonly epoch: string;
};

/** Returns the condition of a route that runs only where these don't match. */
export function negated({ sets, epoch }: Condition): Condition {
  return { sets: [{ not: sets }], epoch };
}

/** Returns whether `needed` holds wherever all of `given` do. */
export function implies(given: readonly Condition[], needed: Condition): boolean {
  if (needed.sets.some(matchesAll)) return true;
  return given.some(
    ({ sets, epoch }) =>
      epoch === needed.epoch &&
      sets.every((set) => needed.sets.some((wider) => setCovers(wider, set))),
  );
}

/** Returns whether the two can't both hold, as far as that can be told. */
export function excludes(one: Condition, other: Condition): boolean {
  if (one.epoch !== other.epoch) return false;
  return isNegationOf(one, other) || isNegationOf(other, one);
}

/** Returns whether always one of the two holds. */
export function areOpposite(one: Condition, other: Condition): boolean {
  const [only] = one.sets;
  return (
    one.epoch === other.epoch &&
    one.sets.length === 1 &&
    only !== undefined &&
    canonical(only) === canonical({ not: other.sets })
  );
}

function isNegationOf({ sets }: Condition, other: Condition): boolean {
  const [only, ...more] = sets;
  if (only === undefined || more.length > 0 || Object.keys(only).length !== 1) return false;
  const inner = only['not'];
  if (!Array.isArray(inner)) return false;
  return other.sets.every((set) => inner.some((wider) => setCovers(recordAt(wider), set)));
}

// Each matcher of the wider set is there in the narrower one, as narrow or narrower.
function setCovers(wider: MatcherSet, narrower: MatcherSet): boolean {
  return Object.entries(wider).every(
    ([name, matcher]) =>
      isWhole(name, matcher) ||
      (Object.hasOwn(narrower, name) && matcherCovers(name, matcher, narrower[name])),
  );
}

function matchesAll(set: MatcherSet): boolean {
  return Object.entries(set).every(([name, matcher]) => isWhole(name, matcher));
}

function isWhole(name: string, matcher: unknown): boolean {
  return name === 'path' && textsAt(matcher).some((path) => path === '*' || path === '/*');
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
  // Only a plain prefix is compared. An escape changes how Caddy reads the path.
  const prefix = wide.slice(0, -1);
  if (!wide.endsWith('*') || /[*?[%\\]/.test(prefix) || /[%\\]/.test(narrow)) return false;
  return narrow.replace(/\*.*$/s, '').startsWith(prefix) && !narrow.startsWith('*');
}

function hostCovers(wider: string, narrower: string): boolean {
  const [wide, narrow] = [wider.toLowerCase(), narrower.toLowerCase()];
  if (wide === narrow || wide === '*') return true;
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
