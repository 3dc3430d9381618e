// `signet export-review`: what a destination would get for the last requests, as it would get it, held
// against what is declared. For reviews of what leaves, by people and in pipelines. Sends nothing.
import { readFileSync } from 'node:fs';
import { isNativeError } from 'node:util/types';
import { Command, InvalidArgumentError } from 'commander';
import { visible } from '../visible.ts';
import type { StoredRow } from '../audit/row.ts';
import { declaredNames } from '../review/declared.ts';
import type { Destination, Signal } from '../otlp/destination.ts';
import { createReview } from '../review/review.ts';
import { declaredHeaders, headerNames } from '../review/review-headers.ts';
import { lastRows, requestsOf, type RequestParts } from '../review/review-requests.ts';
import {
  declaredJson,
  declaredTable,
  isClean,
  requestJson,
  reviewText,
  type Reviewed,
} from '../review/review-text.ts';
import { EXIT_SOFTWARE, exitAsDeployUsage } from '../deployment/exit-codes.ts';
import { explain, Fault } from '../fault.ts';
import { isTerminal, print, say, STORE_EXIT_CODES, storeCommand } from '../report/command-store.ts';
import { ownChain, readingAt, stateOf, type RecordParts } from '../report/whereabouts.ts';
import { EXPORTED_RESOURCE } from '../trace/exported.ts';

/** What the command is made of. */
export type ExportReviewParts = RecordParts & {
  /** By the configuration, which must be whole. Throws ERR_CONFIG. */
  readonly settings: () => ExportReviewSettings;
};

/** As the sidecar delivers: its resource, and its sampling in `spansOf`. */
export type ExportReviewSettings = RequestParts & { readonly destinations: readonly Destination[] };

type Options = {
  readonly last: number;
  readonly destination?: readonly string[];
  readonly allow?: ReadonlySet<string>;
  readonly declared?: true;
  readonly json?: true;
};

const EXIT_UNDECLARED = 1;
const EXIT_NOTHING = 2;
const MOST_REQUESTS = 10_000;

const HELP = `
The requests are made as delivery makes them, and read back from their bytes by a reader of its own. Each is
printed as OTLP's JSON, in an object with destination, endpoint, signal and the names of the headers that go
with it; their values are masked. Every name in it (attributes, fields, events, metrics, the resource's
attributes) must be declared: --declared lists all that are. What the configuration adds to the resource
counts as declared.

--allow narrows that to a list of your own, one name on a line: attributes, the resource's attributes,
events, metrics, labels and headers that are not on it may not leave. Fields of OTLP itself need not be.

Not in it: what a budget would leave out is shown as if it were sent; spans of sign-ins' calls to the
provider are in no store; and metrics count these requests alone, without how the recorder stands.

Examples:
  $ signet export-review
  $ signet export-review --last 1000 --destination honeycomb --json | jq .request
  $ signet export-review --declared
  $ signet export-review --declared --json | jq -r 'select(.kind != "frame" and .kind != "field").name' \\
      | sort -u > may-leave.txt
  $ signet export-review --last 5000 --allow may-leave.txt > /dev/null

Exit codes:
  0   nothing but what is declared, and allowed
  1   something is not: it is said what, and where
  2   nothing was reviewed: no request yet, no destination, or nothing of it would leave
  64  an option is wrong
${STORE_EXIT_CODES}
  70  Signet itself failed: nothing is known
  78  the configuration is wrong; all mistakes are listed
`;

/** Returns the command. */
export function exportReviewCommand(parts: ExportReviewParts): Command {
  const command = new Command('export-review')
    .description('what a destination gets for the last requests, held against what is declared')
    .option('--last <number>', 'of the newest requests', parseLast, 100)
    .option('--destination <names>', 'only these', collect)
    .option('--allow <file>', 'names that may leave, one on a line; # begins a comment', readList)
    .option('--declared', 'list everything that may leave, and look at no request')
    .option('--json', 'one JSON object on a line (default, but on a terminal)');
  return storeCommand(command, HELP)
    .exitOverride(exitAsDeployUsage)
    .action((options: Options) => run(command, options, parts));
}

// Whatever fails must not look like something undeclared.
async function run(command: Command, options: Options, parts: ExportReviewParts): Promise<void> {
  try {
    await reviewAll(command, options, parts);
  } catch (error) {
    if (error instanceof Fault) throw error;
    say(`signet: the review came to no end: ${visible(explain(error))}\n`);
    process.exitCode = EXIT_SOFTWARE;
  }
}

async function reviewAll(
  command: Command,
  options: Options,
  parts: ExportReviewParts,
): Promise<void> {
  const settings = parts.settings();
  const destinations = chosen(command, settings, options);
  if (options.declared) return list(settings, destinations, options);
  const where = parts.locate(stateOf(command));
  await readingAt(where, async (reader) => {
    const rows = await lastRows(reader, await ownChain(where, reader), options.last);
    if (rows.length === 0) say('There is no request yet.\n');
    let requests = 0;
    for (const destination of destinations) {
      for (const signal of destination.signals) {
        requests += await review({ destination, signal, rows, settings, options });
      }
    }
    if (requests > 0) return;
    say('Nothing to review: no destination would get anything.\n');
    // What isn't allowed is so also where nothing leaves: a header.
    process.exitCode ??= EXIT_NOTHING;
  });
}

function chosen(
  command: Command,
  { destinations }: ExportReviewSettings,
  { destination: names }: Options,
): readonly Destination[] {
  const known = destinations.map(({ name }) => name);
  const unknown = (names ?? []).filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    const there = known.join(', ') || 'none';
    command.error(`error: --destination: read ${unknown.join(', ')}; there are: ${there}`);
  }
  if (destinations.length === 0) say('No destination is configured: nothing leaves.\n');
  return destinations.filter(({ name }) => names === undefined || names.includes(name));
}

type Reviewing = {
  readonly destination: Destination;
  readonly signal: Signal;
  readonly rows: readonly StoredRow[];
  readonly settings: ExportReviewSettings;
  readonly options: Options;
};

/** Returns how many requests there were to look at. */
async function review(reviewing: Reviewing): Promise<number> {
  const { destination, signal, rows, settings, options } = reviewing;
  const { allow, json } = options;
  const headers = headersOf(destination);
  const found = createReview(signal, resourceNames(settings), allow);
  const indent = json !== true && isTerminal() ? 2 : undefined;
  const counted = { requests: 0, items: 0, bytes: 0 };
  for (const { bytes, items } of requestsOf(signal, rows, settings)) {
    counted.requests += 1;
    counted.items += items;
    counted.bytes += bytes.length;
    await show(`${requestJson(destination, signal, headers, found.add(bytes), indent)}\n`);
  }
  const headersNotAllowed = headers.filter((name) => allow !== undefined && !allow.has(name));
  const names = found.names();
  tell({ destination: destination.name, signal, ...counted, names, headersNotAllowed });
  return counted.requests;
}

// Whether anybody reads to the end or not, all of it is reviewed.
async function show(text: string): Promise<void> {
  try {
    await print(text);
  } catch (error) {
    if (!isNativeError(error) || !('code' in error) || error.code !== 'EPIPE') throw error;
  }
}

function tell(reviewed: Reviewed): void {
  say(reviewText(reviewed));
  if (!isClean(reviewed)) process.exitCode = EXIT_UNDECLARED;
}

async function list(
  settings: ExportReviewSettings,
  destinations: readonly Destination[],
  { json }: Options,
): Promise<void> {
  const signals = ['traces', 'logs', 'metrics'] as const;
  const names = [
    ...signals.flatMap((signal) => declaredNames(signal, resourceNames(settings))),
    ...destinations.flatMap(declaredHeaders),
  ];
  await show(!json && isTerminal() ? declaredTable(names) : declaredJson(names));
}

function headersOf(destination: Destination): readonly string[] {
  const { names, areAll } = headerNames(destination);
  if (!areAll) say(`A file with credentials of ${visible(destination.name)} can't be read.\n`);
  return names;
}

function resourceNames({ resource }: ExportReviewSettings): readonly string[] {
  return [...new Set([...EXPORTED_RESOURCE, ...Object.keys(resource)])];
}

function readList(path: string): ReadonlySet<string> {
  try {
    const lines = readFileSync(path, 'utf8').split('\n');
    const names = lines.map((line) => line.replace(/#.*/, '').trim());
    return new Set(names.filter((name) => name !== ''));
  } catch (error) {
    throw new InvalidArgumentError(explain(error));
  }
}

function parseLast(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 1 && number <= MOST_REQUESTS) return number;
  throw new InvalidArgumentError(`Allowed are whole numbers from 1 to ${MOST_REQUESTS}.`);
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, ...value.split(',').map((name) => name.trim())];
}
