// What the checker is given, as files of JSON lines: the answers that the client saw, the spans that
// the receiver got, and what `signet audit` printed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Seen } from './journey.ts';
import type { SpanLine } from './span-line.ts';

/** The members of an audit row that are checked. */
export type AuditRow = {
  readonly requestId: string;
  readonly traceId: string;
  readonly user?: string;
  readonly team?: string;
  readonly type?: string;
  readonly decision: string;
  readonly reason: string;
  readonly status: number;
};

export const EVIDENCE_FILES = {
  seen: 'responses.jsonl',
  spans: 'spans.jsonl',
  rows: 'audit.jsonl',
} as const;

/** One request with all that is known of it. */
export type Case = {
  readonly seen: Seen;
  readonly rows: readonly AuditRow[];
  /** Its whole trace: Signet's spans and the app's. */
  readonly trace: readonly SpanLine[];
};

/** Returns the cases of an evidence folder, in the order in which the client saw them. */
export function readCases(folder: string): Case[] {
  const rows = readLines<AuditRow>(join(folder, EVIDENCE_FILES.rows));
  const rowsById = Map.groupBy(rows, (row) => row.requestId);
  const spans = readLines<SpanLine>(join(folder, EVIDENCE_FILES.spans));
  const spansByTrace = Map.groupBy(spans, (span) => span.traceId);
  return readLines<Seen>(join(folder, EVIDENCE_FILES.seen)).map((seen) => ({
    seen,
    rows: rowsById.get(seen.requestId) ?? [],
    trace: spansByTrace.get(seen.requestId.replaceAll('-', '')) ?? [],
  }));
}

/** Returns the objects of a file with one JSON object per line. */
export function readLines<T>(file: string): T[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as T);
}
