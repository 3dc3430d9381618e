// The name of a block, as it stands in a Caddyfile: of spans, metrics and rows.

/** Longest, in characters; with a longer one it was not our snippet that asked. */
export const MAX_ROUTE_CHARS = 128;

/** Its source as a regular expression, for what it stands in: nothing of it can end a parameter of a query. */
export const ROUTE_NAME = `[A-Za-z0-9._~%/-]{1,${MAX_ROUTE_CHARS}}`;

const WHOLE = new RegExp(`^${ROUTE_NAME}$`);

/** Returns whether the gate takes this as a block's name. */
export function isRouteName(text: string): boolean {
  return WHOLE.test(text);
}
