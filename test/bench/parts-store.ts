// What becomes of the recorder's rows, stage by stage: committed, read back, made into spans, sent and
// acknowledged.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AUDIT_STORE_FILE, openAuditStore } from '../../sidecar/audit/open.ts';
import { isRequest, type Row } from '../../sidecar/audit/row.ts';
import type { AuditStore } from '../../sidecar/audit/store.ts';
import { createTransport } from '../../sidecar/otlp/connect.ts';
import { createSpanEncoder } from '../../sidecar/otlp/encode-spans.ts';
import { PAGE_ROWS } from '../../sidecar/delivery/source.ts';
import type { Span } from '../../sidecar/trace/span.ts';
import { spansOf } from '../../sidecar/trace/spans.ts';
import { aDestination, startCounter } from './edge-receiver.ts';
import { figureOf, measured, timed, type PartFigure, type PartsOptions } from './parts-measure.ts';
import { freshRows } from './parts-recorder.ts';
import { benchRows } from './rows.ts';

/** As many lines as the recorder is handed at once under load. */
const COMMIT_ROWS = 1000;

/** Returns the figures of each stage. */
export async function measureStore(options: PartsOptions): Promise<PartFigure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'signet-parts-'));
  const store = await filledStore(join(folder, AUDIT_STORE_FILE), filling(options.short));
  try {
    const { lastSequence } = await store.counts();
    const commit = await measureCommit(store, options);
    const read = () => readBack(store, lastSequence);
    const rows = (await read()).filter(isRequest);
    const spans = rows.map(spansOf);
    return [
      commit,
      await measured('recorder: read back', options, rows.length, read),
      await measured('recorder: spans', options, rows.length, () => rows.map(spansOf)),
      await measureExport(spans, options),
    ];
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
}

/** Returns an open store that holds so many rows of a busy site. */
export async function filledStore(path: string, count: number): Promise<AuditStore> {
  const store = await openAuditStore({ path });
  let batch: Row[] = [];
  for (const row of benchRows(count, 1)) {
    batch.push(row);
    if (batch.length < COMMIT_ROWS) continue;
    await store.commit({ rows: batch });
    batch = [];
  }
  return store;
}

/** How many rows are there before anything is measured. */
export const filling = (short: boolean) => (short ? 10_000 : 100_000);

// A row is committed once: each round has its own.
async function measureCommit(store: AuditStore, { short }: PartsOptions): Promise<PartFigure> {
  const [rounds, perRound] = short ? [3, 2000] : [7, 5000];
  const taken = [];
  for (let round = 0; round <= rounds; round++) {
    const rows = freshRows(perRound, round * perRound + 1);
    taken.push(await timed(rows.length, () => commitAll(store, rows)));
  }
  const note = `SQLite on disk, ${COMMIT_ROWS} at once, in a store of ${filling(short)} rows`;
  return figureOf('recorder: commit', taken.slice(1), note);
}

async function commitAll(store: AuditStore, rows: readonly Row[]): Promise<void> {
  for (let at = 0; at < rows.length; at += COMMIT_ROWS) {
    await store.commit({ rows: rows.slice(at, at + COMMIT_ROWS) });
  }
}

async function readBack(store: AuditStore, from: number) {
  const all = [];
  for (let after = from; ;) {
    const rows = await store.rowsAfter(after, PAGE_ROWS);
    if (rows.length === 0) return all;
    all.push(...rows);
    after = rows.at(-1)?.sequence ?? after;
  }
}

async function measureExport(
  spans: readonly (readonly Span[])[],
  options: PartsOptions,
): Promise<PartFigure> {
  const receiver = await startCounter([]);
  const transport = createTransport(aDestination(receiver.port), { version: '1.2.3' });
  const encode = createSpanEncoder({ 'service.name': 'caddy' }, '1.2.3');
  const batches = Array.from({ length: Math.floor(spans.length / PAGE_ROWS) }, (_, at) =>
    spans.slice(at * PAGE_ROWS, (at + 1) * PAGE_ROWS).flat(),
  );
  const sendAll = async () => {
    for (const batch of batches) {
      const answer = await transport.send('traces', encode(batch));
      if (answer.kind !== 'acknowledged') throw new Error(answer.problem);
    }
  };
  try {
    const sent = batches.length * PAGE_ROWS;
    return await measured('recorder: encode and send', options, sent, sendAll, '3 spans a record');
  } finally {
    transport.close();
    await receiver.stop();
  }
}
