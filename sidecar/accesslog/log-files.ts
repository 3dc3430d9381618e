// The files of one access log: the one that Caddy writes, and those it rolled aside by renaming.
// Caddy 2.11.4 names them `access-2026-11-20T10-35-14.561-size.log`, in UTC, so that the order of
// names is the order of time. (With its `roll_local_time` that fails for an hour a year.)
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { isNativeError } from 'node:util/types';

export type LogFile = { readonly path: string; readonly inode: string; readonly bytes: number };

export type LogFiles = {
  /** The oldest first; the one that is being written, if it is there, last. */
  readonly files: readonly LogFile[];
  /** The file at the log's own path. */
  readonly written: LogFile | undefined;
  /** How many rolled files are compressed, and so can't be read. */
  readonly compressed: number;
};

const ROLLED = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}(-[\w-]+)?$/;
const COMPRESSED = /\.(gz|zst)$/;

/** Returns the files of the log at `path`. A file or a folder that isn't there is no error. */
export function listLogFiles(path: string): LogFiles {
  // This one before its folder: if it is rolled in between, it is seen twice, and not never.
  const written = logFileAt(path);
  const names = rolledNames(path);
  const rolled = names
    .filter((name) => !COMPRESSED.test(name))
    .map((name) => logFileAt(join(dirname(path), name)))
    .filter((file) => file !== undefined);
  const isSeenTwice = rolled.some((file) => file.inode === written?.inode);
  return {
    files: written === undefined || isSeenTwice ? rolled : [...rolled, written],
    written,
    compressed: names.filter((name) => COMPRESSED.test(name)).length,
  };
}

/** Returns the file at a path, or undefined when there is none; throws when it is a folder. */
export function logFileAt(path: string): LogFile | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  if (!stats.isFile()) throw new Error(`${path} is not a file`);
  return { path, inode: String(stats.ino), bytes: Number(stats.size) };
}

function rolledNames(path: string): string[] {
  const extension = extname(path);
  const prefix = `${basename(path, extension)}-`;
  const isRolled = (name: string) => {
    const stem = name.replace(COMPRESSED, '');
    if (!stem.startsWith(prefix) || !stem.endsWith(extension)) return false;
    return ROLLED.test(stem.slice(prefix.length, stem.length - extension.length));
  };
  return entriesOf(dirname(path)).filter(isRolled).sort();
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isNativeError(error) && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
