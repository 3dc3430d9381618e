// A source that keeps within a budget. It reads the store as it is written, holds the dearest rows of a
// second until that is over, and gives them then. Which are the dearest is in budget.ts.
import { isRequest, type RequestRow, type StoredRow } from '../audit/row.ts';
import type { Worth } from '../trace/worth.ts';
import { createAllowance } from './allowance.ts';
import { createSecond, spansOfAll, type Candidate, type LeftOut, type Second } from './budget.ts';
import type { Budget } from '../otlp/destination.ts';
import type { Outbox } from './outbox.ts';
import type { Read } from './renew.ts';
import { PAGE_ROWS, type Parcel, type Source } from './source.ts';
import type { Volume } from './volume.ts';

/**
 * How long after a second's end, and after its last row, it is closed where no later row does it. Rows
 * come some 300 ms after their requests; what comes later still gets what is left of its second.
 */
export const CLOSE_MS = 1500;
/** Requests end nearly in the order of the log. More than this back, the clock was set, and it counts anew. */
export const MAX_DISORDER_SECONDS = 5;

const SECOND_MS = 1000;
const SECOND_US = 1_000_000;

export type BudgetedSourceParts = {
  readonly outbox: Pick<Outbox, 'rowsAfter' | 'mark'>;
  /** The cursor: the last sequence that is dealt with. */
  readonly after: number;
  readonly budget: Budget;
  /** What was sent before, today; the delivery adds what it sends. */
  readonly volume: Pick<Volume, 'day'>;
  readonly worthOf: (row: RequestRow) => Worth;
  /** How many spans a row makes; of none, it costs nothing and is not sent. */
  readonly spansIn: (row: RequestRow) => number;
  /** Whether a run before has sent a row: it has its part of its second, and counts in the volume. */
  readonly wasSent?: (sequence: number) => boolean;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
};

/** A row, and the store's mark before it was read. */
type Held = Candidate & { readonly row: StoredRow; readonly mark: string };

type ReadRequest = { readonly row: StoredRow & RequestRow; readonly mark: string };

/** A second that is not over yet. */
type Open = {
  /** Since the epoch. */
  readonly number: number;
  readonly spans: number;
  readonly rows: Second<Held>;
  /** When the last one of them was read, in milliseconds. */
  readMs: number;
};

/**
 * Returns the source. A second is that of the requests' ends: so the backlog of an outage gets what each
 * of its seconds would have got. All parcels of a second but its last leave the cursor where it was: who
 * begins again there makes the same choice.
 */
export function createBudgetedSource(parts: BudgetedSourceParts): Source {
  const { outbox, after, budget, volume, worthOf, spansIn, wasSent = () => false, nowMs } = parts;
  const { spansPerSecond = Number.POSITIVE_INFINITY } = budget;
  // Otherwise there is nothing to wait for: a page is chosen from as it is.
  const isBySecond = budget.spansPerSecond !== undefined;
  const allow = createAllowance(budget, volume);
  const ready: Parcel[] = [];
  let readUpTo = after;
  let givenUpTo = after;
  let isAllRead = false;
  let open: Open | undefined;
  let closed = { number: Number.NEGATIVE_INFINITY, spansLeft: 0 };

  async function next(): Promise<Parcel | undefined> {
    for (;;) {
      const parcel = ready.shift();
      if (parcel !== undefined) return { ...parcel, isLast: isAllRead && ready.length === 0 };
      const mark = await outbox.mark();
      const rows = await outbox.rowsAfter(readUpTo, PAGE_ROWS);
      isAllRead = rows.length < PAGE_ROWS;
      take(rows, mark);
      if (ready.length === 0 && isAllRead) return undefined;
    }
  }

  function take(rows: readonly StoredRow[], mark: string): void {
    const atMs = nowMs();
    for (const row of rows) {
      if (isRequest(row)) hold({ row, mark }, spansIn(row), atMs);
      readUpTo = row.sequence;
    }
    if (open !== undefined && (!isBySecond || (isAllRead && isOver(open, atMs)))) close(open);
    if (open === undefined) give([], {});
  }

  function hold({ row, mark }: ReadRequest, spans: number, atMs: number): void {
    if (spans === 0) return;
    const number = Math.floor((row.startedAtUs + row.durationUs) / SECOND_US);
    if (open !== undefined && isBySecond && isAnother(number, open.number)) close(open);
    open ??= begin(number);
    const { sequence, traceId } = row;
    open.rows.add({ sequence, traceId, worth: worthOf(row), spans, row, mark });
    open.readMs = atMs;
  }

  // A straggler's second was closed by the clock: it gets what that has left.
  function begin(number: number): Open {
    const isNew = isAnother(number, closed.number);
    const spans = isNew ? spansPerSecond : closed.spansLeft;
    const own = isNew ? number : closed.number;
    return { number: own, spans, rows: createSecond<Held>(spans), readMs: 0 };
  }

  function close({ number, spans, rows }: Open): void {
    const inSecond = rows.choice();
    const before = inSecond.chosen.filter(({ sequence }) => wasSent(sequence));
    const others = inSecond.chosen.filter(({ sequence }) => !wasSent(sequence));
    const { chosen, leftOut } = allow(others, nowMs());
    closed = { number, spansLeft: spans - spansOfAll(before) - spansOfAll(chosen) };
    open = undefined;
    give(chosen.toSorted(bySequence), { ...inSecond.leftOut, ...leftOut });
  }

  function give(held: readonly Held[], leftOut: LeftOut): void {
    if (readUpTo === givenUpTo) return;
    const last = Math.max(0, Math.ceil(held.length / PAGE_ROWS) - 1) * PAGE_ROWS;
    for (let at = 0; at < last; at += PAGE_ROWS) {
      ready.push({ ...readOf(held.slice(at, at + PAGE_ROWS)), upTo: givenUpTo });
    }
    givenUpTo = readUpTo;
    ready.push({ ...readOf(held.slice(last)), upTo: readUpTo, leftOut });
  }

  return { next, isHolding: () => open !== undefined };
}

// Rows of several marks are read anew before they are sent.
function readOf(held: readonly Held[]): Read {
  const mark = held[0]?.mark;
  const isOne = held.every((each) => each.mark === mark);
  return { rows: held.map(({ row }) => row), ...(isOne && { mark }) };
}

// Its last row came when it came, whatever the clock says: while the recorder catches up, that is late. And
// nobody waits for the end of a second that is far ahead.
function isOver({ number, readMs }: Open, atMs: number): boolean {
  const endMs = (number + 1) * SECOND_MS;
  const restMs = Math.min(Math.max(endMs, readMs), readMs + SECOND_MS);
  return atMs >= restMs + CLOSE_MS;
}

// A row that ended a little before the one in front of it is of the same second.
function isAnother(number: number, current: number): boolean {
  return number > current || number < current - MAX_DISORDER_SECONDS;
}

function bySequence(one: Candidate, other: Candidate): number {
  return one.sequence - other.sequence;
}
