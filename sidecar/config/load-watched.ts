// The configuration together with the files that it came from: whoever watches these knows when to load it
// again. Files that are named and not there are among them.
import { hash } from 'node:crypto';
import { resolve } from 'node:path';
import { Fault } from '../fault.ts';
import type { Config } from './config.ts';
import type { ConfigSources } from './environment.ts';
import { loadConfig } from './load.ts';
import { DEFAULT_NAME } from './settings-file.ts';

/** A file as it was read. */
export type ReadFile = {
  /** From before it was read. */
  readonly mark: string;
  /** Of its text; empty where there was none. */
  readonly hash: string;
};

/** What came of loading. Paths are absolute. */
export type Loaded = {
  /** signet.yaml, by whatever name; there or not. */
  readonly file: string;
  readonly files: ReadonlyMap<string, ReadFile>;
} & ({ readonly config: Config } | { readonly fault: Fault });

/**
 * Returns the config, or the Fault (ERR_CONFIG) that says all that is wrong with it. `markOf` tells a file from
 * what it becomes.
 */
export function loadWatched(sources: ConfigSources, markOf: (path: string) => string): Loaded {
  const files = new Map<string, ReadFile>();
  const readFile = (path: string) => {
    const mark = markOf(path);
    files.set(path, { mark, hash: '' });
    const text = sources.readFile(path);
    files.set(path, { mark, hash: text.trim() === '' ? '' : hash('sha256', text) });
    return text;
  };
  const file = resolve(sources.cwd, sources.env['SIGNET_CONFIG']?.trim() || DEFAULT_NAME);
  try {
    const config = loadConfig({ ...sources, readFile });
    return { file, files, config };
  } catch (error) {
    if (error instanceof Fault) return { file, files, fault: error };
    throw error;
  }
}
