// What `signet deliver` does with what it was told to send: to all destinations side by side, with
// progress and interruption, an outcome in words for each, and an exit code for all.
import { isoTime } from '../audit/format-text.ts';
import type { AuditReader } from '../audit/reader.ts';
import type { StoredRow } from '../audit/row.ts';
import type { Destination } from '../otlp/destination.ts';
import type { ProxySettings } from '../otlp/proxy.ts';
import { replay, type Replayed, type ReplayRow } from '../delivery/replay.ts';
import { print, say } from '../report/command-store.ts';
import { createProgress, type Progress } from '../report/progress.ts';
import type { Whereabouts } from '../report/whereabouts.ts';
import { createSpansOf } from '../trace/worth.ts';

export type DeliverSettings = {
  readonly destinations: readonly Destination[];
  /** Attributes of the resource that the sidecar sends spans with. */
  readonly resource: Readonly<Record<string, string>>;
  readonly version: string;
  readonly proxy?: ProxySettings;
  /** From when on a request is slow, and has a span though it isn't sampled. */
  readonly slowUs: number;
};

/** What the command was told to do, and what it works on. */
export type DeliverTask = {
  readonly where: Whereabouts;
  readonly reader: AuditReader;
  readonly chain: string;
  readonly settings: DeliverSettings;
  readonly hasSpans: (row: ReplayRow) => boolean;
  readonly isDryRun: boolean;
};

/** What one destination is sent. */
export type Load = {
  readonly destination: Destination;
  readonly batches: AsyncIterable<readonly ReplayRow[]>;
  /** How many requests it is, for the progress. */
  readonly count: number;
  /** How to go on where some is left. */
  readonly goOn: (leftFromUs: number) => string;
  readonly onTaken?: (rows: readonly StoredRow[]) => void;
};

const EXIT_REFUSED = 1;
const EXIT_LEFT = 75; // EX_TEMPFAIL of sysexits.h: again, later
const EXIT_INTERRUPTED = 130;

/** Sends them, none waiting for another that is slow; prints what became of each, and sets the exit code. */
export async function sendAll(loads: readonly Load[], settings: DeliverSettings): Promise<void> {
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  process.once('SIGTERM', () => interrupted.abort());
  const progress = createProgress();
  const outcomes = await Promise.all(
    loads.map(async (load) => ({
      load,
      replayed: await send(load, settings, progress, interrupted.signal),
    })),
  ).finally(() => progress.end());
  for (const { load, replayed } of outcomes) await print(`${outcomeText(load, replayed)}\n`);
  const all = outcomes.map(({ replayed }) => replayed);
  process.exitCode = exitCodeOf(all, interrupted.signal.aborted);
}

async function send(
  { destination, batches, count, onTaken }: Load,
  { resource, version, proxy, slowUs }: DeliverSettings,
  progress: Progress,
  signal: AbortSignal,
): Promise<Replayed> {
  // Loaded only here: the other commands need no gRPC.
  const { createTransport } = await import('../otlp/connect.ts');
  const { createSpanFeed } = await import('../delivery/feed.ts');
  const transport = createTransport(destination, { version, ...(proxy && { proxy }) });
  const feed = createSpanFeed(resource, version, createSpansOf(slowUs));
  const onProgress = (sent: number, upToUs: number) =>
    progress.tell(`${destination.name}: ${sent} of ${count} requests, up to ${isoTime(upToUs)}`);
  const onProblem = (problem: string) => say(`${problem}\n`);
  const options = { batches, transport, feed, onProgress, onProblem, signal };
  try {
    return await replay({ ...options, ...(onTaken && { onTaken }) });
  } finally {
    transport.close();
  }
}

function outcomeText(
  { destination, goOn }: Load,
  { sent, refused, rejectedSpans, leftFromUs, problem }: Replayed,
): string {
  const parts = [
    `${sent} requests sent`,
    ...(rejectedSpans > 0 ? [`${rejectedSpans} spans of them not kept`] : []),
    ...(refused > 0 ? [`${refused} refused for good`] : []),
    ...(problem === undefined ? [] : [problem]),
    ...(leftFromUs === undefined ? [] : [goOn(leftFromUs)]),
  ];
  return `${destination.name}: ${parts.join('; ')}`;
}

function exitCodeOf(outcomes: readonly Replayed[], isInterrupted: boolean): number {
  if (outcomes.some(({ leftFromUs }) => leftFromUs !== undefined)) {
    return isInterrupted ? EXIT_INTERRUPTED : EXIT_LEFT;
  }
  const isComplete = outcomes.every(({ refused, rejectedSpans }) => refused + rejectedSpans === 0);
  return isComplete ? 0 : EXIT_REFUSED;
}
