// What log records have that spans have not, as declared lists, like trace/exported.ts: names of events,
// fields and attributes. No other file spells one.
import { EVENT_NAMES } from '../audit/event.ts';
import type { RequestRow } from '../audit/row.ts';

/**
 * Names of the attributes. Times are whole microseconds: seconds would be whole here and broken there,
 * and a backend that takes the type of a field from the first it sees would cut all others.
 */
export const LOG_NAMES = {
  durationUs: 'signet.duration_us',
  gateDurationUs: 'signet.gate.duration_us',
  eventCode: 'signet.event.code',
} as const;

/** Name of the event that a request is, by the kind of its row. */
export const REQUEST_EVENTS: Readonly<Record<RequestRow['kind'], string>> = {
  request: 'signet.request',
  unexplained: 'signet.unexplained',
};

/**
 * Returns the name of an event of the audit trail on a log record: `sign-in` is `signet.sign_in`. Also of
 * one that is not in the list: a newer Signet's, which has the same store.
 */
export function logEventOf(event: string | undefined): string {
  return `signet.${(event ?? 'event').replaceAll('-', '_')}`;
}

/** The details of events that may leave; others stay in the store. */
const DETAILS = [
  ...[
    'added',
    'before',
    'boot',
    'by',
    'cause',
    'changed',
    'decision',
    'decisions',
    'findings',
    'first',
  ],
  ...[
    'id',
    'key',
    'last',
    'note',
    'person',
    'provider',
    'reason',
    'recorded',
    'recordedAt',
    'removed',
    'request',
    'rows',
  ],
  ...['seals', 'sessions', 'signature', 'upTo', 'version', 'what', 'why'],
] as const;

/** Detail → the attribute that it leaves as. */
export const DETAIL_NAMES: ReadonlyMap<string, string> = new Map(
  DETAILS.map((detail) => [
    detail,
    `signet.detail.${detail.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`,
  ]),
);

/** Attributes that a log record may have besides those of spans; about a person are only `note` and `by`. */
export const LOG_ATTRIBUTES: readonly string[] = [
  ...Object.values(LOG_NAMES),
  ...DETAIL_NAMES.values(),
];

/** Every `event_name` of this version's. */
export const LOG_EVENTS: readonly string[] = [
  ...Object.values(REQUEST_EVENTS),
  ...EVENT_NAMES.map(logEventOf),
];

/** All else that a log record has, as OTLP calls it (opentelemetry-proto 1.x, logs.proto). */
export const LOG_FIELDS = [
  'time_unix_nano',
  'observed_time_unix_nano',
  'severity_number',
  'severity_text',
  'event_name',
  'trace_id',
  'span_id',
  'flags',
] as const;
