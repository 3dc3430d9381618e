// One pass over the rows of a chain, in their order. What fits is done with; what doesn't is kept until
// the end, or until there is much of it, and then looked at together. Memory is bounded by that.
import type { KeyObject } from 'node:crypto';
import type { Columns } from '../audit/database.ts';
import { MAX_FINDINGS, type Findings } from './finding.ts';
import type { Erased } from './verify-erased.ts';
import type { Heads } from './verify-heads.ts';
import { placesOf, type Gap, type Placed, type Placing, type Suspect } from './verify-places.ts';
import { hashAt, readRow, type ReadRow } from './verify-row.ts';
import { judge } from './verify-verdict.ts';

export type WalkParts = {
  readonly chain: string;
  readonly persons: ReadonlyMap<number, KeyObject>;
  readonly heads: Heads;
  readonly erased: Erased;
  readonly findings: Findings;
  /** What the rows begin after. */
  readonly start: { readonly sequence: number; readonly hash: Uint8Array };
};

export type Walk = {
  row(columns: Columns): void;
  /** There are no more rows. */
  end(): Ended;
};

export type Ended = {
  /** The number of the last row. */
  readonly last: number;
  /** The number that it had before somebody gave it another one. */
  readonly top: number;
  /** The first row after missing ones which no signed head vouches for. */
  readonly unproven: number | undefined;
};

/** Rows in question that are looked at together. */
const MAX_SUSPECTS = 256;
/** Hashes that may be made to find out where they belong: half a second, in the worst of chains. */
const MAX_TRIES = 60_000;

export function createWalk({ chain, persons, heads, erased, findings, start }: WalkParts): Walk {
  const placing: Placing = { chain, heads, budget: { left: MAX_TRIES } };
  let last = start.sequence;
  /** What the hash of the last row may be: first the one that stands beside it. */
  let before: readonly Uint8Array[] = [start.hash];
  /** By how much the numbers of the rows are too small here, once that was found. */
  let shift = 0;
  let suspects: Suspect[] = [];
  let gaps: Gap[] = [];
  let taken = new Set<number>();
  let top = start.sequence;
  let unproven: number | undefined;

  function row(columns: Columns): void {
    const read = readRow(columns, persons);
    const { place } = read;
    if (place === undefined || place <= last) question(read, undefined, false);
    else {
      const isAfterGap = place > last + 1;
      if (isAfterGap) skip(last + 1 + shift, place - 1 + shift);
      last = place;
      step(read, place, isAfterGap);
    }
    if (suspects.length + gaps.length >= MAX_SUSPECTS) settle();
  }

  function skip(from: number, to: number): void {
    gaps.push({ from, to, before });
    before = heads.hashesAt(to);
  }

  function step(read: ReadRow, place: number, isAfterGap: boolean): void {
    const isKeyless = read.commitment === undefined && read.damage === undefined;
    const found = isKeyless ? undefined : fit(read, place);
    if (isKeyless) {
      erased.meetKeyless(read, place);
      accept(read, place + shift);
    } else if (found === undefined || read.damage !== undefined) {
      doubt(read, place + shift, isAfterGap && before.length === 0);
    } else {
      moveOn(found.slot, found.slot - place);
      absolve(found.slot - 1, found.previous);
      accept(read, found.slot);
    }
  }

  // Where the numbers are what they were again, rows before it seemed to stand where these stand.
  function moveOn(slot: number, newShift: number): void {
    const places = Math.min(shift - newShift, MAX_SUSPECTS);
    for (let next = slot; next < slot + places; next++) taken.add(next);
    shift = newShift;
  }

  // First where it would be if the numbers went on as they did, then where it says that it is.
  function fit(read: ReadRow, place: number): { slot: number; previous: Uint8Array } | undefined {
    for (const slot of shift === 0 ? [place] : [place + shift, place]) {
      const previous = before.find((bytes) =>
        isSame(hashAt(read, bytes, chain, slot), read.stored),
      );
      if (previous !== undefined) return { slot, previous };
    }
    return undefined;
  }

  function accept(read: ReadRow, slot: number): void {
    const stored = read.stored ? [read.stored] : [];
    top = Math.max(top, slot);
    erased.meet(read, slot);
    heads.meet(slot, stored, true);
    before = [...stored, ...heads.hashesAt(slot)];
  }

  function question(read: ReadRow, slot: number | undefined, isUnproven: boolean): void {
    suspects.push({ row: read, slot, before, since: heads.lastGood() + 1, isUnproven });
  }

  function doubt(read: ReadRow, slot: number, isUnproven: boolean): void {
    question(read, slot, isUnproven);
    const ends = new Set([before[0], before.at(-1)].filter((bytes) => bytes !== undefined));
    const made = [...ends].map((bytes) => hashAt(read, bytes, chain, slot));
    const hashes = [read.stored, ...made].filter((bytes) => bytes !== undefined);
    heads.meet(slot, hashes, false);
    before = [...hashes, ...heads.hashesAt(slot)];
  }

  // The next row goes on from another hash than the one that stands beside this one.
  function absolve(slot: number, hash: Uint8Array): void {
    if (isSame(hash, before[0])) return;
    const suspect = suspects.findLast((other) => other.slot === slot);
    heads.confirm(slot, hash, suspect !== undefined);
    if (suspect === undefined) return;
    suspect.isHashChanged = suspect.before.some((bytes) =>
      isSame(hashAt(suspect.row, bytes, chain, slot), hash),
    );
  }

  function settle(): void {
    const dispute = { suspects, gaps, taken };
    const isWorthIt = findings.count() < MAX_FINDINGS;
    const placed = isWorthIt ? placesOf(dispute, placing) : new Map<number, Placed>();
    for (const finding of judge(dispute, placed, last)) findings.add(finding);
    const homes = new Map([...placed].map(([slot, { suspect }]) => [suspect, slot]));
    for (const suspect of suspects) conclude(suspect, homes.get(suspect), placed);
    for (const [slot, { hash }] of placed) heads.meet(slot, [hash], true);
    suspects = [];
    gaps = [];
    taken = new Set();
  }

  function conclude(
    { row: read, slot, isUnproven }: Suspect,
    home: number | undefined,
    placed: ReadonlyMap<number, Placed>,
  ): void {
    const known = home ?? (slot !== undefined && !placed.has(slot) ? slot : undefined);
    if (known === undefined) return;
    top = Math.max(top, known);
    if (home !== undefined || isUnproven) erased.meet(read, known);
    if (home !== undefined && read.place === last) shift = home - last;
    const isOpen = unproven !== undefined && unproven > heads.lastGood();
    if (home === undefined && isUnproven && !isOpen) unproven = known;
  }

  function end(): Ended {
    if (suspects.length + gaps.length > 0) settle();
    const isVouchedFor = unproven === undefined || unproven <= heads.lastGood();
    return { last, top, unproven: isVouchedFor ? undefined : unproven };
  }

  return { row, end };
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && Buffer.compare(a, b) === 0;
}
