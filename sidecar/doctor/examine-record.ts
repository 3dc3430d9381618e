// The part of an examination that looks into the record: the rows of the requests that were just made.
import type { AuditReader } from '../audit/reader.ts';
import type { Reply } from './ask.ts';
import { type Awaited, awaitRow, WITHIN_MS } from './evidence.ts';
import type { Beside, Examination } from './examination.ts';
import { requestIdOf } from './gate-mark.ts';
import { type Line, notLookedAt } from './line.ts';
import { lookAtLog } from './log-file.ts';
import { judgeCapitals, judgeRecord, judgeSpoofedRow } from './record.ts';
import type { Spoof } from './spoofed.ts';

/** The request with headers that a client made up, or why there was none. */
export type Spoofing =
  | {
      readonly spoof: Spoof;
      readonly reply: Reply | undefined;
      readonly capitals: InCapitals | undefined;
    }
  | { readonly why: string };

/** The request before it, to the host in capitals; none where it has no letters. */
export type InCapitals = { readonly host: string; readonly reply: Reply | undefined };

/** It may be one that is just being started again. */
const WITHOUT_SIDECAR_MS = 2000;
/** Of a row that was written before one that is there: Caddy may write two lines at once. */
const EARLIER_MS = 1000;

/** Returns how long a row is waited for, by how the sidecar that would write it stands. */
export function withinMsOf(health: Beside['health']): number {
  const isDown = health !== undefined && 'problem' in health;
  return isDown || recorderProblem(health) !== undefined ? WITHOUT_SIDECAR_MS : WITHIN_MS;
}

function recorderProblem(health: Beside['health']): string | undefined {
  if (health === undefined || 'problem' in health) return undefined;
  const { ok = true, problem = 'it is not well' } = health.checks['recorder'] ?? {};
  return ok ? undefined : problem;
}

/** Yields the lines about the row of `page`, of the spoofed request, and of the one in capitals. */
export async function* lookAtRecord(
  { record, installed, tell }: Examination,
  page: Reply,
  spoofing: Spoofing,
  health: Beside['health'],
): AsyncGenerator<Line> {
  // Without settings that is told once, of all that needs them.
  if ('why' in record) return;
  const requestId = requestIdOf(page);
  if (requestId === undefined) return yield notLookedAt('record', 'the request got no id');
  const waiting = { sentAtMs: page.sentAtMs, tell, withinMs: withinMsOf(health) };
  const found = await awaitRow(record.is, requestId, waiting);
  const log = 'is' in installed ? installed.is.accessLog : undefined;
  const look = () => (log === undefined ? undefined : lookAtLog(log, requestId));
  yield judgeRecord(found, look, recorderProblem(health));
  if ('why' in spoofing) return yield notLookedAt('spoofed row', spoofing.why);
  const { spoof, reply, capitals } = spoofing;
  const spoofed = await rowBehind(found, record.is, reply, tell);
  yield judgeSpoofedRow(spoofed, spoof);
  if (capitals === undefined) return;
  const isAsked = 'row' in spoofed && capitals.reply && requestIdOf(capitals.reply) !== undefined;
  const row = isAsked && (await rowBehind(spoofed, record.is, capitals.reply, tell, EARLIER_MS));
  yield judgeCapitals(capitals.host, row || undefined);
}

// Where the first row did not come, the second is not waited for.
async function rowBehind(
  first: Awaited,
  reader: AuditReader,
  reply: Reply | undefined,
  tell: Examination['tell'],
  withinMs = WITHIN_MS,
): Promise<Awaited> {
  const id = reply && requestIdOf(reply);
  if (!('row' in first) || reply === undefined || id === undefined) {
    return { missing: true, waitedMs: 0 };
  }
  return awaitRow(reader, id, { sentAtMs: reply.sentAtMs, tell, withinMs });
}
