// What the app is told about the caller: the `Remote-*` headers. Made once per identity.
import type { Identity } from './identity.ts';

/** Longest `Remote-Groups` value in bytes; whole groups are left out beyond it. */
export const MAX_GROUPS_BYTES = 2048;

/**
 * Returns the headers for the app, names and values in turn, in a fixed order. Values are visible ASCII: control characters,
 * everything beyond ASCII and `% , ; = " \ { }` are percent-encoded, so that a comma always
 * separates groups and nothing reads as a Caddy placeholder. What is unknown has no header.
 */
export function identityHeaders(identity: Identity): readonly string[] {
  const headers = ['Remote-User', encodeHeader(identity.user)];
  if (identity.name !== undefined) headers.push('Remote-Name', encodeHeader(identity.name));
  if (identity.email !== undefined) headers.push('Remote-Email', encodeHeader(identity.email));
  const groups = joinGroups(identity.groups);
  if (groups !== '') headers.push('Remote-Groups', groups);
  if (identity.team !== undefined) headers.push('Remote-Team', encodeHeader(identity.team));
  headers.push('Remote-User-Type', identity.type);
  return headers;
}

/** Returns the value percent-encoded as far as a header needs it; a space inside stays a space. */
export function encodeHeader(value: string): string {
  return value
    .toWellFormed()
    .replace(/^ +| +$|[^\x20-\x7e]+|[%,;="\\{}]/g, (part) =>
      part
        .replace(/[\x20-\x7e]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)
        .replace(/[^\x20-\x7e]+/g, (beyond) => encodeURIComponent(beyond)),
    );
}

function joinGroups(groups: readonly string[]): string {
  let joined = '';
  for (const group of groups) {
    const next = joined === '' ? encodeHeader(group) : `${joined},${encodeHeader(group)}`;
    if (next.length <= MAX_GROUPS_BYTES) joined = next;
  }
  return joined;
}
