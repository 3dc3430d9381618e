// Query strings without what opens doors: kept in shape, so that a path is still recognised.

/** Parameters whose values never get into a row or a span (OpenTelemetry HTTP conventions, and OAuth's). */
export const REDACTED_PARAMETERS: readonly string[] = [
  'code',
  'state',
  'id_token_hint',
  'access_token',
  'token',
  'sig',
  'Signature',
  'X-Goog-Signature',
];

/** What stands in a redacted value's place. */
export const REDACTED = 'REDACTED';

/**
 * Returns a function that redacts a raw query (without `?`). Names are compared percent-decoded and
 * without case, and all of `X-Amz-*` is covered; `more` adds the operator's own.
 */
export function createRedact(more: readonly string[]): (query: string) => string {
  const names = new Set([...REDACTED_PARAMETERS, ...more].map((name) => name.toLowerCase()));
  const isSecret = (name: string) => names.has(name) || name.startsWith('x-amz-');
  return (query) =>
    query
      .split('&')
      .map((pair) => {
        const equals = pair.indexOf('=');
        if (equals < 0) return pair;
        return isSecret(decoded(pair.slice(0, equals)))
          ? `${pair.slice(0, equals)}=${REDACTED}`
          : pair;
      })
      .join('&');
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll('+', ' ')).toLowerCase();
  } catch {
    return name.toLowerCase();
  }
}
