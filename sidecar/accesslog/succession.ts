// Which file of the log comes next, and whether lines may be missing in front of it.
//
// Of gaps it says what can be known. Caddy deletes the oldest rolled file first: as long as the file
// that was read, or the one that was seen to come after it, is in the folder, nothing is missing. When
// both are gone there may be a gap. Whether a file that is gone at a restart had been read to its end
// can't be known: that is told as a gap, too. Not noticed is a rolled file that somebody deletes by
// hand from among the others: its decisions turn up as lost ones.
import { closeSync, existsSync } from 'node:fs';
import { basename } from 'node:path';
import { firstLineOf, hasTail, isFileOf, type Checkpoint } from './checkpoint.ts';
import { doneAmong, keyOfFile, keyOfFirstLine, MAX_CONSUMED, remember } from './consumed.ts';
import { listLogFiles, logFileAt, type LogFile, type LogFiles } from './log-files.ts';
import type { LateLines } from './late-lines.ts';
import type { OpenLog, Opener } from './open-log.ts';

/** The files to come after one, empty as long as Caddy writes to it; and whether that one lies among them no more. */
export type Following = { readonly files: readonly LogFile[]; readonly isGone: boolean };

export type Succession = {
  /** Returns the checkpoint's file at its place, else the oldest; undefined when there is none. */
  openFirst(): OpenLog | undefined;
  after(log: OpenLog): Following;
  /**
   * Returns what follows on `log`, which was read to its end and is not the caller's any more then;
   * undefined when there is nothing yet.
   */
  openNext(log: OpenLog, following: Following): OpenLog | undefined;
  /** Returns the bytes of the files to come, as they lie there. */
  bytesAfter(log: OpenLog | undefined): number;
  /** Returns what may be missing in front of what was opened last, in sentences; each once. */
  takeGaps(): string[];
  /** Returns the keys of the rolled files that were read to their end, for the checkpoint. */
  consumed(): readonly string[];
  /** Returns what is left out of the log, in a sentence. */
  problem(): string | undefined;
  /** Closes what it holds of files that were read. */
  close(): void;
};

/** Thrown when a file is not what was listed any more: look again, at once. */
export const OUTDATED = new Error('the files of the log changed while they were looked at');

const LOST_PLACE =
  'The file in which the log had been read is gone or was overwritten: lines after that place may ' +
  'be missing. What is left is read again.';
const DELETED = 'Rolled files of the log were deleted before they were read: lines may be missing.';

/** Returns the succession of the log at `path`. Its functions throw what the system says. */
export function createSuccession(
  path: string,
  opener: Opener,
  late: LateLines,
  checkpoint: Checkpoint | undefined,
): Succession {
  let place = checkpoint;
  const passed = new Set<string>(); // names of rolled files that are done with
  let consumed: readonly string[] = [];
  const givenUp = new Map<string, string>(); // path → sentence
  let gaps: string[] = [];
  let odd: readonly string[] = [];
  let expected: LogFile | undefined; // after the file that is read

  function openFirst(): OpenLog | undefined {
    const { files } = list();
    const resumed = place === undefined ? undefined : resume(files, place);
    if (resumed !== undefined) return resumed;
    const opened = openOneOf(files.filter(isToCome));
    if (opened !== undefined && place !== undefined) gaps.push(LOST_PLACE);
    return opened;
  }

  // The file that is the checkpoint's: usually the one with its inode, else a copy of it.
  function resume(files: readonly LogFile[], at: Checkpoint): OpenLog | undefined {
    for (const file of likelyFirst(files, at)) {
      if (file.packing !== undefined && !beginsLike(file, at.file.firstLineSha256)) continue;
      const log = openOneOf([file]);
      if (log !== undefined && !isFileOf(log.fd, at)) {
        closeSync(log.fd);
        continue;
      }
      passBefore(file, files.slice(0, files.indexOf(file)), at.consumed);
      if (log !== undefined) return Object.assign(log, { offset: at.offset, last: at.last });
      place = undefined; // it was given up, and its gap is told
      return undefined;
    }
    return undefined;
  }

  // Not all with an earlier name than the checkpoint's file are done with: the clock may have been set
  // back. They are while Caddy writes to that file, which is reached last.
  function passBefore(at: LogFile, earlier: readonly LogFile[], known: Checkpoint['consumed']) {
    const before = known ?? earlier.slice(-MAX_CONSUMED).map(keyOf);
    consumed = [...before, ...consumed].reduce(remember, []);
    const isAll = known === undefined || at.rolledName === undefined;
    const done = isAll ? earlier : doneAmong(earlier, keyOf, consumed);
    for (const { rolledName } of done) pass(rolledName);
  }

  function after(log: OpenLog): Following {
    if (log.rolledName === undefined && logFileAt(path)?.inode === log.inode) return NOTHING;
    const { files: listed, written } = list();
    log.rolledName ??= listed.find((file) => isSame(file, log))?.rolledName;
    const files = listed.filter((file) => isToCome(file) && !isSame(file, log));
    const [next] = files;
    if (listed.some((file) => isSame(file, log))) {
      expected = next;
      return { files, isGone: false };
    }
    // It was deleted. Without another one at its path Caddy may still be writing to it.
    if (log.rolledName === undefined && written === undefined) return NOTHING;
    return { files, isGone: true };
  }

  // The one that was expected, or the only one since.
  function isNextTo(log: OpenLog, next: LogFile | undefined): boolean {
    if (next === undefined) return false;
    if (expected !== undefined && isSame(expected, next)) return true;
    return log.rolledName === undefined && next.rolledName === undefined;
  }

  function openNext(log: OpenLog, { files, isGone }: Following): OpenLog | undefined {
    // Rolled and compressed since the last look, or put back: whatever its name is, nothing lies between.
    const firstLine = isGone ? firstLineOf(log.fd) : undefined;
    const copy =
      firstLine === undefined ? undefined : files.find((of) => beginsLike(of, firstLine));
    const isSure = !isGone || copy !== undefined || isNextTo(log, files[0]);
    const opened = openOneOf(copy ? [copy, ...files.filter((file) => file !== copy)] : files);
    if (opened === undefined) return undefined;
    if (!isSure) gaps.push(DELETED);
    pass(log.rolledName);
    expected = undefined;
    if (isCopyOf(opened, log)) Object.assign(opened, { offset: log.offset, last: log.last });
    else if (log.offset > 0) consumed = remember(consumed, keyOfFirstLine(firstLineIn(log)));
    leave(log, log.rolledName ?? (copy?.packing && copy.rolledName));
    return opened;
  }

  // To a rolled file somebody else may still write, also to one that is compressed by now.
  function leave({ fd, packing, offset }: OpenLog, rolledName: string | undefined): void {
    const isWatched = packing === undefined && rolledName !== undefined;
    if (isWatched) late.hold({ fd, rolledName, bytes: offset });
    else closeSync(fd);
  }

  // Passes over what will never be read. Throws for what can't be read now.
  function openOneOf(files: readonly LogFile[]): OpenLog | undefined {
    for (const file of files) {
      const opened = opener.open(file);
      if (opened.is === 'open') return opened.log;
      if (opened.is === 'gone') throw OUTDATED;
      if (opened.is === 'waiting') throw new Error(`${file.path} can't be unpacked: ${opened.why}`);
      giveUp(file, opened.why);
    }
    return undefined;
  }

  function giveUp(file: LogFile, why: string): void {
    const { path: rolled, rolledName } = file;
    const lost = 'Those of its lines that were not read before are missing.';
    const sentence = `The rolled file ${basename(rolled)} can't be unpacked: ${why}. ${lost}`;
    pass(rolledName);
    consumed = remember(consumed, keyOf(file));
    givenUp.set(rolled, sentence);
    gaps.push(sentence);
  }

  function keyOf(file: LogFile): string {
    return keyOfFile(file, (of) => opener.firstLineOf(of));
  }

  function beginsLike(file: LogFile, firstLine: string): boolean {
    return opener.firstLineOf(file) === firstLine;
  }

  function isToCome({ rolledName }: LogFile): boolean {
    return rolledName === undefined || !passed.has(rolledName);
  }

  function pass(rolledName: string | undefined): void {
    if (rolledName !== undefined) passed.add(rolledName);
  }

  function list(): LogFiles {
    const found = listLogFiles(path);
    odd = found.odd;
    gaps.push(...late.look());
    return found;
  }

  function bytesAfter(log: OpenLog | undefined): number {
    return list()
      .files.filter((file) => isToCome(file) && (log === undefined || !isSame(file, log)))
      .reduce((sum, { bytes }) => sum + bytes, 0);
  }

  function takeGaps(): string[] {
    const taken = gaps;
    gaps = [];
    return taken;
  }

  function problem(): string | undefined {
    for (const [rolled, sentence] of givenUp) if (existsSync(rolled)) return sentence;
    return odd[0] === undefined ? undefined : `${odd[0]} is not a file and is passed over.`;
  }

  return {
    openFirst,
    after,
    openNext,
    bytesAfter,
    takeGaps,
    consumed: () => consumed,
    problem,
    close: () => late.close(),
  };
}

const NOTHING: Following = { files: [], isGone: false };

// The same file in another form: compressed since it was opened, or copied back from a backup. Then it
// goes on where that one ended: more may have been written to the copy.
function isCopyOf(opened: OpenLog, log: OpenLog): boolean {
  if (log.last === undefined || firstLineOf(opened.fd) !== firstLineOf(log.fd)) return false;
  return hasTail(opened.fd, log.offset, log.last);
}

// As it was when the file was begun: it is not asked again of one that was truncated meanwhile.
function firstLineIn({ fd, identity }: OpenLog): string {
  return identity?.firstLineSha256 ?? firstLineOf(fd);
}

// By the name of rolled ones, which stays the same; by the inode of one that is no copy and is held.
function isSame(file: LogFile, other: LogFile | OpenLog | undefined): boolean {
  if (other === undefined) return false;
  if (file.rolledName !== undefined && file.rolledName === other.rolledName) return true;
  return file.packing === undefined && other.packing === undefined && file.inode === other.inode;
}

// Unpacking is dear: the compressed ones last, the newest of them first.
function likelyFirst(files: readonly LogFile[], { file: { inode } }: Checkpoint): LogFile[] {
  const rank = (file: LogFile) => {
    if (file.inode === inode) return 0;
    return file.packing === undefined ? 1 : 2;
  };
  return files.toReversed().toSorted((a, b) => rank(a) - rank(b));
}
