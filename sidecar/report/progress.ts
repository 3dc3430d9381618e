// How far a long work has come, on one line of the terminal that goes away again.

export type Progress = {
  /** Tells how far it is; shown now and then. */
  tell(text: string): void;
  /** Clears the line. */
  end(): void;
};

/** A work that is done by then needs no progress. */
const SILENT_MS = 2000;
const EVERY_MS = 500;

const CLEAR = '\r\u001b[K';

/** Returns a progress on standard error; where that is no terminal, one that says nothing. */
export function createProgress(): Progress {
  let nextAtMs = performance.now() + SILENT_MS;
  let isShown = false;

  function tell(text: string): void {
    const nowMs = performance.now();
    if (!process.stderr.isTTY || nowMs < nextAtMs) return;
    nextAtMs = nowMs + EVERY_MS;
    isShown = true;
    process.stderr.write(CLEAR + text);
  }

  function end(): void {
    if (isShown) process.stderr.write(CLEAR);
    isShown = false;
  }

  return { tell, end };
}
