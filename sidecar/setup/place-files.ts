// Puts texts under their names on the disk: whole or not at all, with the right owner and mode, and never
// over what is there.
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isNativeError } from 'node:util/types';
import type { Secret } from '../secret.ts';
import type { LayoutFolder } from './layout.ts';

/** One file to be. */
export type PlannedFile = {
  readonly path: string;
  readonly mode: number;
  /** Belongs to the sidecar's group. */
  readonly isShared?: true;
  /** Undefined: left as it is, or made empty for somebody to write into. */
  readonly content: string | Secret | undefined;
};

export type Placed = {
  readonly path: string;
  /** `beside`: something else is there, and ours is at `path` with `.new` behind it. */
  readonly became: 'written' | 'kept' | 'beside';
};

/** Makes the folders that aren't there. `groupId` is that of the sidecar's group, if there is one. */
export function makeFolders(folders: readonly LayoutFolder[], groupId: number | undefined): void {
  for (const { path, mode, isShared } of folders) {
    const made = fs.mkdirSync(path, { recursive: true, mode });
    if (made === undefined) continue;
    fs.chmodSync(path, mode);
    if (isShared && groupId !== undefined) giveTo(path, groupId);
  }
}

/** Places a file, and returns what became of it. */
export function placeFile(file: PlannedFile, groupId: number | undefined): Placed {
  const { path } = file;
  const there = contentOf(path);
  if (there === undefined) {
    const isOurs = writeWhole(file, path, groupId, 'link');
    // Somebody else's came between: judged anew.
    return isOurs ? { path, became: 'written' } : placeFile(file, groupId);
  }
  if (file.content === undefined || isSame(there, file.content)) return { path, became: 'kept' };
  // Nothing is lost with an empty one: it waited for this.
  const target = there.trim() === '' ? path : `${path}.new`;
  writeWhole(file, target, groupId, 'rename');
  return { path, became: target === path ? 'written' : 'beside' };
}

/** Returns the id of a group of this machine; undefined if there is none, or only root may give files to it. */
export function findGroup(name: string): number | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const lines = fs.readFileSync('/etc/group', 'utf8').split('\n');
  const [, , id] = lines.map((line) => line.split(':')).find(([found]) => found === name) ?? [];
  return id === undefined ? undefined : Number(id);
}

/** Returns whether something is at this path, and has something in it. */
export function hasContent(path: string): boolean {
  return (contentOf(path) ?? '').trim() !== '';
}

function textOf(content: string | Secret): string {
  return typeof content === 'string' ? content : `${content.reveal()}\n`;
}

// A secret is the same with or without a newline behind it.
function isSame(there: string, content: string | Secret): boolean {
  return typeof content === 'string' ? there === content : there.trim() === content.reveal();
}

function contentOf(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
  // A link that leads nowhere is something, too.
  return fs.lstatSync(path, { throwIfNoEntry: false }) === undefined ? undefined : '\0';
}

// Drafts are hidden, and in the same folder: only there a link or a new name is one step.
function writeWhole(
  { content = '', mode, isShared }: PlannedFile,
  path: string,
  groupId: number | undefined,
  how: 'link' | 'rename',
): boolean {
  const draft = join(dirname(path), `.${basename(path)}.${randomUUID()}`);
  try {
    fs.writeFileSync(draft, textOf(content), { flag: 'wx', mode: 0o600, flush: true });
    if (isShared && groupId !== undefined) giveTo(draft, groupId);
    fs.chmodSync(draft, isShared && groupId === undefined ? mode & 0o700 : mode);
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

function giveTo(path: string, groupId: number): void {
  fs.chownSync(path, process.getuid?.() ?? 0, groupId);
}

function isCode(error: unknown, code: string): boolean {
  return isNativeError(error) && 'code' in error && error.code === code;
}
