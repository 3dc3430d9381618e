// `signet deploy verdict`: whether anything became worse since a mark, for a pipeline that rolls back on it.
import { Command } from 'commander';
import { isoTime } from '../audit/format-text.ts';
import { visible } from '../visible.ts';
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
  EXIT_NOT_KNOWN,
  exitAsDeployUsage,
} from './exit-codes.ts';
import { verdictJson, verdictTable, type Reported } from './format-verdict.ts';
import { MIN_LEFT_INCREASE } from './doubts.ts';
import {
  MIN_ERRORS,
  MIN_MEDIAN_RATIO,
  MIN_P95_RATIO,
  MIN_SLOWER_US,
  MIN_SUPERIORITY,
} from './judge-route.ts';
import { marksIn, shareRoutes, type Mark } from './mark.ts';
import { MAX_AHEAD_US, MAX_TIMED_BODY_BYTES, MAX_TIMES, recordedUpTo } from './traffic.ts';
import { verdictOf } from './verdict.ts';
import { reasonsOf } from './reasons.ts';
import { withVerdictOptions, type VerdictCommandOptions } from './verdict-options.ts';
import { afterShareOf, windowsOf } from './windows.ts';

const percentOf = (ratio: number) => `${Math.round((ratio - 1) * 100)} %`;

const HELP = `
Compared are requests that were allowed, or needed no permission, from the mark on (until the next one of
these routes) with those of as long before it (back to the previous one), by route. Counted are requests that
began and ended on their side: what was under way when the mark was set counts on neither. Errors are answers
of 500 and more; refusals are none, nor are requests whose clients left before an answer (status 0): those are
counted, and no part of the rest. Times are those until the app's response headers, so that streams and
WebSockets don't count with how long people stay; where Caddy answered without an app, the whole request.
Errors have no time, nor have requests with a body of more than ${MAX_TIMED_BODY_BYTES / 1024} KiB: the client's upload would count.

The store knows of requests that have ended and are recorded: wait a little after the mark. What still hangs
is not in it; \`signet audit open\` shows that.

Tests that find a regression, all one-sided:
  errors   Fisher's exact test, for each route with ${MIN_ERRORS} errors or more on both sides together, however few
           requests it has. Regressed: the share rose by --min-error-increase or more.
  overall  The same over all routes, each compared with itself. Regressed: as much, on (weighed) average.
  latency  Mann–Whitney U test, ties corrected. Regressed: a request takes longer than one before with
           probability ${MIN_SUPERIORITY} or more, and the median is ${percentOf(MIN_MEDIAN_RATIO)} and ${MIN_SLOWER_US / 1000} ms slower or more.
  tail     Fisher's exact test of the times above the 95th percentile of both sides together. Regressed:
           the 95th percentile is ${percentOf(MIN_P95_RATIO)} and ${MIN_SLOWER_US / 1000} ms slower or more.
Latency and tail want --min-requests times on both sides. Of more than ${MAX_TIMES} times for a route and a side a
uniform sample of about so many is taken; the same one whenever it is asked.

Tests that find what is not fine, but no proof, as clients can cause it, too (exit code 2, never 1):
  quiet    Less than half of the requests that the rate before makes one expect, where these are
           --min-requests or more; binomial test. A route that hangs looks so. --allow-quiet leaves routes out.
  cut      Answers that broke off rose by --min-error-increase or more; Fisher. The app died within its answer,
           or the client left: Caddy's line is the same.
  left     Clients that left before an answer rose by ${MIN_LEFT_INCREASE * 100} points or more; Fisher.
  failing  A route without requests before, of which half or more fail (${MIN_ERRORS} errors or more).

A route has regressed only when an adjusted p is at most --alpha and the difference is as large as that.
Adjusted is by Holm–Bonferroni over the routes, and by alpha's part: half of it is for errors, a quarter for
overall, a quarter for latency and tail. What is no proof has an alpha of its own.

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
  2   not known: no route has --min-requests on both sides, or something is neither fine nor proven; it is said
  64  an option is wrong, there is no such mark, or it lies in the future
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
  const nowUs = Date.now() * 1000;
  const marks = await marksIn(reader);
  const mark = markOf(marks, options, nowUs);
  if (mark === undefined) return;
  const routes = options.route ?? mark.routes;
  const windows = windowsOf(mark, marks, {
    untilUs: (await recordedUpTo(reader, nowUs)) ?? mark.atUs,
    ...(options.before !== undefined && { beforeUs: options.before }),
    ...(routes !== undefined && { routes }),
  });
  const { alpha, minRequests, minErrorIncrease: errorIncrease, allowQuiet = [] } = options;
  const afterShare = afterShareOf(windows);
  const limits = { alpha, minRequests, errorIncrease, allowQuiet, afterShare };
  const compared = await compareTraffic(reader, windows, minRequests, routes);
  await tell({ ...verdictOf(compared, limits), mark, windows, options: limits }, options);
}

function markOf(
  marks: readonly Mark[],
  { sinceMark, route }: VerdictCommandOptions,
  nowUs: number,
): Mark | undefined {
  const isPast = ({ atUs }: Mark) => atUs <= nowUs + MAX_AHEAD_US;
  const mark =
    typeof sinceMark === 'string'
      ? marks.find(({ id }) => id === sinceMark)
      : marks.findLast((each) => isPast(each) && shareRoutes(each.routes, route));
  if (mark === undefined) {
    const which = typeof sinceMark === 'string' ? `no mark ${visible(sinceMark)}` : 'no mark yet';
    return refuse(`there is ${which}; \`signet deploy mark ID\` sets one.`);
  }
  if (isPast(mark)) return mark;
  return refuse(`the mark ${mark.id} lies in the future, at ${isoTime(mark.atUs)}.`);
}

function refuse(why: string): undefined {
  say(`signet: ${why}\n`);
  process.exitCode = EXIT_DEPLOY_USAGE;
  return undefined;
}

async function tell(reported: Reported, { format, json }: VerdictCommandOptions): Promise<void> {
  // First: nobody need read the output, and the code must be right all the same.
  if (reported.verdict === 'regressed') process.exitCode = EXIT_REGRESSED;
  const isKnown = reported.verdict === 'fine' || reported.verdict === 'regressed';
  if (!isKnown) process.exitCode = EXIT_NOT_KNOWN;
  const isTable = !json && (format === undefined ? isTerminal() : format === 'table');
  const reasons = reasonsOf(reported).join('\n');
  // Also where programs read: the log of a pipeline is what people look at.
  if (!isTable) say(`${reasons}\n`);
  if (isTable) await print(`${verdictTable(reported, hasColours())}\n${reasons}\n`);
  else await print(`${verdictJson(reported)}\n`);
}
