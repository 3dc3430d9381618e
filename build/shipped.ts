// The packages of others that an installation of ours has: those of the package's lock, each once, and what each of
// them needs. Pure.
import type { shrinkwrap } from './shrinkwrap.ts';

/** An entry of a lock, as far as it is read here. */
export type LockedPackage = {
  readonly version?: string;
  /** `sha512-` and base64. */
  readonly integrity?: string;
  /** An SPDX expression. */
  readonly license?: string;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
};

export type Shipped = {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly integrity: string;
  /** `pkg:npm/…`: https://github.com/package-url/purl-spec */
  readonly purl: string;
  /** Where it lies, relative to the root: `node_modules/…`. */
  readonly path: string;
  readonly isOptional: boolean;
  /** The purls of what it needs, in order. */
  readonly needs: readonly string[];
};

type Packages = Readonly<Record<string, LockedPackage>>;
type Shrinkwrap = Pick<ReturnType<typeof shrinkwrap>, 'packages'>;

/** What an installation may run, and why that is all right. */
const INSTALL_SCRIPTS: Readonly<Record<string, string>> = {
  protobufjs: 'prints a warning about version ranges, and does nothing else; it can be left out',
};

/**
 * Returns them in the order of their purls. Throws an Error for one that is not exactly named (version, integrity,
 * licence), or that would run a script when it is installed.
 */
export function shippedPackages({ packages }: Shrinkwrap): Shipped[] {
  const all = packages as Packages;
  const byPurl = new Map<string, Shipped>();
  for (const path of Object.keys(all).filter((each) => each !== '')) {
    const one = toShipped(path, all);
    const same = byPurl.get(one.purl);
    // The same version may lie at several places.
    byPurl.set(one.purl, same ? { ...same, needs: merged(same.needs, one.needs) } : one);
  }
  return [...byPurl.values()].toSorted((a, b) => compare(a.purl, b.purl));
}

/** Returns the purls of what the root itself needs, in order. */
export function directNeeds({ packages }: Shrinkwrap): string[] {
  return needsOf('', packages as Packages);
}

function toShipped(path: string, all: Packages): Shipped {
  const name = nameOf(path);
  const { version, license, integrity, hasInstallScript, optional } = all[path] ?? {};
  if (version === undefined || integrity === undefined || license === undefined) {
    throw new Error(`${path}: the lock lacks its version, integrity or licence`);
  }
  if (!integrity.startsWith('sha512-')) throw new Error(`${path}: its integrity is no SHA-512`);
  if (hasInstallScript === true && INSTALL_SCRIPTS[name] === undefined) {
    throw new Error(`${name} would run a script when it is installed: see INSTALL_SCRIPTS`);
  }
  const needs = needsOf(path, all);
  const purl = purlOf(name, version);
  const isOptional = optional === true;
  return { name, version, licence: license, integrity, purl, path, isOptional, needs };
}

function needsOf(path: string, all: Packages): string[] {
  const { dependencies, optionalDependencies, peerDependencies } = all[path] ?? {};
  const names = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
  const found = names.flatMap((name) => resolved(name, path, all) ?? []);
  return merged(
    [],
    found.map((at) => purlOf(nameOf(at), all[at]?.version ?? '')),
  );
}

// As Node looks for it: beside what asks, then further and further up. Optional ones may be nowhere.
function resolved(name: string, from: string, all: Packages): string | undefined {
  const at = from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`;
  if (at in all) return at;
  if (from === '') return undefined;
  return resolved(name, from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/'))), all);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

/** Returns the package URL of a version on npm. */
export function purlOf(name: string, version: string): string {
  return `pkg:npm/${name.replace(/^@/, '%40')}@${version}`;
}

function merged(some: readonly string[], others: readonly string[]): string[] {
  return [...new Set([...some, ...others])].toSorted(compare);
}

// By code units: the same wherever it is built.
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
