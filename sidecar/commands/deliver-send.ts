// What `signet deliver` does with what it was told to send: to all destinations side by side, with
// progress and interruption, an outcome in words for each, and an exit code for all.
import { isoTime } from '../audit/format-text.ts';
import type { AuditReader } from '../audit/reader.ts';
import type { StoredRow } from '../audit/row.ts';
import type { Destination, Signal } from '../otlp/destination.ts';
import type { ProxySettings } from '../otlp/proxy.ts';
import type { Feed } from '../delivery/feed.ts';
import { createRereading } from '../delivery/renew.ts';
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

/** What one destination is sent of one signal. */
export type Load = {
  readonly destination: Destination;
  /** Of its cursor: the destination's, or with its signal. */
  readonly name: string;
  readonly signal: Exclude<Signal, 'metrics'>;
  readonly batches: AsyncIterable<readonly StoredRow[]>;
  /** How many requests (of logs: rows) it is, for the progress. */
  readonly count: number;
  /** How to go on where some is left. */
  readonly goOn: (leftFromUs: number) => string;
  readonly onTaken?: (rows: readonly StoredRow[]) => void;
};

const EXIT_REFUSED = 1;
const EXIT_LEFT = 75; // EX_TEMPFAIL of sysexits.h: again, later
const EXIT_INTERRUPTED = 130;

/** Sends them, none waiting for another that is slow; prints what became of each, and sets the exit code. */
export async function sendAll(loads: readonly Load[], task: DeliverTask): Promise<void> {
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  process.once('SIGTERM', () => interrupted.abort());
  const progress = createProgress();
  const outcomes = await Promise.all(
    loads.map(async (load) => ({
      load,
      replayed: await send(load, task, progress, interrupted.signal),
    })),
  ).finally(() => progress.end());
  for (const { load, replayed } of outcomes) await print(`${outcomeText(load, replayed)}\n`);
  const all = outcomes.map(({ replayed }) => replayed);
  process.exitCode = exitCodeOf(all, interrupted.signal.aborted);
}

async function send(
  load: Load,
  { settings, reader, chain }: DeliverTask,
  progress: Progress,
  signal: AbortSignal,
): Promise<Replayed> {
  // Loaded only here: the other commands need no gRPC.
  const { createTransport } = await import('../otlp/connect.ts');
  const { destination, name, batches, count, onTaken } = load;
  const { version, proxy } = settings;
  const transport = createTransport(destination, { version, ...(proxy && { proxy }) });
  const feed = await feedOf(load, settings);
  const onProgress = (sent: number, upToUs: number) =>
    progress.tell(`${name}: ${sent} of ${count} ${unitOf(load)}, up to ${isoTime(upToUs)}`);
  const onProblem = (problem: string) => say(`${problem}\n`);
  const renew = createRereading(reader, chain);
  const options = { batches, transport, feed, renew, onProgress, onProblem, signal };
  try {
    return await replay({ ...options, ...(onTaken && { onTaken }) });
  } finally {
    transport.close();
  }
}

async function feedOf(
  { signal }: Load,
  { resource, version, slowUs }: DeliverSettings,
): Promise<Feed> {
  const { createSpanFeed } = await import('../delivery/feed.ts');
  const { createLogFeed } = await import('../delivery/log-feed.ts');
  return signal === 'traces'
    ? createSpanFeed(resource, version, createSpansOf(slowUs))
    : createLogFeed(resource, version);
}

/** Returns what a load is counted in. Every row is a log record, also of what is no request. */
export function unitOf({ signal }: Pick<Load, 'signal'>): string {
  return signal === 'traces' ? 'requests' : 'rows';
}

function outcomeText(load: Load, replayed: Replayed): string {
  const { name, signal, goOn } = load;
  const { sent, refused, lastRefusal, rejectedSpans, leftFromUs, problem } = replayed;
  const items = signal === 'traces' ? 'spans' : 'log records';
  const parts = [
    `${sent} ${unitOf(load)} sent`,
    ...(rejectedSpans > 0 ? [`${rejectedSpans} ${items} of them not kept`] : []),
    ...(refused > 0 ? [refusedText(refused, lastRefusal)] : []),
    ...(problem === undefined ? [] : [problem]),
    ...(leftFromUs === undefined ? [] : [goOn(leftFromUs)]),
  ];
  return `${name}: ${parts.join('; ')}`;
}

function refusedText(refused: number, reason: string | undefined): string {
  return `${refused} refused for good${reason === undefined ? '' : `, the last for: ${reason}`}`;
}

function exitCodeOf(outcomes: readonly Replayed[], isInterrupted: boolean): number {
  if (outcomes.some(({ leftFromUs }) => leftFromUs !== undefined)) {
    return isInterrupted ? EXIT_INTERRUPTED : EXIT_LEFT;
  }
  const isComplete = outcomes.every(({ refused, rejectedSpans }) => refused + rejectedSpans === 0);
  return isComplete ? 0 : EXIT_REFUSED;
}
