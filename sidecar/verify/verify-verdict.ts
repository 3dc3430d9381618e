// From rows in question, and the places where they belong, to what was done to them. Pure.
import { range, rowsText, type Finding } from './finding.ts';
import { visible } from '../visible.ts';
import { occupantsOf, type Dispute, type Gap, type Placed, type Suspect } from './verify-places.ts';

/** A dispute after `placesOf`. */
type Case = Dispute & {
  readonly placed: ReadonlyMap<number, Placed>;
  readonly occupants: ReadonlyMap<number, Suspect>;
  /** Where each row belongs for which that is known. */
  readonly home: ReadonlyMap<Suspect, number>;
  /** Places at the end that nobody needs: the rows in them belong further up. */
  readonly surplus: ReadonlySet<number>;
};

type Rows = { readonly from: number; readonly to: number };
type Move = { readonly from: number; readonly to: number };

/** Most moves that a finding tells one by one. */
const MAX_MOVES_TOLD = 8;

/**
 * Returns what is found: at least one finding when anything was in question. `last` is the place of the
 * last row so far.
 */
export function judge(
  dispute: Dispute,
  placed: ReadonlyMap<number, Placed>,
  last: number,
): Finding[] {
  const home = new Map([...placed].map(([slot, { suspect }]) => [suspect, slot]));
  const occupants = occupantsOf(dispute);
  const surplus = surplusOf(occupants, home, last);
  const whole: Case = { ...dispute, placed, occupants, home, surplus };
  const findings = [
    ...intrudersOf(whole).map(inserted),
    ...changed(changedOf(whole)),
    ...removedOf(whole).map(takenOut),
    ...dispute.gaps.flatMap((gap) => stillMissing(gap, whole)),
    ...dispute.suspects.flatMap((suspect) => strayed(suspect, whole)),
    ...movesOf(whole).map(reordered),
  ];
  // Something was in question, and whatever it was, it must not look as if nothing was wrong.
  return findings.length === 0 ? changed(dispute.suspects.slice(0, 1)) : findings;
}

function surplusOf(
  occupants: ReadonlyMap<number, Suspect>,
  home: ReadonlyMap<Suspect, number>,
  last: number,
): Set<number> {
  const surplus = new Set<number>();
  const filled = new Set(home.values());
  const fromEnd = [...occupants].toReversed();
  if (fromEnd[0]?.[1].row.place !== last) return surplus;
  for (const [slot, suspect] of fromEnd) {
    if (filled.has(slot) || (home.get(suspect) ?? slot) >= slot) break;
    surplus.add(slot);
  }
  return surplus;
}

// A row whose place is another's, or which has no place.
function intrudersOf({ suspects, home, placed }: Case): Suspect[] {
  return suspects.filter(
    (suspect) => !home.has(suspect) && (suspect.slot === undefined || placed.has(suspect.slot)),
  );
}

function inserted({ row: { place, columns } }: Suspect): Finding {
  const id = visible(String(columns['request_id']));
  const text =
    place === undefined
      ? `A row without a number was inserted (request ${id}), or its number was changed.`
      : `Row ${place} was inserted (request ${id}): the chain does not hold it.`;
  return { kind: 'inserted', sequence: place ?? 0, text };
}

function changedOf(whole: Case): Suspect[] {
  // The first row after missing ones can't be checked, whatever it holds.
  const orphans = new Set(removedOf(whole).flatMap(({ from, to }) => [from, to + 1]));
  return whole.suspects.filter((suspect) => {
    const { slot, row, isUnproven } = suspect;
    if (row.damage !== undefined) return slot !== undefined;
    if (whole.home.has(suspect) || slot === undefined || whole.placed.has(slot)) return false;
    return !isUnproven && !orphans.has(slot);
  });
}

/** Neighbours about which the same is said become one finding. */
function changed(suspects: readonly Suspect[]): Finding[] {
  const findings: Finding[] = [];
  let why: string | undefined;
  for (const suspect of suspects) {
    const place = suspect.row.place ?? 0;
    const before = findings.at(-1);
    const isNext = before !== undefined && (before.to ?? before.sequence) + 1 === place;
    const since = isNext && why === UNFIT ? before.since : suspect.since;
    const from = isNext && why === whyOf(suspect) ? before.sequence : place;
    if (from !== place) findings.pop();
    why = whyOf(suspect);
    findings.push(changedRows({ from, to: place }, why, since ?? place));
  }
  return findings;
}

const UNFIT = 'unfit';

function whyOf({ row, isHashChanged }: Suspect): string {
  if (row.damage !== undefined) return row.damage;
  return isHashChanged ? 'another hash than its own; the values fit' : UNFIT;
}

function changedRows({ from, to }: Rows, why: string, since: number): Finding {
  const rows = rowsText(from, to);
  const finding = { kind: 'changed', ...range(from, to) } as const;
  if (why !== UNFIT) return { ...finding, text: `${rows}: ${why}.` };
  const text = `${rows} changed: the values do not fit the hash`;
  if (since >= from) return { ...finding, text: `${text}.` };
  const instead = `${rowsText(since, from - 1)} may have been changed instead, with the hash made anew`;
  return { ...finding, since, text: `${text}. ${instead}.` };
}

/** Rows whose place nobody fills although those after them are there, under other numbers. */
function removedOf({ occupants, placed, home, surplus, taken }: Case): Rows[] {
  const removed: Rows[] = [];
  for (const [slot, suspect] of occupants) {
    const isToldOf = slot <= (removed.at(-1)?.to ?? -1) + 1;
    if (isToldOf || placed.has(slot) || surplus.has(slot) || taken.has(slot)) continue;
    const own = home.get(suspect);
    const next = occupants.get(slot + 1);
    // The first row after the missing ones has lost its predecessor; the second tells how many.
    const down = own === undefined ? ((next && home.get(next)) ?? 0) - slot - 1 : own - slot;
    if (own !== undefined || down > 0)
      removed.push({ from: slot, to: slot + Math.max(down, 1) - 1 });
  }
  return removed;
}

function takenOut({ from, to }: Rows): Finding {
  const text = `${rowsText(from, to)} missing, and the rows after were given other numbers. The first row after can't be checked.`;
  return { kind: 'missing', ...range(from, to), text };
}

function stillMissing({ from, to }: Gap, { placed, occupants, surplus }: Case): Finding[] {
  if (surplus.has(to + 1)) return []; // the row beyond belongs elsewhere: there never was a gap
  const filled = [...placed.keys()].filter((slot) => slot >= from && slot <= to);
  const ends = [from - 1, ...filled.toSorted((a, b) => a - b), to + 1];
  const parts = ends
    .slice(1)
    .map((end, index) => ({ from: (ends[index] ?? end) + 1, to: end - 1 }));
  const next = occupants.get(to + 1);
  const isUnproven = next !== undefined && !placed.has(to + 1);
  return parts
    .filter((part) => part.from <= part.to)
    .map((part) => {
      const what = `${rowsText(part.from, part.to)} missing.`;
      const text = `${what} So row ${to + 1} can't be checked: it may have been changed or inserted.`;
      return {
        kind: 'missing',
        ...range(part.from, part.to),
        text: isUnproven && part.to === to ? text : what,
      };
    });
}

// A row that stands where another one does, or nowhere, and belongs into a place that is free.
function strayed(suspect: Suspect, { home, occupants }: Case): Finding[] {
  const slot = home.get(suspect);
  if (suspect.slot !== undefined || slot === undefined) return [];
  const { place } = suspect.row;
  // With another row under the same number, that one is in the wrong, and told of.
  if (place === slot && occupants.has(slot)) return [];
  const stands = place === slot ? 'out of order' : `under the number ${place ?? 'of no row'}`;
  return [{ kind: 'reordered', sequence: slot, text: `Row ${slot} stands ${stands}.` }];
}

/** Rows that stand in each other's places, one list for those that belong together. */
function movesOf(whole: Case): Move[][] {
  const told = new Set([
    ...intrudersOf(whole).map(({ slot }) => slot),
    ...removedOf(whole).flatMap(({ from, to }) => numbers(from, to + 2)),
  ]);
  const groups: { slots: Set<number>; moves: Move[] }[] = [];
  for (const [suspect, to] of whole.home) {
    const from = suspect.slot;
    if (from === undefined || from === to) continue;
    const touching = groups.filter(({ slots }) => slots.has(from) || slots.has(to));
    const slots = new Set([from, to, ...touching.flatMap((group) => [...group.slots])]);
    const moves = [...touching.flatMap((group) => group.moves), { from, to }];
    groups.splice(0, groups.length, ...groups.filter((g) => !touching.includes(g)), {
      slots,
      moves,
    });
  }
  const untold = groups.filter(({ slots }) => ![...slots].some((slot) => told.has(slot)));
  return untold.map(({ moves }) => moves);
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

function reordered(moves: readonly Move[]): Finding {
  const slots = moves.flatMap(({ from, to }) => [from, to]);
  const [first, last] = [Math.min(...slots), Math.max(...slots)];
  const isExchange = moves.length === 2 && new Set(slots).size === 2;
  const told = moves.slice(0, MAX_MOVES_TOLD).map(({ from, to }) => `row ${to} under ${from}`);
  const more = moves.length > MAX_MOVES_TOLD ? ', …' : '';
  const text = isExchange
    ? `Rows ${first} and ${last} stand in each other's place.`
    : `Rows stand under other numbers than theirs: ${told.join(', ')}${more}.`;
  return { kind: 'reordered', ...range(first, last), text };
}
