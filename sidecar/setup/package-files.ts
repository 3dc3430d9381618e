// Files of the package that belong to this version: the snippets for Caddy, the schema of its settings, the
// units of systemd.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const SNIPPET = new URL('../../caddy/signet.caddy', import.meta.url);
const UNITS = new URL('../../deploy/systemd', import.meta.url);
const SCHEMA = new URL('../../deploy/signet.schema.json', import.meta.url);

/** Returns caddy/signet.caddy. */
export function readSnippet(): string {
  return readFileSync(SNIPPET, 'utf8');
}

/** Returns the path of the JSON Schema of signet.yaml; undefined where the package has none. */
export function findSchema(): string | undefined {
  const path = fileURLToPath(SCHEMA);
  return existsSync(path) && !/\p{Cc}/u.test(path) ? path : undefined;
}

/** Returns the folder with the units of systemd. */
export function unitsFolder(): string {
  return fileURLToPath(UNITS);
}
