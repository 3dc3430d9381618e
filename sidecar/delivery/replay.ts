// Sends rows again to one destination: the same spans with the same ids, whatever its cursor says. What
// may be tried again is tried some times; what is refused for good is left out and counted.
import type { RequestRow, StoredRow } from '../audit/row.ts';
import { fly, type Ledger } from './flight.ts';
import type { Renew } from './renew.ts';
import type { Feed } from './feed.ts';
import { createPace, PAUSES, type Pauses } from './pace.ts';
import type { Answer, Transport } from '../otlp/transport.ts';

/** Failures in a row before the rest is left: some 90 s, and what the destination takes to answer. */
export const MAX_TRIES = 10;
/** Of refused credentials or a wrong endpoint so many, for smaller and smaller pieces: it isn't one row's fault. */
const MAX_HOPELESS = 4;

/** A request with its place in the store. */
export type ReplayRow = StoredRow & RequestRow;

export type Replayed = {
  /** Requests that the destination has acknowledged. */
  readonly sent: number;
  /** Requests that it would not take, one by one. */
  readonly refused: number;
  /** Why the last of them was refused. */
  readonly lastRefusal?: string;
  /** Spans that it has acknowledged and, by its own word, not kept. */
  readonly rejectedSpans: number;
  /** Where it stopped: the time of the first request that was not sent, in microseconds. */
  readonly leftFromUs?: number;
  /** Why it stopped, when it was not told to. */
  readonly problem?: string;
};

export type ReplayOptions = {
  /** In the order of their times, some hundred at a time. */
  readonly batches: AsyncIterable<readonly StoredRow[]>;
  readonly transport: Omit<Transport, 'close' | 'problem'>;
  readonly feed: Feed;
  /** Reads rows anew before they are sent: somebody may have been forgotten meanwhile. */
  readonly renew: Renew;
  readonly onProgress?: (sent: number, upToUs: number) => void;
  /** Is told of rows that were acknowledged. */
  readonly onTaken?: (rows: readonly StoredRow[]) => void;
  /** Is told the first failure of several in a row, of what will be tried again. */
  readonly onProblem?: (problem: string) => void;
  /** Ends it after the request that is under way. */
  readonly signal?: AbortSignal;
  readonly pauses?: Partial<Pauses>;
};

/** Sends all batches, until the last one, the signal, or a destination that stays away. */
export async function replay(options: ReplayOptions): Promise<Replayed> {
  const { batches, feed, renew, onProgress, signal } = options;
  const { pace, transport, problem } = createTries(options);
  const { ledger, counts, left, forget } = createCounts(options);
  const stop = () => pace.close();
  signal?.addEventListener('abort', stop);
  try {
    for await (const rows of batches) {
      const parts = { feed, transport, pace, ledger, renew, isHasty: true };
      if (!(await fly({ rows }, parts))) return { ...counts(), ...left(rows), ...problem() };
      forget();
      onProgress?.(counts().sent, rows.at(-1)?.startedAtUs ?? 0);
      if (signal?.aborted) return { ...counts(), ...behind(rows) };
    }
    return counts();
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

// Those of the same microsecond may be sent twice: that does no harm.
function behind(rows: readonly StoredRow[]): { leftFromUs?: number } {
  const last = rows.at(-1);
  return last === undefined ? {} : { leftFromUs: last.startedAtUs };
}

// Somebody waits at a terminal: what only another hand can mend isn't tried again.
function createTries({ transport, onProblem, pauses }: ReplayOptions) {
  const pace = createPace({
    transport,
    pauses: { ...PAUSES, unauthorizedMs: PAUSES.firstBackoffMs, ...pauses },
    nowMs: () => performance.now(),
    random: Math.random,
  });
  let failures = 0;
  let hopeless = 0;
  let problem: string | undefined;

  function count(answer: Answer): void {
    const isAnswered = answer.kind === 'acknowledged' || answer.kind === 'refused';
    failures = isAnswered ? 0 : failures + 1;
    problem = isAnswered ? undefined : answer.problem;
    const isHopeless = answer.kind === 'unauthorized' || answer.kind === 'misdirected';
    if (isAnswered) hopeless = 0;
    else if (isHopeless) hopeless += 1;
    if (hopeless === MAX_HOPELESS || failures === MAX_TRIES) pace.close();
    else if (failures === 1 && !isHopeless && problem !== undefined) onProblem?.(problem);
  }

  return {
    pace,
    problem: () => (problem === undefined ? {} : { problem }),
    transport: {
      send: async (...request: Parameters<Transport['send']>) => {
        const answer = await transport.send(...request);
        count(answer);
        return answer;
      },
    },
  };
}

function createCounts({ onTaken, onProblem }: ReplayOptions) {
  /** Sequences of the batch that is under way. */
  const dealtWith = new Set<number>();
  let sent = 0;
  let refused = 0;
  let rejectedSpans = 0;
  let lastRefusal: string | undefined;
  const ledger: Ledger = {
    taken: (_items, rejection, rows) => {
      sent += rows.length;
      for (const { sequence } of rows) dealtWith.add(sequence);
      onTaken?.(rows);
      if (rejection === undefined) return;
      rejectedSpans += rejection.spans;
      onProblem?.(`acknowledged but not kept: ${rejection.spans} spans, for: ${rejection.reason}`);
    },
    refused: ({ sequence }, _items, reason) => {
      refused += 1;
      lastRefusal = reason;
      dealtWith.add(sequence);
    },
  };
  const left = (rows: readonly StoredRow[]): { leftFromUs?: number } => {
    const first = rows.find(({ sequence }) => !dealtWith.has(sequence));
    return first === undefined ? {} : { leftFromUs: first.startedAtUs };
  };
  return {
    ledger,
    left,
    forget: () => dealtWith.clear(),
    counts: () => ({
      sent,
      refused,
      rejectedSpans,
      ...(lastRefusal !== undefined && { lastRefusal }),
    }),
  };
}
