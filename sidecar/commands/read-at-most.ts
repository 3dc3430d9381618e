// What a person names on the command line: a file, a pipe of the shell, standard input. It may be without end.
import { closeSync, openSync, readSync } from 'node:fs';

const AT_A_TIME = 65_536;

/** Returns the text at this path, or of that descriptor; undefined when it is longer. Throws as Node's `fs` does. */
export function readAtMost(path: string | number, maxBytes: number): string | undefined {
  const file = typeof path === 'number' ? path : openSync(path, 'r');
  try {
    const parts: Buffer[] = [];
    for (let bytes = 0; bytes <= maxBytes;) {
      const part = Buffer.allocUnsafe(AT_A_TIME);
      const length = readSync(file, part);
      if (length === 0) return Buffer.concat(parts).toString('utf8');
      parts.push(part.subarray(0, length));
      bytes += length;
    }
    return undefined;
  } finally {
    if (typeof path !== 'number') closeSync(file);
  }
}
