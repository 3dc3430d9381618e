// Finds a Caddy that is safe to stand behind, and fetches one where there is none: `CADDY`, the PATH, the
// cache, then the ways of fetching. Run as a program it prints the path. Installs nothing.
import { access, constants, mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { explain, Fault } from '../sidecar/fault.ts';
import { fetchByApt } from './fetch-apt.ts';
import { fetchByGo } from './fetch-go.ts';
import type { FetchWay } from './fetch-way.ts';
import { runCommand } from './run-command.ts';
import { CADDY_FLOOR, describeUnsafe, parseCaddyVersion, unsafeBecause } from './version.ts';
import type { CaddyVersion } from './version.ts';

export type FoundCaddy = {
  readonly path: string;
  /** Without a leading `v`. */
  readonly version: string;
};

export type FindOptions = {
  /** `CADDY`, `PATH`, `XDG_CACHE_HOME` and `HOME` are read; what is started gets all of it. */
  readonly env: NodeJS.ProcessEnv;
  /** Hears which way is taken, and that it is still going on. */
  readonly say: (line: string) => void;
  /** Default `$XDG_CACHE_HOME/signet`, or `~/.cache/signet`. */
  readonly cacheDir?: string;
};

type Checked = FoundCaddy | { readonly refused: string };

const FETCH_WAYS: readonly FetchWay[] = [fetchByApt, fetchByGo];
const VERSION_TIMEOUT_MS = 20_000;

/** Returns a Caddy at or above the floor; throws a Fault (ERR_CADDY) that says what was tried. */
export async function findCaddy(options: FindOptions): Promise<FoundCaddy> {
  const { env } = options;
  const cacheDir = options.cacheDir ?? defaultCacheDir(env);
  if (env.CADDY !== undefined && env.CADDY !== '') return demandSafe(env.CADDY, env);
  const onPath = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const folder of [...onPath, cacheDir]) {
    const found = await acceptSafe(join(folder, 'caddy'), options);
    if (found !== undefined) return found;
  }
  return fetchCaddy(cacheDir, options);
}

function defaultCacheDir(env: NodeJS.ProcessEnv): string {
  const cacheHome = env.XDG_CACHE_HOME ?? '';
  return join(cacheHome === '' ? join(env.HOME ?? homedir(), '.cache') : cacheHome, 'signet');
}

/** The operator named this one: it is used, or the reason is an error. */
async function demandSafe(path: string, env: NodeJS.ProcessEnv): Promise<FoundCaddy> {
  const checked = await tryCaddy(path, env);
  if ('refused' in checked) throw new Fault('ERR_CADDY', `CADDY is ${path}: ${checked.refused}`);
  return checked;
}

/** One that happens to be there: it is used, or named and passed over. */
async function acceptSafe(
  path: string,
  { env, say }: FindOptions,
): Promise<FoundCaddy | undefined> {
  if (!(await isProgram(path))) return undefined;
  const checked = await tryCaddy(path, env);
  if (!('refused' in checked)) return checked;
  say(`Passing over ${path}: ${checked.refused}`);
  return undefined;
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

function tryCaddy(path: string, env: NodeJS.ProcessEnv): Promise<Checked> {
  return checkCaddy(path, env).catch((error: unknown) => ({ refused: explain(error) }));
}

async function checkCaddy(path: string, env: NodeJS.ProcessEnv): Promise<Checked> {
  const version = await readVersion(path, env);
  if (version === undefined) return { refused: 'it does not say which version of Caddy it is' };
  if (unsafeBecause(version).length > 0) return { refused: describeUnsafe(version) };
  return { path, version: version.text };
}

/** A Caddy of `go install` says `unknown` when asked for its version; its build information has it. */
async function readVersion(
  path: string,
  env: NodeJS.ProcessEnv,
): Promise<CaddyVersion | undefined> {
  const ask = (question: string) =>
    runCommand({ file: path, args: [question], env, timeoutMs: VERSION_TIMEOUT_MS });
  const version = parseCaddyVersion(await ask('version'));
  if (version !== undefined) return version;
  const module = /^(?:mod|dep)\s+github\.com\/caddyserver\/caddy\/v2\s+(\S+)/m;
  return parseCaddyVersion(module.exec(await ask('build-info'))?.[1] ?? '');
}

async function fetchCaddy(cacheDir: string, options: FindOptions): Promise<FoundCaddy> {
  const { say } = options;
  const failures: string[] = [];
  say(`No Caddy ${CADDY_FLOOR} or later on the PATH or in ${cacheDir}: fetching it, once.`);
  for (const way of FETCH_WAYS) {
    say(`Fetching Caddy by ${way.name}`);
    try {
      const found = await fetchInto(cacheDir, way, options);
      say(`Caddy ${found.version} is at ${found.path}`);
      return found;
    } catch (error) {
      failures.push(`${way.name}: ${explain(error)}`);
      say(`  no: ${explain(error)}`);
    }
  }
  throw new Fault('ERR_CADDY', adviseByHand(failures));
}

/** Fetched into a folder of its own, checked, then renamed: two at once can't spoil each other's. */
async function fetchInto(
  cacheDir: string,
  way: FetchWay,
  options: FindOptions,
): Promise<FoundCaddy> {
  await mkdir(cacheDir, { recursive: true });
  const folder = await mkdtemp(join(cacheDir, 'fetch-'));
  try {
    const fetched = await way.fetch({ ...options, folder });
    const checked = await checkCaddy(fetched, options.env);
    if ('refused' in checked) throw new Error(checked.refused);
    const path = join(cacheDir, 'caddy');
    await rename(fetched, path);
    return { path, version: checked.version };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function adviseByHand(failures: readonly string[]): string {
  return [
    `Signet needs Caddy ${CADDY_FLOOR} or later. None was found, and none could be fetched:`,
    ...failures.map((failure) => `  - ${failure}`),
    'Install it by hand (https://caddyserver.com/docs/install), so that `caddy` is on the PATH,',
    'or set CADDY to the path of the program.',
  ].join('\n');
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
