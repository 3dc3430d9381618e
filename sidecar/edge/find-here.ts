// The Caddy that is here: named, in CADDY, or on the PATH. Fetches none, and refuses none for its age: what is wrong
// with an old one is a finding.
import { access, constants, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { visible } from '../visible.ts';
import { explain } from '../fault.ts';
import { askVersion } from './ask-version.ts';
import type { CaddyVersion } from './version.ts';

export type CaddyHere = {
  readonly path: string;
  /** Undefined where it does not say. */
  readonly version: CaddyVersion | undefined;
};

const MEND =
  'name one by --caddy PATH or CADDY=PATH in the environment; in a clone of Signet: CADDY="$(npm run -s caddy)"';

/** Returns the Caddy to ask, or a sentence that says why there is none and what to do. Never throws. */
export async function findCaddyHere(
  env: NodeJS.ProcessEnv,
  named?: string,
): Promise<CaddyHere | { readonly problem: string }> {
  const path = named ?? (env['CADDY'] || (await onPath(env)));
  if (path === undefined) return { problem: `there is no caddy on the PATH; ${MEND}` };
  try {
    return { path, version: await askVersion(path, env) };
  } catch (error) {
    return { problem: visible(`${explain(error)}; ${MEND}`) };
  }
}

async function onPath(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const folder of folders) {
    const path = join(folder, 'caddy');
    if (await isProgram(path)) return path;
  }
  return undefined;
}

/** Returns whether a file is there that may be run. */
export async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
