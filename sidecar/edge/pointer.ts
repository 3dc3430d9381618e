// Pointers into a configuration's JSON (RFC 6901). Pure.

/** Returns a key as it stands in a pointer. */
export function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

/** Returns where a server stands in an adapted configuration. */
export function serverPointer(name: string): string {
  return `/apps/http/servers/${escapePointer(name)}`;
}
