// One destination follows the store: rows after its cursor become spans, and the cursor moves only
// when they are acknowledged. At least once, with the same span ids: the store is the outbox.
import { isRequest, type RequestRow, type StoredRow } from '../audit/row.ts';
import { explain, Fault } from '../fault.ts';
import type { Span } from '../trace/span.ts';
import type { Wire } from './otlp.ts';

/** Rows of one batch: some 600 spans, whose attributes are bounded (see trace/spans.ts). */
export const BATCH_ROWS = 200;
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
  let refusal: string | undefined;
  let problem: string | undefined;
  let failures = 0;
  let isAwake = false;
  let running: Promise<void> | undefined;
  let retry: NodeJS.Timeout | undefined;
  let isFinishing = false;

  async function drain(): Promise<void> {
    cursor ??= await beginning();
    for (;;) {
      isAwake = false;
      const rows = await outbox.rowsAfter(cursor, batchRows);
      const last = rows.at(-1);
      if (last === undefined) return;
      if (!(await isDealtWith(rows))) continue;
      await outbox.moveCursor(name, last.sequence);
      cursor = last.sequence;
      batchRows = Math.min(BATCH_ROWS, batchRows * 2);
      failures = 0;
      problem = undefined;
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
      if (spans.length > 0) await wire.send(spans);
      return true;
    } catch (error) {
      batchRows = Math.max(1, Math.floor(rows.length / 2));
      if (!isRefusal(error)) throw error;
      if (rows.length > 1) return false;
      leftOut += 1;
      refusal = explain(error);
      return true;
    }
  }

  function wake(): void {
    isAwake = true;
    if (running !== undefined || retry !== undefined) return;
    running = drain()
      .catch((error: unknown) => backOff(error))
      .finally(() => {
        running = undefined;
        if (isAwake && retry === undefined && !isFinishing) wake();
      });
  }

  function backOff(error: unknown): void {
    problem = explain(error);
    const waitMs = Math.min(FIRST_BACKOFF_MS * 2 ** failures, LONGEST_BACKOFF_MS);
    failures += 1;
    if (isFinishing) return;
    retry = setTimeout(() => {
      retry = undefined;
      wake();
    }, waitMs);
  }

  async function finish(deadlineMs: number): Promise<void> {
    isFinishing = true;
    clearTimeout(retry);
    retry = undefined;
    const expired = new Promise<void>((resolve) => setTimeout(resolve, deadlineMs).unref());
    const drained = (running ?? Promise.resolve()).then(drainQuietly);
    await Promise.race([expired, drained.then(() => wire.close()).catch(() => undefined)]);
  }

  async function drainQuietly(): Promise<void> {
    await drain().catch((error: unknown) => {
      problem = explain(error);
    });
  }

  // What was left out stays a problem until the next start: nobody sends it again by itself.
  function state(): DeliveryState {
    const told =
      problem ??
      (refusal && `${leftOut} rows were refused for good and left out, the last one: ${refusal}`);
    return { cursor: cursor ?? 0, leftOut, ...(told !== undefined && { problem: told }) };
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
