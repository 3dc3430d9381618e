// Where a setting was written, in the words that `signet config` prints. What it is there is not told here.
import { resolve } from 'node:path';
import type { ConfigError } from './errors.ts';
import type { Reading } from './reading.ts';

/** Where a value comes from. */
export type Origin = {
  /** The name of a variable, or `signet.yaml:12: session.idle`, or what makes a default. */
  readonly from: string;
  readonly isDefault: boolean;
  /** As messages name the place: what is wrong there was said of it. */
  readonly where?: string;
};

/** Returns the origin of a default. */
export function byDefault(why = ''): Origin {
  return { from: why === '' ? 'default' : `default ${why}`, isDefault: true };
}

/** Returns the origin of what a variable says. */
export function byVariable(name: string): Origin {
  return { from: name, isDefault: false, where: name };
}

/** Returns where a path of the settings was written: a variable wins over the file. */
export function originOf(path: string, reading: Reading, fallback = byDefault()): Origin {
  const { settingsFile, file, place } = reading;
  const variable = reading.variableOf(path);
  if (variable !== undefined) return byVariable(variable);
  const line = settingsFile.lineOf(path);
  if (line === undefined) return fallback;
  return { from: `${file}:${line}: ${path}`, isDefault: false, where: place(path) };
}

/** A secret's variable, and the setting that names a file with it, as far as there are such. */
export type SecretNames = { readonly variable?: string; readonly path?: string };

/** Returns where a secret was found, with the file that it stands in; undefined if none is given. */
export function originOfSecret(
  { variable, path }: SecretNames,
  file: string | undefined,
  reading: Reading,
): Origin | undefined {
  const { given, sources } = reading;
  if (variable !== undefined && given.has(variable)) return byVariable(variable);
  const inFile = (origin: Origin, name: string) => ({
    ...origin,
    from: `${origin.from}, the file ${resolve(sources.cwd, name)}`,
  });
  const fromVariable = given.get(`${variable}_FILE`);
  if (fromVariable !== undefined) return inFile(byVariable(`${variable}_FILE`), fromVariable);
  if (file === undefined || path === undefined) return undefined;
  return inFile(originOf(path, reading), file);
}

/** Returns whether a mistake is about this setting, or about what stands there. */
export function isAbout({ setting, where }: ConfigError, path: string, origin: Origin): boolean {
  if (where === origin.where) return true;
  if (setting === undefined || setting === '') return false;
  return setting === path || isWithin(setting, path) || isWithin(path, setting);
}

function isWithin(path: string, outer: string): boolean {
  return path.startsWith(`${outer}.`) || path.startsWith(`${outer}[`);
}
