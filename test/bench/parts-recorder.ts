// What the recorder takes for a record, stage by stage, from the log's bytes to its row: each stage gets
// what the one before it made. What becomes of rows is in parts-store.ts.
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEntries } from '../../sidecar/accesslog/entries.ts';
import { createFollower } from '../../sidecar/accesslog/follow.ts';
import type { Entry } from '../../sidecar/accesslog/line.ts';
import type { Row } from '../../sidecar/audit/row.ts';
import { openStamp, type Stamp } from '../../sidecar/stamp.ts';
import { toRows, type RowRules } from '../../sidecar/to-row.ts';
import { createRedact } from '../../sidecar/trace/redact.ts';
import { createSample } from '../../sidecar/trace/sampling.ts';
import { SAMPLE_EVERYTHING } from '../fixtures/sampling.ts';
import { linesOf, STAMP_KEY } from './parts-inputs.ts';
import { measured, type PartFigure, type PartsOptions } from './parts-measure.ts';

/** What stands between a line and its row, in all measurements. */
export const RULES: RowRules = {
  ownAddresses: ['unix//run/signet/sidecar.sock'],
  redact: createRedact([]),
  address: (address) => address,
  sample: createSample(SAMPLE_EVERYTHING),
};

type Line = { readonly bytes: Buffer };
type Opened = { readonly entry: Entry; readonly bytes: Buffer; readonly stamp: Stamp };

/** Returns the figures of reading, parsing, opening, and making the row. */
export async function measureLines(options: PartsOptions): Promise<PartFigure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'signet-parts-'));
  try {
    const log = join(folder, 'access.log');
    appendFileSync(log, linesOf(options.short ? 2000 : 10_000).join('\n') + '\n');
    const lines = readAll(log);
    const opened = lines.flatMap(openLine);
    return [
      await measured('recorder: read', options, lines.length, () => readOver(log)),
      await measured('recorder: parse', options, lines.length, () => parseAll(lines)),
      await measured('recorder: open', options, opened.length, () => opened.forEach(open)),
      await measured('recorder: row', options, opened.length, () => rowsOf(opened)),
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// As the recorder does it: a batch is gone with the next one.
function readOver(log: string): void {
  const follower = createFollower({ path: log, isMemoryReused: true });
  while (follower.next() !== undefined);
  follower.close();
}

function readAll(log: string): Line[] {
  const follower = createFollower({ path: log });
  const lines: Line[] = [];
  for (let batch = follower.next(); batch !== undefined; batch = follower.next()) {
    lines.push(...batch.lines);
  }
  follower.close();
  return lines;
}

function parseAll(lines: readonly Line[]): void {
  const nowUs = Date.now() * 1000;
  for (const { bytes } of lines) {
    if (readEntries(bytes, nowUs).setAside.length > 0) throw new Error('a line was set aside');
  }
}

function openLine({ bytes }: Line): Opened[] {
  const { entries } = readEntries(bytes, Date.now() * 1000);
  return entries.map(({ entry, bytes: own }) => ({ entry, bytes: own, stamp: open({ entry }) }));
}

function open({ entry }: { readonly entry: Entry }): Stamp {
  const stamp = openStamp(entry.stamp ?? '', [STAMP_KEY], entry.uuid);
  if (stamp === undefined) throw new Error('a stamp was not believed');
  return stamp;
}

function rowsOf(opened: readonly Opened[]): Row[] {
  return opened.flatMap(({ entry, stamp, bytes }) => toRows(entry, stamp, bytes, RULES));
}

/** Returns the rows of the requests from that number on, each with an id that was never there. */
export function freshRows(count: number, from: number): Row[] {
  const lines = linesOf(count, from).map((text) => Buffer.from(text));
  return rowsOf(lines.flatMap((bytes) => openLine({ bytes })));
}
