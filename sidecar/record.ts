// Spine 2, after the response: log line + stamp → row → spans → destinations.
// Reads top to bottom as what happens to a line. It shares no memory with the gate: what the gate
// knows is in the stamp, and a recorder that is killed goes on from its checkpoint.
import type { KeyObject } from 'node:crypto';
import type { Follower } from './accesslog/follow.ts';
import { readEntries } from './accesslog/entries.ts';
import type { SetAsideLine } from './accesslog/set-aside.ts';
import type { Row } from './audit/row.ts';
import type { AuditStore } from './audit/store.ts';
import { toRow, type Opened, type RowRules } from './to-row.ts';
import type { Delivery } from './delivery/deliver.ts';
import { openStamp } from './stamp.ts';

/** What the recorder is made of. */
export type RecorderParts = {
  readonly follower: Pick<Follower, 'next'>;
  readonly store: Pick<AuditStore, 'commit'>;
  /** Opens the stamps: every key of the ring. */
  readonly keys: readonly KeyObject[];
  readonly rules: RowRules;
  readonly deliveries: readonly Pick<Delivery, 'wake'>[];
};

export type Recorder = {
  /** Records the next batch of lines. Returns false when there is nothing new. Throws store faults. */
  step(): boolean;
  /** How many stamps were not believed since this recorder began; their rows say `stamp-invalid`. */
  invalidStamps(): number;
};

/** Returns the recorder; each step is one transaction, so that it may die anywhere. */
export function createRecorder({
  follower,
  store,
  keys,
  rules,
  deliveries,
}: RecorderParts): Recorder {
  let invalidStamps = 0;

  function step(): boolean {
    const batch = follower.next();
    if (batch === undefined) return false;

    const rows: Row[] = [];
    const setAside: SetAsideLine[] = [...batch.setAside];
    for (const line of batch.lines) {
      const read = readEntries(line.bytes);
      setAside.push(...read.setAside);
      for (const { entry, bytes } of read.entries) {
        rows.push(toRow(entry, open(entry.stamp, entry.uuid), bytes, rules));
      }
    }

    store.commit({ rows, setAside, checkpoint: batch.checkpoint });
    for (const delivery of deliveries) delivery.wake();
    return true;
  }

  function open(stamp: string | undefined, requestId: string | undefined): Opened {
    if (stamp === undefined) return 'missing';
    const opened = openStamp(stamp, keys, requestId);
    if (opened === undefined) invalidStamps += 1;
    return opened ?? 'invalid';
  }

  return { step, invalidStamps: () => invalidStamps };
}
