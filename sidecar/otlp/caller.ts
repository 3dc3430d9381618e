// What a protocol does: one attempt to send one request. How credentials come to it is in connect.ts.
import { explain } from '../fault.ts';
import type { CallHeaders } from './credentials.ts';
import type { Destination, Signal } from './destination.ts';
import type { ProxySettings } from './proxy.ts';
import type { Answer } from './transport.ts';

/** One protocol's way to a destination. */
export type Caller = {
  /** Makes one attempt; may reject where there was no answer. Ends by the deadline. */
  call(signal: Signal, request: Buffer, headers: CallHeaders): Promise<Answer>;
  /** Ends calls and connections. */
  close(): void;
};

export type CallerOptions = {
  readonly destination: Destination;
  /** Of Signet, for User-Agent. */
  readonly version: string;
  readonly timeoutMs: number;
  readonly proxy: ProxySettings;
};

/** Longest answer that is read, gRPC's own default. OTLP's have some bytes. */
export const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;

/**
 * Returns what is made of an answer. Called by libraries, where a fault of ours or theirs would end the thread,
 * and the next thread the same: it makes the answer unclear.
 */
export function understood(read: () => Answer | Promise<Answer>): Answer | Promise<Answer> {
  try {
    return read();
  } catch (error) {
    return { kind: 'unclear', problem: `its answer can’t be read: ${explain(error)}` };
  }
}

/** Returns what is said of a deadline that has passed. */
export function noAnswer(timeoutMs: number): string {
  return `no answer within ${timeoutMs} ms`;
}
