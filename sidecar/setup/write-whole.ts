// Writes a file whole or not at all, with its owner and mode before it has its name (but for a new one where
// the disk knows no hard links: that has its name first). Owner and mode are given by the open descriptor:
// whoever owns the folder may have put something else under the draft's name.
import * as fs from 'node:fs';
import { isNativeError } from 'node:util/types';
import { draftOf } from '../drafts.ts';

/** What a file is to be under its name. */
export type Whole = {
  readonly text: string;
  readonly mode: number;
  /** Undefined: the group stays this process's own. */
  readonly groupId: number | undefined;
};

// What a file system without hard links says: vfat and others the first, those of the network any of them.
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP'];

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants;

/**
 * Writes the file; returns whether it is there now. `link`: false where something else was there before;
 * `rename`: over what is there. `link` gives a file a second name, and never one that is taken.
 */
export function writeWhole(
  path: string,
  whole: Whole,
  how: 'link' | 'rename',
  link: (from: string, to: string) => void = fs.linkSync,
): boolean {
  const draft = draftOf(path);
  try {
    writeNew(draft, whole);
    if (how === 'rename') fs.renameSync(draft, path);
    else if (!isLinked(draft, path, link)) writeNew(path, whole);
    return true;
  } catch (error) {
    if (how === 'link' && isCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

// False where there are no links: then the name itself has to be the one step.
function isLinked(draft: string, path: string, link: (from: string, to: string) => void): boolean {
  try {
    link(draft, path);
    return true;
  } catch (error) {
    if (NO_LINKS.some((code) => isCode(error, code))) return false;
    throw error;
  }
}

// Nothing of that name is there before, and no half of it afterwards.
function writeNew(path: string, { text, mode, groupId }: Whole): void {
  const file = fs.openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    fs.writeFileSync(file, text);
    if (groupId !== undefined) fs.fchownSync(file, process.getuid?.() ?? 0, groupId);
    fs.fchmodSync(file, mode);
    fs.fsyncSync(file);
  } catch (error) {
    fs.rmSync(path, { force: true });
    throw error;
  } finally {
    fs.closeSync(file);
  }
}

function isCode(error: unknown, code: string): boolean {
  return isNativeError(error) && 'code' in error && error.code === code;
}
