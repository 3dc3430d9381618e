// What is on the disk already, as far as it has to be known before something is put beside or over it. Waits
// for no pipe, reads no device.
import { lstatSync, statSync } from 'node:fs';
import { readBounded } from '../otlp/bounded-file.ts';

/** More than any file of ours. */
const MAX_BYTES = 1_048_576;
/** In place of a content that is none of ours, whatever it is. */
const FOREIGN = '\0';

/** Returns what is at this path; undefined if nothing is. What is no file, or too long, is different from all texts. */
export function contentOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile()) return found.size > MAX_BYTES ? FOREIGN : textOf(path);
  // A link that leads nowhere is something, too.
  const isThere = found ?? lstatSync(path, { throwIfNoEntry: false });
  return isThere === undefined ? undefined : FOREIGN;
}

function textOf(path: string): string {
  return readBounded(path, MAX_BYTES).toString('utf8');
}

/** Returns whether something is at this path, and has something in it. */
export function hasContent(path: string): boolean {
  return (contentOf(path) ?? '').trim() !== '';
}

/** Returns whether an empty file is at this path: one that waits for its content. */
export function isWaiting(path: string): boolean {
  return lstatSync(path).isFile() && !hasContent(path);
}

/** Returns a sentence for each of these paths at which there is a folder, a pipe or a device. */
export function obstaclesAt(paths: readonly string[]): string[] {
  return paths
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === false)
    .map((path) => `${path} is there, and is no file: take it away first`);
}
