// Drafts of a file: hidden beside it, and given its name when they are whole. A process that is killed leaves its
// own, with all that the file holds: keys, secrets.
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

/** Returns the name of a new draft: in the same folder, for only there a new name is one step. */
export function draftOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomUUID()}`);
}

/**
 * Removes the drafts of this file that are older than this (default: all, for whoever holds a lock). Whoever writes
 * one all the same fails then, and leaves the file as it is. Throws plain errors.
 */
export function removeDrafts(path: string, olderThanMs = -1): void {
  const folder = dirname(path);
  const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  for (const draft of names
    .filter((name) => isDraft(name, path))
    .map((name) => join(folder, name))) {
    const found = fs.lstatSync(draft, { throwIfNoEntry: false });
    // A clock that was set back must not keep one for a year.
    const isLeft = found?.isFile() && Math.abs(Date.now() - found.mtimeMs) > olderThanMs;
    if (isLeft) fs.rmSync(draft, { force: true });
  }
}

function isDraft(name: string, path: string): boolean {
  const prefix = `.${basename(path)}.`;
  return name.startsWith(prefix) && UUID.test(name.slice(prefix.length));
}
