// One row as one JSON line for programs. Its names are part of Signet's interface: they may become
// more, and never mean something else.
import { isoTime, visibleJson } from './format-text.ts';
import type { StoredRow } from './row.ts';

/**
 * Returns the row as one line of JSON, without a newline. What is unknown is absent; times are UTC
 * with microseconds, durations milliseconds with three decimals. Control characters are escaped,
 * those that JSON would let through as well: a terminal may be looking.
 */
export function toJson(row: StoredRow): string {
  return visibleJson(JSON.stringify(fieldsOf(row)));
}

function fieldsOf(row: StoredRow) {
  const { identity, gate, upstream } = row;
  return {
    sequence: row.sequence,
    time: isoTime(row.startedAtUs),
    requestId: row.requestId,
    traceId: row.traceId,
    parentSpanId: row.parentSpanId,
    user: identity?.user,
    issuer: identity?.issuer,
    subject: identity?.subject,
    team: identity?.team,
    type: identity?.type,
    roles: identity?.roles,
    actor: identity?.actor,
    sessionHash: identity?.sessionHash,
    authMethod: identity?.method,
    method: row.method,
    scheme: row.scheme,
    host: row.host,
    path: row.path,
    query: row.query,
    protocol: row.protocol,
    status: row.status,
    durationMs: row.durationUs / 1000,
    decision: row.decision,
    reason: row.reason,
    route: row.route,
    requirement: row.requirement,
    clientAddress: row.clientAddress,
    peerAddress: row.peerAddress,
    userAgent: row.userAgent,
    requestBytes: row.requestBytes,
    responseBytes: row.responseBytes,
    gate: gate && {
      bootId: gate.bootId,
      number: gate.number,
      supersedes: gate.supersedes,
      time: isoTime(gate.startedAtUs),
      durationMs: gate.durationUs / 1000,
    },
    upstream: upstream && {
      address: upstream.address,
      time: isoTime(upstream.startedAtUs),
      durationMs: upstream.durationUs / 1000,
      latencyMs: upstream.latencyUs === undefined ? undefined : upstream.latencyUs / 1000,
      retries: upstream.retries,
    },
    link: row.link,
    sampled: row.sampled,
  };
}
