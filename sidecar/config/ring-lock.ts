// One change of a key ring's file at a time: a lock beside it, which is there as long as somebody changes the ring.
// Holds up commands only: a sidecar reads the ring, and never changes it.
import * as fs from 'node:fs';
import { draftOf } from '../drafts.ts';
import { Fault } from '../fault.ts';

/** A change takes milliseconds: whoever made a lock that is older was killed. */
const STALE_MS = 30_000;
const WAIT_MS = 5_000;
const PAUSE_MS = 20;

/** The lock as it was made; another one of its name is somebody else's. */
type Made = { readonly ino: number; readonly mtimeMs: number };

/**
 * Does this while nobody else changes the ring of this path, and returns what it returns. `assertHeld` throws if
 * the lock was lost meanwhile: the process stood still for longer than a lock counts.
 * @throws {Fault} ERR_KEYS if it can't be had within that time (default: five seconds), or can't be made.
 */
export function whileLocked<T>(
  path: string,
  act: (assertHeld: () => void) => T,
  waitMs = WAIT_MS,
): T {
  const lock = `${path}.lock`;
  const own = acquire(path, lock, waitMs);
  const assertHeld = () => {
    if (!isSame(seen(lock), own)) throw new Fault('ERR_KEYS', `another command took ${lock} over`);
  };
  try {
    return act(assertHeld);
  } finally {
    if (isSame(seen(lock), own)) fs.rmSync(lock, { force: true });
  }
}

function acquire(path: string, lock: string, waitMs: number): Made {
  const untilMs = Date.now() + waitMs;
  for (;;) {
    const made = make(path, lock);
    if (made !== undefined) return made;
    const other = seen(lock);
    if (other && Math.abs(Date.now() - other.mtimeMs) > STALE_MS) setAside(lock, other);
    else if (Date.now() > untilMs) throw notHad(path, lock);
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
  }
}

function make(path: string, lock: string): Made | undefined {
  try {
    const file = fs.openSync(lock, 'wx', 0o600);
    try {
      return fs.fstatSync(file);
    } finally {
      fs.closeSync(file);
    }
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return undefined;
    throw new Fault('ERR_KEYS', `the key ring ${path} can't be written`, { cause: error });
  }
}

// Moved first, since two may find it stale: the second would remove what the first has made anew. It puts that back.
function setAside(lock: string, stale: Made): void {
  const aside = draftOf(lock); // no draft of the ring's: those go while the lock is held
  try {
    fs.renameSync(lock, aside);
    if (!isSame(seen(aside), stale)) fs.linkSync(aside, lock);
  } catch (error) {
    if (['ENOENT', 'EEXIST'].includes(codeOf(error) ?? '')) return;
    throw new Fault('ERR_KEYS', `the lock ${lock} is stale, and can't be removed`, {
      cause: error,
    });
  } finally {
    fs.rmSync(aside, { force: true });
  }
}

function seen(lock: string): Made | undefined {
  return fs.lstatSync(lock, { throwIfNoEntry: false });
}

function isSame(one: Made | undefined, other: Made): boolean {
  return one?.ino === other.ino && one.mtimeMs === other.mtimeMs;
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

function notHad(path: string, lock: string): Fault {
  const mend = `try again; if it was killed, ${lock} counts for ${STALE_MS / 1_000} seconds`;
  return new Fault('ERR_KEYS', `another command is changing the key ring ${path}: ${mend}`);
}
