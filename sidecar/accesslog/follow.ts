// Follows Caddy's access log: through rolling by renaming, restarts, truncation, and a file that
// isn't there yet. Synchronous, for a worker thread; it holds no timer and never waits. Files that
// Caddy compressed after rolling are not read: the snippets set `roll_compression none`.
import { closeSync, fstatSync, openSync, statSync } from 'node:fs';
import { explain } from '../fault.ts';
import type { SetAsideLine } from './set-aside.ts';
import {
  hasTail,
  identityOf,
  isFileOf,
  tailOf,
  type Checkpoint,
  type FileIdentity,
  type Tail,
} from './checkpoint.ts';
import { listLogFiles, logFileAt, type LogFile, type LogFiles } from './log-files.ts';
import { readLines, type Limits, type ReadLines } from './read-lines.ts';

export type { Checkpoint } from './checkpoint.ts';

export type FollowerOptions = Partial<Limits> & {
  /** The file that Caddy writes; rolled ones are found beside it. */
  readonly path: string;
  /** Where to go on; without it, from the beginning of the oldest file there is. */
  readonly checkpoint?: Checkpoint | undefined;
};

export type Batch = {
  /** In the order of the log, without their newlines. */
  readonly lines: readonly { readonly bytes: Buffer }[];
  /** Lines that were too long, and the half line at the end of a rolled file. */
  readonly setAside: readonly SetAsideLine[];
  /** The place behind this batch. */
  readonly checkpoint: Checkpoint;
};

export type Follower = {
  /** Returns the next lines, or undefined when there is nothing new now. */
  next(): Batch | undefined;
  /** Returns how many bytes were written and not yet read, in all files that are still to come. */
  lagBytes(): number;
  /** Returns what keeps the log, or a part of it, from being read, in a sentence. */
  problem(): string | undefined;
  /** Closes the file; `next` is not called any more. */
  close(): void;
};

type OpenLog = {
  readonly fd: number;
  readonly inode: string;
  offset: number;
  /** Known from the first line that was consumed on. */
  identity: FileIdentity | undefined;
  last: Tail | undefined;
};

const MiB = 1024 * 1024;

/**
 * Returns a follower of one log. When the checkpoint's file is gone it reads everything there is:
 * rows are unique, so a line read twice does no harm, and one left out would.
 * Default limits: 1 MiB a line, 500 lines and 1 MiB a batch.
 */
export function createFollower({
  path,
  checkpoint,
  maxLineBytes = MiB,
  maxBatchLines = 500,
  maxBatchBytes = MiB,
}: FollowerOptions): Follower {
  const limits = { maxLineBytes, maxBatchLines, maxBatchBytes };
  let log: OpenLog | undefined;
  let problem: string | undefined;
  let loss: string | undefined;

  function next(): Batch | undefined {
    try {
      problem = undefined;
      return advance();
    } catch (error) {
      problem = `The access log can't be read: ${explain(error)}`;
      return undefined;
    }
  }

  function advance(): Batch | undefined {
    log ??= openFirst();
    while (log !== undefined) {
      if (!isIntact(log)) rewind(log);
      const following = successorOf(log);
      // Looked for before reading: what has a successor is complete, and nothing comes after its end.
      const read = readLines(log.fd, log.offset, following !== undefined, limits);
      if (read !== undefined) return batchOf(log, read);
      const opened = following === undefined ? undefined : openLog(following);
      if (opened === undefined) return undefined;
      closeSync(log.fd);
      log = opened;
    }
    return undefined;
  }

  function openFirst(): OpenLog | undefined {
    const list = listLogFiles(path);
    const resumed = checkpoint === undefined ? undefined : resume(list.files, checkpoint);
    return resumed ?? openOldest(list);
  }

  function openOldest(list: LogFiles): OpenLog | undefined {
    const oldest = oldestOf(list);
    return oldest === undefined ? undefined : openLog(oldest);
  }

  function oldestOf({ files, compressed }: LogFiles): LogFile | undefined {
    loss =
      compressed === 0
        ? undefined
        : `${compressed} rolled files beside ${path} are compressed and were not read; ` +
          'set `roll_compression none` in Caddy';
    return files[0];
  }

  // The next file, once Caddy writes to another one than this.
  function successorOf({ inode }: OpenLog): LogFile | undefined {
    const now = logFileAt(path);
    if (now?.inode === inode) return undefined;
    const list = listLogFiles(path);
    const index = list.files.findIndex((file) => file.inode === inode);
    if (index >= 0) return list.files[index + 1];
    // This file was deleted. Without a new one Caddy may still be writing to it.
    return list.written === undefined ? undefined : oldestOf(list);
  }

  function lagBytes(): number {
    try {
      const { files } = listLogFiles(path);
      const index = files.findIndex((file) => file.inode === log?.inode);
      const toCome = files.slice(index + 1).reduce((sum, file) => sum + file.bytes, 0);
      return toCome + (log === undefined ? 0 : Math.max(0, fstatSync(log.fd).size - log.offset));
    } catch {
      return 0; // `problem` says why
    }
  }

  function close(): void {
    if (log !== undefined) closeSync(log.fd);
    log = undefined;
  }

  function absence(): string | undefined {
    // Nothing was ever opened: Caddy has not started, or writes somewhere else.
    if (log === undefined) return `there is no access log at ${path} yet`;
    if (isThere(path)) return undefined;
    return `the access log ${path} was removed; Caddy makes a new one when it is restarted`;
  }

  return { next, lagBytes, problem: () => problem ?? loss ?? absence(), close };
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

// Returns undefined when another file has the path by now: the list is out of date.
function openLog({ path, inode }: LogFile): OpenLog | undefined {
  const fd = openSync(path, 'r');
  if (String(fstatSync(fd, { bigint: true }).ino) === inode) {
    return { fd, inode, offset: 0, identity: undefined, last: undefined };
  }
  closeSync(fd);
  return undefined;
}

// The file that is the checkpoint's: usually the one with its inode, else a copy of it.
function resume(files: readonly LogFile[], checkpoint: Checkpoint): OpenLog | undefined {
  const { inode } = checkpoint.file;
  const sameInodeFirst = files.toSorted(
    (a, b) => Number(b.inode === inode) - Number(a.inode === inode),
  );
  for (const file of sameInodeFirst) {
    const log = openLog(file);
    if (log === undefined) continue;
    if (isFileOf(log.fd, checkpoint)) {
      return { ...log, offset: checkpoint.offset, last: checkpoint.last };
    }
    closeSync(log.fd);
  }
  return undefined;
}

// Overwritten or truncated in place (Caddy itself does neither): the last line is not there any more.
function isIntact({ fd, offset, last }: OpenLog): boolean {
  return last === undefined || hasTail(fd, offset, last);
}

function rewind(log: OpenLog): void {
  log.offset = 0;
  log.identity = undefined;
  log.last = undefined;
}

function batchOf(log: OpenLog, { lines, setAside, consumed, lastLineBytes }: ReadLines): Batch {
  const offset = log.offset + consumed;
  const last = tailOf(log.fd, offset, lastLineBytes);
  const identity = log.identity ?? identityOf(log.fd);
  // Only now, when nothing can fail any more: a batch that was not handed out is read again.
  Object.assign(log, { offset, last, identity });
  return { lines, setAside, checkpoint: { file: identity, offset, last } };
}
