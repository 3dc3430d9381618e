// Which logs of a Caddyfile have one name: of those Caddy takes the last, and the JSON has no trace of the others. Pure.
import type { CaddyfileTree, Directive } from '../caddyfile/tree.ts';

/** Returns the names of logs that are defined in more than one place. */
export function logsNamedTwice({ sites }: CaddyfileTree): readonly string[] {
  const places = new Map<string, Set<string>>();
  for (const line of sites.flatMap(({ directives }) => directives)) {
    const name = line.name === 'log' ? nameOf(line) : undefined;
    if (name === undefined) continue;
    const known = places.get(name) ?? new Set();
    places.set(name, known.add(`${line.file}:${line.line}`));
  }
  return [...places].flatMap(([name, defined]) => (defined.size > 1 ? [name] : []));
}

function nameOf({ args }: Directive): string | undefined {
  return args[0]?.text;
}
