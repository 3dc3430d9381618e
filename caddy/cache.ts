// The folder where a fetched Caddy is kept. What is started from there was put there by this user, or by root:
// owner and mode of folder and program are looked at, each time. Does not look at the folders above, which can
// only have the folder replaced: then its owner is another.
import { chmod, mkdir, stat } from 'node:fs/promises';
import { Fault } from '../sidecar/fault.ts';

/** Write permission of the group, and of all others. */
const OTHERS_WRITE = 0o022;

/**
 * Makes the folder, or takes write permission from others; throws a Fault (ERR_CADDY) where it can't be made, or
 * is another user's.
 */
export async function settleCache(folder: string): Promise<void> {
  try {
    await settle(folder);
  } catch (cause) {
    const advice = 'set XDG_CACHE_HOME to a folder of your own, or CADDY to the path of a program';
    throw new Fault('ERR_CADDY', `no Caddy can be kept in ${folder}; ${advice}`, { cause });
  }
}

async function settle(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const { uid, mode } = await stat(folder);
  if (isAnothers(uid)) throw new Error(describeAnothers(folder, uid));
  if ((mode & OTHERS_WRITE) !== 0) await chmod(folder, mode & 0o755);
}

/** Returns why one of these paths can't be trusted, undefined when all can. They are there. */
export async function describeUntrusted(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const { uid, mode } = await stat(path);
    if (isAnothers(uid)) return describeAnothers(path, uid);
    if ((mode & OTHERS_WRITE) === 0) continue;
    return `others may write ${path} (its mode is ${(mode & 0o777).toString(8)})`;
  }
  return undefined;
}

function isAnothers(uid: number): boolean {
  return uid !== 0 && uid !== process.getuid?.();
}

function describeAnothers(path: string, uid: number): string {
  return `${path} belongs to another user (${uid}), who may have put anything there`;
}
