// Spans that are of no row (a sign-in's calls to the provider) to one destination. As good as can be done
// without a store behind it: what can't be sent soon is dropped and counted. Evidence never goes this way.
import { setTimeout as pause } from 'node:timers/promises';
import type { Span } from '../trace/span.ts';
import { readRejection } from '../otlp/read-response.ts';
import type { Answer, Transport } from '../otlp/transport.ts';

/** Spans that wait at most. Those beyond are dropped: the oldest are the likelier to be sent soon. */
export const MAX_WAITING_SPANS = 1000;
/** How often a batch is sent. */
export const MAX_TRIES = 3;
/** Pause before another try, unless the destination names one; of that, at most the second. */
const RETRY_MS = 1000;
const LONGEST_RETRY_MS = 10_000;

export type LiveDeliveryOptions = {
  /** That of the destination's rows: it has the credentials, and a connection. Not closed here. */
  readonly transport: Pick<Transport, 'send'>;
  /** Returns the spans as one request; its bytes are valid until the next call. */
  readonly encode: (spans: readonly Span[]) => Buffer;
  readonly retryMs?: number;
};

/** Since the start of this process. */
export type LiveState = { readonly sentSpans: number; readonly droppedSpans: number };

export type LiveDelivery = {
  /** Sends them, one batch after the other. Never waits, never throws. */
  add(spans: readonly Span[]): void;
  state(): LiveState;
  /** Resolves when nothing is left, at the latest at the deadline. Nothing is tried twice any more. */
  finish(deadlineMs: number): Promise<void>;
};

/** Returns the delivery of such spans to one destination. */
export function createLiveDelivery(options: LiveDeliveryOptions): LiveDelivery {
  const { transport, encode, retryMs = RETRY_MS } = options;
  const finishing = new AbortController();
  let waiting: Span[] = [];
  let running: Promise<void> | undefined;
  let sentSpans = 0;
  let droppedSpans = 0;

  function add(spans: readonly Span[]): void {
    const room = Math.max(0, MAX_WAITING_SPANS - waiting.length);
    waiting.push(...spans.slice(0, room));
    droppedSpans += Math.max(0, spans.length - room);
    running ??= sendAll().finally(() => (running = undefined));
  }

  async function sendAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      // Whatever goes wrong: nobody waits for it who would hear.
      const kept = await send(batch).catch(() => 0);
      sentSpans += kept;
      droppedSpans += batch.length - kept;
    }
  }

  // Of 1,000 spans it has 0.4 MB, which any receiver takes.
  async function send(batch: readonly Span[]): Promise<number> {
    const request = encode(batch);
    for (let tries = 1; ; tries++) {
      const answer = await transport.send('traces', request);
      if (answer.kind === 'acknowledged') {
        return batch.length - (readRejection(answer.response, batch.length)?.spans ?? 0);
      }
      if (answer.kind === 'refused' || tries === MAX_TRIES || finishing.signal.aborted) return 0;
      await pause(pauseFor(answer, retryMs * tries), undefined, {
        signal: finishing.signal,
      }).catch(() => undefined);
    }
  }

  async function finish(deadlineMs: number): Promise<void> {
    finishing.abort();
    const { promise: expired, resolve: expire } = Promise.withResolvers<void>();
    const timer = setTimeout(expire, deadlineMs);
    await Promise.race([running, expired]);
    clearTimeout(timer);
  }

  return { add, state: () => ({ sentSpans, droppedSpans }), finish };
}

function pauseFor(answer: Answer, otherwiseMs: number): number {
  const wantedMs = answer.kind === 'retry' ? answer.afterMs : undefined;
  return Math.min(wantedMs ?? otherwiseMs, LONGEST_RETRY_MS);
}
