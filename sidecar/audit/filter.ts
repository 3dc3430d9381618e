// The options of `signet audit` as they are typed, made into a filter. Pure; all mistakes at once.
import { USER_TYPES } from '../identity/identity.ts';
import { DECISIONS } from '../policy/reason.ts';

/** Both ends belong to it. */
export type StatusRange = { readonly from: number; readonly to: number };

/** What a row must be to be listed. Within one field any value will do; absent lets all through. */
export type Filter = {
  readonly user?: readonly string[];
  readonly team?: readonly string[];
  readonly type?: readonly string[];
  readonly route?: readonly string[];
  readonly decision?: readonly string[];
  readonly status?: readonly StatusRange[];
  /** Start of the request, in microseconds since the epoch; belongs to it. */
  readonly sinceUs?: number;
  /** Start of the request, in microseconds since the epoch; does not belong to it. */
  readonly untilUs?: number;
  /** Only the newest ones. */
  readonly limit?: number;
};

/** As they come from the command line: lists given several times, or with commas, or both. */
export type FilterOptions = {
  readonly user?: readonly string[];
  readonly team?: readonly string[];
  readonly type?: readonly string[];
  readonly route?: readonly string[];
  readonly decision?: readonly string[];
  readonly status?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly limit?: string;
};

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const AGO = /^(\d{1,9})([smhd])$/;
const ISO = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/;
const TIMES = 'a time like 2026-11-20 or 2026-11-20T10:35:14Z, or 90s, 15m, 1h, 7d back from now';

/**
 * Returns the filter that the options describe. Throws a TypeError whose message has one line per
 * mistake: the option, what was read, what is allowed. A time without a zone is local.
 */
export function parseFilter(options: FilterOptions, nowUs: number): Filter {
  const mistakes: string[] = [];
  const complain = (option: string, value: string, allowed: string) => {
    mistakes.push(`--${option}: read ${JSON.stringify(value)}; allowed is ${allowed}`);
    return undefined;
  };

  const words = (option: 'user' | 'team' | 'route') =>
    listOf(options[option], (value) => (value === '' ? complain(option, value, 'a name') : value));
  const wordsOf = (option: 'type' | 'decision', allowed: readonly string[]) =>
    listOf(options[option], (value) =>
      allowed.includes(value) ? value : complain(option, value, allowed.join(', ')),
    );
  const time = (option: 'since' | 'until') => {
    const value = options[option];
    return value === undefined
      ? undefined
      : (timeUs(value, nowUs) ?? complain(option, value, TIMES));
  };

  const filter = present({
    user: words('user'),
    team: words('team'),
    route: words('route'),
    type: wordsOf('type', USER_TYPES),
    decision: wordsOf('decision', DECISIONS),
    status: listOf(
      options.status,
      (value) => statusRange(value) ?? complain('status', value, 'a number (404) or a class (4xx)'),
    ),
    sinceUs: time('since'),
    untilUs: time('until'),
    limit: limitOf(options.limit, complain),
  });
  if (filter.sinceUs !== undefined && filter.untilUs !== undefined) {
    if (filter.sinceUs >= filter.untilUs) {
      complain('until', String(options.until), `a time after --since ${options.since}`);
    }
  }
  if (mistakes.length > 0) throw new TypeError(mistakes.join('\n'));
  return filter;
}

function listOf<T>(
  values: readonly string[] | undefined,
  parse: (value: string) => T | undefined,
): T[] | undefined {
  if (values === undefined) return undefined;
  const words = values.flatMap((value) => value.split(',')).map((value) => value.trim());
  return words.map(parse).filter((value) => value !== undefined);
}

function statusRange(value: string): StatusRange | undefined {
  const numbers = /^([1-5])xx$/i.exec(value);
  if (numbers !== null) {
    const from = Number(numbers[1]) * 100;
    return { from, to: from + 99 };
  }
  return /^(0|[1-9]\d\d)$/.test(value) ? { from: Number(value), to: Number(value) } : undefined;
}

function timeUs(value: string, nowUs: number): number | undefined {
  const [, count, unit] = AGO.exec(value) ?? [];
  if (count !== undefined && unit !== undefined) {
    return nowUs - Number(count) * (UNIT_MS[unit] ?? 0) * 1000;
  }
  if (!ISO.test(value)) return undefined;
  // A date alone would be read as UTC, a time without a zone as local: both are local here.
  const ms = Date.parse(value.length === 10 ? `${value}T00:00` : value.replace(' ', 'T'));
  return Number.isNaN(ms) ? undefined : ms * 1000;
}

function limitOf(
  value: string | undefined,
  complain: (option: string, value: string, allowed: string) => undefined,
): number | undefined {
  if (value === undefined) return undefined;
  return /^[1-9]\d{0,8}$/.test(value) ? Number(value) : complain('limit', value, 'a number from 1');
}

function present<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
