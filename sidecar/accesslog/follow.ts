// Follows Caddy's access log: through rolling by renaming, compression, restarts, truncation, and a
// file that isn't there yet. Synchronous, for a worker thread; it holds no timer and never waits, but
// for a compressed file to be unpacked.
import { closeSync, fstatSync, statSync } from 'node:fs';
import { explain } from '../fault.ts';
import type { SetAsideLine } from './set-aside.ts';
import { firstLineOf, hasTail, tailOf, type Checkpoint } from './checkpoint.ts';
import { createLateLines } from './late-lines.ts';
import { createOpener, type OpenLog } from './open-log.ts';
import { bytesAtOnce, readLines, type Limits, type ReadLines } from './read-lines.ts';
import { createSuccession, OUTDATED, type Following } from './succession.ts';
import { MAX_UNPACKED_BYTES } from './unpack.ts';

export type { Checkpoint } from './checkpoint.ts';

export type FollowerOptions = Partial<Limits> & {
  /** The file that Caddy writes; rolled ones are found beside it. */
  readonly path: string;
  /** Where to go on; without it, from the beginning of the oldest file there is. */
  readonly checkpoint?: Checkpoint | undefined;
  /** There was a checkpoint, and it can't be read: that is a gap, which a first start is not. */
  readonly isCheckpointLost?: true;
  /** Folder for what is unpacked, made with mode 0700; by default the system's for temporary files. */
  readonly spool?: string;
  /** Largest file that is unpacked, in bytes; 1 GiB by default. */
  readonly maxUnpackedBytes?: number;
  /**
   * A batch's lines are gone with the next one: they lie in the same memory. To read them takes 0.3 µs
   * each then, and not 1.0.
   */
  readonly isMemoryReused?: true;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
};

export type Batch = {
  /** In the order of the log, without their newlines. */
  readonly lines: readonly { readonly bytes: Buffer }[];
  /** Lines that were too long, and the half line at the end of a rolled file. */
  readonly setAside: readonly SetAsideLine[];
  /** The place behind this batch. */
  readonly checkpoint: Checkpoint;
  /** What of the log may be missing in front of this batch, in sentences; each is said once. */
  readonly gap?: string;
};

export type Follower = {
  /** Returns the next lines, or undefined when there is nothing new now. */
  next(): Batch | undefined;
  /**
   * Returns whether the last look came to the end and found nothing in its way: all that Caddy had
   * written by then has been handed out. True as well while there is no log.
   */
  isAtEnd(): boolean;
  /** Returns how many bytes, as they lie there, are not yet read, in all files that are to come. */
  lagBytes(): number;
  /** Returns what keeps the log, or a part of it, from being read, in a sentence. */
  problem(): string | undefined;
  /** Closes the file; `next` is not called any more. */
  close(): void;
};

/** Longest line that becomes a row: Caddy's own bound of 1 MB for headers, and some more. */
export const MAX_LINE_BYTES = 1024 * 1024;
/** Of one batch, which is one transaction. */
export const MAX_BATCH_LINES = 1_000;
export const MAX_BATCH_BYTES = 2 * 1024 * 1024;

/** Most looks in a row, at once, at files that changed between being listed and being opened. */
const MAX_LOOKS = 20;

const DAMAGED_PLACE = 'The place in the log was damaged; everything is read again.';
const TRUNCATED =
  'The log was truncated or overwritten in place: lines that were not read by then are missing.';

/**
 * Returns a follower of one log. When the checkpoint's file is gone it reads everything there is:
 * rows are unique, so a line read twice does no harm, and one left out would.
 * Default limits: 1 MiB a line, 1,000 lines and 2 MiB a batch.
 */
export function createFollower({
  path,
  checkpoint,
  isCheckpointLost,
  spool,
  maxUnpackedBytes = MAX_UNPACKED_BYTES,
  isMemoryReused,
  now = Date.now,
  maxLineBytes = MAX_LINE_BYTES,
  maxBatchLines = MAX_BATCH_LINES,
  maxBatchBytes = MAX_BATCH_BYTES,
}: FollowerOptions): Follower {
  const limits = { maxLineBytes, maxBatchLines, maxBatchBytes };
  const memory = isMemoryReused && Buffer.allocUnsafeSlow(bytesAtOnce(limits));
  const opener = createOpener({ spool, maxUnpackedBytes, now });
  const succession = createSuccession(path, opener, createLateLines(now), checkpoint);
  const gaps: string[] = isCheckpointLost === true ? [DAMAGED_PLACE] : [];
  let log: OpenLog | undefined;
  let problem: string | undefined;
  let isEnd = false;
  let hasMore = false;

  function next(): Batch | undefined {
    hasMore = false;
    const batch = look(MAX_LOOKS);
    isEnd = !hasMore && problem === undefined;
    return batch;
  }

  function look(looksLeft: number): Batch | undefined {
    try {
      problem = undefined;
      return advance();
    } catch (error) {
      if (error === OUTDATED && looksLeft > 1) return look(looksLeft - 1);
      problem = sentenceOf(error);
      return undefined;
    }
  }

  function advance(): Batch | undefined {
    log ??= succession.openFirst();
    while (log !== undefined) {
      if (!isIntact(log)) rewind(log);
      // Looked for before reading: what has a successor is complete, and nothing comes after its end.
      const following = filesAfter(log);
      const isFinished = log.packing !== undefined || following.files.length > 0;
      const read = readLines(log.fd, log.offset, isFinished, limits, memory);
      if (read !== undefined) {
        hasMore = read.hasMore || following.files.length > 0;
        return batchOf(log, read);
      }
      const opened = succession.openNext(log, following);
      if (opened === undefined) return undefined;
      log = opened;
    }
    return undefined;
  }

  // Whatever is in the way there: what was written to this file is read.
  function filesAfter(current: OpenLog): Following {
    try {
      return succession.after(current);
    } catch (error) {
      problem = sentenceOf(error);
      return { files: [], isGone: false };
    }
  }

  // Overwritten or truncated in place (Caddy itself does neither): the last line is not there any more.
  function rewind(current: OpenLog): void {
    Object.assign(current, { offset: 0, identity: undefined, last: undefined });
    gaps.push(TRUNCATED);
  }

  function batchOf(current: OpenLog, read: ReadLines): Batch {
    const place = { ...advancePlace(current, read), consumed: succession.consumed() };
    const gap = [...gaps.splice(0), ...succession.takeGaps()].join(' ');
    const { lines, setAside } = read;
    return { lines, setAside, checkpoint: place, ...(gap !== '' && { gap }) };
  }

  function lagBytes(): number {
    try {
      const rest = log === undefined ? 0 : Math.max(0, fstatSync(log.fd).size - log.offset);
      return rest + succession.bytesAfter(log);
    } catch {
      return 0; // `problem` says why
    }
  }

  function close(): void {
    if (log !== undefined) closeSync(log.fd);
    log = undefined;
    succession.close();
  }

  function absence(): string | undefined {
    // Nothing was ever opened: Caddy has not started, or writes somewhere else.
    if (log === undefined) return `there is no access log at ${path} yet`;
    if (isThere(path)) return undefined;
    return `the access log ${path} was removed; Caddy makes a new one when it is restarted`;
  }

  return {
    next,
    isAtEnd: () => isEnd,
    lagBytes,
    problem: () => problem ?? succession.problem() ?? absence(),
    close,
  };
}

function sentenceOf(error: unknown): string {
  const isRefused = Object(error).code === 'EACCES';
  return `The access log can't be read: ${explain(error)}${isRefused ? `. ${MAY_READ}` : ''}`;
}

const MAY_READ =
  "Let the sidecar's user belong to Caddy's group; folder 0750, log 0640, both of that group";

function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true; // the next look says what it is
  }
}

function isIntact({ fd, offset, last }: OpenLog): boolean {
  return last === undefined || hasTail(fd, offset, last);
}

// Moves only now, when nothing can fail any more: a batch that was not handed out is read again.
function advancePlace(log: OpenLog, { consumed, lastLineBytes }: ReadLines): Checkpoint {
  const offset = log.offset + consumed;
  const last = tailOf(log.fd, offset, lastLineBytes);
  const { inode, birthTimeNs } = log;
  const identity = log.identity ?? { inode, birthTimeNs, firstLineSha256: firstLineOf(log.fd) };
  Object.assign(log, { offset, last, identity });
  return { file: identity, offset, last };
}
