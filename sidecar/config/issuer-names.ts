// The names of those who issue, for `idp:` in requirements and for the paths of callbacks. A name that is not
// written is the preset's, or made of the issuer alone, so that it stays the same when others come and go.
import { hash } from 'node:crypto';
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
/** A name of one that was neither cut nor changed, but for its slashes. */
const SAYS_ALL = /^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9._])?$/;
const HASH_CHARS = 8;

/** Returns the name of each entry, by its path. An issuer that stands twice, with people and with tokens, has one name. */
export function nameAll(entries: readonly Nameable[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const byIssuer = new Map<string, string>();
  for (const entry of entries) {
    const known = entry.issuer === undefined ? undefined : byIssuer.get(entry.issuer);
    const name = entry.name ?? known ?? defaultName(entry);
    names.set(entry.path, name);
    if (entry.issuer !== undefined && known === undefined) byIssuer.set(entry.issuer, name);
  }
  return names;
}

// Never by what else there is: a name that others could come to have would let them in by `idp:`.
function defaultName({ path, preset, issuer }: Nameable): string {
  if (hasKind(preset)) return preset;
  return path === '' ? MAIN : nameOfIssuer(issuer ?? path);
}

// `https://login.example.com/realms/one` is `login.example.com-realms-one`. Where a name can't say all of its
// issuer, the hash does.
function nameOfIssuer(issuer: string): string {
  const whole = issuer.replace(/^https:\/\//, '').replaceAll('/', '-');
  if (SAYS_ALL.test(whole)) return whole;
  const plain = issuer
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, MAX_NAME_CHARS - HASH_CHARS - 1)
    .replace(/-+$/, '');
  return `${plain || 'issuer'}-${hash('sha256', issuer).slice(0, HASH_CHARS)}`;
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
