// One row of the audit trail as a log record: an event with a name (OpenTelemetry's conventions for
// events: a severity, attributes, and no body). Pure: the same row makes the same record.
import { EVENT_CODES, type EventName } from '../audit/event.ts';
import { isRequest, type EventRow, type RequestRow, type StoredRow } from '../audit/row.ts';
import { isUuid, spanIdsOf } from '../trace/ids.ts';
import { NAMES } from '../trace/names.ts';
import { identityAttributes, ingressSpanOf, placeAttributes } from '../trace/spans.ts';
import type { Attributes } from './encode-attributes.ts';
import { DETAIL_NAMES, LOG_NAMES, logEventOf, REQUEST_EVENTS } from './log-names.ts';

export type Severity = 'INFO' | 'WARN' | 'ERROR';

export type LogRecord = {
  readonly eventName: string;
  readonly severity: Severity;
  /** When it began, in microseconds since the epoch: as its span did, and as `signet audit` shows it. */
  readonly timeUs: number;
  /** When it was over and could be known. */
  readonly observedUs: number;
  readonly traceId?: string;
  /** The ingress span of the request. */
  readonly spanId?: string;
  readonly isSampled: boolean;
  readonly attributes: Attributes;
};

/** Returns the record of a row. */
export function logRecordOf(row: StoredRow): LogRecord {
  return isRequest(row) ? requestRecord(row) : eventRecord(row);
}

function requestRecord(row: StoredRow & RequestRow): LogRecord {
  const { spanId, startUs, endUs, attributes } = ingressSpanOf(row);
  return {
    eventName: REQUEST_EVENTS[row.kind],
    severity: requestSeverity(row),
    timeUs: startUs,
    observedUs: endUs,
    traceId: row.traceId,
    spanId,
    isSampled: row.sampled,
    attributes: {
      ...attributes,
      [LOG_NAMES.durationUs]: row.durationUs,
      ...(row.gate !== undefined && { [LOG_NAMES.gateDurationUs]: row.gate.durationUs }),
    },
  };
}

// What was served without a decision is worse than what was refused.
function requestSeverity({ kind, status, decision }: RequestRow): Severity {
  if (status >= 500 || kind === 'unexplained') return 'ERROR';
  return decision === 'deny' ? 'WARN' : 'INFO';
}

function eventRecord(row: StoredRow & EventRow): LogRecord {
  const { event, traceId, startedAtUs, requestId, identity, route } = row;
  const request = requestId.slice(requestId.indexOf(':') + 1);
  const isOfRequest = traceId !== undefined && isUuid(request);
  const user = identity?.user ?? row.user;
  return {
    eventName: logEventOf(event),
    severity: eventSeverity(row),
    timeUs: startedAtUs,
    observedUs: startedAtUs,
    ...(traceId !== undefined && { traceId }),
    ...(isOfRequest && { spanId: spanIdsOf(request).ingress }),
    isSampled: false,
    attributes: {
      [LOG_NAMES.eventCode]: EVENT_CODES[event],
      ...(isOfRequest && { [NAMES.requestId]: request }),
      ...(route !== undefined && { [NAMES.route]: route }),
      ...(user !== undefined && { [NAMES.user]: user }),
      ...identityAttributes(row),
      ...detailAttributes(row),
      ...placeAttributes(row),
    },
  };
}

const WARNINGS: ReadonlySet<EventName> = new Set([
  'sign-in-failed',
  'recorder-gap',
  'decision-lost',
  'store-replaced',
]);

function eventSeverity({ event, details }: EventRow): Severity {
  const hasFindings = event === 'verification-run' && Number(details['findings'] ?? 0) > 0;
  return hasFindings || WARNINGS.has(event) ? 'WARN' : 'INFO';
}

// What a newer Signet nests stays in the store: no declared detail is more than one value. A kind of row that
// only it knows has none.
function detailAttributes({ details }: EventRow): Attributes {
  const declared = Object.entries(details ?? {}).flatMap(([detail, value]) => {
    const name = DETAIL_NAMES.get(detail);
    return name === undefined || !isSingle(value) ? [] : [[name, value] as const];
  });
  return Object.fromEntries(declared);
}

function isSingle(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
