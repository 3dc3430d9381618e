// One destination follows the store: rows after its cursor become spans, and the cursor moves only
// when they are acknowledged. At least once, with the same span ids: the store is the outbox.
import type { StoredRow } from '../audit/row.ts';
import { explain } from '../fault.ts';
import type { Span } from '../trace/span.ts';
import type { Wire } from './otlp.ts';

/** Rows of one batch: some 600 spans, well below a receiver's usual 4 MiB. */
export const BATCH_ROWS = 200;
/** Waits after failures, from first to longest. */
export const FIRST_BACKOFF_MS = 250;
export const LONGEST_BACKOFF_MS = 30_000;

/** What a destination needs of the store. */
export type Outbox = {
  rowsAfter(sequence: number, limit: number): StoredRow[];
  cursor(destination: string): number;
  moveCursor(destination: string, sequence: number): void;
};

/** How a destination stands. */
export type DeliveryState = {
  /** The last row that it has acknowledged. */
  readonly cursor: number;
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
  spansOf: (row: StoredRow) => Span[],
): Delivery {
  let cursor = outbox.cursor(name);
  let problem: string | undefined;
  let failures = 0;
  let running: Promise<void> | undefined;
  let retry: NodeJS.Timeout | undefined;
  let isFinishing = false;

  async function drain(): Promise<void> {
    for (;;) {
      const rows = outbox.rowsAfter(cursor, BATCH_ROWS);
      const last = rows.at(-1);
      if (last === undefined) return;
      const spans = rows.filter((row) => row.sampled).flatMap(spansOf);
      if (spans.length > 0) await wire.send(spans);
      outbox.moveCursor(name, last.sequence);
      cursor = last.sequence;
      problem = undefined;
      failures = 0;
    }
  }

  function wake(): void {
    if (running !== undefined || retry !== undefined) return;
    running = drain()
      .catch((error: unknown) => backOff(explain(error)))
      .finally(() => (running = undefined));
  }

  function backOff(why: string): void {
    problem = why;
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
    const deadline = AbortSignal.timeout(deadlineMs);
    const expired = new Promise<void>((resolve) => {
      deadline.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.race([expired, (running ?? Promise.resolve()).then(drainQuietly)]);
    await wire.close().catch(() => undefined);
  }

  async function drainQuietly(): Promise<void> {
    await drain().catch((error: unknown) => {
      problem = explain(error);
    });
  }

  return {
    name,
    wake,
    state: () => ({ cursor, ...(problem !== undefined && { problem }) }),
    finish,
  };
}
