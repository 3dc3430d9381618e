// `signet spans`: how many spans the requests of a time make, whose they are, and what the destinations'
// budgets make of it. It only reads.
import { Command, InvalidArgumentError, Option } from 'commander';
import { ownChain, readingAt, stateOf, type RecordParts } from '../report/whereabouts.ts';
import {
  hasColours,
  isTerminal,
  print,
  say,
  STORE_EXIT_CODES,
  storeCommand,
} from '../report/command-store.ts';
import { parseTimeUs, TIMES } from '../report/filter-time.ts';
import { BILL_DAYS } from '../report/format-volume.ts';
import { VOLUME_GROUPINGS, type VolumeGrouping } from '../report/volume-groups.ts';
import { MAX_DAYS } from '../delivery/volume.ts';
import type { BudgetedDestination } from './spans-destinations.ts';
import { jsonOf, readVolume, textOf } from './spans-volume.ts';

/** What the command is made of. */
export type SpansParts = RecordParts & {
  /** By the configuration; or what is missing or wrong there, and where. */
  readonly settings: () => SpansSettings | { readonly problem: string };
};

export type SpansSettings = {
  readonly destinations: readonly BudgetedDestination[];
  /** From where on a request is slow, in microseconds. */
  readonly slowUs: number;
};

type SpansOptions = {
  readonly since?: number;
  readonly until?: number;
  readonly by?: VolumeGrouping;
  readonly limit?: number;
  readonly ratio?: number;
  readonly json?: true;
};

const DEFAULT_SINCE = '7d';
const TERMINAL_LIMIT = 20;
/** What is slow unless the configuration says otherwise. */
const DEFAULT_SLOW_US = 2_000_000;

const HELP = `
Counted are the requests in the store that began in that time, and the spans that they make: 1 for the
request, 1 for the gate's decision, 1 for the app's answer; of a request that was not sampled 1 if it
failed or was slow, else none. What a day and ${BILL_DAYS} days would make is projected from the time of which there
are rows, where that is a day at least. Spans of the calls to the provider when somebody signs in come on top.

--ratio shows what it would be if traces were sampled by that ratio, without rules: every request has its
row, sampled or not. Refusals are always sampled. Callers whose traces go on here decide for themselves,
which is not in the store: where there are many, it will be somewhat more.

Of each destination is told what it got and what was left out in those days (UTC; ${MAX_DAYS} are remembered), by
reason: budget-second and budget-day with the worth of what was left out (error, refusal, slow, other),
rejected (acknowledged and not kept), refused (set aside). With a budget, also what it makes of an average
day: 'other' is sent up to 80 % of the day's budget, 'slow' up to 90 %, 'refusal' up to 95 %, 'error' up to
all of it.

Examples:
  $ signet spans
  $ signet spans --since 30d --by team
  $ signet spans --since 1d --ratio 0.1
  $ signet spans --since 7d --json | jq '.groups[] | select(.team == "payments")'

Exit codes:
  0   listed
  2   an option is wrong
${STORE_EXIT_CODES}
`;

/** Returns the command. */
export function spansCommand(parts: SpansParts): Command {
  const command = new Command('spans')
    .description('how many spans there are, by team, route and destination')
    .option('--since <time>', `requests from here on (default: ${DEFAULT_SINCE} ago)`, parseTime)
    .option('--until <time>', 'up to here (default: now)', parseTime)
    .addOption(new Option('--by <field>', '(default: both)').choices(VOLUME_GROUPINGS))
    .option(
      '--limit <number>',
      `largest groups only (default: ${TERMINAL_LIMIT} in a table)`,
      parseLimit,
    )
    .option('--ratio <ratio>', 'as if this share of traces were sampled: 0 to 1', parseRatio)
    .option('--json', 'one JSON object (default where no terminal reads it)');
  return storeCommand(command, HELP).action((options: SpansOptions) =>
    run(command, options, parts),
  );
}

async function run(command: Command, options: SpansOptions, parts: SpansParts): Promise<void> {
  const { until: untilUs = Date.now() * 1000, ratio } = options;
  const sinceUs = options.since ?? parseTime(DEFAULT_SINCE);
  if (sinceUs >= untilUs) {
    const mistake =
      options.until === undefined ? '--since lies ahead' : '--until must lie after --since';
    command.error(`error: ${mistake}`);
  }
  const state = stateOf(command);
  const where = parts.locate(state);
  const { destinations, slowUs = DEFAULT_SLOW_US } = settingsOf(parts, state);
  const by = options.by === undefined ? VOLUME_GROUPINGS : [options.by];
  const isTable = options.json === undefined && isTerminal();
  const limit = options.limit ?? (isTable ? TERMINAL_LIMIT : Infinity);
  const question = { sinceUs, untilUs, slowUs, ...(ratio !== undefined && { ratio }) };
  await readingAt(where, async (reader) => {
    const chain = await ownChain(where, reader);
    const volume = await readVolume(reader, chain, question, { by, limit, destinations });
    await print(isTable ? textOf(volume, by, hasColours()) : jsonOf(volume));
  });
}

// Beside a store that is named, a copy perhaps, nobody expects its configuration.
function settingsOf({ settings }: SpansParts, state: string | undefined): Partial<SpansSettings> {
  const found = settings();
  if (!('problem' in found)) return found;
  const unknown = `destinations and budgets are not known, and slow is what takes ${DEFAULT_SLOW_US / 1e6} s`;
  if (state === undefined) say(`(${unknown}: ${found.problem})\n`);
  return {};
}

function parseTime(text: string): number {
  const us = parseTimeUs(text, Date.now() * 1000);
  if (us === undefined) throw new InvalidArgumentError(`Allowed is ${TIMES}.`);
  return us;
}

function parseLimit(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Allowed is 1 or more.');
  return Number(text);
}

function parseRatio(text: string): number {
  const ratio = /^\d+(\.\d{1,12})?$/.test(text) ? Number(text) : Number.NaN;
  if (!(ratio >= 0 && ratio <= 1)) throw new InvalidArgumentError('Allowed is 0 to 1, like 0.25.');
  return ratio;
}
