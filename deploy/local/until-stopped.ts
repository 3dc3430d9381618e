// When the local stack should end: somebody says so, or whoever started us is gone.
import { readFileSync } from 'node:fs';

const EVERY_MS = 250;

/** Resolves at Ctrl-C, SIGTERM or a hang-up; or when the parent process has died without a word. */
export function stopAsked(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => resolve());
    // A reader that went away (`npm start | head`) is no reason to die without stopping the stack.
    process.stdout.on('error', () => resolve());
    const family = ancestors();
    const timer = setInterval(() => {
      if (ancestors() === family) return;
      clearInterval(timer);
      resolve();
    }, EVERY_MS).unref();
  });
}

// Our parent; and npm, when there is a shell in between (it would not die with npm).
function ancestors(): string {
  const underNpm = process.env['npm_lifecycle_event'] !== undefined;
  return underNpm ? `${process.ppid} ${parentOf(process.ppid)}` : String(process.ppid);
}

function parentOf(pid: number): string {
  try {
    // Linux; the name in parentheses may hold anything, so from behind it.
    return /.*\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? '';
  } catch {
    return '';
  }
}
