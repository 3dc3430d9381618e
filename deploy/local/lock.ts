// One stack per state folder: a file that holds the pid of the one that runs.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Refusal } from './settings.ts';

/**
 * Takes the folder; returns what gives it back. The lock of a process that is gone is taken over.
 * @throws {Refusal} when a stack runs there.
 */
export function lockFolder(folder: string): () => void {
  const file = join(folder, 'lock');
  if (!claim(file)) {
    const pid = Number(readFileSync(file, 'utf8'));
    if (isAlive(pid)) throw secondCopy(folder, pid);
    rmSync(file, { force: true });
    if (!claim(file)) throw secondCopy(folder, pid);
  }
  return () => rmSync(file, { force: true });
}

function secondCopy(folder: string, pid: number): Refusal {
  const own = 'SIGNET_LOCAL_DIR, SIGNET_LOCAL_PORT and SIGNET_LOCAL_PROVIDER_PORT';
  const how = `stop it first, or give this one its own ${own}`;
  return new Refusal(`A local stack runs in ${folder} already (process ${pid}): ${how}.`);
}

function claim(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // There, but somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
