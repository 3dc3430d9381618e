// Tells when a file is not as it was when it was read: written anew, replaced, removed, or there at last. Looks
// once a second and reads nothing: what a system tells by itself doesn't reach through every mount and link.
import { statSync, type BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';

/** Pause between two looks. A change is told when two of them saw the same: it is written to its end then. */
const LOOK_MS = 1000;

export type Watch = {
  close(): void;
  /** Whether a look is under way; after `close` and some time that is one on a mount that hangs. */
  isLooking(): boolean;
};

/** Returns what tells a file from what it becomes: of one that isn't there, why. */
export function markOf(path: string): string {
  try {
    return spelled(statSync(path, { bigint: true }));
  } catch (error) {
    return codeOf(error);
  }
}

/**
 * Calls `onChange` while a file is not as `marks` has it: path → its mark from before it was read, which may be others
 * each time. Each file is judged by itself: one that never rests hides no other.
 */
export function watchFiles(marks: () => ReadonlyMap<string, string>, onChange: () => void): Watch {
  let lately = new Map<string, string>();
  let isLooking = false;

  async function look(): Promise<void> {
    const seen = new Map<string, string>();
    // One after the other: each that hangs takes one of the process's four threads.
    for (const path of marks().keys()) seen.set(path, await markedLater(path));
    const hasChanged = [...marks()].some(([path, mark]) => {
      const now = seen.get(path);
      return now !== undefined && now !== mark && now === lately.get(path);
    });
    lately = seen;
    if (hasChanged) onChange();
  }

  const tick = () => {
    if (isLooking) return; // a mount that hangs
    isLooking = true;
    void look().finally(() => (isLooking = false));
  };
  tick();
  const timer = setInterval(tick, LOOK_MS).unref();
  return { close: () => clearInterval(timer), isLooking: () => isLooking };
}

async function markedLater(path: string): Promise<string> {
  try {
    return spelled(await stat(path, { bigint: true }));
  } catch (error) {
    return codeOf(error);
  }
}

function spelled({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}

function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException).code);
}
