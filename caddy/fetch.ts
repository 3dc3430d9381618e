// Fetches Caddy by the first way that works, into a folder where it is kept. Installs nothing.
import { chmod, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { visible } from '../sidecar/visible.ts';
import { explain, Fault } from '../sidecar/fault.ts';
import { settleCache } from './cache.ts';
import { checkCaddy, type FoundCaddy } from './check.ts';
import { fetchByApt } from './fetch-apt.ts';
import { fetchByGo } from './fetch-go.ts';
import { createReleaseWay } from './fetch-release.ts';
import type { FetchOptions, FetchWay } from './fetch-way.ts';
import { CADDY_FLOOR } from '../sidecar/edge/version.ts';

/** The first takes seconds, Go a minute or more, apt seconds, but its Caddy is the oldest: hence last. */
export const FETCH_WAYS: readonly FetchWay[] = [createReleaseWay(), fetchByGo, fetchByApt];

/**
 * Returns a Caddy at or above the floor, `caddy` in `cacheDir`; throws a Fault (ERR_CADDY) that says what was
 * tried, why it failed, and what to do by hand.
 */
export async function fetchCaddy(
  cacheDir: string,
  ways: readonly FetchWay[],
  options: Omit<FetchOptions, 'folder'>,
): Promise<FoundCaddy> {
  const { say } = options;
  const failures: string[] = [];
  await settleCache(cacheDir);
  for (const way of ways) {
    say(`Fetching Caddy by ${way.name}`);
    try {
      const found = await fetchInto(cacheDir, way, options);
      say(`Caddy ${found.version} is at ${found.path}`);
      return found;
    } catch (error) {
      // It may quote a server or a program, and goes to a terminal.
      const why = visible(explain(error));
      failures.push(`${way.name}: ${why}`);
      say(`  no: ${why}`);
    }
  }
  throw new Fault('ERR_CADDY', adviseByHand(failures));
}

/** Fetched into a folder of its own, checked, then renamed: two at once can't spoil each other's. */
async function fetchInto(
  cacheDir: string,
  way: FetchWay,
  options: Omit<FetchOptions, 'folder'>,
): Promise<FoundCaddy> {
  const folder = await mkdtemp(join(cacheDir, 'fetch-'));
  try {
    const fetched = await way.fetch({ ...options, folder });
    const checked = await checkCaddy(fetched, options.env);
    if ('refused' in checked) throw new Error(checked.refused);
    const path = join(cacheDir, 'caddy');
    // Go and apt leave the mode to the umask.
    await chmod(fetched, 0o755);
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
