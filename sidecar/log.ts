// The log: structured lines on stderr, by pino. Written by the wiring only; rooms don't log.
import pino, { type Logger } from 'pino';

export type { Logger };

/** Returns a logger that writes JSON lines to stderr. No header and no token is ever handed to it. */
export function createLog(level: string, version: string): Logger {
  const destination = pino.destination({ fd: 2, sync: false });
  // Whatever becomes of its log, requests go on. A terminal that was closed is not written to again, as pino has it
  // for a pipe; a full disk is. What could not be written would hold up the process's end: sonic-boom tries it
  // again there for ever.
  destination.on('error', ({ code }: NodeJS.ErrnoException) => {
    const isGone = code === 'EIO' || code === 'EBADF';
    Object.assign(destination, { flushSync: nothing, ...(isGone && { write: nothing }) });
  });
  return pino(
    {
      level,
      base: { service: 'signet', version },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}

function nothing(): void {}
