// The configuration together with the files that it came from: whoever watches these knows when to load it
// again. Files that are named and not there are among them.
import { hash } from 'node:crypto';
import { resolve } from 'node:path';
import { Fault } from '../fault.ts';
import type { Config } from './config.ts';
import type { ConfigSources } from './environment.ts';
import { loadConfig } from './load.ts';
import { DEFAULT_NAME } from './settings-file.ts';

/** What came of loading. Paths are absolute. */
export type Loaded = {
  /** signet.yaml, by whatever name; there or not. */
  readonly file: string;
  /** Path → a hash of what was read; empty for what could not be. */
  readonly files: ReadonlyMap<string, string>;
} & ({ readonly config: Config } | { readonly fault: Fault });

/** Returns the config, or the Fault (ERR_CONFIG) that says all that is wrong with it. */
export function loadWatched(sources: ConfigSources): Loaded {
  const files = new Map<string, string>();
  const readFile = (path: string) => {
    files.set(path, '');
    const text = sources.readFile(path);
    files.set(path, hash('sha256', text));
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
