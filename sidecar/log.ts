// The log: structured lines on stderr, by pino. Written by the wiring only; rooms don't log.
import pino, { type Logger } from 'pino';

export type { Logger };

/** Returns a logger that writes JSON lines to stderr. No header and no token is ever handed to it. */
export function createLog(level: string, version: string): Logger {
  const destination = pino.destination({ fd: 2, sync: false });
  // A terminal that was closed: nobody reads it any more, and requests go on. As pino does it for a pipe: what
  // is still to be written at the process's end would hold that up, since sonic-boom tries it again for ever.
  destination.on('error', () => {
    const nothing = () => {};
    Object.assign(destination, { write: nothing, flushSync: nothing, end: nothing });
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
