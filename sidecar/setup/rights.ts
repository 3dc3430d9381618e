// Owner and mode of what is there: what an earlier run of ours left to root alone is given to the sidecar's
// group; whatever else is not as it should be is only told.
import * as fs from 'node:fs';

/** A file or a folder, and its mode as it is meant. */
export type Meant = {
  readonly path: string;
  readonly mode: number;
  /** Others may not even read it. */
  readonly isSecret?: true;
};

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
const OTHERS_WRITE = 0o002;
const OTHERS_READ = 0o004;
const GROUP_READ = 0o040;

/** Gives to the sidecar's group what has the owner and mode of a run before there was one; returns whether it did. */
export function giveIfLeft({ path, mode }: Meant, groupId: number): boolean {
  // A link is somebody else's arrangement.
  if (fs.lstatSync(path).isSymbolicLink()) return false;
  const opened = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const found = fs.fstatSync(opened);
    if (!isLeft(found, mode, groupId)) return false;
    fs.fchownSync(opened, found.uid, groupId);
    fs.fchmodSync(opened, mode);
    return true;
  } finally {
    fs.closeSync(opened);
  }
}

function isLeft(found: fs.Stats, mode: number, groupId: number): boolean {
  const { uid, gid, nlink } = found;
  if (uid !== process.getuid?.() || (found.isFile() && nlink > 1)) return false;
  const has = found.mode & 0o7777;
  const isOwners = has === (mode & 0o700);
  return isOwners || (has === mode && gid === process.getgid?.() && gid !== groupId);
}

/** Returns those that others may write to, and secrets that they may read. */
export function openToOthers<T extends Meant>(all: readonly T[]): T[] {
  return all.filter(({ path, isSecret }) => {
    const mode = fs.statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
    return (mode & (isSecret ? OTHERS_READ | OTHERS_WRITE : OTHERS_WRITE)) !== 0;
  });
}

/** Returns those of root's that the sidecar's group can't read. */
export function closedToGroup<T extends Meant>(all: readonly T[], groupId: number): T[] {
  return all.filter(({ path }) => {
    const found = fs.statSync(path, { throwIfNoEntry: false });
    return found?.uid === 0 && (found.gid !== groupId || (found.mode & GROUP_READ) === 0);
  });
}
