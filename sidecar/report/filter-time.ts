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

/** What `parseDurationUs` takes, in words. */
export const DURATIONS = 'a time like 250ms, 1.5s or 2m';

/** Returns microseconds, undefined for what is no span of time. */
export function parseDurationUs(text: string): number | undefined {
  const [, count, unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text) ?? [];
  const unitUs = unit === 'ms' ? 1000 : (UNIT_MS[unit] ?? 0) * 1000;
  return count === undefined ? undefined : Math.round(Number(count) * unitUs);
}

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
