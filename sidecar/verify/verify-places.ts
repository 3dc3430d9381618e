// Where rows that don't fit their place belong. A row's hash holds its number and the hash before it:
// whoever moved it can't have both right, and the place where both are right is where it was. Pure.
import type { Heads } from './verify-heads.ts';
import { hashAt, type ReadRow } from './verify-row.ts';

/** A row that doesn't fit where it stands, or about which that can't be said. */
export type Suspect = {
  readonly row: ReadRow;
  /** The place that it should fit; absent when another row stands there, or it has none at all. */
  readonly slot: number | undefined;
  /** What the hash of the row before it may be. */
  readonly before: readonly Uint8Array[];
  /** The first row that nothing signed vouches for. */
  readonly since: number;
  /** The rows before it are missing. */
  readonly isUnproven: boolean;
  /** The next row fits the hash that this one should have. */
  isHashChanged?: boolean;
};

/** Rows that are missing between two. */
export type Gap = {
  readonly from: number;
  readonly to: number;
  readonly before: readonly Uint8Array[];
};

export type Dispute = {
  readonly suspects: readonly Suspect[];
  readonly gaps: readonly Gap[];
  /** Places that rows in question were taken to stand in, until others fitted there. */
  readonly taken: ReadonlySet<number>;
};

/** The row that belongs in a place, and the hash that it has there. */
export type Placed = { readonly suspect: Suspect; readonly hash: Uint8Array };

export type Placing = {
  readonly chain: string;
  readonly heads: Pick<Heads, 'hashesAt'>;
  /** How many hashes may still be made for it, in all disputes together: 3 µs each. */
  readonly budget: { left: number };
};

/** Of a longer gap only the first places are tried, and a longer way down is not found. */
const MAX_STEPS = 64;

/** Returns what belongs where, as far as that can be told. */
export function placesOf(dispute: Dispute, placing: Placing): Map<number, Placed> {
  const occupants = occupantsOf(dispute);
  const placed = new Map<number, Placed>();
  const unplaced = new Set(dispute.suspects);
  let step = 0; // how far the last row was moved: those after it often were, too

  function place(suspect: Suspect, slot: number, hash: Uint8Array): void {
    placed.set(slot, { suspect, hash });
    unplaced.delete(suspect);
    if (suspect.slot !== undefined) step = slot - suspect.slot;
  }

  function fill(slot: number, before: readonly Uint8Array[]): void {
    const own = occupants.get(slot);
    const previous = [...optional(placed.get(slot - 1)?.hash), ...placing.heads.hashesAt(slot - 1)];
    const nearest = [occupants.get(slot - step), own].filter((near) => near && unplaced.has(near));
    for (const suspect of new Set([...(nearest as Suspect[]), ...unplaced])) {
      if (placing.budget.left <= 0 && suspect !== own) continue;
      const hash = fitting(suspect, slot, [...previous, ...before], own);
      if (hash !== undefined) return place(suspect, slot, hash);
    }
  }

  function fitting(
    { row }: Suspect,
    slot: number,
    previous: readonly Uint8Array[],
    own: Suspect | undefined,
  ): Uint8Array | undefined {
    for (const bytes of previous) {
      placing.budget.left -= 1;
      const hash = hashAt(row, bytes, placing.chain, slot);
      // Moved together with its hash, or under the hash of the row that stood there.
      if (hash && (isSame(hash, row.stored) || isSame(hash, own?.row.stored))) return hash;
    }
    return undefined;
  }

  // Rows were taken out and those after them moved down: the first has lost the one before it, the
  // others have it still.
  function follow(suspect: Suspect, slot: number): void {
    const stored = occupants.get(slot - 1)?.row.stored;
    if (stored === undefined || !unplaced.has(suspect)) return;
    for (const down of [step, ...STEPS]) {
      if (placing.budget.left <= 0 || down <= 0 || placed.has(slot + down)) continue;
      const hash = fitting(suspect, slot + down, [stored], undefined);
      if (hash !== undefined) return place(suspect, slot + down, hash);
    }
  }

  for (const [slot, before] of slotsOf(dispute)) fill(slot, before);
  for (const [slot, suspect] of occupants) follow(suspect, slot);
  return placed;
}

const STEPS = Array.from({ length: MAX_STEPS }, (_, index) => index + 1);

/** Returns the rows in question by the place that they should fit. */
export function occupantsOf({ suspects }: Dispute): Map<number, Suspect> {
  const occupants = new Map<number, Suspect>();
  for (const suspect of suspects) {
    if (suspect.slot !== undefined) occupants.set(suspect.slot, suspect);
  }
  return occupants;
}

/** Returns the places in question in their order, each with what the hash before it may be. */
function slotsOf({ suspects, gaps }: Dispute): [number, readonly Uint8Array[]][] {
  const slots: [number, readonly Uint8Array[]][] = [];
  for (const { slot, before } of suspects) if (slot !== undefined) slots.push([slot, before]);
  for (const { from, to, before } of gaps) {
    const last = Math.min(to, from + MAX_STEPS - 1);
    for (let slot = from; slot <= last; slot++) slots.push([slot, slot === from ? before : []]);
  }
  return slots.toSorted(([a], [b]) => a - b);
}

function isSame(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && Buffer.compare(a, b) === 0;
}

function optional<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}
