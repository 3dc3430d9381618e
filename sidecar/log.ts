// The log: structured lines on stderr, by pino. Written by the wiring only; rooms don't log.
import pino, { type Logger } from 'pino';

export type { Logger };

/** Returns a logger that writes JSON lines to stderr, and never a header that could be a credential. */
export function createLog(level: string, version: string): Logger {
  return pino(
    {
      level,
      base: { service: 'signet', version },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: ['*.authorization', '*.cookie', '*.token', '*.client_secret'],
    },
    pino.destination({ fd: 2, sync: false }),
  );
}
