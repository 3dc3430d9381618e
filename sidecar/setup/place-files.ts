// Puts texts under their names on the disk: whole or not at all, with the right owner and mode, and never
// over what is there.
import * as fs from 'node:fs';
import { removeDrafts } from '../drafts.ts';
import type { Secret } from '../secret.ts';
import type { LayoutFolder } from './layout.ts';
import { giveIfLeft, type Meant } from './rights.ts';
import { contentOf, isWaiting } from './there.ts';
import { writeWhole } from './write-whole.ts';

/** One file to be. */
export type PlannedFile = Meant & {
  /** Belongs to the sidecar's group. */
  readonly isShared?: true;
  /** Undefined: left as it is, or made empty for somebody to write into. */
  readonly content: string | Secret | undefined;
};

export type Placed = {
  readonly path: string;
  /**
   * `given`: left as it is, but for the sidecar's group. `beside`: something else is there, and ours is at
   * `path` with `.new` behind it. `held`: something else is there, too, and ours is nowhere.
   */
  readonly became: 'written' | 'kept' | 'given' | 'beside' | 'held';
};

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = fs.constants;

/** A draft is there for milliseconds: whoever left one that is older was killed. As for the key ring's lock. */
const LEFT_MS = 30_000;

/** Makes the folders that aren't there. `groupId` is that of the sidecar's group, if there is one. */
export function makeFolders(folders: readonly LayoutFolder[], groupId: number | undefined): void {
  for (const folder of folders) {
    const { path, mode, isShared } = folder;
    const group = isShared ? groupId : undefined;
    if (fs.mkdirSync(path, { recursive: true, mode }) !== undefined) {
      setRights(path, mode, group);
    } else if (group !== undefined) giveIfLeft(folder, group);
  }
}

// By the descriptor, and not through a link: it may have been taken away since.
function setRights(path: string, mode: number, groupId: number | undefined): void {
  const folder = fs.openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    if (groupId !== undefined) fs.fchownSync(folder, process.getuid?.() ?? 0, groupId);
    fs.fchmodSync(folder, mode);
  } finally {
    fs.closeSync(folder);
  }
}

/** Places a file, and returns what became of it. Drafts of it that were left behind are removed. */
export function placeFile(file: PlannedFile, groupId: number | undefined): Placed {
  const { path, content } = file;
  for (const one of [path, `${path}.new`]) removeDrafts(one, LEFT_MS);
  const there = contentOf(path);
  if (there === undefined) {
    const isOurs = write(file, path, groupId, 'link');
    // Somebody else's came between: judged anew.
    return isOurs ? { path, became: 'written' } : placeFile(file, groupId);
  }
  if (content === undefined || isSame(there, content)) return { path, became: kept(file, groupId) };
  // Nothing is lost with an empty one: it waited for this.
  if (!isWaiting(path)) return { path, became: placeBeside(file, content, groupId) };
  write(file, path, groupId, 'rename');
  return { path, became: 'written' };
}

function kept(file: PlannedFile, groupId: number | undefined): 'kept' | 'given' {
  const isGiven = file.isShared && groupId !== undefined && giveIfLeft(file, groupId);
  return isGiven ? 'given' : 'kept';
}

// It may be somebody's work, or the next secret: it is not ours to take away.
function placeBeside(
  file: PlannedFile,
  content: string | Secret,
  groupId: number | undefined,
): 'beside' | 'held' {
  const path = `${file.path}.new`;
  if (write(file, path, groupId, 'link')) return 'beside';
  return isSame(contentOf(path) ?? '', content) ? 'beside' : 'held';
}

/** Returns the id of a group of this machine; undefined if there is none, or only root may give files to it. */
export function findGroup(name: string): number | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const lines = fs.readFileSync('/etc/group', 'utf8').split('\n');
  const [, , id] = lines.map((line) => line.split(':')).find(([found]) => found === name) ?? [];
  return id === undefined ? undefined : Number(id);
}

/** Returns the mode that a file has as long as there is no group to share it with. */
export function modeOf({ mode, isShared }: PlannedFile, groupId: number | undefined): number {
  return isShared && groupId === undefined ? mode & 0o700 : mode;
}

function textOf(content: string | Secret): string {
  return typeof content === 'string' ? content : `${content.reveal()}\n`;
}

// A secret is the same with or without a newline behind it.
function isSame(there: string, content: string | Secret): boolean {
  return typeof content === 'string' ? there === content : there.trim() === content.reveal();
}

function write(
  file: PlannedFile,
  path: string,
  groupId: number | undefined,
  how: 'link' | 'rename',
): boolean {
  const mode = modeOf(file, groupId);
  const group = file.isShared ? groupId : undefined;
  return writeWhole(path, { text: textOf(file.content ?? ''), mode, groupId: group }, how);
}
