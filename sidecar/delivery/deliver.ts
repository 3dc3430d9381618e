// One destination follows the store: rows after its cursor become spans, and the cursor moves only
// when they are acknowledged. At least once, with the same span ids: the store is the outbox.
import { isRequest, type RequestRow, type StoredRow } from '../audit/row.ts';
import { explain, Fault } from '../fault.ts';
import type { Span } from '../trace/span.ts';
import type { Wire } from './otlp.ts';
import type { Rejection } from './read-response.ts';

/** Rows of one batch: some 1,500 spans. The wire divides what is too long for one request. */
export const BATCH_ROWS = 500;
/** Pause after a batch that held all there was, for the next: a call costs as much as 50 rows do. */
const GATHER_MS = 200;
/** Waits after failures, from first to longest. */
export const FIRST_BACKOFF_MS = 250;
export const LONGEST_BACKOFF_MS = 30_000;

/** What a destination needs of the store. */
export type Outbox = {
  rowsAfter(sequence: number, limit: number): Promise<StoredRow[]>;
  cursor(destination: string): Promise<number>;
  moveCursor(destination: string, sequence: number): Promise<void>;
};

/** Makes the spans of a request. */
export type SpansOf = (row: StoredRow & RequestRow) => Span[];

/** How a destination stands. */
export type DeliveryState = {
  /** The last row that it has acknowledged, or that was left out. */
  readonly cursor: number;
  /** Rows that it would not take, one by one, since the start of this process. */
  readonly leftOut: number;
  /** Spans that it has acknowledged and, by its own word, not kept, since the start of this process. */
  readonly rejectedSpans: number;
  readonly problem?: string;
};

export type Delivery = {
  readonly name: string;
  /** New rows may be there. Never waits, never throws. */
  wake(): void;
  state(): DeliveryState;
  /** Sends what is there until nothing is left, a failure, or the deadline; then closes the wire. */
  finish(deadlineMs: number): Promise<void>;
};

/** Returns the delivery to one destination. A failure is kept as its state and tried again. */
export function createDelivery(
  name: string,
  outbox: Outbox,
  wire: Wire,
  spansOf: SpansOf,
): Delivery {
  let cursor: number | undefined;
  let batchRows = BATCH_ROWS;
  let leftOut = 0;
  let rejectedSpans = 0;
  let loss: string | undefined;
  let problem: string | undefined;
  let failures = 0;
  let isAwake = false;
  let running: Promise<void> | undefined;
  let pause: NodeJS.Timeout | undefined;
  let isFinishing = false;

  async function drain(): Promise<void> {
    cursor ??= await beginning();
    for (;;) {
      isAwake = false;
      const limit = batchRows;
      const rows = await outbox.rowsAfter(cursor, limit);
      const last = rows.at(-1);
      if (last === undefined) return;
      if (!(await isDealtWith(rows))) continue;
      await outbox.moveCursor(name, last.sequence);
      cursor = last.sequence;
      batchRows = Math.min(BATCH_ROWS, batchRows * 2);
      failures = 0;
      problem = undefined;
      if (rows.length < limit && !isFinishing) return rest(GATHER_MS);
    }
  }

  // A destination that has nothing yet holds up the removal of rows: it must be known that it is there.
  async function beginning(): Promise<number> {
    const sequence = await outbox.cursor(name);
    if (sequence === 0) await outbox.moveCursor(name, 0);
    return sequence;
  }

  // Every failure halves the next batch, which may have been too large; so a row that is refused for
  // good is alone in the end, and left out: it must not hold up all that come after it.
  async function isDealtWith(rows: readonly StoredRow[]): Promise<boolean> {
    const spans = rows
      .filter(isRequest)
      .filter(({ sampled }) => sampled)
      .flatMap(spansOf);
    try {
      if (spans.length > 0) count(await wire.send(spans));
      return true;
    } catch (error) {
      batchRows = Math.max(1, Math.floor(rows.length / 2));
      if (!isRefusal(error)) throw error;
      if (rows.length > 1) return false;
      leftOut += 1;
      loss = `${leftOut} rows were refused for good and left out, the last one: ${explain(error)}`;
      return true;
    }
  }

  // It will not take them another time either: they are told, and not sent again (OTLP, "Partial Success").
  function count(rejections: readonly Rejection[]): void {
    for (const { spans, reason } of rejections) {
      rejectedSpans += spans;
      loss = `spans acknowledged but not kept: ${rejectedSpans}, the last for: ${reason}`;
    }
  }

  function wake(): void {
    isAwake = true;
    if (running !== undefined || pause !== undefined) return;
    running = drain()
      .catch((error: unknown) => backOff(error))
      .finally(() => {
        running = undefined;
        if (isAwake && pause === undefined && !isFinishing) wake();
      });
  }

  function rest(ms: number): void {
    pause = setTimeout(() => {
      pause = undefined;
      if (isAwake) wake();
    }, ms);
  }

  function backOff(error: unknown): void {
    problem = explain(error);
    const waitMs = Math.min(FIRST_BACKOFF_MS * 2 ** failures, LONGEST_BACKOFF_MS);
    failures += 1;
    isAwake = true;
    if (!isFinishing) rest(waitMs);
  }

  async function finish(deadlineMs: number): Promise<void> {
    isFinishing = true;
    clearTimeout(pause);
    pause = undefined;
    const expired = new Promise<void>((resolve) => setTimeout(resolve, deadlineMs).unref());
    const drained = (running ?? Promise.resolve()).then(drainQuietly);
    await Promise.race([expired, drained.then(() => wire.close()).catch(() => undefined)]);
  }

  async function drainQuietly(): Promise<void> {
    await drain().catch((error: unknown) => {
      problem = explain(error);
    });
  }

  // What was lost on the way stays a problem until the next start: nobody sends it again by itself.
  function state(): DeliveryState {
    const told = problem ?? loss;
    return {
      cursor: cursor ?? 0,
      leftOut,
      rejectedSpans,
      ...(told !== undefined && { problem: told }),
    };
  }

  return {
    name,
    wake,
    state,
    finish,
  };
}

function isRefusal(error: unknown): boolean {
  return error instanceof Fault && error.code === 'ERR_DELIVERY_REFUSED';
}
