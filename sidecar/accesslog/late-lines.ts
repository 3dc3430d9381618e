// The rolled files that were read to their end and left, held open for a while: what is written to one
// of them after that is never read, but told. Caddy renames a file after its last write to it, so this
// is the work of another writer. Of those that were left before a restart nothing is known: the
// checkpoint tells which they were, and not how long.
import { closeSync, fstatSync } from 'node:fs';

export type LateLines = {
  /** Takes over the open file, which was read up to `bytes`, and closes it in time. */
  hold(file: LeftFile): void;
  /** Returns what was written too late, in sentences; each file is told of once. */
  look(): string[];
  /** Closes all that is held. */
  close(): void;
};

export type LeftFile = { readonly fd: number; readonly rolledName: string; readonly bytes: number };

/** More than a Caddy that rolls seldom is behind one that rolls often. */
const HELD_FILES = 8;
/** A deleted file takes its space on the disk as long as it is held. */
const DELETED_MS = 60_000;

/**
 * Returns what watches the files that were left. It goes by what is open, so that neither a new name,
 * nor compression, nor an inode that is used again deceives it.
 * @param now milliseconds since the epoch.
 */
export function createLateLines(now: () => number): LateLines {
  const held = new Set<LeftFile>();

  function hold(file: LeftFile): void {
    held.add(file);
    const [oldest] = held;
    if (held.size > HELD_FILES && oldest !== undefined) release(oldest);
  }

  function look(): string[] {
    const grown: string[] = [];
    for (const file of held) {
      const standing = standingOf(file.fd);
      const isGrown = standing !== undefined && standing.bytes > file.bytes;
      if (isGrown) grown.push(sentenceOf(file));
      if (isGrown || standing === undefined || isLongDeleted(standing)) release(file);
    }
    return grown;
  }

  // To be deleted is the last change of a file to which nobody writes.
  function isLongDeleted({ isDeleted, changedMs }: Standing): boolean {
    return isDeleted && Math.abs(now() - changedMs) > DELETED_MS;
  }

  function release(file: LeftFile): void {
    held.delete(file);
    closeSync(file.fd);
  }

  return { hold, look, close: () => held.forEach(release) };
}

function sentenceOf({ rolledName }: LeftFile): string {
  return (
    `The rolled file ${rolledName} was written to after it had been read to its end: those lines ` +
    'are missing. Do two Caddys write to one log? Each needs its own.'
  );
}

/** How long an open file is, whether its last name is gone, and when it was changed last. */
type Standing = {
  readonly bytes: number;
  readonly isDeleted: boolean;
  /** Milliseconds since the epoch; its being renamed or deleted counts, too. */
  readonly changedMs: number;
};

// Undefined when the system doesn't say.
function standingOf(fd: number): Standing | undefined {
  try {
    const { size, nlink, ctimeMs } = fstatSync(fd);
    return { bytes: size, isDeleted: nlink === 0, changedMs: ctimeMs };
  } catch {
    return undefined; // deleted on another machine, of a network's disk
  }
}
