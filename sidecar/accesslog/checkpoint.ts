// How far the log has been read, and in which file: enough to find that file again after it was
// renamed or compressed, and to notice that it is another one in spite of its name or its inode.
import { hash } from 'node:crypto';
import { readSync } from 'node:fs';
import { MAX_CONSUMED } from './consumed.ts';

/** Most bytes that are hashed of a file's first line, and of the last one consumed. */
export const MAX_HASHED_BYTES = 4096;

const NEWLINE = 0x0a;

/** A file, whatever its name is. Inodes are used again at once, and a copy has another one. */
export type FileIdentity = {
  readonly inode: string;
  readonly birthTimeNs: string;
  /** Of the first line with its newline, at most 4,096 bytes, as it was before compression; hex. */
  readonly firstLineSha256: string;
};

/** The end of the last line that was consumed: at most its last 4,096 bytes, newline included. */
export type Tail = { readonly length: number; readonly sha256: string };

/** A place in the log, in front of which everything has been consumed. Plain JSON. */
export type Checkpoint = {
  readonly file: FileIdentity;
  /** Bytes from the beginning of the file, as it was before compression. */
  readonly offset: number;
  readonly last: Tail;
  /**
   * Keys of rolled files that were read to their end, the last one last; at most 128. Absent in those
   * of earlier versions: then all with an earlier name than `file` were.
   */
  readonly consumed?: readonly string[];
};

type Place = Omit<Checkpoint, 'consumed'>;

/**
 * Returns the checkpoint that was stored as JSON, or undefined for anything but its exact shape:
 * of a damaged one no part is believed.
 */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const value = parseJson(text);
  if (has(value, 'file', 'offset', 'last')) return placeOf(value);
  if (!has(value, 'file', 'offset', 'last', 'consumed')) return undefined;
  const [place, { consumed }] = [placeOf(value), value];
  return place !== undefined && isConsumed(consumed) ? { ...place, consumed } : undefined;
}

function placeOf({ file, offset, last }: Record<keyof Place, unknown>): Place | undefined {
  if (!isIdentity(file) || !isTail(last)) return undefined;
  if (!isWhole(offset) || offset < last.length) return undefined;
  return { file, offset, last };
}

/** Returns the hash by which a file is known: of its first line, or of the 4,096 bytes it begins with. */
export function firstLineSha256(head: Buffer): string {
  const bytes = head.subarray(0, MAX_HASHED_BYTES);
  const newline = bytes.indexOf(NEWLINE);
  return sha256(newline < 0 ? bytes : bytes.subarray(0, newline + 1));
}

/** Returns that hash of an open file, of which at least one line is complete. */
export function firstLineOf(fd: number): string {
  return firstLineSha256(headOf(fd));
}

/** Returns what an open file begins with, as far as that is hashed. */
export function headOf(fd: number): Buffer {
  return readAt(fd, 0, MAX_HASHED_BYTES);
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
  return firstLineOf(fd) === file.firstLineSha256 && hasTail(fd, offset, last);
}

/** Returns up to `length` bytes from `offset` on, in `memory` if given; fewer at the end of the file. */
export function readAt(fd: number, offset: number, length: number, memory?: Buffer): Buffer {
  const buffer = memory ?? Buffer.allocUnsafe(length);
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

const SHA256 = /^[0-9a-f]{64}$/;
const DIGITS = /^\d{1,20}$/;
const KEY = /^[0-9a-f]{16}$/;

function isIdentity(value: unknown): value is FileIdentity {
  if (!has(value, 'inode', 'birthTimeNs', 'firstLineSha256')) return false;
  const { inode, birthTimeNs, firstLineSha256 } = value;
  return isText(inode, DIGITS) && isText(birthTimeNs, DIGITS) && isText(firstLineSha256, SHA256);
}

function isTail(value: unknown): value is Tail {
  if (!has(value, 'length', 'sha256')) return false;
  const { length, sha256 } = value;
  return isWhole(length) && length >= 1 && length <= MAX_HASHED_BYTES && isText(sha256, SHA256);
}

function isConsumed(value: unknown): value is readonly string[] {
  if (!Array.isArray(value) || value.length > MAX_CONSUMED) return false;
  return value.every((key) => isText(key, KEY));
}

function has<K extends string>(value: unknown, ...keys: K[]): value is Record<K, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return (
    Object.keys(value).length === keys.length && keys.every((key) => Object.hasOwn(value, key))
  );
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isText(value: unknown, form: RegExp): boolean {
  return typeof value === 'string' && form.test(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
