// `signet deploy verdict`: whether anything became worse since a mark, for a pipeline that rolls back on it.
import { Command } from 'commander';
import { visible } from '../audit/format-text.ts';
import type { AuditReader } from '../audit/reader.ts';
import { explain, Fault } from '../fault.ts';
import {
  hasColours,
  isTerminal,
  print,
  say,
  STORE_EXIT_CODES,
  storeCommand,
} from '../report/command-store.ts';
import { readingAt, stateOf, type RecordParts } from '../report/whereabouts.ts';
import { compareTraffic } from './compare-traffic.ts';
import {
  EXIT_DEPLOY_USAGE,
  EXIT_REGRESSED,
  EXIT_SOFTWARE,
  EXIT_TOO_FEW,
  exitAsDeployUsage,
} from './exit-codes.ts';
import { verdictJson, verdictTable, type Reported } from './format-verdict.ts';
import { MIN_MEDIAN_RATIO, MIN_P95_RATIO, MIN_SLOWER_US, MIN_SUPERIORITY } from './judge-route.ts';
import { marksIn, type Mark } from './mark.ts';
import { MAX_TIMES, recordedUpTo } from './traffic.ts';
import { verdictOf } from './verdict.ts';
import { reasonsOf } from './reasons.ts';
import { withVerdictOptions, type VerdictCommandOptions } from './verdict-options.ts';
import { windowsOf } from './windows.ts';

const percentOf = (ratio: number) => `${Math.round((ratio - 1) * 100)} %`;

const HELP = `
Compared are requests that were allowed, or needed no permission, from the mark on (until the next one)
with those of as long before it (back to the previous one), by route. Counted are requests that began and
ended on their side: what was under way when the mark was set counts on neither. Errors are answers of 500
and more and requests without an answer; refusals are none. Times are those until the app's response
headers, so that streams and WebSockets don't count with how long people stay; where Caddy answered
without an app, the whole request. Errors have no time. The store knows of requests that have ended and
are recorded: wait a little after the mark.

Three tests for each route with enough requests on both sides, all one-sided:
  errors   Fisher's exact test. Regressed: the share rose by --min-error-increase or more.
  latency  Mann–Whitney U test, ties corrected. Regressed: a request takes longer than one before with
           probability ${MIN_SUPERIORITY} or more, and the median is ${percentOf(MIN_MEDIAN_RATIO)} and ${MIN_SLOWER_US / 1000} ms slower or more.
  tail     Fisher's exact test of the times above the 95th percentile of both sides together. Regressed:
           the 95th percentile is ${percentOf(MIN_P95_RATIO)} and ${MIN_SLOWER_US / 1000} ms slower or more.
Of more than ${MAX_TIMES} times for a route and a side a uniform sample of about so many is taken; the same one
whenever it is asked. All p-values are adjusted (Holm–Bonferroni over all tests), and a route has
regressed only when one is at most --alpha and the difference is as large as that.

The tests take requests for independent of each other: a short outage of something else looks like a
regression, too. Traffic differs by the time of the day: a short time on both sides compares better. To ask
again and again until it has regressed finds more than alpha says.

Examples:
  $ signet deploy mark 2026-11-20.3 && sleep 600 && signet deploy verdict --since-mark 2026-11-20.3
  $ signet deploy verdict --since-mark --format table
  $ signet deploy verdict --since-mark --before 1h --route orders,admin --json | jq .routes

Exit codes:
  0   fine
  1   regressed: it is said what, by how much, and how sure that is
  2   not enough traffic: no route has --min-requests on both sides
  64  an option is wrong, or there is no such mark
${STORE_EXIT_CODES}
  70  Signet itself failed: nothing is known
  78  the configuration is wrong; all mistakes are listed
`;

/** Returns the command. */
export function verdictCommand(parts: RecordParts): Command {
  const command = withVerdictOptions(new Command('verdict')).description(
    'did error rate or latency of any route become worse since a mark?',
  );
  return storeCommand(command, HELP)
    .exitOverride(exitAsDeployUsage)
    .action((options: VerdictCommandOptions) => run(parts, command, options));
}

// Whatever fails must not look like a regression.
async function run(
  { locate }: RecordParts,
  command: Command,
  options: VerdictCommandOptions,
): Promise<void> {
  try {
    await readingAt(locate(stateOf(command)), (reader) => judge(reader, options));
  } catch (error) {
    if (error instanceof Fault) throw error;
    say(`signet: the verdict came to no end: ${visible(explain(error))}\n`);
    process.exitCode = EXIT_SOFTWARE;
  }
}

async function judge(reader: AuditReader, options: VerdictCommandOptions): Promise<void> {
  const marks = await marksIn(reader);
  const mark = markOf(marks, options.sinceMark);
  if (mark === undefined) return;
  const untilUs = (await recordedUpTo(reader)) ?? mark.atUs;
  const windows = windowsOf(mark, marks, {
    untilUs,
    ...(options.before !== undefined && { beforeUs: options.before }),
  });
  const { alpha, minRequests, minErrorIncrease: errorIncrease } = options;
  const limits = { alpha, minRequests, errorIncrease };
  const compared = await compareTraffic(reader, windows, minRequests, options.route);
  await tell({ ...verdictOf(compared, limits), mark, windows, options: limits }, options);
}

function markOf(marks: readonly Mark[], asked: string | true | undefined): Mark | undefined {
  const mark = typeof asked === 'string' ? marks.find(({ id }) => id === asked) : marks.at(-1);
  if (mark !== undefined) return mark;
  const which = typeof asked === 'string' ? `no mark ${visible(asked)}` : 'no mark yet';
  say(`signet: there is ${which}; \`signet deploy mark ID\` sets one.\n`);
  process.exitCode = EXIT_DEPLOY_USAGE;
  return undefined;
}

async function tell(reported: Reported, { format, json }: VerdictCommandOptions): Promise<void> {
  // First: nobody need read the output, and the code must be right all the same.
  if (reported.verdict === 'regressed') process.exitCode = EXIT_REGRESSED;
  if (reported.verdict === 'not-enough-traffic') process.exitCode = EXIT_TOO_FEW;
  const isTable = !json && (format === undefined ? isTerminal() : format === 'table');
  const reasons = reasonsOf(reported).join('\n');
  // Also where programs read: the log of a pipeline is what people look at.
  if (!isTable) say(`${reasons}\n`);
  if (isTable) await print(`${verdictTable(reported, hasColours())}\n${reasons}\n`);
  else await print(`${verdictJson(reported)}\n`);
}
