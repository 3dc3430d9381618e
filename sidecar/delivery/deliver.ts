// One destination follows the store: parcels of rows are sent, several at a time, and the cursor moves
// when a parcel and all before it are dealt with. At least once, with the same span ids: the store is the
// outbox. Where rows come from is in source.ts, what becomes of a parcel in flight.ts, when it may be sent
// in pace.ts.
import { explain } from '../fault.ts';
import { createBell } from './bell.ts';
import { createBook } from './book.ts';
import { withRemedy, type DeliveryState } from './delivery-state.ts';
import type { Feed } from './feed.ts';
import { fly } from './flight.ts';
import type { Outbox } from './outbox.ts';
import { createPace, PAUSES, type Pauses } from './pace.ts';
import { readAnew } from './renew.ts';
import type { Parcel, Source } from './source.ts';
import type { Transport } from '../otlp/transport.ts';
import type { Volume } from './volume.ts';

export type { DeliveryState };

/** Parcels on their way at once, and so pages of rows in memory. */
export const MAX_IN_FLIGHT = 4;

export type DeliveryOptions = {
  /** Of the cursor: the destination's, or with its signal (see `cursorNames`). */
  readonly name: string;
  readonly outbox: Outbox;
  /** Is closed by whoever made it: several signals may share it. */
  readonly transport: Omit<Transport, 'close'>;
  /** Makes a feed; each parcel that is on its way has one. */
  readonly feed: () => Feed;
  /** Makes the source that begins behind a sequence. */
  readonly source: (after: number) => Source;
  /** Is told what was sent and left out, and kept with the cursor. */
  readonly volume?: Volume;
  readonly pauses?: Partial<Pauses>;
  /** Milliseconds since the epoch. */
  readonly nowMs?: () => number;
};

export type Delivery = {
  readonly name: string;
  /** New rows may be there. Never waits, never throws. */
  wake(): void;
  state(): DeliveryState;
  /** Sends what is there until nothing is left, a failure, or the deadline; then nothing more is sent. */
  finish(deadlineMs: number): Promise<void>;
};

/** A parcel on its way; `stranded` where it may not be sent any more. */
type Flight = { readonly parcel: Parcel; state: 'flying' | 'landed' | 'stranded' };

/** Returns the delivery to one destination. A failure is kept as its state and tried again. */
export function createDelivery(options: DeliveryOptions): Delivery {
  const { name, outbox, transport, volume, nowMs = Date.now } = options;
  const pauses = { ...PAUSES, ...options.pauses };
  const clock = () => performance.now();
  const pace = createPace({ transport, pauses, nowMs: clock, random: Math.random });
  const feeds = [options.feed()];
  const canBeResent = feeds[0]?.signal === 'traces';
  const book = createBook({ name, nowMs, canBeResent, ...(volume !== undefined && { volume }) });
  const bell = createBell();
  const flights: Flight[] = [];
  let begun: { source: Source; cursor: number } | undefined;
  let isAwake = false;
  let takeFromMs = 0;
  let store: { readonly failures: number; readonly problem?: string } = { failures: 0 };
  let isFinishing = false;
  let isOver = false;
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    while (!isOver) {
      if (hasWork()) await work();
      else if (isFinishing && flights.every(({ state }) => state !== 'flying')) return;
      else await bell.rungWithin(waitMs());
    }
  }

  function hasWork(): boolean {
    return begun === undefined || flights[0]?.state === 'landed' || (mayTake() && restMs() <= 0);
  }

  async function work(): Promise<void> {
    try {
      begun ??= await begin();
      begun.cursor = await settle(begun.cursor);
      if (mayTake() && restMs() <= 0) await take(begun.source);
      store = { failures: 0 };
    } catch (error) {
      await backOff(error);
    }
  }

  // A destination that has nothing yet holds up the removal of rows: it must be known that it is there.
  async function begin() {
    const cursor = await outbox.cursor(name);
    if (cursor === 0) await outbox.moveCursor(name, 0);
    await book.open(outbox);
    return { source: options.source(cursor), cursor };
  }

  // In the order of the store, whichever was acknowledged first.
  async function settle(cursor: number): Promise<number> {
    const isUnderWay = flights.findIndex(({ state }) => state !== 'landed');
    const landed = flights.slice(0, isUnderWay === -1 ? flights.length : isUnderWay);
    const last = landed.at(-1);
    if (last === undefined) return cursor;
    const notes = book.notesOf(landed.map(({ parcel }) => parcel));
    await outbox.moveCursor(name, last.parcel.upTo, notes);
    book.markKept();
    flights.splice(0, landed.length);
    return last.parcel.upTo;
  }

  function mayTake(): boolean {
    return isAwake && flights.length < MAX_IN_FLIGHT && !pace.isClosed();
  }

  async function take(source: Source): Promise<void> {
    isAwake = false;
    const parcel = await source.next().catch((error: unknown) => {
      isAwake = true;
      throw error;
    });
    if (parcel !== undefined) launch(parcel);
    const isDrained = parcel === undefined || parcel.isLast === true;
    if (isDrained) takeFromMs = clock() + pauses.gatherMs;
    if (!isDrained || (!isFinishing && source.isHolding?.() === true)) isAwake = true;
  }

  function launch(parcel: Parcel): void {
    const flight: Flight = { parcel, state: 'flying' };
    const feed = feeds.pop() ?? options.feed();
    const renew = (rows: Parcel['rows']) => readAnew(outbox, rows);
    flights.push(flight);
    void fly(parcel.rows, { feed, transport, pace, ledger: book.enter(parcel), renew }).then(
      (isLanded) => {
        flight.state = isLanded ? 'landed' : 'stranded';
        feeds.push(feed);
        bell.ring();
      },
    );
  }

  function wake(): void {
    isAwake = true;
    running ??= run();
    bell.ring();
  }

  // How long nothing is to be taken. At the end nothing is worth waiting for.
  function restMs(): number {
    return isFinishing ? 0 : takeFromMs - clock();
  }

  function waitMs(): number {
    return mayTake() ? Math.max(1, restMs()) : Infinity;
  }

  // The store is away: what was read and sent is not forgotten, and nothing goes on without it.
  async function backOff(error: unknown): Promise<void> {
    store = { failures: store.failures + 1, problem: explain(error) };
    if (isFinishing) isOver = true;
    const wholeMs = pauses.firstBackoffMs * 2 ** (store.failures - 1);
    const untilMs = clock() + Math.min(wholeMs, pauses.longestBackoffMs);
    while (!isOver && !isFinishing && clock() < untilMs) {
      await bell.rungWithin(Math.max(1, untilMs - clock()));
    }
  }

  async function finish(deadlineMs: number): Promise<void> {
    isFinishing = true;
    pace.finish();
    wake();
    const { promise: expired, resolve: expire } = Promise.withResolvers<void>();
    const timer = setTimeout(expire, deadlineMs);
    await Promise.race([running, expired]);
    clearTimeout(timer);
    isOver = true;
    pace.close();
    bell.ring();
    await running;
  }

  // What was lost on the way stays a problem until the next start.
  function state(): DeliveryState {
    const isStoreAway = store.problem !== undefined && pace.status() === 'delivering';
    const status = isStoreAway ? 'retrying' : pace.status();
    const failure = store.problem ?? pace.problem();
    const loss = book.loss() ?? transport.problem();
    const problem = failure === undefined ? loss : withRemedy(status, failure);
    return {
      cursor: begun?.cursor ?? 0,
      status,
      inFlight: pace.underWay(),
      sentSpans: book.sent(),
      leftOut: { ...book.leftOut() },
      ...(problem !== undefined && { problem }),
    };
  }

  return { name, wake, state, finish };
}
