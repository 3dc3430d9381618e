// What became of the rows of a delivery, counted: since the start for whoever asks, and by parcel for the
// notes that the store keeps together with the cursor.
import { aheadNote, isWithin, parseRanges, withSequences, type Ranges } from './ahead.ts';
import type { Ledger } from './flight.ts';
import type { Outbox } from './outbox.ts';
import {
  createRefusals,
  MAX_REFUSALS,
  refusedNote,
  resentNote,
  type Refusal,
  type Refusals,
} from './refusals.ts';
import type { Parcel } from './source.ts';
import { volumeNote, type Volume } from './volume.ts';

/** Spans or log records by the reason for which they will not be sent. */
export type LeftOut = Record<string, number>;

export type Book = {
  /** Reads what the notes say so far. */
  open(outbox: Pick<Outbox, 'note'>, cursor: number): Promise<void>;
  /** Whether something refused is on its list. */
  hasRefusals(): boolean;
  /** Reads what somebody has sent again of it, and takes it off; returns whether that was any. */
  look(outbox: Pick<Outbox, 'note'>): Promise<boolean>;
  /** Returns whom to tell what becomes of a parcel. */
  enter(parcel: Parcel): Ledger;
  /**
   * Returns the notes, as they are with the cursor there and these parcels dealt with; where it is held
   * up there, with all that is acknowledged of the others.
   */
  notesOf(dealtWith: readonly Ledger[], cursor: number, isHeldUp: boolean): Record<string, string>;
  /** Whether something is acknowledged ahead of the cursor that no note says. */
  isAheadNew(): boolean;
  /** Whether a run before had dealt with a row, ahead of its cursor. */
  wasDealtWith(sequence: number): boolean;
  /** The store has the notes that were returned last. */
  markKept(): void;
  sent(): number;
  leftOut(): Readonly<LeftOut>;
  /** What was lost: nobody sends it again by itself. What was refused is open until it is taken. */
  loss(): string | undefined;
};

type Entry = {
  /** What the source left out: it does so again where it begins again. */
  readonly atEnd: Readonly<LeftOut>;
  /** What no note has yet; and of which rows that is. */
  told: { sent: number; readonly leftOut: LeftOut; readonly refusals: Refusal[]; rows: number[] };
};

const NOTHING_AHEAD = '[]';

export type BookOptions = {
  readonly name: string;
  readonly volume?: Volume;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
};

/** Returns the book of one delivery. */
export function createBook({ name, volume, nowMs }: BookOptions): Book {
  const entries = new Map<Ledger, Entry>();
  const all = { sent: 0, leftOut: {} as LeftOut };
  let refusals: Refusals = createRefusals(undefined);
  let isVolumeNew = false;
  let areRefusalsNew = false;
  let rejected: string | undefined;
  /** What the destination said of the last that it refused: not for the store. */
  let lastWords: { readonly sequence: number; readonly reason: string } | undefined;
  let before: Ranges = [];
  let ahead: Ranges = [];
  /** Rows beyond the cursor that are dealt with, and in no ranges yet. */
  let loose: number[] = [];
  let aheadText = NOTHING_AHEAD;
  let aheadKept = NOTHING_AHEAD;

  function enter(parcel: Parcel): Ledger {
    const { leftOut: atEnd = {} } = parcel;
    const entry: Entry = { atEnd, told: nothingTold() };
    const leave = (reason: string, items: number) => {
      addTo(entry.told.leftOut, reason, items);
      addTo(all.leftOut, reason, items);
    };
    for (const [reason, items] of Object.entries(atEnd)) addTo(all.leftOut, reason, items);
    const ledger: Ledger = {
      taken: (items, rejection, rows) => {
        const kept = items - (rejection?.spans ?? 0);
        entry.told.sent += kept;
        all.sent += kept;
        entry.told.rows.push(...rows.map(({ sequence }) => sequence));
        if (rejection === undefined) return;
        leave('rejected', rejection.spans);
        rejected = rejectedText(all.leftOut, rejection.reason);
      },
      refused: ({ sequence }, items, reason) => {
        entry.told.refusals.push({ sequence, atMs: nowMs(), reason, items });
        entry.told.rows.push(sequence);
        lastWords = { sequence, reason };
        leave('refused', items);
      },
    };
    entries.set(ledger, entry);
    return ledger;
  }

  // Each once: a store that failed is told the same notes again.
  function add(entry: Entry): void {
    const { sent, leftOut, refusals: refused, rows } = entry.told;
    entry.told = nothingTold();
    addVolume(sent, leftOut);
    loose.push(...rows);
    if (refused.length === 0) return;
    refusals.add(refused);
    areRefusalsNew = true;
  }

  function addVolume(sent: number, leftOut: Readonly<LeftOut>): void {
    if (sent === 0 && Object.keys(leftOut).length === 0) return;
    volume?.add(nowMs(), sent, leftOut);
    isVolumeNew = true;
  }

  function notesOf(
    dealtWith: readonly Ledger[],
    cursor: number,
    isHeldUp: boolean,
  ): Record<string, string> {
    for (const ledger of dealtWith) {
      const entry = entries.get(ledger);
      entries.delete(ledger);
      if (entry === undefined) continue;
      add(entry);
      addVolume(0, entry.atEnd);
    }
    if (isHeldUp) for (const entry of entries.values()) add(entry);
    return {
      ...(isVolumeNew && volume !== undefined && { [volumeNote(name)]: volume.toNote() }),
      ...(areRefusalsNew && { [refusedNote(name)]: refusals.toNote() }),
      ...aheadNoteAt(cursor, isHeldUp),
    };
  }

  // While all is well there is none, and nothing more to be written: that would be once a page.
  function aheadNoteAt(cursor: number, isHeldUp: boolean): Record<string, string> {
    loose = loose.filter((sequence) => sequence > cursor);
    if (isHeldUp) {
      ahead = withSequences(ahead, loose, cursor);
      loose = [];
      aheadText = JSON.stringify(ahead);
    } else if ((ahead.at(-1)?.[1] ?? 0) <= cursor) {
      ahead = [];
      aheadText = NOTHING_AHEAD;
    }
    return aheadText === aheadKept ? {} : { [aheadNote(name)]: aheadText };
  }

  // In what the note says of its day, too: it has got them by now.
  async function look(outbox: Pick<Outbox, 'note'>): Promise<boolean> {
    const taken = refusals.settle(await outbox.note(resentNote(name)));
    if (taken.length === 0) return false;
    for (const { atMs, items = 0 } of taken) volume?.takeOff(atMs, 'refused', items);
    isVolumeNew = true;
    areRefusalsNew = true;
    return true;
  }

  function open(): readonly Refusal[] {
    return [...refusals.all(), ...[...entries.values()].flatMap(({ told }) => told.refusals)];
  }

  function loss(): string | undefined {
    const refused = refusedText(open(), lastWords);
    return rejected === undefined || refused === undefined
      ? (refused ?? rejected)
      : `${refused}. ${rejected}`;
  }

  return {
    open: async (outbox, cursor) => {
      refusals = createRefusals(await outbox.note(refusedNote(name)));
      aheadText = aheadKept = (await outbox.note(aheadNote(name))) ?? NOTHING_AHEAD;
      before = ahead = parseRanges(aheadText, cursor);
      await look(outbox);
    },
    hasRefusals: () => refusals.all().length > 0,
    look,
    enter,
    notesOf,
    isAheadNew: () =>
      aheadText !== aheadKept ||
      loose.length > 0 ||
      [...entries.values()].some(({ told }) => told.rows.length > 0),
    wasDealtWith: (sequence) => isWithin(before, sequence),
    markKept: () => {
      aheadKept = aheadText;
      isVolumeNew = false;
      areRefusalsNew = false;
    },
    sent: () => all.sent,
    leftOut: () => all.leftOut,
    loss,
  };
}

function nothingTold(): Entry['told'] {
  return { sent: 0, leftOut: {}, refusals: [], rows: [] };
}

function addTo(leftOut: LeftOut, reason: string, items: number): void {
  leftOut[reason] = (leftOut[reason] ?? 0) + items;
}

function rejectedText({ rejected }: LeftOut, reason: string): string {
  return `acknowledged but not kept: ${rejected}, the last for: ${reason}`;
}

function refusedText(
  open: readonly Refusal[],
  lastWords: Pick<Refusal, 'sequence' | 'reason'> | undefined,
): string | undefined {
  const last = open.at(-1);
  if (last === undefined) return undefined;
  const rows = open.length < MAX_REFUSALS ? `${open.length}` : `${MAX_REFUSALS} or more`;
  const reason = last.sequence === lastWords?.sequence ? lastWords.reason : last.reason;
  return `refused for good and set aside: ${rows} rows, the last for: ${reason}${RESEND}`;
}

const RESEND = '; when that is mended, `signet deliver --refused` sends them again';
