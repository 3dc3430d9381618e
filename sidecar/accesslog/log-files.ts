// The files of one access log: the one that Caddy writes, and those it rolled aside by renaming.
// Caddy 2.11.4 names them `access-2026-11-20T10-35-14.561-size.log`, in UTC, so that the order of
// names is the order of time, and compresses them in the background: it writes `….log.gz` (or
// `.zst`) in place, closes it, and only then deletes the original.
import { lstatSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { isNativeError } from 'node:util/types';

export type Packing = 'gzip' | 'zstd';

export type LogFile = {
  readonly path: string;
  readonly inode: string;
  /** As it lies there: of a compressed one, what is compressed. */
  readonly bytes: number;
  readonly modifiedMs: number;
  /** Of a rolled one its name before compression, which stays the same while it is compressed. */
  readonly rolledName?: string;
  readonly packing?: Packing;
};

export type LogFiles = {
  /** The oldest first; the one that is being written, if it is there, last. Each one once. */
  readonly files: readonly LogFile[];
  /** The file at the log's own path. */
  readonly written: LogFile | undefined;
  /** Paths that look like a rolled file, and are folders or the like. */
  readonly odd: readonly string[];
};

const ROLLED = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}(-[\w-]+)?$/;
const PACKED = /\.(gz|zst)$/;

/** Most times that a folder is listed anew because its files were gone when they were looked at. */
const MAX_LISTINGS = 20;

/** Returns the files of the log at `path`. A file or a folder that isn't there is no error. */
export function listLogFiles(path: string): LogFiles {
  // This one before its folder: if it is rolled in between, it is seen twice, and not never.
  const written = logFileAt(path);
  const seen = rolledEntries(path);
  const rolled = wholeOnes(seen.filter((entry) => typeof entry !== 'string'));
  const odd = seen.filter((entry) => typeof entry === 'string');
  const isSeenTwice = rolled.some((file) => file.inode === written?.inode);
  return {
    files: written === undefined || isSeenTwice ? rolled : [...rolled, written],
    written,
    odd,
  };
}

/** Returns the file at a path, or undefined when there is none; throws when it is none to read. */
export function logFileAt(path: string): LogFile | undefined {
  const file = lookAt(path);
  if (typeof file === 'string') throw new Error(`${path} is not a file`);
  return file;
}

// A path that is no file is returned as it is.
function lookAt(path: string): LogFile | string | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  if (!stats.isFile()) return path;
  const { ino, size, mtimeMs } = stats;
  return { path, inode: String(ino), bytes: Number(size), modifiedMs: Number(mtimeMs) };
}

// A name that is gone when it is looked at has been compressed meanwhile, or deleted: only another
// list tells which. To take it for deleted would be to leave its lines out.
function rolledEntries(path: string): (LogFile | string)[] {
  for (let listings = 0; listings < MAX_LISTINGS; listings++) {
    const entries = rolledNames(path).map((name) => rolledEntry(join(dirname(path), name)));
    if (entries.every((entry) => entry !== undefined)) return entries;
  }
  throw new Error(`the rolled files beside ${path} are gone whenever they are looked at`);
}

function rolledEntry(path: string): LogFile | string | undefined {
  const file = lookAt(path);
  if (file === undefined) return isLink(path) ? path : undefined;
  if (typeof file === 'string') return file;
  const suffix = PACKED.exec(path)?.[1];
  const rolledName = basename(path).replace(PACKED, '');
  if (suffix === undefined) return { ...file, rolledName };
  return { ...file, rolledName, packing: suffix === 'gz' ? 'gzip' : 'zstd' };
}

// A link to nothing is no file that is gone.
function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

// One file for each name, in their order. As long as the original is there, what is compressed
// beside it may be half of it; of two compressed ones the later was made of the whole.
function wholeOnes(files: readonly LogFile[]): LogFile[] {
  const byName = new Map<string, LogFile>();
  for (const file of files) {
    const name = file.rolledName ?? '';
    const other = byName.get(name);
    if (other === undefined || isRather(file, other)) byName.set(name, file);
  }
  return [...byName.values()].sort((a, b) => compare(a.rolledName ?? '', b.rolledName ?? ''));
}

function isRather(file: LogFile, other: LogFile): boolean {
  if (file.packing === undefined || other.packing === undefined) return file.packing === undefined;
  return file.modifiedMs > other.modifiedMs;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function rolledNames(path: string): string[] {
  const extension = extname(path);
  const prefix = `${basename(path, extension)}-`;
  const isRolled = (name: string) => {
    const stem = name.replace(PACKED, '');
    if (!stem.startsWith(prefix) || !stem.endsWith(extension)) return false;
    return ROLLED.test(stem.slice(prefix.length, stem.length - extension.length));
  };
  // Twice: the list of a large folder is not of one moment, and could show neither a file that is
  // deleted meanwhile nor the compressed one that was made of it.
  const folder = dirname(path);
  return [...new Set([...entriesOf(folder), ...entriesOf(folder)])].filter(isRolled);
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isNativeError(error) && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
