// One line of Caddy's and the stamp that it carries, made into one row. Pure.
import { hash } from 'node:crypto';
import type { Entry } from './accesslog/line.ts';
import type { Decision, Reason } from './policy/reason.ts';
import type { Stamp } from './stamp.ts';
import { traceIdOf } from './trace/ids.ts';
import type { Sample } from './trace/sampling.ts';
import type { EventRow, RequestRow, RowUpstream } from './audit/row.ts';

/** What stands between a line and its rows, fixed for a run. */
export type RowRules = {
  /** The sidecar's own address as Caddy logs it: `upstream` is that wherever no app was called. */
  readonly ownAddresses: readonly string[];
  readonly redact: (query: string) => string;
  /** What is kept of a client's address, at a time in microseconds since the epoch. */
  readonly address: (address: string, atUs: number) => string;
  /** Decides about the traces of lines about which the gate hasn't. */
  readonly sample: Sample;
};

/** Longest path, and longest query, of a row, in characters; `…` says that it was longer. */
export const MAX_URI_PART_CHARS = 4096;

/**
 * Longest method, host and protocol of a row, in characters: a client may make each as long as a header, and each of
 * them is in every span.
 */
export const MAX_WORD_CHARS = 512;

const SCHEME_AND_HOST = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i;

/** What became of a line's stamp: opened, not believed, or not there. */
export type Opened = Stamp | 'invalid' | 'missing';

/** A row as it is made here: all fields are there. */
type Made<T> = { [K in keyof Required<T>]: T[K] | undefined };

/** Returns the rows of one line: the request's, and one for each event that its stamp tells of. */
export function toRows(
  entry: Entry,
  opened: Opened,
  bytes: Buffer,
  rules: RowRules,
): (RequestRow | EventRow)[] {
  const row = toRow(unmarked(entry, opened), opened, bytes, rules);
  const stamp = stampOf(opened);
  return stamp === undefined ? [row] : [row, ...eventsOf(stamp)];
}

// What `import signet` would have refused, and a `redir` of the site's own above it has led elsewhere: nobody was asked,
// and no app called. Under `/.signet/` it would be somebody who answers in the sidecar's place.
function unmarked(entry: Entry, opened: Opened): Entry {
  const { route, status, proxiedAtMs, uri } = entry;
  const isLed = opened === 'missing' && route === 'signet' && status >= 300 && status < 400;
  if (!isLed || proxiedAtMs !== undefined || uri.startsWith('/.signet/')) return entry;
  return { ...entry, route: undefined };
}

/**
 * Returns the row of one line; `bytes` are the line's own, for lines without a request id.
 * One object, made at once, in which what is absent is undefined: put together of parts, so that it
 * has no such fields, it took three times as long (2.7 µs, not 0.9).
 */
export function toRow(entry: Entry, opened: Opened, bytes: Buffer, rules: RowRules): RequestRow {
  const stamp = stampOf(opened);
  const requestId = entry.uuid ?? `line-${hash('sha256', bytes, 'hex')}`;
  const startedAtUs = startOf(entry, stamp);
  const { path, query } = splitUri(entry.uri);
  const { decision, reason } = decisionOf(entry, opened);
  const traceId = stamp?.traceId ?? traceIdOf(requestId);
  return {
    kind: isExplained(entry, opened) ? 'request' : 'unexplained',
    requestId,
    traceId,
    parentSpanId: stamp?.parentSpanId,
    link: stamp?.link,
    sampled: isSampled(entry, opened, traceId, reason, rules.sample),
    startedAtUs,
    durationUs: Math.max(0, entry.endedAtUs - startedAtUs),
    skewUs: skewOf(startedAtUs, entry.endedAtUs, stamp),
    method: bounded(entry.method, MAX_WORD_CHARS),
    scheme: entry.scheme,
    host: bounded(entry.host, MAX_WORD_CHARS),
    path,
    query: query === undefined ? undefined : rules.redact(bounded(query)),
    protocol: bounded(entry.protocol, MAX_WORD_CHARS),
    status: entry.status,
    requestBytes: entry.requestBytes,
    responseBytes: entry.responseBytes,
    clientAddress: rules.address(entry.clientAddress, entry.endedAtUs),
    peerAddress: rules.address(entry.peerAddress, entry.endedAtUs),
    userAgent: stamp?.userAgent,
    decision,
    reason,
    route: routeOf(entry, stamp),
    requirement: stamp?.requirement,
    identity: stamp?.identity,
    gate: stamp?.gate,
    upstream: upstreamOf(entry, stamp, rules.ownAddresses),
  } satisfies Made<RequestRow> as RequestRow;
}

// Caddy's `duration` is 0 when the client left or the app died: the stamp then knows the start.
function routeOf({ route, unprotected }: Entry, stamp?: Stamp): string | undefined {
  return stamp?.route ?? route ?? unprotected;
}

function startOf(entry: Entry, stamp: Stamp | undefined): number {
  if (entry.durationUs === 0 && stamp !== undefined) {
    return Math.min(stamp.gate.startedAtUs, entry.endedAtUs);
  }
  return entry.endedAtUs - entry.durationUs;
}

function stampOf(opened: Opened): Stamp | undefined {
  return typeof opened === 'string' ? undefined : opened;
}

// The event's id is made of the request's, or of the session's: a line read twice tells of it once, and a session's
// end, which is told by another way as well, has one row.
function eventsOf({ events = [], requestId, traceId, gate, identity, route }: Stamp): EventRow[] {
  const { startedAtUs } = gate;
  return events.flatMap(({ event, details = {}, of }) => {
    const row = { kind: 'event', event, details, startedAtUs, traceId, route } as const;
    if (of === undefined) {
      return [{ ...row, requestId: `${event}:${requestId}`, ...(identity && { identity }) }];
    }
    return of.sessions.map((sessionHash) => ({
      ...row,
      requestId: `${event}:${sessionHash}`,
      identity: { ...of.identity, sessionHash },
    }));
  });
}

// The gate decides while Caddy waits: what lies before the one's beginning, or after its end, is the
// difference of the clocks, at least.
function skewOf(startedAtUs: number, endedAtUs: number, stamp: Stamp | undefined): number {
  if (stamp === undefined) return 0;
  const decidedAtUs = stamp.gate.startedAtUs + stamp.gate.durationUs;
  const aheadUs = Math.max(0, decidedAtUs - endedAtUs);
  const behindUs = Math.min(0, stamp.gate.startedAtUs - startedAtUs);
  return aheadUs > 0 ? aheadUs : behindUs;
}

// Caddy's own answers, and a client that left, need no decision; an app's do, and only a yes is one.
function isExplained(entry: Entry, opened: Opened): boolean {
  if (typeof opened !== 'string') {
    return entry.proxiedAtMs === undefined || opened.decision === 'allow';
  }
  const isServed = entry.proxiedAtMs !== undefined || (entry.status > 0 && entry.status < 400);
  return !isServed || (opened === 'missing' && entry.route === undefined);
}

// The gate has said it; without a stamp it isn't known who called. Where the evidence doesn't hold, spans show it, too.
function isSampled(
  entry: Entry,
  opened: Opened,
  traceId: string,
  reason: Reason,
  sample: Sample,
): boolean {
  if (opened === 'invalid' || !isExplained(entry, opened)) return true;
  return (
    stampOf(opened)?.sampled ?? sample({ decision: 'none', reason, route: routeOf(entry) })(traceId)
  );
}

function decisionOf(entry: Entry, opened: Opened): { decision: Decision; reason: Reason } {
  if (opened === 'invalid') return { decision: 'none', reason: 'stamp-invalid' };
  if (opened !== 'missing' && !isExplained(entry, opened)) {
    return { decision: 'none', reason: 'unexplained' };
  }
  if (opened !== 'missing') return { decision: opened.decision, reason: opened.reason };
  if (entry.route === undefined) return { decision: 'none', reason: 'unprotected' };
  if (entry.status === 0) return { decision: 'none', reason: 'client-left' };
  if (!isExplained(entry, opened)) return { decision: 'none', reason: 'unexplained' };
  const isRefused = entry.status >= 400 && entry.status < 500;
  return { decision: 'none', reason: isRefused ? 'gate-refused' : 'gate-unavailable' };
}

// `upstream` and its times are filled by `forward_auth`, too: they are the app's only after the
// request was passed on, and only when they are not the sidecar's own. When the client leaves in the
// middle, Caddy's proxy panics and the fields are lost, yet the app was called and has its span.
function upstreamOf(
  entry: Entry,
  stamp: Stamp | undefined,
  ownAddresses: readonly string[],
): RowUpstream | undefined {
  if (entry.proxiedAtMs === undefined) return undefined;
  if (entry.upstream !== undefined && ownAddresses.includes(entry.upstream)) return undefined;
  // Whole milliseconds, cut off: the call cannot have begun before the decision had ended.
  const { startedAtUs: askedAtUs, durationUs } = stamp?.gate ?? { startedAtUs: 0, durationUs: 0 };
  const decidedAtUs = Math.min(askedAtUs + durationUs, entry.endedAtUs);
  const startedAtUs = Math.max(entry.proxiedAtMs * 1000, decidedAtUs);
  const untilEndUs = Math.max(0, entry.endedAtUs - startedAtUs);
  return {
    address: entry.upstream,
    startedAtUs,
    durationUs: entry.upstreamDurationUs ?? untilEndUs,
    latencyUs: entry.upstreamLatencyUs,
    retries: entry.retries ?? 0,
  } satisfies Made<RowUpstream> as RowUpstream;
}

// A target may be absolute (RFC 9112 section 3.2.2): scheme, user and host are not part of the path.
function splitUri(uri: string): { path: string; query: string | undefined } {
  const isAbsolute = !uri.startsWith('/');
  const target = isAbsolute ? uri.replace(SCHEME_AND_HOST, '') || '/' : uri;
  const mark = target.indexOf('?');
  if (mark < 0) return { path: bounded(target), query: undefined };
  return { path: bounded(target.slice(0, mark)), query: target.slice(mark + 1) };
}

function bounded(text: string, maxChars = MAX_URI_PART_CHARS): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars)}…`;
}
