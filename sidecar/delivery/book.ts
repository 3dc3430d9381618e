// What became of the rows of a delivery, counted: since the start for whoever asks, and by parcel for the
// notes that the store keeps together with the cursor.
import type { Ledger } from './flight.ts';
import type { Outbox } from './outbox.ts';
import { createRefusals, refusedNote, type Refusal, type Refusals } from './refusals.ts';
import type { Parcel } from './source.ts';
import { volumeNote, type Volume } from './volume.ts';

/** Spans or log records by the reason for which they will not be sent. */
export type LeftOut = Record<string, number>;

export type Book = {
  /** Reads what the notes say so far. */
  open(outbox: Pick<Outbox, 'note'>): Promise<void>;
  /** Returns whom to tell what becomes of a parcel. */
  enter(parcel: Parcel): Ledger;
  /** Returns the notes, as they are when these parcels are dealt with. */
  notesOf(parcels: readonly Parcel[]): Record<string, string>;
  /** The store has the notes that were returned last. */
  markKept(): void;
  sent(): number;
  leftOut(): Readonly<LeftOut>;
  /** What was lost: nobody sends it again by itself. */
  loss(): string | undefined;
};

type Entry = { sent: number; readonly leftOut: LeftOut; readonly refusals: Refusal[] };

export type BookOptions = {
  readonly name: string;
  readonly volume?: Volume;
  /** Whether `signet deliver --refused` knows how. */
  readonly canBeResent: boolean;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
};

/** Returns the book of one delivery. */
export function createBook({ name, volume, canBeResent, nowMs }: BookOptions): Book {
  const entries = new Map<Parcel, Entry>();
  const all = { sent: 0, leftOut: {} as LeftOut };
  let refusals: Refusals = createRefusals(undefined);
  let isVolumeNew = false;
  let areRefusalsNew = false;
  let loss: string | undefined;

  function enter(parcel: Parcel): Ledger {
    const entry: Entry = { sent: 0, leftOut: {}, refusals: [] };
    entries.set(parcel, entry);
    const leave = (reason: string, items: number) => {
      addTo(entry.leftOut, reason, items);
      addTo(all.leftOut, reason, items);
    };
    for (const [reason, items] of Object.entries(parcel.leftOut ?? {})) leave(reason, items);
    return {
      taken: (items, rejection) => {
        const kept = items - (rejection?.spans ?? 0);
        entry.sent += kept;
        all.sent += kept;
        if (rejection === undefined) return;
        leave('rejected', rejection.spans);
        loss = rejectedText(all.leftOut, rejection.reason);
      },
      refused: ({ sequence }, items, reason) => {
        entry.refusals.push({ sequence, atMs: nowMs(), reason });
        leave('refused', items);
        loss = refusedText(all.leftOut, reason) + (canBeResent ? RESEND : '');
      },
    };
  }

  // Each once: a store that failed is told the same notes again.
  function add({ sent, leftOut, refusals: refused }: Entry): void {
    if (sent > 0 || Object.keys(leftOut).length > 0) {
      volume?.add(nowMs(), sent, leftOut);
      isVolumeNew = true;
    }
    if (refused.length === 0) return;
    refusals.add(refused);
    areRefusalsNew = true;
  }

  function notesOf(parcels: readonly Parcel[]): Record<string, string> {
    for (const parcel of parcels) {
      const entry = entries.get(parcel);
      if (entry !== undefined) add(entry);
      entries.delete(parcel);
    }
    return {
      ...(isVolumeNew && volume !== undefined && { [volumeNote(name)]: volume.toNote() }),
      ...(areRefusalsNew && { [refusedNote(name)]: refusals.toNote() }),
    };
  }

  return {
    open: async (outbox) => {
      refusals = createRefusals(await outbox.note(refusedNote(name)));
    },
    enter,
    notesOf,
    markKept: () => {
      isVolumeNew = false;
      areRefusalsNew = false;
    },
    sent: () => all.sent,
    leftOut: () => all.leftOut,
    loss: () => loss,
  };
}

function addTo(leftOut: LeftOut, reason: string, items: number): void {
  leftOut[reason] = (leftOut[reason] ?? 0) + items;
}

function rejectedText({ rejected }: LeftOut, reason: string): string {
  return `acknowledged but not kept: ${rejected}, the last for: ${reason}`;
}

function refusedText({ refused }: LeftOut, reason: string): string {
  return `refused for good and set aside: ${refused}, the last for: ${reason}`;
}

const RESEND = '; when that is mended, `signet deliver --refused` sends them again';
