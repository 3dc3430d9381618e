// The part of an examination that looks into the record: the rows of the requests that were just made.
import type { AuditReader } from '../audit/reader.ts';
import type { Reply } from './ask.ts';
import { type Awaited, awaitRow, WITHIN_MS } from './evidence.ts';
import type { Examination } from './examination.ts';
import { requestIdOf } from './gate-mark.ts';
import { type Line, notLookedAt } from './line.ts';
import { lookAtLog } from './log-file.ts';
import { judgeRecord, judgeSpoofedRow } from './record.ts';
import type { Spoof } from './spoofed.ts';

/** The request with headers that a client made up, or why there was none. */
export type Spoofing =
  { readonly spoof: Spoof; readonly reply: Reply | undefined } | { readonly why: string };

/** It may be one that is just being started again. */
const WITHOUT_SIDECAR_MS = 2000;

/**
 * Yields the lines about the row of `page`, and of the spoofed request. `isDown`: no sidecar answers that would
 * write rows.
 */
export async function* lookAtRecord(
  { record, installed, tell }: Examination,
  page: Reply,
  spoofing: Spoofing,
  isDown: boolean,
): AsyncGenerator<Line> {
  // Without settings that is told once, of all that needs them.
  if ('why' in record) return;
  const requestId = requestIdOf(page);
  if (requestId === undefined) return yield notLookedAt('record', 'the request got no id');
  const withinMs = isDown ? WITHOUT_SIDECAR_MS : WITHIN_MS;
  const found = await awaitRow(record.is, requestId, { sentAtMs: page.sentAtMs, tell, withinMs });
  const log = 'is' in installed ? installed.is.accessLog : undefined;
  yield judgeRecord(found, () => (log === undefined ? undefined : lookAtLog(log, requestId)));
  if ('why' in spoofing) return yield notLookedAt('spoofed row', spoofing.why);
  const { spoof, reply } = spoofing;
  yield judgeSpoofedRow(await spoofedRow(found, record.is, reply, tell), spoof);
}

// Where the first row did not come, the second is not waited for.
async function spoofedRow(
  first: Awaited,
  reader: AuditReader,
  reply: Reply | undefined,
  tell: Examination['tell'],
): Promise<Awaited> {
  const id = reply && requestIdOf(reply);
  if (!('row' in first) || reply === undefined || id === undefined) {
    return { missing: true, waitedMs: 0 };
  }
  return awaitRow(reader, id, { sentAtMs: reply.sentAtMs, tell });
}
