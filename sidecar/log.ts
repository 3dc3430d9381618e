// The log: structured lines on stderr, by pino. Written by the wiring only; rooms don't log.
import pino, { type Logger } from 'pino';

export type { Logger };

/** Returns a logger that writes JSON lines to stderr. No header and no token is ever handed to it. */
export function createLog(level: string, version: string): Logger {
  return pino(
    {
      level,
      base: { service: 'signet', version },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ fd: 2, sync: false }),
  );
}
