// A regular expression of Caddy's (RE2), for trying it here. Pure.

/** What JavaScript reads as something else: `[[:alnum:]]`, `\\A`, `\\z`, `\\Q…\\E`, `\\C`, `\\pL`, `(?U)`, `(?P<…>`. */
const ONLY_RE2 = /\[\[:|\\[AzQEC]|\\p|\(\?[a-z]*U|\(\?P/;

/** Returns the pattern, or undefined where JavaScript can't read it: of that nothing is sure. */
export function readPattern(pattern: unknown, more = ''): RegExp | undefined {
  if (typeof pattern !== 'string' || ONLY_RE2.test(pattern)) return undefined;
  // RE2 has flags in front that JavaScript wants behind.
  const [, flags = '', rest = ''] = /^(?:\(\?([ims]+)\))?(.*)$/s.exec(pattern) ?? [];
  try {
    return new RegExp(rest, flags + more);
  } catch {
    return undefined;
  }
}
