// Secrets from a variable, or from the file that a variable or a setting names. Read at start.
import { resolve } from 'node:path';
import { explain } from '../fault.ts';
import { type Secret, secret } from '../secret.ts';
import type { ConfigSources, Given } from './environment.ts';
import { type Report, shown } from './errors.ts';

/** Where a secret may be: the variable, its `…_FILE`, or the file that the setting at `where` names. */
export type SecretPlace = {
  readonly variable?: string;
  readonly file?: string | undefined;
  readonly where: string;
};

/** Returns the secret; undefined if none is given; null if it is given but no good, and reported. */
export type ReadSecret = (place: SecretPlace) => Secret | undefined | null;

/** Returns a file's text without surrounding space; undefined if it is no good, and reported. */
export type ReadText = (path: string, where: string) => string | undefined;

/** Returns how files are read that settings name. Reports those that can't be, or that are empty. */
export function createReadText(sources: ConfigSources, report: Report): ReadText {
  return (path, where) => {
    const mend = 'write the file, let Signet read it, or correct its path';
    try {
      const text = sources.readFile(resolve(sources.cwd, path)).trim();
      if (text !== '') return text;
      report({ where, read: `${shown(path)}, an empty file`, allowed: 'a file with a text', mend });
    } catch (error) {
      const read = `${shown(path)}, ${reasonOf(error)}`;
      report({ where, read, allowed: 'a file that is there and can be read', mend });
    }
    return undefined;
  };
}

/** Returns how secrets are read: the variable wins over the settings. */
export function createReadSecret(given: Given, readText: ReadText): ReadSecret {
  return ({ variable, file, where }) => {
    const value = variable && given.get(variable);
    if (value) return secret(value);
    const fromVariable = variable && given.get(`${variable}_FILE`);
    const path = fromVariable ?? file;
    if (path === undefined) return undefined;
    const text = readText(path, fromVariable === undefined ? where : `${variable}_FILE`);
    return text === undefined ? null : secret(text);
  };
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  return code === 'ENOENT' ? 'a file that is not there' : (code ?? explain(error));
}
