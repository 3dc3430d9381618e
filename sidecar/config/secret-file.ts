// Secrets from a variable, or from the file that a variable or a setting names. Read at start.
import { hash } from 'node:crypto';
import { resolve } from 'node:path';
import { isNativeError } from 'node:util/types';
import { explain } from '../fault.ts';
import { type Secret, secret } from '../secret.ts';
import type { ConfigSources, Given } from './environment.ts';
import type { Report } from './errors.ts';
import { described, shown } from './shown.ts';

/** Where a secret may be: the variable, its `…_FILE`, or the file that the setting at `where` names. */
export type SecretPlace = {
  readonly variable?: string;
  readonly file?: string | undefined;
  readonly where: string;
};

/** A secret, how messages name its place, and the absolute path of the file if it came from one. */
export type FoundSecret = {
  readonly secret: Secret;
  readonly where: string;
  readonly path?: string;
};

/** Returns the secret; undefined if none is given; null if it is given but no good, and reported. */
export type FindSecret = (place: SecretPlace) => FoundSecret | undefined | null;

/** As `FindSecret`, for those that are read once. */
export type ReadSecret = (place: SecretPlace) => Secret | undefined | null;

/** Returns a file's text without surrounding space; undefined if it is no good, and reported. */
export type ReadText = (path: string, where: string) => string | undefined;

/** A file that a setting names, by what is in it: one file may have several paths. */
export type NamedFile = { readonly where: string; readonly sha256: string };

/**
 * Returns how files are read that settings name. Reports those that can't be, or that are empty; `note` is told
 * of the others.
 */
export function createReadText(
  sources: ConfigSources,
  report: Report,
  note: (file: NamedFile) => void,
): ReadText {
  return (path, where) => {
    const mend =
      'write the file, let Signet read it, or correct its path; what is in it has no place here';
    try {
      const text = sources.readFile(resolve(sources.cwd, path)).trim();
      if (text !== '') {
        note({ where, sha256: markOf(text) });
        return text;
      }
      report({ where, read: `${shown(path)}, an empty file`, allowed: 'a file with a text', mend });
    } catch (error) {
      const read = shownFile(path, error);
      report({ where, read, allowed: 'a file that is there and can be read', mend });
    }
    return undefined;
  };
}

/** Returns what tells a text from others without holding it. */
export function markOf(text: string): string {
  return hash('sha256', text);
}

/** Returns how secrets are found: the variable wins over the settings. Reports those given twice. */
export function createFindSecret(
  given: Given,
  readText: ReadText,
  { cwd }: ConfigSources,
  report: Report,
): FindSecret {
  return ({ variable, file, where }) => {
    const value = variable && given.get(variable);
    const fromVariable = variable && given.get(`${variable}_FILE`);
    if (value && fromVariable) reportBoth(variable, report);
    if (value) return { secret: secret(value), where: variable };
    const path = fromVariable ?? file;
    if (path === undefined) return undefined;
    const from = fromVariable === undefined ? where : `${variable}_FILE`;
    const text = readText(path, from);
    if (text === undefined) return null;
    return { secret: secret(text), where: from, path: resolve(cwd, path) };
  };
}

function reportBoth(variable: string, report: Report): void {
  const where = `${variable} and ${variable}_FILE`;
  report({ where, read: 'both', allowed: 'one of the two', mend: 'take one away' });
}

/** What shows that something is there, whatever its name looks like. */
const THERE = ['EACCES', 'EISDIR', 'EPERM'];

/**
 * Returns what is wrong with a file that can't be read: its path and why. What looks like no path may be
 * the secret itself, in place of its file, and is not quoted.
 */
function shownFile(path: string, error: unknown): string {
  const isPath = THERE.includes(codeOf(error) ?? '') || /^(~|\.{0,2})\/[^\n=]*$/.test(path);
  return isPath ? `${shown(path)}, ${reasonOf(error)}` : `${described(path)} that is no file`;
}

/** Returns why a file can't be read, without its path where the system says why. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  return code === 'ENOENT' ? 'a file that is not there' : (code ?? explain(error));
}

/** Returns the code of an error of the system's. */
export function codeOf(error: unknown): string | undefined {
  return isNativeError(error) && 'code' in error ? String(error.code) : undefined;
}
