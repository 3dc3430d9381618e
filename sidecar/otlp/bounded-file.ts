// A file that may have become something else since it was named: a pipe into which nobody writes, a device
// without end. The recorder reads it in its only thread, so it waits for nothing and is read once.
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';

/** Returns the bytes; throws in words for what is no file, or longer than that. */
export function readBounded(path: string, maxBytes: number): Buffer {
  // Without the flag the mere opening of a pipe waits for its other end.
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    mustBeFile(fstatSync(file), maxBytes);
    // Sizes in /proc are 0, whatever is in there.
    const bytes = Buffer.allocUnsafe(maxBytes + 1);
    const length = readSync(file, bytes);
    if (length > maxBytes) throw tooLong(maxBytes);
    return Buffer.from(bytes.subarray(0, length));
  } finally {
    closeSync(file);
  }
}

/** Throws in words for what is no file, or longer than that. */
export function mustBeFile(file: Pick<Stats, 'isFile'> & { size: number | bigint }, max: number) {
  if (!file.isFile()) throw new Error('it is no file');
  if (file.size > max) throw tooLong(max);
}

function tooLong(maxBytes: number): Error {
  return new Error(`it has more than ${maxBytes} bytes`);
}
