// The audit store's tables, and how a row becomes columns and comes back. No SQL is run here.
import type { SQLInputValue, SQLOutputValue } from 'node:sqlite';
import type { Row, RowGate, RowIdentity, RowUpstream, StoredRow } from './row.ts';

/** "Sgnt": what tells an audit store from any other SQLite file. */
export const APPLICATION_ID = 0x53676e74;

/** Grows with each change of the tables; a store with a higher one is not opened. */
export const SCHEMA_VERSION = 1;

// Times are microseconds since the epoch. `sequence` has no AUTOINCREMENT: the newest row is never
// deleted, so the next number is one more. An index on random ids is the dear part of a row: the
// request id has one because it must be unique; a trace id has its own column and index only where
// it can't be derived from the request id (a trusted caller's trace goes on).
export const SCHEMA = `
CREATE TABLE audit_rows (
  sequence INTEGER PRIMARY KEY,
  request_id TEXT NOT NULL UNIQUE,
  trace_id TEXT,
  parent_span_id TEXT,
  link TEXT,
  sampled INTEGER NOT NULL,
  started_at_us INTEGER NOT NULL,
  duration_us INTEGER NOT NULL,
  method TEXT NOT NULL,
  scheme TEXT NOT NULL,
  host TEXT NOT NULL,
  path TEXT NOT NULL,
  query TEXT,
  protocol TEXT NOT NULL,
  status INTEGER NOT NULL,
  request_bytes INTEGER NOT NULL,
  response_bytes INTEGER NOT NULL,
  client_address TEXT NOT NULL,
  peer_address TEXT NOT NULL,
  user_agent TEXT,
  decision TEXT NOT NULL,
  reason TEXT NOT NULL,
  route TEXT,
  requirement TEXT,
  issuer TEXT,
  subject TEXT,
  user TEXT,
  team TEXT,
  roles TEXT,
  type TEXT,
  actor TEXT,
  auth_method TEXT,
  session_hash TEXT,
  gate_boot_id TEXT,
  gate_number INTEGER,
  gate_supersedes INTEGER,
  gate_started_at_us INTEGER,
  gate_duration_us INTEGER,
  upstream_address TEXT,
  upstream_started_at_us INTEGER,
  upstream_duration_us INTEGER,
  upstream_latency_us INTEGER,
  upstream_retries INTEGER
) STRICT;
CREATE INDEX audit_rows_by_user ON audit_rows (user, started_at_us);
CREATE INDEX audit_rows_by_time ON audit_rows (started_at_us);
CREATE INDEX audit_rows_by_trace ON audit_rows (trace_id) WHERE trace_id IS NOT NULL;

CREATE TABLE set_aside (
  hash TEXT PRIMARY KEY,
  reason TEXT NOT NULL,
  head TEXT NOT NULL,
  bytes INTEGER NOT NULL
) STRICT;

CREATE TABLE log_checkpoint (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  checkpoint TEXT NOT NULL
) STRICT;

CREATE TABLE cursors (
  destination TEXT PRIMARY KEY,
  sequence INTEGER NOT NULL
) STRICT;

PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${SCHEMA_VERSION};
`;

export type Columns = Record<string, SQLInputValue>;
export type StoredColumns = Record<string, SQLOutputValue>;

/** Returns a row's values by column, absent ones as NULL; all columns but `sequence`. */
export function toColumns(row: Row): Columns {
  const { identity, gate, upstream } = row;
  return {
    request_id: row.requestId,
    trace_id: row.traceId === derivedTraceId(row.requestId) ? null : row.traceId,
    parent_span_id: row.parentSpanId ?? null,
    link: jsonOrNull(row.link),
    sampled: row.sampled ? 1 : 0,
    started_at_us: row.startedAtUs,
    duration_us: row.durationUs,
    method: row.method,
    scheme: row.scheme,
    host: row.host,
    path: row.path,
    query: row.query ?? null,
    protocol: row.protocol,
    status: row.status,
    request_bytes: row.requestBytes,
    response_bytes: row.responseBytes,
    client_address: row.clientAddress,
    peer_address: row.peerAddress,
    user_agent: row.userAgent ?? null,
    decision: row.decision,
    reason: row.reason,
    route: row.route ?? null,
    requirement: row.requirement ?? null,
    issuer: identity?.issuer ?? null,
    subject: identity?.subject ?? null,
    user: identity?.user ?? null,
    team: identity?.team ?? null,
    roles: jsonOrNull(identity?.roles),
    type: identity?.type ?? null,
    actor: jsonOrNull(identity?.actor),
    auth_method: identity?.method ?? null,
    session_hash: identity?.sessionHash ?? null,
    gate_boot_id: gate?.bootId ?? null,
    gate_number: gate?.number ?? null,
    gate_supersedes: gate?.supersedes ?? null,
    gate_started_at_us: gate?.startedAtUs ?? null,
    gate_duration_us: gate?.durationUs ?? null,
    upstream_address: upstream?.address ?? null,
    upstream_started_at_us: upstream?.startedAtUs ?? null,
    upstream_duration_us: upstream?.durationUs ?? null,
    upstream_latency_us: upstream?.latencyUs ?? null,
    upstream_retries: upstream?.retries ?? null,
  };
}

/** Returns the row that these columns were made from. They are trusted: only `toColumns` writes them. */
export function fromColumns(columns: StoredColumns): StoredRow {
  const requestId = String(columns['request_id']);
  const row = {
    sequence: columns['sequence'],
    requestId,
    traceId: columns['trace_id'] ?? derivedTraceId(requestId),
    parentSpanId: columns['parent_span_id'],
    link: parsed(columns['link']),
    sampled: columns['sampled'] === 1,
    startedAtUs: columns['started_at_us'],
    durationUs: columns['duration_us'],
    method: columns['method'],
    scheme: columns['scheme'],
    host: columns['host'],
    path: columns['path'],
    query: columns['query'],
    protocol: columns['protocol'],
    status: columns['status'],
    requestBytes: columns['request_bytes'],
    responseBytes: columns['response_bytes'],
    clientAddress: columns['client_address'],
    peerAddress: columns['peer_address'],
    userAgent: columns['user_agent'],
    decision: columns['decision'],
    reason: columns['reason'],
    route: columns['route'],
    requirement: columns['requirement'],
    identity: identityFrom(columns),
    gate: gateFrom(columns),
    upstream: upstreamFrom(columns),
  };
  return withoutNull<StoredRow>(row);
}

function identityFrom(columns: StoredColumns): RowIdentity | null {
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

function gateFrom(columns: StoredColumns): RowGate | null {
  if (columns['gate_boot_id'] === null) return null;
  return withoutNull<RowGate>({
    bootId: columns['gate_boot_id'],
    number: columns['gate_number'],
    supersedes: columns['gate_supersedes'],
    startedAtUs: columns['gate_started_at_us'],
    durationUs: columns['gate_duration_us'],
  });
}

function upstreamFrom(columns: StoredColumns): RowUpstream | null {
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

function jsonOrNull(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

function parsed(column: SQLOutputValue | undefined): unknown {
  return typeof column === 'string' ? (JSON.parse(column) as unknown) : null;
}

// What is NULL in the store is absent in a row.
function withoutNull<T>(fields: Record<string, unknown>): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as T;
}
