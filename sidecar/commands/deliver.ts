// `signet deliver`: sends history again from the store, or what a destination has refused. It moves no
// cursor, and leaves the running sidecar's own deliveries alone.
import { Command, InvalidArgumentError, Option } from 'commander';
import { isoTime } from '../audit/format-text.ts';
import { sendRefused } from './deliver-refused.ts';
import { sendAll, type DeliverSettings, type DeliverTask } from './deliver-send.ts';
import type { Destination } from '../otlp/destination.ts';
import { countHistory, history } from '../delivery/history.ts';
import type { ReplayRow } from '../delivery/replay.ts';
import { print, STORE_EXIT_CODES, storeCommand } from '../report/command-store.ts';
import { parseTimeUs, TIMES } from '../report/filter-time.ts';
import { ownChain, readingAt, stateOf, type RecordParts } from '../report/whereabouts.ts';
import { createSpansOf } from '../trace/worth.ts';

export type { DeliverSettings };

/** What the command is made of. */
export type DeliverParts = RecordParts & {
  /** By the configuration, which must be whole. Throws ERR_CONFIG. */
  readonly settings: () => DeliverSettings;
};

type DeliverOptions = {
  readonly since?: number;
  readonly until?: number;
  readonly refused?: true;
  readonly destination?: readonly string[];
  readonly dryRun?: true;
};

const HELP = `
Requests that began in that time are sent to every destination of the configuration that takes traces, or
to those that are named, with the span ids that they had before: a backend that has them already has them
twice at most. What isn't sampled stays out, but for the spans of errors and slow requests, and of persons
who were forgotten no more is sent than the store still holds. Log records are sent by --refused only. A destination's budget does not count here.

--refused sends what a destination refused before, spans and log records, of the newest 1,000 rows that
it did of each: once the reason is mended, which \`/readyz\` and the log tell. What it takes then is off
the list, and off \`/readyz\` some seconds later.

Where a destination doesn't answer it is tried again for a minute and a half; then it is told from when on
to go on. Refused credentials and a wrong endpoint (also its other port) end it at once.

Examples:
  $ signet deliver --since 2026-11-20T08:00 --until 2026-11-20T12:00
  $ signet deliver --since 7d --destination lightstep
  $ signet deliver --since 7d --destination new-collector,honeycomb --dry-run
  $ signet deliver --refused
  $ signet deliver --refused --destination lightstep

Exit codes:
  0   all was sent
  1   a destination refused some for good, or did not keep them; the others were sent
  2   an option is wrong
${STORE_EXIT_CODES}
  75  a destination doesn't answer as such, or refuses the credentials: some is left, and it is told how to go on
  78  the configuration is wrong; all mistakes are listed
  130 interrupted: some is left, and it is told how to go on
`;

/** Returns the command. */
export function deliverCommand(parts: DeliverParts): Command {
  const command = new Command('deliver')
    .description('send history again to the destinations, from the store')
    .option('--since <time>', 'requests from here on: 2026-11-20T08:00, or 7d ago', parseTime)
    .option('--until <time>', 'up to here (default: now)', parseTime)
    .addOption(
      new Option('--refused', 'what was refused before, instead').conflicts(['since', 'until']),
    )
    .option('--destination <names>', 'only these', collect)
    .option('--dry-run', 'say how many it would be, and send nothing');
  return storeCommand(command, HELP).action((options: DeliverOptions) =>
    run(command, options, parts),
  );
}

async function run(command: Command, options: DeliverOptions, parts: DeliverParts): Promise<void> {
  const period = periodOf(command, options);
  const all = parts.settings();
  const settings = { ...all, destinations: chosen(command, all, options) };
  const spansOf = createSpansOf(settings.slowUs);
  const where = parts.locate(stateOf(command));
  await readingAt(where, async (reader) => {
    const chain = await ownChain(where, reader);
    const hasSpans = (row: ReplayRow) => spansOf(row).length > 0;
    const isDryRun = options.dryRun === true;
    const task = { where, reader, chain, settings, hasSpans, isDryRun };
    await (period === undefined ? sendRefused(task) : sendHistory(task, period));
  });
}

function periodOf(command: Command, { since, until, refused }: DeliverOptions) {
  if (refused) return undefined;
  if (since === undefined) command.error('error: --since is missing, or --refused');
  const nowUs = Date.now() * 1000;
  if (until === undefined && since >= nowUs) command.error('error: --since lies in the future');
  const period = { sinceUs: since, untilUs: until ?? nowUs };
  if (period.sinceUs >= period.untilUs) command.error('error: --until must lie after --since');
  return period;
}

function chosen(
  command: Command,
  { destinations }: DeliverSettings,
  { destination: names, refused }: DeliverOptions,
): readonly Destination[] {
  const kinds = refused ? (['traces', 'logs'] as const) : (['traces'] as const);
  const able = destinations.filter(({ signals }) => kinds.some((kind) => signals.includes(kind)));
  const known = able.map(({ name }) => name);
  const what = kinds.join(' or ');
  if (able.length === 0) command.error(`error: no destination for ${what} is configured`);
  const unknown = (names ?? []).filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    command.error(
      `error: --destination: read ${unknown.join(', ')}; for ${what} there are ${known.join(', ')}`,
    );
  }
  return names === undefined ? able : able.filter(({ name }) => names.includes(name));
}

type Period = NonNullable<ReturnType<typeof periodOf>>;

async function sendHistory(task: DeliverTask, period: Period): Promise<void> {
  const { reader, chain, settings, hasSpans } = task;
  const { destinations, slowUs } = settings;
  const count = await countHistory(reader, chain, period, slowUs);
  const names = destinations.map(({ name }) => name).join(', ');
  if (task.isDryRun) return print(`${count} requests would be sent to ${names}.\n`);
  const goOn = (leftFromUs: number) => `go on with --since ${isoTime(leftFromUs)}`;
  const loads = destinations.map((destination) => {
    const batches = history(reader, chain, period, hasSpans);
    return { destination, name: destination.name, signal: 'traces' as const, batches, count, goOn };
  });
  await sendAll(loads, task);
}

function parseTime(text: string): number {
  const us = parseTimeUs(text, Date.now() * 1000);
  if (us === undefined) throw new InvalidArgumentError(`Allowed is ${TIMES}.`);
  return us;
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, ...value.split(',').map((name) => name.trim())];
}
