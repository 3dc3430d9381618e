// A file that is there as a whole, or not at all: written under another name beside it, brought to the
// disk, and renamed. Only its owner may read it.
import { randomBytes } from 'node:crypto';
import { lstat, open, rename, rm } from 'node:fs/promises';
import { isNativeError } from 'node:util/types';

export type ExportFile = {
  readonly write: (text: string) => Promise<void>;
  /** Gives the file its name; what had it before is replaced. */
  readonly finish: () => Promise<void>;
  /** Takes away what was written. */
  readonly discard: () => Promise<void>;
};

/**
 * Returns the file, under a name of its own until it is finished. Throws errors of the file system,
 * and where something else than a file has the name (a folder, a device, a link).
 */
export async function createExportFile(path: string): Promise<ExportFile> {
  if (!(await isFree(path))) throw new Error(`${path} is there, and no plain file`);
  const partial = `${path}.${randomBytes(4).toString('hex')}.partial`;
  const file = await open(partial, 'wx', 0o600);
  let isClosed = false;

  async function close(): Promise<void> {
    if (isClosed) return;
    isClosed = true;
    await file.close();
  }

  return {
    write: async (text) => {
      await file.writeFile(text);
    },
    finish: async () => {
      await file.sync();
      await close();
      await rename(partial, path);
    },
    discard: async () => {
      await close();
      await rm(partial, { force: true });
    },
  };
}

async function isFree(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isFile();
  } catch (error) {
    if (isNativeError(error) && 'code' in error && error.code === 'ENOENT') return true;
    throw error;
  }
}
