// Whether root may write into a folder: whoever owns it, or a folder on the way to it, could put something
// else in place of each file. A group that may write there is trusted, and so is root.
import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';

/** As the kernel has it. */
const MAX_LINKS = 40;
const OTHERS_WRITE = 0o002;
const STICKY = 0o1000;

/**
 * Returns why the user of this id had better not write into a folder: it, or a folder on the way, is another
 * ordinary user's or everybody's. Undefined: nothing is wrong, as far as there is something.
 */
export function dangerOf(folder: string, ownId: number, links = 0): string | undefined {
  for (const path of wayTo(folder)) {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    const danger = dangerAt(path, found, ownId, path === folder);
    if (danger !== undefined) return danger;
    if (!found.isSymbolicLink()) continue;
    if (links === MAX_LINKS) return `${path} leads through too many links`;
    const to = resolve(dirname(path), readlinkSync(path));
    return dangerOf(resolve(to, relative(path, folder)), ownId, links + 1);
  }
  return undefined;
}

// From the root on.
function wayTo(folder: string): string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [...wayTo(above), folder];
}

function dangerAt(path: string, found: Stats, ownId: number, isLast: boolean): string | undefined {
  const { uid, mode } = found;
  if (uid !== 0 && uid !== ownId) {
    return `${path} belongs to another user (${uid}), who could put something else in place of what is written there`;
  }
  if (found.isSymbolicLink() || (mode & OTHERS_WRITE) === 0) return undefined;
  // As in /tmp: nobody can take away there what is another user's.
  if (!isLast && (mode & STICKY) !== 0) return undefined;
  return `everybody may write to ${path}, and put something else in place of what is written there`;
}
