// THIRD-PARTY-LICENSES.txt: under which licence each package of others is that we ship with, and its text. A licence
// that is not allowed here, or a package without a text, stops the build.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Shipped } from './shipped.ts';

/** By SPDX identifier, and why it may be shipped with software under Apache-2.0. What else comes is to be read first. */
export const ALLOWED_LICENCES: Readonly<Record<string, string>> = {
  'Apache-2.0': 'our own; its NOTICE files go along',
  MIT: 'asks that its text goes along',
  ISC: 'asks that its text goes along',
  'BSD-3-Clause': 'asks that its text goes along; the names of its authors are not used',
};

/** Packages whose text stands in their README alone. */
const TEXT_IN_README: readonly string[] = ['pg-types', 'pgpass'];

const TEXT_FILE = /^(?:licen[cs]e|copying|notice)/i;
const RULE = '='.repeat(80);

/**
 * Returns the file's text, the same for the same packages. `root` is where node_modules is. Throws an Error for a licence
 * that is not allowed, a package without a text, and one whose installed version is another.
 */
export function licencesText(shipped: readonly Shipped[], root: string): string {
  const refused = shipped.filter(({ licence }) => ALLOWED_LICENCES[licence] === undefined);
  if (refused.length > 0) throw new Error(`not an allowed licence: ${list(refused)}`);
  // Many have the very same text.
  const byText = new Map<string, Shipped[]>();
  for (const one of shipped) {
    const text = textOf(one, join(root, one.path));
    byText.set(text, [...(byText.get(text) ?? []), one]);
  }
  const lines = shipped.map(({ name, version, licence }) => `${name} ${version}: ${licence}`);
  const texts = [...byText].map(([text, of]) => `${RULE}\n${names(of)}\n${RULE}\n\n${text}\n`);
  return `${INTRODUCTION}\n${lines.join('\n')}\n\n${texts.join('\n')}`;
}

const INTRODUCTION = `Signet is under the Apache License 2.0: see LICENSE. Installed with it are packages of others,
under the licences named here; their texts follow. sbom.cdx.json lists the same packages for machines.
`;

function textOf({ name, version }: Shipped, folder: string): string {
  const { version: installed } = JSON.parse(read(join(folder, 'package.json'))) as Shipped;
  if (installed !== version) {
    throw new Error(`${name} is installed as ${installed}, and the lock says ${version}: npm ci`);
  }
  const files = readdirSync(folder).filter((file) => TEXT_FILE.test(file));
  const texts = files.toSorted().flatMap((file) => readAll(join(folder, file)));
  if (texts.length > 0) return texts.join('\n\n');
  const section = TEXT_IN_README.includes(name) ? licenceIn(read(join(folder, 'README.md'))) : '';
  if (section === '') throw new Error(`${name} ${version} comes without the text of its licence`);
  return section;
}

// Some have a folder of them, for what they have copied from others.
function readAll(path: string): string[] {
  if (!statSync(path).isDirectory()) return [read(path)];
  return readdirSync(path)
    .toSorted()
    .flatMap((name) => readAll(join(path, name)));
}

function licenceIn(readme: string): string {
  return /^## licen[cs]e\n([^]*?)(?=\n#|$(?![^]))/im.exec(readme)?.[1]?.trim() ?? '';
}

function read(path: string): string {
  return readFileSync(path, 'utf8').replaceAll('\r\n', '\n').trim();
}

function names(of: readonly Shipped[]): string {
  return of.map(({ name, version }) => `${name} ${version}`).join('\n');
}

function list(of: readonly Shipped[]): string {
  return of.map(({ name, version, licence }) => `${name} ${version} (${licence})`).join(', ');
}
