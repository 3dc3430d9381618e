// Journals of decisions as they are found: read by the recorder and by the command while the gate writes
// to one of them. Each is read as a whole, so that what is said about it is of one moment.
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { isNativeError } from 'node:util/types';
import { explain } from '../fault.ts';
import {
  createRing,
  decodeHeader,
  decodeSlot,
  HEADER_BYTES,
  isWhole,
  numberIn,
  SLOT_BYTES,
  type Header,
  type Noted,
  type Ring,
} from './journal-layout.ts';

/** One boot's journal, as it was when it was read. */
export type JournalFile = Header & {
  readonly path: string;
  /** The highest number noted; 0 when none is. */
  readonly issued: number;
  /** The lowest number that has not been overwritten by a later one. */
  readonly oldest: number;
  /** Undefined when it was never noted, is overwritten, or its slot is torn. */
  find(number: number): Noted | undefined;
};

/** All journals of a folder. */
export type Journals = {
  readonly journals: readonly JournalFile[];
  /** Files that were passed over, a sentence each. */
  readonly problems: readonly string[];
};

/** Returns the journals in a folder: none when there is no folder. Never throws. */
export function readJournals(folder: string): Journals {
  const journals: JournalFile[] = [];
  const problems: string[] = [];
  for (const name of namesIn(folder, problems)) {
    const path = join(folder, name);
    try {
      const read = readJournal(path, name);
      if ('problem' in read) problems.push(`${path} ${read.problem}, and is passed over`);
      else journals.push(read);
    } catch (error) {
      // Removed since: everything in it was accounted for.
      if (!isMissing(error)) problems.push(`${path} can't be read: ${explain(error)}`);
    }
  }
  return { journals, problems };
}

/** Brings a journal to the disk, as far as it is written: for a power cut. Throws what the disk says. */
export function syncJournal(path: string): void {
  const fd = openJournalFile(path);
  try {
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Removes a journal that is needed no more. */
export function removeJournal(path: string): void {
  rmSync(path, { force: true });
}

// Names with a dot in front are not journals, or not yet.
function namesIn(folder: string, problems: string[]): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith('.'))
      .sort();
  } catch (error) {
    if (!isMissing(error)) problems.push(`${folder} can't be read: ${explain(error)}`);
    return [];
  }
}

function readJournal(path: string, name: string): JournalFile | { readonly problem: string } {
  const fd = openJournalFile(path);
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) return { problem: 'is no file' };
    const header = decodeHeader(readAt(fd, Buffer.alloc(HEADER_BYTES), 0));
    if ('problem' in header) return header;
    if (header.bootId !== name) return { problem: 'is the journal of a boot of another name' };
    const ring = createRing(header.slots);
    const isComplete = readAt(fd, ring.bytes, HEADER_BYTES).length === ring.bytes.length;
    if (!isComplete || stats.size !== HEADER_BYTES + header.slots * SLOT_BYTES) {
      return { problem: 'is longer or shorter than its header says' };
    }
    return { ...header, path, ...lookUp(ring) };
  } finally {
    closeSync(fd);
  }
}

// A FIFO of that name must not make the recorder wait, nor a link lead it elsewhere.
function openJournalFile(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
}

function lookUp(ring: Ring): Pick<JournalFile, 'issued' | 'oldest' | 'find'> {
  const issued = highestIn(ring);
  const oldest = Math.max(1, issued - ring.slots + 1);
  const find = (number: number) => {
    if (number < oldest || number > issued) return undefined;
    const noted = decodeSlot(ring, number % ring.slots);
    return noted?.number === number ? noted : undefined;
  };
  return { issued, oldest, find };
}

function highestIn(ring: Ring): number {
  let highest = 0;
  for (let index = 0; index < ring.slots; index++) {
    const number = numberIn(ring, index);
    if (number > highest && isWhole(ring, index)) highest = number;
  }
  return highest;
}

function readAt(fd: number, buffer: Buffer, position: number): Buffer {
  let filled = 0;
  while (filled < buffer.length) {
    const count = readSync(fd, buffer, filled, buffer.length - filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return buffer.subarray(0, filled);
}

function isMissing(error: unknown): boolean {
  return isNativeError(error) && 'code' in error && error.code === 'ENOENT';
}
