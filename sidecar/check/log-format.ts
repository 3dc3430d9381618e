// How a log's lines are written: whether the recorder reads them (accesslog/), and what stands in them. Filters are tried
// on a target as sign-in has it, because a pattern can be written in many ways. Pure.
import { type Log, recordAt } from '../edge/adapted.ts';
import type { Code } from './codes.ts';
import type { Found } from './finding.ts';
import { type Format, formatOf } from './logs-of.ts';
import { targetAfter } from './log-filters.ts';

type Json = Readonly<Record<string, unknown>>;
type Tell = (code: Code, seen: string) => Found;

/** Returns what is wrong with the format of the log that the recorder reads. */
export function ofFormat(log: Log, tell: Tell): Found[] {
  const format = formatOf(log);
  if (format.json === undefined) return [tell('log-format', 'its format is not json')];
  return [
    ...unread(format.json).map((seen) => tell('log-format', seen)),
    ...changed(format).map((seen) => tell('log-fields', seen)),
    ...shown(format).map((seen) => tell('log-credentials', seen)),
  ];
}

/** How times may be written (accesslog/line.ts). */
const TIME_FORMATS = ['', 'unix_seconds_float', 'iso8601', 'rfc3339', 'rfc3339_nano'];
/** Caddy takes anything else for seconds. */
const NO_SECONDS = ['ns', 'nano', 'nanos', 'ms', 'milli', 'millis', 'string'];

function unread(json: Json): string[] {
  const said = (key: string) => (typeof json[key] === 'string' ? json[key] : undefined);
  const found: string[] = [];
  if (
    !TIME_FORMATS.includes(said('time_format') ?? '') ||
    NO_SECONDS.includes(said('duration_format') ?? '')
  ) {
    found.push('its times are written in a way that is not read');
  }
  for (const [key, name] of NEEDED_KEYS) {
    const own = said(key);
    if (own !== undefined && own !== name)
      found.push(`its ${key} is “${own}”, and read is ${name}`);
  }
  if (!['', '\n', '\r\n'].includes(said('line_ending') ?? '')) {
    found.push('its line_ending is no line’s end');
  }
  return found;
}

/** `level`, because a line's beginning is known by it (accesslog/entries.ts). */
const NEEDED_KEYS = [
  ['time_key', 'ts'],
  ['name_key', 'logger'],
  ['level_key', 'level'],
] as const;

/** A line that has one of these twice is set aside (accesslog/line.ts). */
const RELIED_ON =
  /^(ts|logger|uuid|route|unprotected|stamp|status|duration|size|bytes_read|proxied_ms|upstream|upstream_(latency|duration)_ms|retries|request)$/;
/** Of the request, what rows are made of whatever becomes of the rest. */
const OF_REQUEST = /^request>(method|host|proto|tls|tls>.*)$/;
const ADDRESSES = ['request>remote_ip', 'request>client_ip'];
const TARGET = 'request>uri';

function changed({ json = {}, filters, appended }: Format): string[] {
  const found: string[] = [];
  const of = (isIt: (field: string, filter: Json) => boolean) => [
    ...new Set(filters.filter(([field, filter]) => isIt(field, filter)).map(([field]) => field)),
  ];
  const tell = (what: string, fields: readonly string[]) => {
    if (fields.length > 0) found.push(`${what} ${fields.join(', ')}`);
  };
  const isWhole = (filter: Json) =>
    ['delete', 'hash', 'rename', 'replace'].includes(String(filter['filter']));
  tell(
    'its filter changes',
    of((field) => RELIED_ON.test(field) || OF_REQUEST.test(field)),
  );
  // Shortened they are still addresses; hashed they are none.
  const lost = of((field, filter) => ADDRESSES.includes(field) && filter['filter'] !== 'ip_mask');
  tell('its filter takes the client’s address away:', lost);
  tell(
    'its filter takes away, as a whole,',
    of((field, filter) => field === TARGET && isWhole(filter)),
  );
  tell(
    'to each line is appended, though it has it,',
    appended.filter((key) => RELIED_ON.test(key)),
  );
  tell('its filter gives another field the name of', renamedTo(filters).filter(isRowsField));
  tell(
    'its encoder writes its own text as',
    namesOfText(json).filter((key) => RELIED_ON.test(key)),
  );
  return found;
}

function isRowsField(field: string): boolean {
  if (RELIED_ON.test(field) || OF_REQUEST.test(field)) return true;
  return field === TARGET || ADDRESSES.includes(field);
}

function renamedTo(filters: Format['filters']): string[] {
  return filters.flatMap(([field, { filter, name }]) =>
    filter === 'rename' && typeof name === 'string' ? [field.replace(/[^>]*$/, () => name)] : [],
  );
}

function namesOfText({ message_key: message, caller_key: caller, stacktrace_key: trace }: Json) {
  return [message, caller, trace].filter((key) => typeof key === 'string');
}

/** Filters after which nothing of the headers is left: others look at texts, and these are none. */
const ENDS = ['delete', 'replace'];
/** What sign-in gets, in two orders: a pattern may know only the first. */
const TARGETS = [
  '/.signet/callback?code=SECRET1&state=SECRET2&id_token=SECRET3',
  '/.signet/callback?a=b&id_token=SECRET3&state=SECRET2&code=SECRET1',
];

function shown({ filters }: Format): string[] {
  const open = ['request>headers', TARGET].filter((field) =>
    filters.every(([other]) => other !== field),
  );
  const found = open.length > 0 ? [`${open.join(' and ')} stand in it as they came`] : [];
  const headers = filters.filter(([field]) => field === 'request>headers');
  if (headers.length > 0 && !headers.some(([, { filter }]) => ENDS.includes(String(filter)))) {
    found.push('its filter leaves request>headers in it');
  }
  if (open.includes(TARGET)) return found;
  const steps = filters.filter(([field]) => field === TARGET).map(([, filter]) => recordAt(filter));
  const ends = TARGETS.map((target) => targetAfter(steps, target));
  if (ends.includes(undefined)) {
    return [...found, 'its filter of request>uri can’t be tried here'];
  }
  return ends.some((end) => end?.includes('SECRET'))
    ? [...found, 'its filter leaves code, state or id_token in request>uri']
    : found;
}
