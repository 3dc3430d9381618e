// One destination follows the store: parcels of rows are sent, several at a time, and the cursor moves
// when a parcel and all before it are dealt with. At least once, with the same span ids: the store is the
// outbox. Where rows come from is in source.ts, what becomes of a parcel in flight.ts, when it may be sent
// in pace.ts.
import { explain } from '../fault.ts';
import { createBell } from './bell.ts';
import { createBook } from './book.ts';
import { sendingTrouble, troublesOf, type DeliveryState } from './delivery-state.ts';
import type { Feed } from './feed.ts';
import { fly, type Ledger } from './flight.ts';
import type { Outbox } from './outbox.ts';
import { createPace, isWell, PAUSES, type Pauses } from './pace.ts';
import { createRenew } from './renew.ts';
import type { Parcel, Source } from './source.ts';
import type { Failure, Transport } from '../otlp/transport.ts';
import type { Volume } from './volume.ts';

export type { DeliveryState };

/** Parcels on their way at once, and so pages of rows in memory. */
export const MAX_IN_FLIGHT = 4;
/** So few rows of a page that fail take none of that room. */
const FEW_ROWS = 8;

/**
 * Parcels beyond the cursor while the first of them fails. Those behind it show whether it is at fault; what
 * of them was taken is remembered, and not held in memory.
 */
export const MAX_AHEAD = 200;

export type DeliveryOptions = {
  /** Of the cursor: the destination's, or with its signal (see `cursorNames`). */
  readonly name: string;
  readonly outbox: Outbox;
  /** Is closed by whoever made it: several signals may share it. */
  readonly transport: Omit<Transport, 'close'>;
  /** Makes a feed; each parcel that is on its way has one. */
  readonly feed: () => Feed;
  /** Makes the source that begins behind a sequence; some rows there a run before had sent already. */
  readonly source: (after: number, wasSent: (sequence: number) => boolean) => Source;
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
type Flight = {
  readonly ledger: Ledger;
  readonly upTo: number;
  state: 'flying' | 'landed' | 'stranded';
  /** A request of it has failed. */
  hasFailed: boolean;
  /** Rows that are not dealt with. */
  left: number;
};

/** Returns the delivery to one destination. A failure is kept as its state and tried again. */
export function createDelivery(options: DeliveryOptions): Delivery {
  const { name, outbox, transport, volume, nowMs = Date.now } = options;
  const pauses = { ...PAUSES, ...options.pauses };
  const clock = () => performance.now();
  const pace = createPace({ transport, pauses, nowMs: clock, random: Math.random });
  const feeds = [options.feed()];
  const book = createBook({ name, nowMs, ...(volume !== undefined && { volume }) });
  const bell = createBell();
  const renew = createRenew(outbox);
  const flights: Flight[] = [];
  let begun: { source: Source; cursor: number } | undefined;
  let isAwake = false;
  let takeFromMs = 0;
  let lookedAtMs = clock();
  let isLookDue = false;
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
    if (begun === undefined || isLookDue || flights[0]?.state === 'landed') return true;
    if (isHeldUp(flights[0]) && book.isAheadNew()) return true;
    return mayTake() && restMs() <= 0;
  }

  async function work(): Promise<void> {
    try {
      begun ??= await begin();
      begun.cursor = await settle(begun.cursor);
      if (isLookDue) await look(begun.cursor);
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
    await book.open(outbox, cursor);
    const source = options.source(cursor, (sequence) => book.wasDealtWith(sequence));
    return { source, cursor };
  }

  // In the order of the store, whichever was acknowledged first. What is ahead of one that fails is kept
  // beside the cursor: nobody knows how long that will take.
  async function settle(cursor: number): Promise<number> {
    const isUnderWay = flights.findIndex(({ state }) => state !== 'landed');
    const landed = flights.slice(0, isUnderWay === -1 ? flights.length : isUnderWay);
    const isAhead = isOver || isHeldUp(flights[landed.length]);
    if (landed.length === 0 && !(isAhead && book.isAheadNew())) return cursor;
    const upTo = landed.at(-1)?.upTo ?? cursor;
    const ledgers = landed.map(({ ledger }) => ledger);
    await outbox.moveCursor(name, upTo, book.notesOf(ledgers, upTo, isAhead));
    book.markKept();
    flights.splice(0, landed.length);
    return upTo;
  }

  function isHeldUp(first: Flight | undefined): boolean {
    return first?.hasFailed === true && first.state !== 'landed';
  }

  // Somebody may have had sent again what was refused: `signet deliver` does that beside this process.
  async function look(cursor: number): Promise<void> {
    isLookDue = false;
    lookedAtMs = clock();
    if (!(await book.look(outbox))) return;
    await outbox.moveCursor(name, cursor, book.notesOf([], cursor, false));
    book.markKept();
  }

  // Only where there is something to be mended, and only as long as somebody asks how it stands.
  function askForLook(): void {
    if (!book.hasRefusals() || isFinishing || clock() < lookedAtMs + pauses.refusalsLookMs) return;
    isLookDue = true;
    bell.ring();
  }

  function mayTake(): boolean {
    const isRoom = flights.length < (isHeldUp(flights[0]) ? MAX_AHEAD : MAX_IN_FLIGHT);
    return isAwake && isRoom && weighty() < MAX_IN_FLIGHT && !pace.isClosed();
  }

  // A few rows that fail again and again are in nobody's way: only what comes behind them can show whether
  // they or the destination are at fault.
  function weighty(): number {
    const isLight = ({ hasFailed, left }: Flight) => hasFailed && left <= FEW_ROWS;
    return flights.filter((flight) => flight.state !== 'landed' && !isLight(flight)).length;
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
    const ledger = book.enter(parcel);
    const { upTo } = parcel;
    const rows = parcel.rows.filter(({ sequence }) => !book.wasDealtWith(sequence));
    const left = rows.length;
    const flight: Flight = { ledger, upTo, state: 'flying', hasFailed: false, left };
    const feed = feeds.pop() ?? options.feed();
    // One row that is refused holds nobody up, but where all are.
    const onFailure = (kind: Failure['kind']) => {
      if (kind === 'refused' && pace.status() !== 'refusing') return;
      flight.hasFailed = true;
      bell.ring();
    };
    const onLeft = (left: number) => {
      flight.left = left;
      if (flight.hasFailed) bell.ring();
    };
    flights.push(flight);
    void fly({ ...parcel, rows }, { feed, transport, pace, ledger, renew, onFailure, onLeft }).then(
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
    // Not for long, at the end, but until that has come: what is under way may still be acknowledged.
    if (isFinishing) return bell.rungWithin(pauses.gatherMs);
    const wholeMs = pauses.firstBackoffMs * 2 ** (store.failures - 1);
    const untilMs = clock() + Math.min(wholeMs, pauses.longestBackoffMs);
    while (!isFinishing && clock() < untilMs) {
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
    await keepAhead();
  }

  // What an orderly end doesn't keep here is sent again.
  async function keepAhead(): Promise<void> {
    if (begun === undefined) return;
    begun.cursor = await settle(begun.cursor).catch(() => begun?.cursor ?? 0);
  }

  function state(): DeliveryState {
    askForLook();
    const isStoreAway = store.problem !== undefined && isWell(pace.status());
    const status = isStoreAway ? 'retrying' : pace.status();
    return {
      cursor: begun?.cursor ?? 0,
      status,
      inFlight: pace.underWay(),
      sent: book.sent(),
      leftOut: { ...book.leftOut() },
      ...troublesOf({
        store: store.problem && `${store.problem}; it will be tried again`,
        sending: sendingTrouble(pace.status(), pace.problem()),
        credentials: transport.problem(),
        loss: book.loss(),
      }),
    };
  }

  return { name, wake, state, finish };
}
