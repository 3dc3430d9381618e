// Sends history again to one destination: the same spans with the same ids, whatever its cursor says.
// What may be tried again is tried some times; what is refused for good is left out and counted.
import { setTimeout as pause } from 'node:timers/promises';
import type { RequestRow, StoredRow } from '../audit/row.ts';
import { explain, Fault } from '../fault.ts';
import { BATCH_ROWS, FIRST_BACKOFF_MS, LONGEST_BACKOFF_MS, type SpansOf } from './deliver.ts';
import type { Wire } from './otlp.ts';

/** Tries of one batch before the rest is left: some 90 s, and what the destination takes to answer. */
export const MAX_TRIES = 10;

/** A request with its place in the store. */
export type ReplayRow = StoredRow & RequestRow;

export type Replayed = {
  /** Requests that the destination has acknowledged. */
  readonly sent: number;
  /** Requests that it would not take, one by one. */
  readonly refused: number;
  /** Spans that it has acknowledged and, by its own word, not kept. */
  readonly rejectedSpans: number;
  /** Where it stopped: the time of the first request that was not sent, in microseconds. */
  readonly leftFromUs?: number;
  /** Why it stopped, when it was not told to. */
  readonly problem?: string;
};

export type ReplayOptions = {
  /** In the order of their times, in batches of at most `BATCH_ROWS`. */
  readonly batches: AsyncIterable<readonly ReplayRow[]>;
  readonly wire: Pick<Wire, 'send'>;
  readonly spansOf: SpansOf;
  readonly onProgress?: (sent: number, upToUs: number) => void;
  /** Is told the first failure of several in a row, of what will be tried again. */
  readonly onProblem?: (problem: string) => void;
  /** Ends it after the batch that is under way. */
  readonly signal?: AbortSignal;
  readonly firstBackoffMs?: number;
};

/** Sends all batches, until the last one, the signal, or a destination that stays away. */
export async function replay(options: ReplayOptions): Promise<Replayed> {
  const { batches, onProgress, signal } = options;
  const send = createSending(options);
  for await (const rows of batches) {
    const left = await send.all(rows);
    if (left !== undefined) return { ...send.counts(), ...left };
    onProgress?.(send.counts().sent, rows.at(-1)?.startedAtUs ?? 0);
    if (signal?.aborted) return { ...send.counts(), ...after(rows) };
  }
  return send.counts();
}

// Those of the same microsecond may be sent twice: that does no harm.
function after(rows: readonly ReplayRow[]): { leftFromUs?: number } {
  const last = rows.at(-1);
  return last === undefined ? {} : { leftFromUs: last.startedAtUs };
}

function createSending(options: ReplayOptions) {
  const { wire, spansOf, onProblem, signal, firstBackoffMs = FIRST_BACKOFF_MS } = options;
  let size = BATCH_ROWS;
  let sent = 0;
  let refused = 0;
  let rejectedSpans = 0;

  // Every failure halves the next piece, which may have been too large; so a request that is refused for
  // good is alone in the end.
  async function all(rows: readonly ReplayRow[]): Promise<Left | undefined> {
    let failures = 0;
    for (let at = 0; at < rows.length;) {
      const some = rows.slice(at, at + size);
      const failure = await failureOf(some);
      if (failure === undefined || isHopeless(failure, some)) {
        count(some, failure);
        at += some.length;
        failures = 0;
        continue;
      }
      size = Math.max(1, Math.floor(some.length / 2));
      if (isRefusal(failure)) continue;
      failures += 1;
      if (failures === 1) onProblem?.(explain(failure));
      if (failures === MAX_TRIES || signal?.aborted) return leftOf(some, failure);
      await backOff(failures);
    }
    return undefined;
  }

  function count(rows: readonly ReplayRow[], failure: unknown): void {
    if (failure === undefined) sent += rows.length;
    else refused += rows.length;
    size = Math.min(BATCH_ROWS, size * 2);
  }

  async function failureOf(rows: readonly ReplayRow[]): Promise<unknown> {
    try {
      const rejections = await wire.send(rows.flatMap(spansOf));
      for (const { spans, reason } of rejections) {
        rejectedSpans += spans;
        onProblem?.(`spans acknowledged but not kept: ${spans}, for: ${reason}`);
      }
      return undefined;
    } catch (error) {
      return error;
    }
  }

  async function backOff(failures: number): Promise<void> {
    const waitMs = Math.min(firstBackoffMs * 2 ** (failures - 1), LONGEST_BACKOFF_MS);
    await pause(waitMs, undefined, signal && { signal }).catch(() => undefined);
  }

  return { all, counts: () => ({ sent, refused, rejectedSpans }) };
}

function isHopeless(failure: unknown, rows: readonly ReplayRow[]): boolean {
  return rows.length === 1 && isRefusal(failure);
}

type Left = { readonly leftFromUs: number; readonly problem: string };

function leftOf([first]: readonly ReplayRow[], failure: unknown): Left {
  return { leftFromUs: first?.startedAtUs ?? 0, problem: explain(failure) };
}

function isRefusal(error: unknown): boolean {
  return error instanceof Fault && error.code === 'ERR_DELIVERY_REFUSED';
}
