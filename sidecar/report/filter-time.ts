// Times as they are typed, made into microseconds since the epoch. Pure.

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const AGO = /^(\d{1,9})([smhd])$/;
const ISO = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/;

/** What `parseTimeUs` takes, in words. */
export const TIMES =
  'a time like 2026-11-20 or 2026-11-20T10:35:14Z, or 90s, 15m, 1h, 7d back from now';

/** Returns the time, undefined for what is none. A date, and a time without a zone, are local. */
export function parseTimeUs(text: string, nowUs: number): number | undefined {
  const [, count, unit] = AGO.exec(text) ?? [];
  if (count !== undefined && unit !== undefined) {
    return nowUs - Number(count) * (UNIT_MS[unit] ?? 0) * 1000;
  }
  if (!ISO.test(text)) return undefined;
  // A date alone would be read as UTC, a time without a zone as local: both are local here.
  const ms = Date.parse(text.length === 10 ? `${text}T00:00` : text.replace(' ', 'T'));
  return Number.isNaN(ms) ? undefined : ms * 1000;
}
