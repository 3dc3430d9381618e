// One audit row: who did what, was it allowed, how long did it take; or, beside requests, what happened
// to the evidence itself. This is the record; spans, tables and JSON lines are all made from it.
import type { Actor, UserType } from '../identity/identity.ts';
import type { Decision, Reason } from '../policy/reason.ts';
import type { EventName } from './event.ts';

/** The caller as the stamp carried it; e-mail, display name and groups are not part of the record. */
export type RowIdentity = {
  readonly issuer: string;
  readonly subject: string;
  readonly user: string;
  readonly team?: string;
  readonly roles: readonly string[];
  readonly type: UserType;
  readonly actor?: Actor;
  readonly method: 'session' | 'bearer';
  readonly sessionHash?: string;
};

/** The gate's part: which boot of the gate decided, as its how-manieth decision, when, and how long. */
export type RowGate = {
  readonly bootId: string;
  readonly number: number;
  /** The number of an earlier decision for the same request id, asked twice by Caddy's HTTP client. */
  readonly supersedes?: number;
  readonly startedAtUs: number;
  readonly durationUs: number;
};

/** Caddy's call to the app. Absent when the app was not called. */
export type RowUpstream = {
  /** Absent when the client left in the middle: Caddy then does not say whom it had called. */
  readonly address?: string;
  readonly startedAtUs: number;
  readonly durationUs: number;
  /** Until the app's response headers; absent when the app never answered. */
  readonly latencyUs?: number;
  readonly retries: number;
};

/** A request, from one line of Caddy's. */
export type RequestRow = {
  /** `unexplained`: a protected block has served it, and no decision of the gate says why. */
  readonly kind: 'request' | 'unexplained';
  /** Caddy's request UUID, lower case; for a line without one `line-` and the SHA-256 of its bytes. */
  readonly requestId: string;
  /** 32 hex digits; equals the request id without dashes unless a trusted caller's trace goes on. */
  readonly traceId: string;
  /** The caller's span, when its trace goes on: 16 hex digits. */
  readonly parentSpanId?: string;
  /** The caller's context, when a new trace was begun instead. */
  readonly link?: { readonly traceId: string; readonly spanId: string };
  readonly sampled: boolean;
  /** Microseconds since the epoch. */
  readonly startedAtUs: number;
  readonly durationUs: number;
  /** By how many microseconds the gate's clock was ahead of Caddy's; 0 while that can't be told. */
  readonly skewUs: number;
  readonly method: string;
  readonly scheme: string;
  readonly host: string;
  /** As asked for, before any rewrite, still percent-encoded. */
  readonly path: string;
  /** Redacted (see trace/redact.ts), without `?`; absent when there is none. */
  readonly query?: string;
  /** `HTTP/1.1`, `HTTP/2.0`, `HTTP/3.0`. */
  readonly protocol: string;
  /** 0 when the client left before an answer. */
  readonly status: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly clientAddress: string;
  readonly peerAddress: string;
  readonly userAgent?: string;
  readonly decision: Decision;
  readonly reason: Reason;
  readonly route?: string;
  readonly requirement?: string;
  readonly identity?: RowIdentity;
  readonly gate?: RowGate;
  readonly upstream?: RowUpstream;
};

/** What a detail of an event may be. */
export type Detail = string | number | boolean;

/** A security event, or (`lost`) a decision of the gate whose line never came. */
export type EventRow = {
  readonly kind: 'event' | 'lost';
  /** The event's own id, made so that the same event has the same one. */
  readonly requestId: string;
  readonly event: EventName;
  readonly details: Readonly<Record<string, Detail>>;
  /** Microseconds since the epoch. */
  readonly startedAtUs: number;
  /** Of the request that it belongs to. */
  readonly traceId?: string;
  readonly identity?: RowIdentity;
  /** The user, where no more than the name is known. */
  readonly user?: string;
  readonly route?: string;
  readonly gate?: RowGate;
};

export type Row = RequestRow | EventRow;

/** Returns whether a row is about a request. */
export function isRequest<T extends Row>(row: T): row is T & RequestRow {
  return row.kind === 'request' || row.kind === 'unexplained';
}

/** A row with its place in the store: `sequence` grows by one, in the order of commit. */
export type StoredRow = Row & {
  readonly sequence: number;
  /** The chain's hash at this row: 64 hex digits. It stands for everything up to here. */
  readonly hash: string;
  /** Its person was forgotten: the personal values are gone, and texts that must be there are empty. */
  readonly isForgotten?: true;
};
