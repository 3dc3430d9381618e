// The next lines of one open file: whole ones only, in batches, over-long ones set aside without
// being held in memory. It knows nothing of checkpoints, nor of other files.
import { createHash } from 'node:crypto';
import { fstatSync } from 'node:fs';
import { readAt } from './checkpoint.ts';
import { headOf, setAsideLine, type SetAsideLine } from './set-aside.ts';

const NEWLINE = 0x0a;
const CLOSING_BRACE = 0x7d;
const SKIP_BYTES = 64 * 1024;

export type Limits = {
  readonly maxLineBytes: number;
  readonly maxBatchLines: number;
  readonly maxBatchBytes: number;
};

/** Returns the most bytes that are read at once. */
export function bytesAtOnce({ maxBatchBytes, maxLineBytes }: Limits): number {
  // One byte more than the longest line, so that a full buffer without a newline is one too long.
  return Math.max(maxBatchBytes, maxLineBytes + 1);
}

export type ReadLines = {
  /** Without their newlines. */
  readonly lines: readonly { readonly bytes: Buffer }[];
  readonly setAside: readonly SetAsideLine[];
  /** Bytes read past, newlines included: at least one line. */
  readonly consumed: number;
  /** Of the last line among them, newline included. */
  readonly lastLineBytes: number;
  /** Whether the file was longer than that when it was looked at. */
  readonly hasMore: boolean;
};

type Lines = Omit<ReadLines, 'hasMore'>;

/**
 * Returns the lines from `offset` on, or undefined when no line is complete. In a file to which
 * nothing will be added (`isFinished`) a last line without a newline is set aside as a half one,
 * unless it is complete but for that.
 * @param memory of `bytesAtOnce`, in which the lines lie then; by default they have their own.
 */
export function readLines(
  fd: number,
  offset: number,
  isFinished: boolean,
  limits: Limits,
  memory?: Buffer,
): ReadLines | undefined {
  const available = Math.max(0, fstatSync(fd).size - offset);
  const buffer = readAt(fd, offset, Math.min(bytesAtOnce(limits), available), memory);
  const read = linesIn(buffer, limits) ?? lastLine(fd, offset, buffer, isFinished, limits);
  return read && { ...read, hasMore: available > read.consumed };
}

// No newline is in the buffer.
function lastLine(
  fd: number,
  offset: number,
  buffer: Buffer,
  isFinished: boolean,
  limits: Limits,
): Lines | undefined {
  if (buffer.length > limits.maxLineBytes) return skipLine(fd, offset, isFinished);
  if (!isFinished || buffer.length === 0) return undefined;
  const { length } = buffer;
  // Only its newline may be missing: the writer was stopped in between.
  if (buffer.at(-1) === CLOSING_BRACE) {
    return { lines: [{ bytes: buffer }], setAside: [], consumed: length, lastLineBytes: length };
  }
  return lineSetAside(setAsideLine(buffer, 'half-line'), length);
}

function linesIn(buffer: Buffer, limits: Limits): Lines | undefined {
  const lines: { bytes: Buffer }[] = [];
  const setAside: SetAsideLine[] = [];
  let at = 0;
  let lastLineBytes = 0;
  while (lines.length + setAside.length < limits.maxBatchLines) {
    const newline = buffer.indexOf(NEWLINE, at);
    if (newline < 0) break;
    const bytes = buffer.subarray(at, newline);
    if (bytes.length > limits.maxLineBytes) setAside.push(setAsideLine(bytes, 'too-long'));
    else lines.push({ bytes });
    lastLineBytes = newline + 1 - at;
    at = newline + 1;
  }
  return at === 0 ? undefined : { lines, setAside, consumed: at, lastLineBytes };
}

// A line longer than the buffer: read past in small pieces to its end, wherever that is.
function skipLine(fd: number, offset: number, isFinished: boolean): Lines | undefined {
  const digest = createHash('sha256');
  let head = '';
  let length = 0;
  for (;;) {
    const piece = readAt(fd, offset + length, SKIP_BYTES);
    const newline = piece.indexOf(NEWLINE);
    const part = newline < 0 ? piece : piece.subarray(0, newline);
    digest.update(part);
    if (length === 0) head = headOf(part);
    length += part.length;
    const isEnd = newline < 0 && piece.length < SKIP_BYTES;
    if (isEnd && !isFinished) return undefined;
    if (isEnd || newline >= 0) {
      const line = { hash: digest.digest('hex'), reason: 'too-long' as const, head, bytes: length };
      return lineSetAside(line, length + (isEnd ? 0 : 1));
    }
  }
}

function lineSetAside(line: SetAsideLine, consumed: number): Lines {
  return { lines: [], setAside: [line], consumed, lastLineBytes: consumed };
}
