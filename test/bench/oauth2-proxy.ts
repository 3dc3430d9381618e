// Finds the oauth2-proxy that Signet is measured against, at one pinned version: OAUTH2_PROXY, the
// PATH, the cache, else built with the Go toolchain. Starts nothing.
import { access, constants, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { runCommand } from '../../caddy/run-command.ts';
import { explain } from '../../sidecar/fault.ts';

export const OAUTH2_PROXY_VERSION = 'v7.15.2';

const MODULE = 'github.com/oauth2-proxy/oauth2-proxy/v7';
const BUILD_TIMEOUT_MS = 15 * 60_000;
const VERSION_TIMEOUT_MS = 20_000;

export type FoundProxy = {
  readonly path: string;
  /** What it says of itself. */
  readonly version: string;
};

export type Say = (text: string) => void;

export type FindProxyOptions = {
  /** OAUTH2_PROXY, PATH, XDG_CACHE_HOME and HOME are read; what is started gets all of it. */
  readonly env: NodeJS.ProcessEnv;
  readonly say: Say;
  /** Building takes Go, the network and a minute. */
  readonly mayBuild: boolean;
};

/** Returns the program, or why there is none. Another version is used when it is named, and shows in the report. */
export async function findOAuth2Proxy({
  env,
  say,
  mayBuild,
}: FindProxyOptions): Promise<FoundProxy | { readonly skipped: string }> {
  const named = env['OAUTH2_PROXY'] ?? '';
  const onPath = (env['PATH'] ?? '').split(delimiter).map((each) => join(each, 'oauth2-proxy'));
  const cached = join(cacheFolder(env), `oauth2-proxy-${OAUTH2_PROXY_VERSION}`);
  try {
    for (const path of named === '' ? [...onPath, cached] : [named]) {
      if (named !== '' || (await isProgram(path))) return await identify(path, env);
    }
    if (!mayBuild) throw new Error('not on the PATH nor in the cache, and not to be built now');
    await build(cached, env, say);
    return await identify(cached, env);
  } catch (error) {
    return { skipped: `oauth2-proxy ${OAUTH2_PROXY_VERSION}: ${explain(error)}` };
  }
}

async function identify(path: string, env: NodeJS.ProcessEnv): Promise<FoundProxy> {
  const command = { file: path, args: ['--version'], env, timeoutMs: VERSION_TIMEOUT_MS };
  const said = await runCommand(command);
  const version = said.trim().split('\n')[0] ?? '';
  return { path, version: version.replace(/^oauth2-proxy /, '') };
}

// As the one dependency of a module of our own, which pins it by go.sum: `go install path@version` asks
// for the list of all versions first, which not every module mirror gives.
async function build(path: string, env: NodeJS.ProcessEnv, say: Say): Promise<void> {
  const cache = cacheFolder(env);
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'build-'));
  try {
    await writeFile(join(folder, 'go.mod'), 'module signet-bench\n');
    say(`building oauth2-proxy ${OAUTH2_PROXY_VERSION}, once: some minutes`);
    const goEnv = { ...env, GOWORK: 'off', CGO_ENABLED: '0', GOFLAGS: '' };
    const go = (...args: string[]) => {
      const command = { file: 'go', args, env: goEnv, cwd: folder, timeoutMs: BUILD_TIMEOUT_MS };
      return runCommand(command, say);
    };
    await go('get', `${MODULE}@${OAUTH2_PROXY_VERSION}`);
    const naming = `-ldflags=-X ${MODULE}/pkg/version.VERSION=${OAUTH2_PROXY_VERSION}`;
    await go('build', naming, '-o', join(folder, 'oauth2-proxy'), MODULE);
    await rename(join(folder, 'oauth2-proxy'), path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function cacheFolder(env: NodeJS.ProcessEnv): string {
  const cacheHome = env['XDG_CACHE_HOME'] ?? '';
  return join(cacheHome === '' ? join(env['HOME'] ?? homedir(), '.cache') : cacheHome, 'signet');
}

async function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
