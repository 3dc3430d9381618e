// Writes a file whole or not at all, with its owner and mode before it has its name. Owner and mode are given
// by the open descriptor: whoever owns the folder may have put something else under the draft's name.
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isNativeError } from 'node:util/types';

/** What a file is to be under its name. */
export type Whole = {
  readonly text: string;
  readonly mode: number;
  /** Undefined: the group stays this process's own. */
  readonly groupId: number | undefined;
};

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants;

/**
 * Writes the file; returns whether it is there now. `link`: false where something else was there before;
 * `rename`: over what is there.
 */
export function writeWhole(path: string, whole: Whole, how: 'link' | 'rename'): boolean {
  // Drafts are hidden, and in the same folder: only there a link or a new name is one step.
  const draft = join(dirname(path), `.${basename(path)}.${randomUUID()}`);
  try {
    writeDraft(draft, whole);
    if (how === 'link') fs.linkSync(draft, path);
    else fs.renameSync(draft, path);
    return true;
  } catch (error) {
    if (how === 'link' && isCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

function writeDraft(draft: string, { text, mode, groupId }: Whole): void {
  const file = fs.openSync(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    fs.writeFileSync(file, text);
    if (groupId !== undefined) fs.fchownSync(file, process.getuid?.() ?? 0, groupId);
    fs.fchmodSync(file, mode);
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
}

function isCode(error: unknown, code: string): boolean {
  return isNativeError(error) && 'code' in error && error.code === code;
}
