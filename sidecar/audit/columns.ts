// How a row becomes columns, and comes back. Pure.
import type { Columns, Value } from './database.ts';
import { isRequest, type Row, type RowGate, type RowIdentity } from './row.ts';
import type { RowUpstream, StoredRow } from './row.ts';
import type { PERSONAL_COLUMNS, ROW_COLUMNS } from './schema.ts';

/** All columns of a row but its chain. */
export type RowColumns = Record<(typeof ROW_COLUMNS)[number], Value> &
  Record<(typeof PERSONAL_COLUMNS)[number], string | null>;

/**
 * Returns a row's values by column, absent ones as NULL; `sequence`, `person` and the proofs are the
 * store's to fill. Texts are what every database can hold, so that they hash alike after coming back.
 * One object, made at once: of several, put together, it took three times as long.
 */
export function toColumns(row: Row): RowColumns {
  const { identity, gate } = row;
  const request = isRequest(row) ? row : undefined;
  const event = isRequest(row) ? undefined : row;
  const upstream = request?.upstream;
  return {
    sequence: null,
    kind: row.kind,
    request_id: storable(row.requestId),
    person: null,
    event: event?.event ?? null,
    details: json(event?.details),
    trace_id: text(traceIdOf(row)),
    parent_span_id: text(request?.parentSpanId),
    link: json(request?.link),
    sampled: request === undefined ? null : Number(request.sampled),
    started_at_us: row.startedAtUs,
    duration_us: request?.durationUs ?? null,
    skew_us: request?.skewUs ?? null,
    method: text(request?.method),
    scheme: text(request?.scheme),
    host: text(request?.host),
    protocol: text(request?.protocol),
    status: request?.status ?? null,
    request_bytes: request?.requestBytes ?? null,
    response_bytes: request?.responseBytes ?? null,
    decision: request?.decision ?? null,
    reason: request?.reason ?? null,
    route: text(row.route),
    type: identity?.type ?? null,
    auth_method: identity?.method ?? null,
    gate_boot_id: text(gate?.bootId),
    gate_number: gate?.number ?? null,
    gate_supersedes: gate?.supersedes ?? null,
    gate_started_at_us: gate?.startedAtUs ?? null,
    gate_duration_us: gate?.durationUs ?? null,
    upstream_address: text(upstream?.address),
    upstream_started_at_us: upstream?.startedAtUs ?? null,
    upstream_duration_us: upstream?.durationUs ?? null,
    upstream_latency_us: upstream?.latencyUs ?? null,
    upstream_retries: upstream?.retries ?? null,
    path: text(request?.path),
    query: text(request?.query),
    client_address: text(request?.clientAddress),
    peer_address: text(request?.peerAddress),
    user_agent: text(request?.userAgent),
    requirement: text(request?.requirement),
    issuer: text(identity?.issuer),
    subject: text(identity?.subject),
    user: text(identity?.user ?? event?.user),
    team: text(identity?.team),
    roles: json(identity?.roles),
    actor: json(identity?.actor),
    session_hash: text(identity?.sessionHash),
    commitment: null,
    hash: null,
  };
}

/** Returns a text as every database can hold it: PostgreSQL has no NUL, and nobody a lone surrogate. */
export function storable(given: string): string {
  const wellFormed = given.isWellFormed() ? given : given.toWellFormed();
  return wellFormed.includes('\0') ? wellFormed.replaceAll('\0', '\u2400') : wellFormed;
}

function text(given: string | undefined): string | null {
  return given === undefined ? null : storable(given);
}

// JSON escapes what can't be stored.
function json(given: object | undefined): string | null {
  return given === undefined ? null : JSON.stringify(given);
}

// NULL where the request began its trace: it can be derived, and has no place in the index.
function traceIdOf(row: Row): string | undefined {
  const isDerived = isRequest(row) && row.traceId === derivedTraceId(row.requestId);
  return isDerived ? undefined : row.traceId;
}

/** Returns the row that these columns were made from. They are trusted: only `toColumns` writes them. */
export function fromColumns(columns: Columns): StoredRow {
  const isEvent = columns['kind'] === 'event' || columns['kind'] === 'lost';
  const row = {
    sequence: columns['sequence'],
    hash: hex(columns['hash']),
    isForgotten: columns['commitment'] instanceof Uint8Array ? true : null,
    kind: columns['kind'],
    requestId: columns['request_id'],
    startedAtUs: columns['started_at_us'],
    route: columns['route'],
    identity: identityFrom(columns),
    gate: gateFrom(columns),
    ...(isEvent ? eventFrom(columns) : requestFrom(columns)),
  };
  return withoutNull<StoredRow>(row);
}

function requestFrom(columns: Columns): Record<string, unknown> {
  return {
    traceId: columns['trace_id'] ?? derivedTraceId(String(columns['request_id'])),
    parentSpanId: columns['parent_span_id'],
    link: parsed(columns['link']),
    sampled: columns['sampled'] === 1,
    durationUs: columns['duration_us'],
    skewUs: columns['skew_us'],
    method: columns['method'],
    scheme: columns['scheme'],
    host: columns['host'],
    // Empty, not absent, where the person was forgotten: a row always has them.
    path: columns['path'] ?? '',
    query: columns['query'],
    protocol: columns['protocol'],
    status: columns['status'],
    requestBytes: columns['request_bytes'],
    responseBytes: columns['response_bytes'],
    clientAddress: columns['client_address'] ?? '',
    peerAddress: columns['peer_address'] ?? '',
    userAgent: columns['user_agent'],
    decision: columns['decision'],
    reason: columns['reason'],
    requirement: columns['requirement'],
    upstream: upstreamFrom(columns),
  };
}

function eventFrom(columns: Columns): Record<string, unknown> {
  return {
    event: columns['event'],
    details: parsed(columns['details']) ?? {},
    traceId: columns['trace_id'],
    user: columns['issuer'] === null ? columns['user'] : null,
  };
}

function identityFrom(columns: Columns): RowIdentity | null {
  if (columns['issuer'] === null) return null;
  return withoutNull<RowIdentity>({
    issuer: columns['issuer'],
    subject: columns['subject'],
    user: columns['user'],
    team: columns['team'],
    roles: parsed(columns['roles']),
    type: columns['type'],
    actor: parsed(columns['actor']),
    method: columns['auth_method'],
    sessionHash: columns['session_hash'],
  });
}

function gateFrom(columns: Columns): RowGate | null {
  if (columns['gate_boot_id'] === null) return null;
  return withoutNull<RowGate>({
    bootId: columns['gate_boot_id'],
    number: columns['gate_number'],
    supersedes: columns['gate_supersedes'],
    startedAtUs: columns['gate_started_at_us'],
    durationUs: columns['gate_duration_us'],
  });
}

function upstreamFrom(columns: Columns): RowUpstream | null {
  if (columns['upstream_started_at_us'] === null) return null;
  return withoutNull<RowUpstream>({
    address: columns['upstream_address'],
    startedAtUs: columns['upstream_started_at_us'],
    durationUs: columns['upstream_duration_us'],
    latencyUs: columns['upstream_latency_us'],
    retries: columns['upstream_retries'],
  });
}

function derivedTraceId(requestId: string): string {
  return requestId.replaceAll('-', '');
}

function parsed(column: Value | undefined): unknown {
  return typeof column === 'string' ? (JSON.parse(column) as unknown) : null;
}

function hex(column: Value | undefined): string {
  return column instanceof Uint8Array ? Buffer.from(column).toString('hex') : '';
}

// What is NULL in the store is absent in a row.
function withoutNull<T>(fields: Record<string, unknown>): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as T;
}
