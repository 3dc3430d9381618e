// What the access log of the settings looks like from here, when a row does not come. Only looks.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

export type LogSeen =
  | { readonly is: 'missing' | 'no-file' }
  | { readonly is: 'unreadable'; readonly why: string }
  | { readonly is: 'readable'; readonly hasRequest: boolean; readonly modifiedMs: number };

/** Of the end of the log: some thousand lines, the newest. */
const TAIL_BYTES = 4 * 1024 * 1024;

/** Returns how the log is, and whether a request's id is near its end. Never throws. */
export function lookAtLog(path: string, requestId: string): LogSeen {
  let fd: number | undefined;
  try {
    // Without O_NONBLOCK a pipe in its place would hold us.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(fd);
    if (!stats.isFile()) return { is: 'no-file' };
    const tail = Buffer.alloc(Math.min(TAIL_BYTES, stats.size));
    const bytes = readSync(fd, tail, 0, tail.length, stats.size - tail.length);
    const hasRequest = tail.subarray(0, bytes).includes(requestId);
    return { is: 'readable', hasRequest, modifiedMs: stats.mtimeMs };
  } catch (error) {
    const { code } = Object(error) as { code?: unknown };
    return code === 'ENOENT' ? { is: 'missing' } : { is: 'unreadable', why: String(code) };
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
