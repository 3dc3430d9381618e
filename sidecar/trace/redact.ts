// Query strings without what opens doors: kept in shape, so that a path is still recognised.

/**
 * Parameters whose values never get into a row or a span: OpenTelemetry's HTTP conventions, OAuth's, and
 * Signet's own `return`, which holds the query of the page that was asked for. The snippet's log has the
 * same list, and all of `X-Amz-*` that is known; a test compares them.
 */
export const REDACTED_PARAMETERS: readonly string[] = [
  'code',
  'state',
  'return',
  'id_token',
  'id_token_hint',
  'access_token',
  'token',
  'sig',
  'Signature',
  'X-Goog-Signature',
  'X-Goog-Credential',
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
