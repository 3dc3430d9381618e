// A line that becomes no row, as it is kept: its hash, its beginning and its length. Pure.
import { hash } from 'node:crypto';
import { redactHead } from './redact-head.ts';

/** Why a line is kept apart instead of becoming a row. */
export type SetAsideReason =
  | 'not-json'
  | 'not-access' // JSON, but not one of Caddy's access lines
  | 'duplicate-key' // a key that Signet relies on stands twice
  | 'time-implausible' // far in the future, or before there was Signet
  | 'too-long'
  | 'half-line'; // the end of a rolled file without a newline

/** A line that is no row: kept, counted, never in the way. */
export type SetAsideLine = {
  /** SHA-256 of the line's bytes, hex: read twice, it is kept once. */
  readonly hash: string;
  readonly reason: SetAsideReason;
  /**
   * The line's first 4,096 bytes, as UTF-8 with U+FFFD for what is not; `REDACTED` in place of a
   * stamp, or of what may be one, and of `user_id`.
   */
  readonly head: string;
  readonly bytes: number;
};

/** Most bytes of a line's beginning that are kept. */
export const MAX_HEAD_BYTES = 4096;

/** Returns what is kept of a line (without its newline) that is set aside. */
export function setAsideLine(bytes: Buffer, reason: SetAsideReason): SetAsideLine {
  return {
    hash: hash('sha256', bytes, 'hex'),
    reason,
    head: headOf(bytes),
    bytes: bytes.length,
  };
}

/** Returns what is kept of a line's beginning, given all of the line or at least its first 4,096 bytes. */
export function headOf(bytes: Buffer): string {
  return redactHead(bytes.toString('utf8', 0, MAX_HEAD_BYTES));
}
