// One file of the log, opened for reading by place: as it lies there, or unpacked. What can't be
// opened now is not tried again at every look.
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { isNativeError } from 'node:util/types';
import { firstLineSha256, headOf, type FileIdentity, type Tail } from './checkpoint.ts';
import type { LogFile, Packing } from './log-files.ts';
import { unpack, unpackedHead } from './unpack.ts';

export type OpenLog = {
  /** What is read by it: the file itself, or what was in it. */
  readonly fd: number;
  readonly packing: Packing | undefined;
  /** Of the file that lies in the folder. */
  readonly inode: string;
  readonly birthTimeNs: string;
  /** Once it is known to have been rolled. */
  rolledName: string | undefined;
  offset: number;
  /** Known from the first line that was consumed on. */
  identity: FileIdentity | undefined;
  last: Tail | undefined;
};

/** What became of opening a file; `gone` is one that is not what was listed: list again. */
export type Opened =
  | { readonly is: 'open'; readonly log: OpenLog }
  | { readonly is: 'gone' }
  | { readonly is: 'waiting' | 'damaged'; readonly why: string };

export type Opener = {
  /** Throws what the system says of a file that is there and can't be opened. */
  open(file: LogFile): Opened;
  /** Returns the hash of a file's first line, also of a compressed one; undefined if it can't be told. */
  firstLineOf(file: LogFile): string | undefined;
};

export type OpenerOptions = {
  /** Folder for what is unpacked, made when it is needed; by default the system's for temporary files. */
  readonly spool: string | undefined;
  readonly maxUnpackedBytes: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
};

/** A damaged file that was changed so lately may be on its way here: a backup that is copied back. */
const SETTLING_MS = 60_000;
/** Pause before unpacking is tried again, when it failed for want of space or the like. */
const RETRY_MS = 5000;

/** Returns what opens the files of a log. */
export function createOpener({ spool, maxUnpackedBytes, now }: OpenerOptions): Opener {
  // The last compressed file that did not open; the follower waits at one file only.
  let held: { readonly key: string; readonly untilMs: number; readonly why: string } | undefined;

  function open(file: LogFile): Opened {
    if (held?.key === keyOf(file) && now() < held.untilMs) return { is: 'waiting', why: held.why };
    const fd = openListed(file);
    if (fd === undefined) return { is: 'gone' };
    if (file.packing === undefined) return { is: 'open', log: openLog(fd, fd, file) };
    try {
      return openPacked(fd, file, file.packing);
    } finally {
      closeSync(fd);
    }
  }

  function openPacked(fd: number, file: LogFile, packing: Packing): Opened {
    const unpacked = unpack(fd, packing, { spool, maxBytes: maxUnpackedBytes });
    if ('fd' in unpacked) return { is: 'open', log: openLog(unpacked.fd, fd, file) };
    if ('failed' in unpacked) return hold(file, now() + RETRY_MS, unpacked.failed);
    const isSettling =
      unpacked.isTooLarge !== true && Math.abs(now() - file.modifiedMs) < SETTLING_MS;
    if (isSettling) return hold(file, file.modifiedMs + SETTLING_MS, unpacked.damaged);
    return { is: 'damaged', why: unpacked.damaged };
  }

  function hold(file: LogFile, untilMs: number, why: string): Opened {
    held = { key: keyOf(file), untilMs, why };
    return { is: 'waiting', why };
  }

  return { open, firstLineOf };
}

function firstLineOf(file: LogFile): string | undefined {
  const fd = openListed(file);
  if (fd === undefined) return undefined;
  try {
    const { packing } = file;
    const head = packing === undefined ? headOf(fd) : unpackedHead(fd, packing);
    return head.length === 0 ? undefined : firstLineSha256(head);
  } finally {
    closeSync(fd);
  }
}

function openLog(fd: number, listed: number, file: LogFile): OpenLog {
  const { birthtimeNs } = fstatSync(listed, { bigint: true });
  return {
    fd,
    packing: file.packing,
    inode: file.inode,
    birthTimeNs: String(birthtimeNs),
    rolledName: file.rolledName,
    offset: 0,
    identity: undefined,
    last: undefined,
  };
}

// Undefined when the path is another file's by now, or nobody's. Without O_NONBLOCK a FIFO that took
// the path (and the inode, which is free again at once) would keep the thread until somebody writes.
function openListed({ path, inode }: LogFile): number | undefined {
  const fd = openIfThere(path);
  if (fd === undefined) return undefined;
  const stats = fstatSync(fd, { bigint: true });
  if (stats.isFile() && String(stats.ino) === inode) return fd;
  closeSync(fd);
  return undefined;
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isNativeError(error) && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function keyOf({ path, inode, bytes, modifiedMs }: LogFile): string {
  return `${path} ${inode} ${bytes} ${modifiedMs}`;
}
