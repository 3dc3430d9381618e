// What the file system says of the access log, when lines are missing.
import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';

export type LogFacts = {
  readonly hasLog: boolean;
  readonly isLogDiskFull: boolean;
  /** What the reader of the log could not find. */
  readonly logGap?: string;
};

/** Bytes below which a disk counts as full: Caddy's next lines will not fit. */
const FULL_BELOW_BYTES = 64 * 1024;

/** Returns what is known of the log at `path`; `gap` is what its reader missed last. */
export function logFacts(path: string, gap: string | undefined): LogFacts {
  return {
    hasLog: existsSync(path),
    isLogDiskFull: isFull(dirname(path)),
    ...(gap !== undefined && { logGap: gap }),
  };
}

function isFull(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize < FULL_BELOW_BYTES;
  } catch {
    return false;
  }
}
