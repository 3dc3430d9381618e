// Tells when one of some files has changed: written anew, replaced, removed, or there at last. Looks once a
// second and reads nothing: what a system tells by itself doesn't reach through every mount and link.
import { stat } from 'node:fs/promises';

/** Pause between two looks. A change is told when two of them saw the same: it is written to its end then. */
const LOOK_MS = 1000;

export type Watch = { close(): void };

/** Calls `onChange` after each change. `files` may name others each time. */
export function watchFiles(files: () => readonly string[], onChange: () => void): Watch {
  let told = new Map<string, string>();
  let lately = new Map<string, string>();
  let isLooking = false;

  async function look(): Promise<void> {
    const seen = new Map(await Promise.all(files().map(marked)));
    const isStill = [...seen].every(([file, mark]) => mark === (lately.get(file) ?? mark));
    lately = seen;
    if (!isStill) return;
    const isChanged = [...seen].some(([file, mark]) => mark !== (told.get(file) ?? mark));
    told = seen;
    if (isChanged) onChange();
  }

  const tick = () => {
    if (isLooking) return; // a mount that hangs
    isLooking = true;
    void look().finally(() => (isLooking = false));
  };
  tick();
  const timer = setInterval(tick, LOOK_MS).unref();
  return { close: () => clearInterval(timer) };
}

async function marked(file: string): Promise<[string, string]> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [file, [dev, ino, size, mtimeNs, ctimeNs].join(':')];
  } catch (error) {
    return [file, String((error as NodeJS.ErrnoException).code)];
  }
}
