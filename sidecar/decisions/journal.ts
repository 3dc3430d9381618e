// The gate's journal: each decision leaves who, where and when in a ring file of its boot, so that a
// decision whose line never comes can be told, and whose it was. It never throws, never waits for a disk
// to be safe, and never refuses a request: what is wrong with it is told by `problem`.
import {
  closeSync,
  constants,
  fdatasyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { explain } from '../fault.ts';
import {
  createRing,
  encodeHeader,
  encodeSlot,
  HEADER_BYTES,
  SLOT_BYTES,
  type Noted,
} from './journal-layout.ts';

export type { Noted } from './journal-layout.ts';

/** Decisions that a journal remembers: 3 MiB, and at 1,000 a second the last 16 s. */
export const DEFAULT_SLOTS = 16_384;

/**
 * The file is made in such pieces: of one that was written at once ext4 (Linux 6.18) keeps huge pages in
 * memory, in which a slot is written three times as slowly (3.7 µs, not 1.1).
 */
const CHUNK_BYTES = 65_536;

/** A journal that is being made; readers pass over it. There is one gate in a state folder. */
export const UNFINISHED_FILE = '.new';

export type Journal = {
  /** Takes note of a decision. It is in the file when this turn of the event loop has ended. */
  note(noted: Noted): void;
  /** Why decisions are not noted at present; one sentence. */
  problem(): string | undefined;
  /** Writes what is left. What is noted afterwards is not. */
  close(): void;
  /** Closes it and takes it away: of a gate that never opened, so that starts that fail don't fill a disk. */
  discard(): void;
};

/** What a journal is made for. */
export type JournalOptions = {
  /** Made if it isn't there. */
  readonly folder: string;
  /** Names the file. */
  readonly bootId: string;
  /** The kernel's boot; empty where that isn't known. */
  readonly machineBootId: string;
  readonly slots?: number;
};

/** Returns the journal of this boot. When its file can't be made, it notes nothing and says why. */
export function openJournal(options: JournalOptions): Journal {
  const { slots = DEFAULT_SLOTS } = options;
  const ring = createRing(slots);
  let problem: string | undefined;
  let fd = make();
  // Numbers that are not yet in the file: none when first > last.
  let first = Infinity;
  let last = 0;
  let flushing: NodeJS.Immediate | undefined;

  function make(): number | undefined {
    try {
      return makeFile(options, slots, ring.bytes);
    } catch (error) {
      problem = `decisions can't be noted until the next start: ${explain(error)}`;
      return undefined;
    }
  }

  function note(noted: Noted): void {
    if (fd === undefined) return;
    encodeSlot(ring, noted);
    if (noted.number < first) first = noted.number;
    if (noted.number > last) last = noted.number;
    // After the answers of this turn: one write for all of them.
    flushing ??= setImmediate(flush);
  }

  // What could not be written stays due: the next turn that notes something tries it again.
  function flush(): void {
    flushing = undefined;
    if (fd === undefined || first > last) return;
    try {
      write(fd, Math.max(first, last - slots + 1));
      first = Infinity;
      problem = undefined;
    } catch (error) {
      problem = `decisions can't be noted: ${explain(error)}`;
    }
  }

  function write(file: number, from: number): void {
    const start = from % slots;
    const count = last - from + 1;
    const untilEnd = Math.min(count, slots - start);
    writeSlots(file, ring.bytes, start, untilEnd);
    if (untilEnd < count) writeSlots(file, ring.bytes, 0, count - untilEnd);
  }

  function close(): void {
    if (flushing !== undefined) clearImmediate(flushing);
    flush();
    if (fd !== undefined) closeSync(fd);
    fd = undefined;
  }

  function discard(): void {
    close();
    rmSync(join(options.folder, options.bootId), { force: true });
  }

  return { note, problem: () => problem, close, discard };
}

// Zeros for all of it, and on the disk: a disk that is full later does not matter. Under its name only
// when it is whole.
function makeFile(options: JournalOptions, slots: number, zeros: Buffer): number {
  const { O_CREAT, O_NOFOLLOW, O_RDWR, O_TRUNC } = constants;
  mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  const unfinished = join(options.folder, UNFINISHED_FILE);
  const fd = openSync(unfinished, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600);
  try {
    const { bootId, machineBootId } = options;
    const createdAtUs = Date.now() * 1000;
    writeFileSync(fd, encodeHeader({ bootId, machineBootId, slots, createdAtUs }));
    for (let at = 0; at < zeros.length; at += CHUNK_BYTES) {
      writeFileSync(fd, zeros.subarray(at, at + CHUNK_BYTES));
    }
    fdatasyncSync(fd);
    renameSync(unfinished, join(options.folder, bootId));
    return fd;
  } catch (error) {
    closeSync(fd);
    rmSync(unfinished, { force: true }); // a full disk gets back what it took
    throw error;
  }
}

function writeSlots(fd: number, bytes: Buffer, start: number, count: number): void {
  const from = start * SLOT_BYTES;
  const length = count * SLOT_BYTES;
  const written = writeSync(fd, bytes, from, length, HEADER_BYTES + from);
  if (written < length) throw new Error(`only ${written} of ${length} bytes could be written`);
}
