// What one destination got, and what was left out and why: spans by UTC day. Kept as a note in the store,
// in the same transaction as the cursor, so that a day's budget outlives a restart. Pure.

/** Days that are remembered: those of a bill, and some more. */
export const MAX_DAYS = 35;

/** What the names of these notes begin with; the name of a cursor follows. */
export const VOLUME_NOTES = 'volume:';

/** One day's spans. */
export type DayVolume = {
  readonly sent: number;
  /** By reason: `budget-second:other`, `refused`. */
  readonly leftOut: Readonly<Record<string, number>>;
};

export type Volume = {
  add(atMs: number, sent: number, leftOut?: Readonly<Record<string, number>>): void;
  /** What was left out that day for that reason has arrived after all. */
  takeOff(atMs: number, reason: string, spans: number): void;
  /** Returns the day's spans so far; of a day without any, zeros. */
  day(atMs: number): DayVolume;
  /** Returns what `createVolume` makes the same of. */
  toNote(): string;
};

const NOTHING: DayVolume = { sent: 0, leftOut: {} };

/** Returns the name of a destination's note, by that of its cursor. */
export function volumeNote(cursorName: string): string {
  return VOLUME_NOTES + cursorName;
}

/** Returns a volume that goes on from a note; with a note that is none, from nothing. */
export function createVolume(note: string | undefined): Volume {
  const days = parseVolume(note);

  function add(atMs: number, sent: number, leftOut: DayVolume['leftOut'] = {}): void {
    const name = utcDay(atMs);
    const day = days.get(name) ?? NOTHING;
    days.set(name, { sent: day.sent + sent, leftOut: sumOf(day.leftOut, leftOut) });
    if (days.size > MAX_DAYS) days.delete(earliest(days));
  }

  // A day that is no longer remembered stays forgotten.
  function takeOff(atMs: number, reason: string, spans: number): void {
    const day = days.get(utcDay(atMs));
    if (day === undefined) return;
    const { [reason]: before = 0, ...others } = day.leftOut;
    const left = Math.max(0, before - spans);
    days.set(utcDay(atMs), { ...day, leftOut: { ...others, ...(left > 0 && { [reason]: left }) } });
  }

  return {
    add,
    takeOff,
    day: (atMs) => days.get(utcDay(atMs)) ?? NOTHING,
    toNote: () => JSON.stringify(Object.fromEntries(days)),
  };
}

/** Returns the days of a note, by their names (`2026-11-20`); what is none there is left away. */
export function parseVolume(note: string | undefined): Map<string, DayVolume> {
  const entries = Object.entries(objectIn(note)).map(
    ([day, volume]) => [day, toDay(volume)] as const,
  );
  return new Map(entries.filter(([day]) => /^\d{4}-\d\d-\d\d$/.test(day)));
}

/** Returns the UTC day of a time, `2026-11-20`. */
export function utcDay(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}

function sumOf(one: DayVolume['leftOut'], other: DayVolume['leftOut']): DayVolume['leftOut'] {
  const sum: Record<string, number> = { ...one };
  for (const [reason, spans] of Object.entries(other)) sum[reason] = (sum[reason] ?? 0) + spans;
  return sum;
}

function earliest(days: ReadonlyMap<string, DayVolume>): string {
  return [...days.keys()].toSorted()[0] ?? '';
}

// Only this file writes them; a store that was damaged must not stop a delivery for its statistics.
function objectIn(note: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(note ?? '{}');
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function toDay(value: unknown): DayVolume {
  const { sent, leftOut } = isObject(value) ? value : {};
  const reasons = Object.entries(isObject(leftOut) ? leftOut : {}).filter(
    (entry): entry is [string, number] => isCount(entry[1]),
  );
  return { sent: isCount(sent) ? sent : 0, leftOut: Object.fromEntries(reasons) };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
