// Rows as log records: every row of the audit trail is one, whether its trace was sampled or not.
import type { Feed } from './feed.ts';
import { createLogEncoder } from '../otlp/encode-logs.ts';
import { logRecordOf } from '../otlp/log-record.ts';

/** Returns a feed of log records, with memory of its own. */
export function createLogFeed(resource: Readonly<Record<string, string>>, version: string): Feed {
  const encode = createLogEncoder(resource, version);
  return {
    signal: 'logs',
    encode: (rows) => ({ bytes: encode(rows.map(logRecordOf)), items: rows.length }),
  };
}
