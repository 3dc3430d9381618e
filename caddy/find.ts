// Finds a Caddy that is safe to stand behind, and has one fetched where there is none: `CADDY`, the PATH, the
// cache, then the ways of fetching. Run as a program it prints the path. Installs nothing.
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { explain, Fault } from '../sidecar/fault.ts';
import { describeUntrusted } from './cache.ts';
import { checkCaddy, type FoundCaddy } from './check.ts';
import { FETCH_WAYS, fetchCaddy } from './fetch.ts';
import type { FetchWay } from './fetch-way.ts';
import { isProgram } from '../sidecar/edge/find-here.ts';
import { CADDY_FLOOR, describeUnadvised } from '../sidecar/edge/version.ts';

export type FindOptions = {
  /** `CADDY`, `PATH`, `XDG_CACHE_HOME` and `HOME` are read; what is started gets all of it. */
  readonly env: NodeJS.ProcessEnv;
  /** Hears which way is taken, and that it is still going on. */
  readonly say: (line: string) => void;
  /** Default `$XDG_CACHE_HOME/signet`, or `~/.cache/signet`. */
  readonly cacheDir?: string;
  /** In this order; default `FETCH_WAYS`. */
  readonly ways?: readonly FetchWay[];
};

/** Returns a Caddy at or above the floor; throws a Fault (ERR_CADDY) that says what was tried. */
export async function findCaddy(options: FindOptions): Promise<FoundCaddy> {
  const found = await findOrFetch(options);
  const unadvised = describeUnadvised(found.version);
  if (unadvised !== undefined) options.say(`${found.path}: ${unadvised}`);
  return found;
}

async function findOrFetch(options: FindOptions): Promise<FoundCaddy> {
  const { env } = options;
  const cacheDir = options.cacheDir ?? defaultCacheDir(env);
  if (env.CADDY !== undefined && env.CADDY !== '') return demandSafe(env.CADDY, env);
  const onPath = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const folder of onPath) {
    const found = await acceptSafe(join(folder, 'caddy'), options);
    if (found !== undefined) return found;
  }
  const kept = await acceptKept(cacheDir, options);
  if (kept !== undefined) return kept;
  options.say(`No Caddy ${CADDY_FLOOR} or later on the PATH or in ${cacheDir}: fetching it, once.`);
  return fetchCaddy(cacheDir, options.ways ?? FETCH_WAYS, options);
}

function defaultCacheDir(env: NodeJS.ProcessEnv): string {
  const cacheHome = env.XDG_CACHE_HOME ?? '';
  return join(cacheHome === '' ? join(env.HOME ?? homedir(), '.cache') : cacheHome, 'signet');
}

/** The operator named this one: it is used, or the reason is an error. */
async function demandSafe(path: string, env: NodeJS.ProcessEnv): Promise<FoundCaddy> {
  const checked = await checkCaddy(path, env);
  if ('refused' in checked) throw new Fault('ERR_CADDY', `CADDY is ${path}: ${checked.refused}`);
  return checked;
}

/** One that happens to be there: it is used, or named and passed over. */
async function acceptSafe(
  path: string,
  { env, say }: FindOptions,
): Promise<FoundCaddy | undefined> {
  if (!(await isProgram(path))) return undefined;
  const checked = await checkCaddy(path, env);
  if (!('refused' in checked)) return checked;
  say(`Passing over ${path}: ${checked.refused}`);
  return undefined;
}

/** One that was fetched before: it is not even started where somebody else may have put it there. */
async function acceptKept(cacheDir: string, options: FindOptions): Promise<FoundCaddy | undefined> {
  const path = join(cacheDir, 'caddy');
  if (!(await isProgram(path))) return undefined;
  const untrusted = await describeUntrusted([cacheDir, path]);
  if (untrusted === undefined) return acceptSafe(path, options);
  options.say(`Passing over ${path}: ${untrusted}`);
  return undefined;
}

if (import.meta.main) {
  try {
    const { path } = await findCaddy({ env: process.env, say: (line) => console.error(line) });
    console.log(path);
  } catch (error) {
    console.error(explain(error));
    process.exitCode = 1;
  }
}
