// `signet deliver`: sends history again from the store. It moves no cursor, and leaves the running
// sidecar's own deliveries alone.
import { Command, InvalidArgumentError } from 'commander';
import { print, say, STORE_EXIT_CODES, storeCommand } from './report/command-store.ts';
import { parseTimeUs, TIMES } from './report/filter-time.ts';
import { isoTime } from './audit/format-text.ts';
import { createProgress, type Progress } from './report/progress.ts';
import type { AuditReader } from './audit/reader.ts';
import { ownChain, readingAt, stateOf, type RecordParts } from './report/whereabouts.ts';
import type { Destination } from './delivery/destination.ts';
import { countHistory, history, type Period } from './delivery/history.ts';
import { replay, type Replayed } from './delivery/replay.ts';
import { spansOf } from './trace/spans.ts';

/** What the command is made of. */
export type DeliverParts = RecordParts & {
  /** By the configuration, which must be whole. Throws ERR_CONFIG. */
  readonly settings: () => DeliverSettings;
};

export type DeliverSettings = {
  readonly destinations: readonly Destination[];
  /** Attributes of the resource that the sidecar sends spans with. */
  readonly resource: Readonly<Record<string, string>>;
  readonly version: string;
};

type DeliverOptions = {
  readonly since: number;
  readonly until?: number;
  readonly destination?: readonly string[];
  readonly dryRun?: true;
};

const EXIT_REFUSED = 1;
const EXIT_LEFT = 75; // EX_TEMPFAIL of sysexits.h: again, later
const EXIT_INTERRUPTED = 130;

const HELP = `
Requests that began in that time are sent to every destination of the configuration, or to those that are
named, with the span ids that they had before: a backend that has them already has them twice at most.
What isn't sampled stays out, and of persons who were forgotten no more is sent than the store still
holds. Where a destination doesn't answer it is tried again for a minute and a half; then it is told from
when on to go on.

Examples:
  $ signet deliver --since 2026-11-20T08:00 --until 2026-11-20T12:00
  $ signet deliver --since 7d --destination lightstep
  $ signet deliver --since 7d --dry-run

Exit codes:
  0   all was sent
  1   a destination refused some for good, or did not keep them; the others were sent
  2   an option is wrong
${STORE_EXIT_CODES}
  75  a destination doesn't answer: some is left, and it is told from when on
  78  the configuration is wrong; all mistakes are listed
  130 interrupted: some is left, and it is told from when on
`;

/** Returns the command. */
export function deliverCommand(parts: DeliverParts): Command {
  const command = new Command('deliver')
    .description('send history again to the destinations, from the store')
    .requiredOption(
      '--since <time>',
      'requests from here on: 2026-11-20T08:00, or 7d ago',
      parseTime,
    )
    .option('--until <time>', 'up to here (default: now)', parseTime)
    .option('--destination <names>', 'only these', collect)
    .option('--dry-run', 'say how many it would be, and send nothing');
  return storeCommand(command, HELP).action((options: DeliverOptions) =>
    run(command, options, parts),
  );
}

async function run(command: Command, options: DeliverOptions, parts: DeliverParts): Promise<void> {
  const { since: sinceUs, until: untilUs = Date.now() * 1000 } = options;
  if (sinceUs >= untilUs) command.error('error: --until must lie after --since');
  const settings = parts.settings();
  const destinations = chosen(command, settings, options);
  const where = parts.locate(stateOf(command));
  await readingAt(where, async (reader) => {
    const chain = await ownChain(where, reader);
    const period = { sinceUs, untilUs };
    const count = await countHistory(reader, chain, period);
    const names = destinations.map(({ name }) => name).join(', ');
    if (options.dryRun) return print(`${count} requests would be sent to ${names}.\n`);
    await sendAll({ reader, chain, period, count, settings: { ...settings, destinations } });
  });
}

function chosen(
  command: Command,
  { destinations }: DeliverSettings,
  { destination: names }: DeliverOptions,
): readonly Destination[] {
  const known = destinations.map(({ name }) => name);
  const unknown = (names ?? []).filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    command.error(
      `error: --destination: read ${unknown.join(', ')}; there are ${known.join(', ')}`,
    );
  }
  if (destinations.length === 0) command.error('error: no destination is configured');
  return names === undefined
    ? destinations
    : destinations.filter(({ name }) => names.includes(name));
}

type Sending = {
  readonly reader: AuditReader;
  readonly chain: string;
  readonly period: Period;
  readonly count: number;
  readonly settings: DeliverSettings;
};

// Side by side: none waits for another that is slow.
async function sendAll(sending: Sending): Promise<void> {
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  process.once('SIGTERM', () => interrupted.abort());
  const progress = createProgress();
  const outcomes = await Promise.all(
    sending.settings.destinations.map(async (destination) => {
      const sent = await sendTo(destination, sending, progress, interrupted.signal);
      return { name: destination.name, ...sent };
    }),
  ).finally(() => progress.end());
  for (const outcome of outcomes) await print(`${outcomeText(outcome)}\n`);
  process.exitCode = exitCodeOf(outcomes, interrupted.signal.aborted);
}

async function sendTo(
  destination: Destination,
  { reader, chain, period, count, settings }: Sending,
  progress: Progress,
  signal: AbortSignal,
): Promise<Replayed> {
  // Loaded only here: the other commands need no gRPC.
  const { createOtlpWire } = await import('./delivery/otlp.ts');
  const wire = createOtlpWire(destination, settings.resource, settings.version);
  const onProgress = (sent: number, upToUs: number) =>
    progress.tell(`${destination.name}: ${sent} of ${count} requests, up to ${isoTime(upToUs)}`);
  const onProblem = (problem: string) => say(`${problem}\n`);
  const batches = history(reader, chain, period);
  try {
    return await replay({ batches, wire, spansOf, onProgress, onProblem, signal });
  } finally {
    await wire.close();
  }
}

function outcomeText(outcome: Replayed & { name: string }) {
  const { name, sent, refused, rejectedSpans, leftFromUs, problem } = outcome;
  const parts = [
    `${sent} requests sent`,
    ...(rejectedSpans > 0 ? [`${rejectedSpans} spans of them not kept`] : []),
    ...(refused > 0 ? [`${refused} refused for good`] : []),
    ...(problem === undefined ? [] : [problem]),
    ...(leftFromUs === undefined ? [] : [`go on with --since ${isoTime(leftFromUs)}`]),
  ];
  return `${name}: ${parts.join('; ')}`;
}

function exitCodeOf(outcomes: readonly Replayed[], isInterrupted: boolean): number {
  if (outcomes.some(({ leftFromUs }) => leftFromUs !== undefined)) {
    return isInterrupted ? EXIT_INTERRUPTED : EXIT_LEFT;
  }
  const isComplete = outcomes.every(({ refused, rejectedSpans }) => refused + rejectedSpans === 0);
  return isComplete ? 0 : EXIT_REFUSED;
}

function parseTime(text: string): number {
  const us = parseTimeUs(text, Date.now() * 1000);
  if (us === undefined) throw new InvalidArgumentError(`Allowed is ${TIMES}.`);
  return us;
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, ...value.split(',').map((name) => name.trim())];
}
