// Files of the package: copied, listed, and given modes that don't depend on who builds.
import { chmodSync, cpSync, readdirSync, statSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';

/**
 * Copies a file or a folder. What is TypeScript or hidden stays behind, and so do the paths `without`,
 * which are relative to it and have `/`.
 */
export function copyTree(from: string, to: string, without: readonly string[] = []): void {
  const isLeft = (path: string) =>
    path.endsWith('.ts') ||
    basename(path).startsWith('.') ||
    without.includes(relative(from, path).split(sep).join('/'));
  cpSync(from, to, { recursive: true, filter: (path) => path === from || !isLeft(path) });
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
