// Places in a configuration's JSON by their pointers (RFC 6901). Pure.
import { ERRORS, type Level, madeOf, type Part } from '../caddyfile/levels.ts';
import { recordAt, textsAt } from '../edge/adapted.ts';
import { statusesOf } from '../edge/describe.ts';

/** Matchers whose texts are not the Caddyfile's own words. */
const NOT_WORDS = ['host', 'file', 'expression'];
/** Deeper than any configuration that is read. */
const MAX_DEPTH = 20;

/** Returns what stands at a pointer, and the texts of all matchers on the way to it. */
export function alongPointer(
  json: unknown,
  pointer: string,
): { readonly last: unknown; readonly within: readonly string[] } {
  const within: string[] = [];
  let at: unknown = json;
  for (const part of pointer.split('/').slice(1)) {
    at = memberOf(at, part.replaceAll('~1', '/').replaceAll('~0', '~'));
    const sets = memberOf(at, 'match');
    if (Array.isArray(sets)) within.push(...sets.flatMap(wordsOfSet));
  }
  return { last: at, within: [...new Set(within)] };
}

function wordsOfSet(set: unknown): string[] {
  if (typeof set !== 'object' || set === null) return [];
  const matchers = Object.entries(set).filter(([name]) => !NOT_WORDS.includes(name));
  return matchers.flatMap(([, matcher]) => textsOf(matcher, true));
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}

/** Returns every text in a value, numbers as texts; with `names`, those of members, too. */
export function textsOf(value: unknown, names = false, depth = 0): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  if (typeof value === 'number') return [String(value)];
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return [];
  return Object.entries(value).flatMap(([name, inner]) => [
    ...(names && !Array.isArray(value) ? [name] : []),
    ...textsOf(inner, names, depth + 1),
  ]);
}

/** A server's own route of these matchers is a site's. */
const OF_SITE = /^\/apps\/http\/servers\/[^/]*(?:\/errors)?\/routes\/\d+$/;

/**
 * Returns the conditions around a pointer within its site, from the outside in; undefined where some of them are no
 * requests' (`handle_response`).
 */
export function levelsAlong(json: unknown, pointer: string): readonly Level[] | undefined {
  if (pointer.includes('/handle_response/')) return undefined;
  const levels: Level[] = [];
  let at: unknown = json;
  let place = '';
  for (const part of pointer.split('/').slice(1)) {
    at = memberOf(at, part.replaceAll('~1', '/').replaceAll('~0', '~'));
    place += `/${part}`;
    const sets = memberOf(at, 'match');
    if (!Array.isArray(sets) || sets.length === 0) continue;
    const parts = sets.flatMap(partsOfSet);
    if (!(OF_SITE.test(place) && parts.some(([kind]) => kind === 'host')))
      levels.push(madeOf(parts));
  }
  return levels;
}

/**
 * Returns the paths that a site is for, by the server's route that a pointer leads through; undefined where that is no
 * site's, or that of one for any host: Caddy may put such a site's own routes there.
 */
export function sitePaths(json: unknown, pointer: string): readonly string[] | undefined {
  const [, route] = /^(\/apps\/http\/servers\/[^/]*\/routes\/\d+)/.exec(pointer) ?? [];
  if (route === undefined) return undefined;
  const sets = memberOf(alongPointer(json, route).last, 'match');
  if (!Array.isArray(sets) || !sets.every((set) => memberOf(set, 'host'))) return undefined;
  return sets.flatMap((set) => textsAt(memberOf(set, 'path')));
}

function partsOfSet(set: unknown): Part[] {
  const statuses = statusesOf(recordAt(set));
  if (statuses !== undefined) return [[ERRORS, statuses.split(' ')]];
  return Object.entries(recordAt(set)).flatMap(([kind, matcher]): Part[] =>
    kind === 'not' && Array.isArray(matcher)
      ? [[kind, []], ...matcher.flatMap(partsOfSet)]
      : [[kind, textsOf(matcher)]],
  );
}
