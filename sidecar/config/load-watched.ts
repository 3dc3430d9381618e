// The configuration together with the files that it came from: whoever watches these knows when to load it
// again. Files that are named and not there are among them.
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
  readonly files: readonly string[];
} & ({ readonly config: Config } | { readonly fault: Fault });

/** Returns the config, or the Fault (ERR_CONFIG) that says all that is wrong with it. */
export function loadWatched(sources: ConfigSources): Loaded {
  const files = new Set<string>();
  const readFile = (path: string) => {
    files.add(path);
    return sources.readFile(path);
  };
  const file = resolve(sources.cwd, sources.env['SIGNET_CONFIG']?.trim() || DEFAULT_NAME);
  try {
    const config = loadConfig({ ...sources, readFile });
    return { file, files: [...files], config };
  } catch (error) {
    if (error instanceof Fault) return { file, files: [...files], fault: error };
    throw error;
  }
}
