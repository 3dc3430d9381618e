// The files of this machine, for whoever reads a Caddyfile from it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { isPattern, matcherOf } from './glob.ts';
import type { Reading } from './sources.ts';

/** Reads files and lists folders, as Caddy would at the same time with the same rights. */
export const filesOnDisk: Pick<Reading, 'readFile' | 'listFiles'> = {
  readFile(path) {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  },
  listFiles(pattern) {
    const [, ...parts] = pattern.split(sep);
    let found: readonly string[] = [sep];
    for (const part of parts) found = found.flatMap((folder) => step(folder, part));
    return found;
  },
};

function step(folder: string, part: string): string[] {
  // Not listed: a folder may be entered that can't be read.
  if (!isPattern(part)) return existsSync(join(folder, part)) ? [join(folder, part)] : [];
  const fits = matcherOf(part);
  const names = namesIn(folder).filter(fits).toSorted();
  return names.map((name) => join(folder, name));
}

/** What can't be listed has nothing in it, as for Go's Glob. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
