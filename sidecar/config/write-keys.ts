// The key ring's file, written whole or not at all: whoever reads it meanwhile has the old one or the new one.
// And new keys, which are random.
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { draftOf, removeDrafts } from '../drafts.ts';
import { Fault } from '../fault.ts';
import type { FreshKey } from './key-ring-text.ts';
import { MIN_KEY_BYTES, parseKeys } from './keys.ts';
import { whileLocked } from './ring-lock.ts';

/** Returns a new key. */
export function freshKey(): FreshKey {
  return { key: randomBytes(MIN_KEY_BYTES).toString('base64'), atMs: Date.now() };
}

/**
 * Changes the ring's text, and returns the new one; who else changes it at the same time does so before or after.
 * Drafts that killed commands left are removed: a key that was taken out would stay in them.
 * @throws {Fault} ERR_KEYS if it can't be: the old one is as it was. And what `to` throws.
 */
export function changeKeys(path: string, to: (text: string) => string): string {
  const real = fs.existsSync(path) ? fs.realpathSync(path) : path;
  return whileLocked(real, (assertHeld) => {
    const text = to(fs.readFileSync(real, 'utf8'));
    assertHeld();
    removeLeft(real);
    writeKeys(real, text, assertHeld);
    return text;
  });
}

// Under the lock nobody writes one. Who lost it while he stood still is refused before the ring is his.
function removeLeft(path: string): void {
  try {
    removeDrafts(path);
    removeDrafts(`${path}.lock`); // stale ones that were moved
  } catch (cause) {
    throw new Fault('ERR_KEYS', `old drafts of the key ring ${path} can't be removed`, { cause });
  }
}

/**
 * Writes the ring in place of the one that is there, with the same owner, group and mode; a new file is its
 * owner's only. A symbolic link stays, and what it leads to is replaced. `atLast` is called when all of it is on
 * the disk, and throws if it must not be the ring any more.
 * @throws {Fault} ERR_KEYS if it can't be, or the text is no key ring: the old one is as it was.
 */
export function writeKeys(path: string, text: string, atLast?: () => void): void {
  const parsed = parseKeys(text);
  if ('problem' in parsed) throw new Fault('ERR_KEYS', `it is no key ring: ${parsed.problem}`);
  try {
    replace(fs.existsSync(path) ? fs.realpathSync(path) : path, text, atLast);
  } catch (error) {
    throw new Fault('ERR_KEYS', `the key ring ${path} can't be written`, { cause: error });
  }
}

function replace(path: string, text: string, atLast?: () => void): void {
  const old = fs.statSync(path, { throwIfNoEntry: false });
  const draft = draftOf(path);
  const file = fs.openSync(draft, 'wx', 0o600);
  try {
    try {
      if (old) takeOver(file, old);
      fs.writeFileSync(file, text);
      fs.fsyncSync(file);
    } finally {
      fs.closeSync(file);
    }
    atLast?.();
    fs.renameSync(draft, path);
  } finally {
    fs.rmSync(draft, { force: true });
  }
  syncFolder(dirname(path));
}

// Before a key stands in it. The sidecar's own user could not read a ring that root has written as its own.
function takeOver(file: number, { uid, gid, mode }: fs.Stats): void {
  const own = fs.fstatSync(file);
  if (own.uid !== uid || own.gid !== gid) fs.fchownSync(file, uid, gid);
  fs.fchmodSync(file, mode & 0o777);
}

function syncFolder(folder: string): void {
  const opened = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(opened);
  } finally {
    fs.closeSync(opened);
  }
}
