// The names of those who issue, for `idp:` in requirements and for the paths of callbacks. A name that is not
// written is the preset's, or made of the issuer, so that it stays the same when others come and go.
import { hasKind, pathIn } from './issuer-entries.ts';
import type { Report } from './errors.ts';

/** What a name is made of. */
export type Nameable = {
  readonly path: string;
  readonly name?: string | undefined;
  readonly preset?: string | undefined;
  readonly issuer?: string | undefined;
};

/** The name of the provider at the top level, unless its preset has one. */
const MAIN = 'main';
const MAX_NAME_CHARS = 64;

/** Returns the name of each entry, by its path. An issuer that stands twice, with people and with tokens, has one name. */
export function nameAll(entries: readonly Nameable[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const byIssuer = new Map<string, string>();
  for (const entry of entries) {
    const known = entry.issuer === undefined ? undefined : byIssuer.get(entry.issuer);
    const name = entry.name ?? known ?? defaultName(entry, [...names.values()]);
    names.set(entry.path, name);
    if (entry.issuer !== undefined && known === undefined) byIssuer.set(entry.issuer, name);
  }
  return names;
}

function defaultName({ path, preset, issuer }: Nameable, taken: readonly string[]): string {
  if (hasKind(preset)) return preset;
  const plain = path === '' ? MAIN : nameOfIssuer(issuer ?? path);
  if (!taken.includes(plain)) return plain;
  // Two that differ in a slash at the end only: what worked without names goes on.
  let number = 2;
  while (taken.includes(`${plain}-${number}`)) number += 1;
  return `${plain}-${number}`;
}

// `https://login.example.com/realms/one` is `login.example.com-realms-one`.
function nameOfIssuer(issuer: string): string {
  const plain = issuer
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replaceAll(/[^a-z0-9._-]+/g, '-');
  return plain.slice(0, MAX_NAME_CHARS).replaceAll(/^[^a-z0-9]+|-+$/g, '') || 'issuer';
}

/** Reports each name that stands for two issuers. */
export function reportRepeatedNames(
  entries: readonly Nameable[],
  names: ReadonlyMap<string, string>,
  place: (path: string) => string,
  report: Report,
): void {
  const owners = new Map<string, Nameable>();
  for (const entry of entries) {
    const name = names.get(entry.path) ?? '';
    const owner = owners.get(name);
    if (owner === undefined) owners.set(name, entry);
    else if (owner.issuer !== entry.issuer || isWithPeople(entry)) {
      const setting = pathIn(entry, 'name');
      const mend = 'give each a name of its own by `name`';
      const read = `the name ${name} twice`;
      const allowed = 'each name once, among providers and issuers of bearer tokens';
      report({ where: place(setting), setting, read, allowed, mend });
    }
  }
}

// The same issuer twice among providers is a mistake of its own.
function isWithPeople({ path, issuer }: Nameable): boolean {
  return issuer === undefined && !path.startsWith('bearer');
}
