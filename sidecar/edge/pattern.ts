// A regular expression of Caddy's (RE2), for trying it here. Pure.

/** Returns the pattern, or undefined where JavaScript can't read it: of that nothing is sure. */
export function readPattern(pattern: unknown, more = ''): RegExp | undefined {
  if (typeof pattern !== 'string') return undefined;
  // RE2 has flags in front that JavaScript wants behind.
  const [, flags = '', rest = ''] = /^(?:\(\?([ims]+)\))?(.*)$/s.exec(pattern) ?? [];
  try {
    return new RegExp(rest, flags + more);
  } catch {
    return undefined;
  }
}
