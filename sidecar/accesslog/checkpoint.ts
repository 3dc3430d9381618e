// How far the log has been read, and in which file: enough to find that file again after it was
// renamed, and to notice that it is another one in spite of its name or its inode.
import { hash } from 'node:crypto';
import { fstatSync, readSync } from 'node:fs';

/** Most bytes that are hashed of a file's first line, and of the last one consumed. */
export const MAX_HASHED_BYTES = 4096;

const NEWLINE = 0x0a;

/** A file, whatever its name is. Inodes are used again at once, and a copy has another one. */
export type FileIdentity = {
  readonly inode: string;
  readonly birthTimeNs: string;
  /** Of the first line with its newline, at most 4,096 bytes; hex. */
  readonly firstLineSha256: string;
};

/** The end of the last line that was consumed: at most its last 4,096 bytes, newline included. */
export type Tail = { readonly length: number; readonly sha256: string };

/** A place in the log, in front of which everything has been consumed. Plain JSON. */
export type Checkpoint = {
  readonly file: FileIdentity;
  /** Bytes from the beginning of the file. */
  readonly offset: number;
  readonly last: Tail;
};

/** Returns the identity of an open file, of which at least one line is complete. */
export function identityOf(fd: number): FileIdentity {
  const stats = fstatSync(fd, { bigint: true });
  const head = readAt(fd, 0, MAX_HASHED_BYTES);
  const newline = head.indexOf(NEWLINE);
  return {
    inode: String(stats.ino),
    birthTimeNs: String(stats.birthtimeNs),
    firstLineSha256: sha256(newline < 0 ? head : head.subarray(0, newline + 1)),
  };
}

/** Returns the tail of the line that ends at `offset` and is `lineBytes` long. */
export function tailOf(fd: number, offset: number, lineBytes: number): Tail {
  const length = Math.min(lineBytes, MAX_HASHED_BYTES);
  return { length, sha256: sha256(readAt(fd, offset - length, length)) };
}

/** Returns whether the line that ends at `offset` is still the one that was consumed. */
export function hasTail(fd: number, offset: number, tail: Tail): boolean {
  return tailOf(fd, offset, tail.length).sha256 === tail.sha256;
}

/**
 * Returns whether an open file is the checkpoint's, going by what is in it: its first line, and the
 * last one consumed. So a copy that was put back is known again, and a new file with an old inode,
 * or a truncated one, is not.
 */
export function isFileOf(fd: number, { file, offset, last }: Checkpoint): boolean {
  return identityOf(fd).firstLineSha256 === file.firstLineSha256 && hasTail(fd, offset, last);
}

/** Returns up to `length` bytes from `offset` on; fewer at the end of the file. */
export function readAt(fd: number, offset: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const count = readSync(fd, buffer, filled, length - filled, offset + filled);
    if (count === 0) break;
    filled += count;
  }
  return buffer.subarray(0, filled);
}

function sha256(bytes: Buffer): string {
  return hash('sha256', bytes, 'hex');
}
