// A file that others change while we run: a token that rotates, a Kubernetes secret. Looked at when it is
// asked for, and read only when it has changed; between two good versions the first one serves on.
import { statSync } from 'node:fs';
import { explain } from '../fault.ts';
import { mustBeFile, readBounded } from './bounded-file.ts';

/** Longer is no credential: a device or a log was named by mistake. */
const MAX_FILE_BYTES = 64 * 1024;

export type WatchedFile<T> = {
  /** Returns what it holds, or held when it was last sound; undefined if it never was. */
  read(): T | undefined;
  /** What was wrong at the last look, without its contents. */
  problem(): string | undefined;
};

/** Returns the file; `parse` returns undefined for what it must not hold, which `allowed` puts in words. */
export function createWatchedFile<T>(
  path: string,
  parse: (text: string) => T | undefined,
  allowed: string,
): WatchedFile<T> {
  let value: T | undefined;
  let seen: string | undefined;
  let problem: string | undefined;

  function look(): void {
    const stamp = stampOf(path);
    if (stamp === seen) return;
    const next = parse(readBounded(path, MAX_FILE_BYTES).toString());
    if (next === undefined) throw new Error(`it does not hold ${allowed}`);
    value = next;
    seen = stamp;
    problem = undefined;
  }

  function read(): T | undefined {
    try {
      look();
    } catch (error) {
      seen = undefined;
      const meanwhile = value === undefined ? '' : '; what it held before is used meanwhile';
      problem = `${path} is of no use: ${explain(error)}${meanwhile}`;
    }
    return value;
  }

  return { read, problem: () => problem };
}

// Of what a link leads to: Kubernetes swaps a link to a folder, and the file's own name never changes.
// Taken before the reading, so that what changes meanwhile is seen the next time.
function stampOf(path: string): string {
  const file = statSync(path, { bigint: true });
  mustBeFile(file, MAX_FILE_BYTES);
  const { ino, dev, size, mtimeNs, ctimeNs } = file;
  return [dev, ino, size, mtimeNs, ctimeNs].join();
}
