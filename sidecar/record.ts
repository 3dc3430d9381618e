// Spine 2, after the response: log line + stamp → row → spans, log records, metrics → destinations.
// Reads top to bottom as what happens to a line. It shares no memory with the gate: what the gate
// knows is in the stamp, and a recorder that is killed goes on from its checkpoint.
import type { KeyObject } from 'node:crypto';
import type { Follower } from './accesslog/follow.ts';
import { readEntries } from './accesslog/entries.ts';
import type { SetAsideLine } from './accesslog/set-aside.ts';
import type { EventRow, Row } from './audit/row.ts';
import type { AuditStore } from './audit/store.ts';
import { ALLOWED_MAX_US } from './decisions/judge.ts';
import { toRows, type Opened, type RowRules } from './to-row.ts';
import type { Delivery } from './delivery/deliver.ts';
import { createSkew } from './skew.ts';
import { openStamp } from './stamp.ts';

/** An allowed request is lost a day after it was decided, and told of a little later. */
const GAP_SHOWN_US = 1.05 * ALLOWED_MAX_US;

/** What the recorder is made of. */
export type RecorderParts = {
  readonly follower: Pick<Follower, 'next'>;
  readonly store: Pick<AuditStore, 'commit'>;
  /** Opens the stamps: every key of the ring. */
  readonly keys: readonly KeyObject[];
  readonly rules: RowRules;
  readonly deliveries: readonly Pick<Delivery, 'wake'>[];
  /** Counts what was recorded; by default nobody does. */
  readonly observe?: (rows: readonly Row[]) => void;
  /** What the store shall remember with the next batch. */
  readonly notes: () => Readonly<Record<string, string>>;
  /** Microseconds since the epoch. */
  readonly clock: () => number;
};

export type Recorder = {
  /** Records the next batch of lines. Resolves to false when nothing is new. Rejects with store faults. */
  step(): Promise<boolean>;
  /** How many stamps were not believed since this recorder began; their rows say `stamp-invalid`. */
  invalidStamps(): number;
  /** What of the log could not be found, lately: as long as a decision may be lost for it. */
  lastGap(): string | undefined;
  /** The largest difference between the gate's clock and Caddy's lately, in microseconds. */
  skewUs(): number;
};

/** Returns the recorder; each step is one transaction, so that it may die anywhere. */
export function createRecorder({
  follower,
  store,
  keys,
  rules,
  deliveries,
  observe = () => {},
  notes,
  clock,
}: RecorderParts): Recorder {
  const skew = createSkew();
  let invalidStamps = 0;
  let lastGap: { readonly what: string; readonly atUs: number } | undefined;

  async function step(): Promise<boolean> {
    const batch = follower.next();
    if (batch === undefined) return keepNotes();

    const nowUs = clock();
    const rows: Row[] = batch.gap === undefined ? [] : [gapOf(batch.gap, nowUs)];
    const setAside: SetAsideLine[] = [...batch.setAside];
    for (const line of batch.lines) {
      const read = readEntries(line.bytes, nowUs);
      setAside.push(...read.setAside);
      for (const { entry, bytes } of read.entries) {
        rows.push(...toRows(entry, open(entry.stamp, entry.uuid), bytes, rules));
      }
    }

    const { checkpoint } = batch;
    const committed = await store.commit({ rows, setAside, checkpoint, notes: notes() });
    // Not those that were read again: they were observed when they were new.
    observe(committed.rows);
    skew.see(rows, nowUs);
    if (batch.gap !== undefined) lastGap = { what: batch.gap, atUs: nowUs };
    for (const delivery of deliveries) delivery.wake();
    return true;
  }

  async function keepNotes(): Promise<false> {
    const kept = notes();
    if (Object.keys(kept).length > 0) await store.commit({ rows: [], notes: kept });
    return false;
  }

  function open(stamp: string | undefined, requestId: string | undefined): Opened {
    if (stamp === undefined) return 'missing';
    const opened = openStamp(stamp, keys, requestId);
    if (opened === undefined) invalidStamps += 1;
    return opened ?? 'invalid';
  }

  return {
    step,
    invalidStamps: () => invalidStamps,
    lastGap: () => {
      const isLately = lastGap !== undefined && clock() - lastGap.atUs <= GAP_SHOWN_US;
      return isLately ? lastGap?.what : undefined;
    },
    skewUs: () => skew.largestUs(clock()),
  };
}

function gapOf(what: string, nowUs: number): EventRow {
  return {
    kind: 'event',
    requestId: `recorder-gap:${nowUs}`,
    event: 'recorder-gap',
    details: { what },
    startedAtUs: nowUs,
  };
}
