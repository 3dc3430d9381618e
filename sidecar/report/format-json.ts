// One row as one JSON line for programs. Its names are part of Signet's interface: they may become
// more, and never mean something else.
import { EVENT_CODES } from '../audit/event.ts';
import { isoTime } from '../audit/format-text.ts';
import { visibleJson } from '../visible.ts';
import type { ReadRow } from '../audit/reader.ts';
import {
  isRequest,
  type EventRow,
  type RequestRow,
  type RowGate,
  type RowUpstream,
} from '../audit/row.ts';

/**
 * Returns the row as one line of JSON, without a newline. What is unknown is absent; times are UTC
 * with microseconds, durations milliseconds with three decimals. Control characters are escaped,
 * those that JSON would let through as well: a terminal may be looking.
 */
export function toJson(row: ReadRow): string {
  return visibleJson(JSON.stringify(fieldsOf(row)));
}

/** Returns what stands in the line, by name and in its order; undefined where it is unknown. */
export function fieldsOf(row: ReadRow) {
  const { identity, isForgotten } = row;
  return {
    kind: row.kind,
    chain: row.chain,
    sequence: row.sequence,
    hash: row.hash,
    time: isoTime(row.startedAtUs),
    requestId: row.requestId,
    traceId: row.traceId,
    forgotten: isForgotten,
    user: identity?.user ?? (isRequest(row) ? undefined : row.user),
    issuer: identity?.issuer,
    subject: identity?.subject,
    team: identity?.team,
    type: identity?.type,
    roles: identity?.roles,
    actor: identity?.actor,
    sessionHash: identity?.sessionHash,
    authMethod: identity?.method,
    route: row.route,
    ...(isRequest(row) ? requestFields(row, isForgotten) : eventFields(row)),
    gate: row.gate && gateFields(row.gate),
  };
}

// A forgotten person's values are gone, and the empty texts that stand for some of them say nothing.
function requestFields(row: RequestRow, isForgotten: true | undefined) {
  const kept = (value: string) => (isForgotten ? undefined : value);
  return {
    parentSpanId: row.parentSpanId,
    link: row.link,
    sampled: row.sampled,
    method: row.method,
    scheme: row.scheme,
    host: row.host,
    path: kept(row.path),
    query: row.query,
    protocol: row.protocol,
    status: row.status,
    durationMs: row.durationUs / 1000,
    skewMs: row.skewUs === 0 ? undefined : row.skewUs / 1000,
    decision: row.decision,
    reason: row.reason,
    requirement: row.requirement,
    clientAddress: kept(row.clientAddress),
    peerAddress: kept(row.peerAddress),
    userAgent: row.userAgent,
    requestBytes: row.requestBytes,
    responseBytes: row.responseBytes,
    upstream: row.upstream && upstreamFields(row.upstream),
  };
}

function eventFields({ event, details }: EventRow) {
  return { event, code: EVENT_CODES[event], details };
}

function gateFields({ bootId, number, supersedes, startedAtUs, durationUs }: RowGate) {
  return { bootId, number, supersedes, time: isoTime(startedAtUs), durationMs: durationUs / 1000 };
}

function upstreamFields({ address, startedAtUs, durationUs, latencyUs, retries }: RowUpstream) {
  return {
    address,
    time: isoTime(startedAtUs),
    durationMs: durationUs / 1000,
    latencyMs: latencyUs === undefined ? undefined : latencyUs / 1000,
    retries,
  };
}
