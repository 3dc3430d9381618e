// The options of `signet audit` as they are typed, made into a question. Pure; all mistakes at once.
import { USER_TYPES } from '../identity/identity.ts';
import { DECISIONS, REASONS } from '../policy/reason.ts';
import { EVENT_NAMES, ROW_KINDS } from '../audit/event.ts';
import { DURATIONS, parseDurationUs, parseTimeUs, TIMES } from './filter-time.ts';
import { parsePageKey, START, type PageKey } from './page-key.ts';

/** Both ends belong to it. */
export type StatusRange = { readonly from: number; readonly to: number };

/** What a row must be to be listed. Within one field any value will do; absent lets all through. */
export type Filter = {
  readonly user?: readonly string[];
  readonly team?: readonly string[];
  readonly type?: readonly string[];
  readonly route?: readonly string[];
  /** In lower case; rows have it in any. */
  readonly host?: readonly string[];
  /** In upper case; rows have it in any. */
  readonly method?: readonly string[];
  readonly decision?: readonly string[];
  readonly reason?: readonly string[];
  readonly status?: readonly StatusRange[];
  /** A request took longer than so many microseconds. */
  readonly slowerThanUs?: number;
  readonly kind?: readonly string[];
  readonly event?: readonly string[];
  /** Start of the request, in microseconds since the epoch; belongs to it. */
  readonly sinceUs?: number;
  /** Start of the request, in microseconds since the epoch; does not belong to it. */
  readonly untilUs?: number;
};

/** What requests can be counted by. */
export const GROUPINGS = ['user', 'team', 'route', 'type', 'decision'] as const;

export type Grouping = (typeof GROUPINGS)[number];

/** Which rows, and how many of them, or in which groups. */
export type Question = Filter & {
  /** The newest ones; behind a key the oldest, and of groups the largest. */
  readonly limit?: number;
  /** Those that come after this place. */
  readonly after?: PageKey;
  readonly by?: Grouping;
};

/** As they come from the command line: lists given several times, or with commas, or both. */
export type FilterOptions = { readonly [name in ListName]?: readonly string[] } & {
  readonly slowerThan?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit?: string;
  readonly after?: string;
  readonly by?: string;
  readonly follow?: true;
};

type ListName = Exclude<keyof Filter, 'sinceUs' | 'untilUs' | 'slowerThanUs'>;
type Complain = (option: string, value: string, allowed: string) => undefined;

/**
 * Returns the question that the options ask. Throws a TypeError whose message has one line per
 * mistake: the option, what was read, what is allowed. A time without a zone is local.
 */
export function parseQuestion(options: FilterOptions, nowUs: number): Question {
  const mistakes: string[] = [];
  const complain: Complain = (option, value, allowed) => {
    mistakes.push(`--${option}: read ${JSON.stringify(value)}; allowed is ${allowed}`);
    return undefined;
  };
  const question = present({
    ...listsOf(options, complain),
    slowerThanUs: durationOf('slower-than', options.slowerThan, complain),
    sinceUs: timeOf('since', options.since, nowUs, complain),
    untilUs: timeOf('until', options.until, nowUs, complain),
    limit: limitOf(options.limit, complain),
    after: keyOf(options.after, complain),
    by: groupingOf(options.by, complain),
  });
  complainOfPairs(options, question, complain);
  if (mistakes.length > 0) throw new TypeError(mistakes.join('\n'));
  return question;
}

function listsOf(options: FilterOptions, complain: Complain) {
  const words = (option: ListName, change = (value: string) => value) =>
    listOf(options[option], (value) =>
      value === '' ? complain(option, value, 'a name') : change(value),
    );
  const wordsOf = (option: ListName, allowed: readonly string[]) =>
    listOf(options[option], (value) =>
      allowed.includes(value) ? value : complain(option, value, allowed.join(', ')),
    );
  return {
    user: words('user'),
    team: words('team'),
    route: words('route'),
    host: words('host', (value) => value.toLowerCase()),
    method: words('method', (value) => value.toUpperCase()),
    type: wordsOf('type', USER_TYPES),
    decision: wordsOf('decision', DECISIONS),
    reason: wordsOf('reason', REASONS),
    kind: wordsOf('kind', ROW_KINDS),
    event: wordsOf('event', EVENT_NAMES),
    status: listOf(
      options.status,
      (value) => statusRange(value) ?? complain('status', value, 'a number (404) or a class (4xx)'),
    ),
  };
}

// What is right by itself, and makes no sense together.
function complainOfPairs(options: FilterOptions, question: Question, complain: Complain): void {
  const { sinceUs, untilUs } = question;
  if (sinceUs !== undefined && untilUs !== undefined && sinceUs >= untilUs) {
    complain('until', String(options.until), `a time after --since ${options.since}`);
  }
  if (options.after !== undefined && options.follow) {
    complain('after', options.after, 'a page, and --follow has none');
  }
  if (options.by === undefined) return;
  if (options.after !== undefined) complain('after', options.after, 'a page, and --by has none');
  if (options.follow) complain('by', options.by, 'what is there now, and --follow goes on');
}

function listOf<T>(
  values: readonly string[] | undefined,
  parse: (value: string) => T | undefined,
): T[] | undefined {
  if (values === undefined) return undefined;
  const words = values.flatMap((value) => value.split(',')).map((value) => value.trim());
  return [...new Set(words)].map(parse).filter((value) => value !== undefined);
}

function statusRange(value: string): StatusRange | undefined {
  const numbers = /^([1-5])xx$/i.exec(value);
  if (numbers !== null) {
    const from = Number(numbers[1]) * 100;
    return { from, to: from + 99 };
  }
  return /^(0|[1-9]\d\d)$/.test(value) ? { from: Number(value), to: Number(value) } : undefined;
}

function timeOf(
  option: 'since' | 'until',
  value: string | undefined,
  nowUs: number,
  complain: Complain,
): number | undefined {
  if (value === undefined) return undefined;
  return parseTimeUs(value, nowUs) ?? complain(option, value, TIMES);
}

function durationOf(
  option: string,
  value: string | undefined,
  complain: Complain,
): number | undefined {
  if (value === undefined) return undefined;
  return parseDurationUs(value) ?? complain(option, value, DURATIONS);
}

function limitOf(value: string | undefined, complain: Complain): number | undefined {
  if (value === undefined) return undefined;
  return /^[1-9]\d{0,8}$/.test(value) ? Number(value) : complain('limit', value, 'a number from 1');
}

function keyOf(value: string | undefined, complain: Complain): PageKey | undefined {
  if (value === undefined) return undefined;
  const allowed = `the key that the page before has told (next: …), or ${START} for the first page`;
  return parsePageKey(value) ?? complain('after', value, allowed);
}

function groupingOf(value: string | undefined, complain: Complain): Grouping | undefined {
  if (value === undefined) return undefined;
  const found = GROUPINGS.find((name) => name === value);
  return found ?? complain('by', value, GROUPINGS.join(', '));
}

function present<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
