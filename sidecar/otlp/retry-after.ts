// How long a destination asks us to wait, before the same request is sent again: in HTTP's words, and in
// gRPC's. Whatever it says, the wait is bounded: a typing error there must not end delivery here.
import { fieldOf, fieldsOf, textOf } from './read-protobuf.ts';

/** Longest wait that is believed. */
export const MAX_RETRY_AFTER_MS = 3_600_000;

const RETRY_INFO = 'google.rpc.RetryInfo';

/** Returns the milliseconds of a Retry-After header (RFC 9110, 10.2.3): seconds, or an HTTP date. */
export function parseRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return bounded(Number(text) * 1000);
  // Date.parse takes much besides; HTTP's dates begin with the day's name.
  const atMs = /^[A-Z][a-z]{2,8}, /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : bounded(atMs - nowMs);
}

/** Returns the milliseconds of a RetryInfo in a google.rpc.Status (gRPC's `grpc-status-details-bin`). */
export function readRetryDelay(status: Buffer): number | undefined {
  const details = fieldsOf(status, 3)?.filter((any) => Buffer.isBuffer(any)) ?? [];
  const info = details.find((any) => textOf(any, 1).endsWith(`/${RETRY_INFO}`));
  const value = info && fieldOf(info, 2);
  const delay = Buffer.isBuffer(value) ? fieldOf(value, 1) : undefined;
  return Buffer.isBuffer(delay) ? durationMs(delay) : undefined;
}

// A negative number is a varint of ten bytes: beyond what is exact, and no wait.
function durationMs(duration: Buffer): number {
  const [seconds, nanos] = [fieldOf(duration, 1) ?? 0, fieldOf(duration, 2) ?? 0].map(Number);
  if (seconds === undefined || seconds >= 2 ** 63 || Number.isNaN(seconds)) return 0;
  const fraction = nanos !== undefined && nanos < 1e9 ? nanos / 1e6 : 0;
  return bounded(seconds * 1000 + fraction);
}

function bounded(ms: number): number {
  return Math.ceil(Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS));
}
