// Paths to ask a site about: one for each that its matchers have a word for. Pure.
import { type MatcherSet, recordAt, textsAt } from '../edge/adapted.ts';
import type { Site } from './rule.ts';

/** Returns a path for each pattern of a path in the site, as it may be asked for; patterns of letters alone. */
export function pathsIn({ visits }: Site): string[] {
  const sets = new Set(visits.flatMap(({ given }) => given.flatMap((one) => one.sets)));
  const paths = [...sets].flatMap(pathsOf).map((path) => path.replaceAll(/[*?]/g, 'x'));
  return [...new Set(paths)].filter((path) => /^\/[\w./-]*$/.test(path));
}

function pathsOf(set: MatcherSet): readonly string[] {
  const { path, not } = set;
  return [...textsAt(path), ...(Array.isArray(not) ? not.map(recordAt).flatMap(pathsOf) : [])];
}
