// Places in a configuration's JSON by their pointers (RFC 6901). Pure.

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
