// Files of the package: copied, listed, and given modes that don't depend on who builds.
import { chmodSync, copyFileSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';

/**
 * Copies a file from below one folder to the same place below another; throws an Error where it is no file, or
 * where a link is or leads to it: what it leads to may be anything on this machine.
 */
export function copyInto(folder: string, root: string, file: string): void {
  const from = join(realpathSync(root), file);
  if (realpathSync(from) !== from || !statSync(from).isFile()) {
    throw new Error(
      `${file} is a link, lies behind one, or is no file; the package takes only files`,
    );
  }
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  copyFileSync(from, join(folder, file));
}

/** Returns the files below a folder, relative to it, with `/`, in order. */
export function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(folder, name)).isFile())
    .map((name) => name.split(sep).join('/'))
    .toSorted();
}

/** Makes every file readable by all, and these programs runnable, whatever the umask was. */
export function settleModes(folder: string, programs: readonly string[]): void {
  for (const file of filesUnder(folder)) {
    chmodSync(join(folder, file), programs.includes(file) ? 0o755 : 0o644);
  }
}
