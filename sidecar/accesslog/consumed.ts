// Which rolled files were read to their end, known by what they begin with. Their names don't tell:
// a clock that is set back (NTP, a machine restored, local time at the end of summer) gives a file
// that is rolled later an earlier name.
import { hash } from 'node:crypto';
import type { LogFile } from './log-files.ts';

/** Most files that are remembered: more than Caddy keeps, unless it is told to keep very many. */
export const MAX_CONSUMED = 128;

// 64 bits of the hash: the list is written with every checkpoint.
const KEY_CHARS = 16;

/** Returns the key of a file by the hash of its first line, which compression does not change. */
export function keyOfFirstLine(firstLineSha256: string): string {
  return firstLineSha256.slice(0, KEY_CHARS);
}

/**
 * Returns the key of a rolled file; by its name when there is no first line to be had.
 * @param firstLineOf may throw. Then the file counts as unknown, and opening it tells why.
 */
export function keyOfFile(
  file: LogFile,
  firstLineOf: (file: LogFile) => string | undefined,
): string {
  return keyOfFirstLine(tryFirstLine(file, firstLineOf) ?? hash('sha256', file.rolledName ?? ''));
}

/** Returns the list with one more key at its end; of too many the oldest go. */
export function remember(consumed: readonly string[], key: string): readonly string[] {
  return [...consumed.filter((other) => other !== key), key].slice(-MAX_CONSUMED);
}

/**
 * Returns which of `files`, in the order of their names, are done with: those on the list, and what
 * has an earlier name than all of them when the list was too short for it.
 */
export function doneAmong(
  files: readonly LogFile[],
  keyOf: (file: LogFile) => string,
  consumed: readonly string[],
): LogFile[] {
  const keys = files.map(keyOf);
  const isKnown = keys.map((key) => consumed.includes(key));
  const forgotten = isTooShort(keys, consumed) ? isKnown.indexOf(true) : 0;
  return files.filter((_file, index) => index < forgotten || isKnown[index]);
}

// Caddy deletes the oldest first: when the oldest on a full list is gone, those forgotten are, too.
function isTooShort(keys: readonly string[], consumed: readonly string[]): boolean {
  const [oldest] = consumed;
  return consumed.length >= MAX_CONSUMED && oldest !== undefined && keys.includes(oldest);
}

function tryFirstLine(
  file: LogFile,
  firstLineOf: (file: LogFile) => string | undefined,
): string | undefined {
  try {
    return firstLineOf(file);
  } catch {
    return undefined;
  }
}
