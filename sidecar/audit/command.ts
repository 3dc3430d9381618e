// `signet audit`: lists rows, goes on live, shows one. It reads the store and writes to the
// terminal; what a row looks like is decided in format.ts, format-json.ts and tree.ts.
import { join } from 'node:path';
import { isNativeError } from 'node:util/types';
import { Command, Option, type CommanderError } from 'commander';
import { explain, Fault } from '../fault.ts';
import { DECISIONS } from '../policy/reason.ts';
import { USER_TYPES } from '../identity/identity.ts';
import { parseFilter, type Filter, type FilterOptions } from './filter.ts';
import { createFormatter } from './format.ts';
import { toJson } from './format-json.ts';
import { find, follow, parseId, query } from './query.ts';
import type { StoredRow } from './row.ts';
import { AUDIT_STORE_FILE, openAuditReader, type AuditReader } from './store.ts';
import { formatTree, type TreeSpan } from './tree.ts';

/** What the command is made of. */
export type AuditCommandParts = {
  /** The state folder when `--state` does not name one. */
  readonly defaultState: () => string;
  readonly spansOf: (row: StoredRow) => readonly TreeSpan[];
};

type ListFormat = 'table' | 'json' | 'line';
type ListOptions = FilterOptions & {
  readonly state?: string;
  readonly follow?: true;
  readonly format?: ListFormat;
};
type ShowOptions = { readonly state?: string; readonly format?: ListFormat | 'tree' };

const EXIT_FOUND_NOTHING = 1;
const EXIT_USAGE = 2;
const EXIT_NO_STORE = 66; // EX_NOINPUT of sysexits.h

const TERMINAL_LIMIT = 1000;
const FOLLOW_LIMIT = 10;
const WRITE_CHARS = 64 * 1024;
const DAY_US = 86_400_000_000;

const LIST_HELP = `
Lists give any of their values (--team payments,search, or --team payments --team search); different
options must all hold. Times are those of the request's start.

Examples:
  $ signet audit --user alice --since 1h
  $ signet audit --decision deny,login --status 4xx,503 --since 2026-11-20T08:00 --until 15m
  $ signet audit --type agent --follow
  $ signet audit --team payments --since 7d --format json | jq .path
  $ signet audit show 4d032074-7bbc-4e5d-964f-a0f15a34b6f6

Exit codes:
  0   listed, or interrupted while following
  2   an option is wrong; all mistakes are listed
  66  there is no audit store yet
  74  the store is damaged, or was written by a newer Signet
`;

const SHOW_HELP = `
Examples:
  $ signet audit show 4d032074-7bbc-4e5d-964f-a0f15a34b6f6    # a request id
  $ signet audit show 4d0320747bbc4e5d964fa0f15a34b6f6        # a trace id

Exit codes:
  0   found
  1   nothing with this id
  2   this is no id, or an option is wrong
  66  there is no audit store yet
  74  the store is damaged, or was written by a newer Signet
`;

/** Returns the command `audit` with its subcommand `show`. Faults of the store are thrown. */
export function auditCommand({ defaultState, spansOf }: AuditCommandParts): Command {
  const command = new Command('audit')
    .description('who did what, whether it was allowed, and how long it took')
    .enablePositionalOptions()
    .option('--user <names>', 'user names', collect)
    .option('--team <names>', 'teams', collect)
    .option('--type <types>', USER_TYPES.join(', '), collect)
    .option('--route <names>', 'routes, as the Caddyfile names them', collect)
    .option('--decision <decisions>', DECISIONS.join(', '), collect)
    .option('--status <statuses>', 'numbers or classes: 404, 5xx', collect)
    .option('--since <time>', 'from here on: 2026-11-20T10:35, or 90s, 15m, 1h, 7d ago')
    .option('--until <time>', 'up to here')
    .option('--limit <number>', `newest rows only (default: ${TERMINAL_LIMIT} on a terminal)`)
    .option('--follow', `go on with new rows, after the newest ${FOLLOW_LIMIT}`)
    .addOption(formatOption(['table', 'json', 'line'], 'table on a terminal, else json'))
    .option('--state <folder>', 'the state folder (default: SIGNET_STATE)')
    .addHelpText('after', LIST_HELP)
    .exitOverride(exitAsUsage)
    .action((options: ListOptions) => runList(command, options, defaultState));

  const show = new Command('show')
    .description('one request or trace in full, with its spans as a timed tree')
    .argument('<id>', 'a request id or a trace id')
    .addOption(formatOption(['tree', 'json', 'line'], 'tree'))
    .option('--state <folder>', 'the state folder (default: SIGNET_STATE)')
    .addHelpText('after', SHOW_HELP)
    .exitOverride(exitAsUsage)
    // Options may stand before `show`, too; those behind it count.
    .action((id: string, own: ShowOptions) =>
      runShow(show, id, { ...command.opts(), ...own }, { defaultState, spansOf }),
    );

  return command.addCommand(show);
}

async function runList(
  command: Command,
  options: ListOptions,
  defaultState: () => string,
): Promise<void> {
  const nowUs = Date.now() * 1000;
  const filter = filterOf(command, options, nowUs);
  const format = options.format ?? (isTerminal() ? 'table' : 'json');
  await reading(options.state ?? defaultState(), async (reader) => {
    const upTo = reader.lastSequence();
    const [oldest] = query(reader, filter, upTo);
    const coveredUs = (filter.untilUs ?? nowUs) - (oldest?.startedAtUs ?? nowUs);
    const { header, line } = lineFormat(format, coveredUs > DAY_US);
    if (header !== undefined) await print(`${header}\n`);
    const count = await printRows(query(reader, filter, upTo), line);
    if (count === 0 && isTerminal() && !options.follow) {
      process.stderr.write('(nothing yet that fits)\n');
    }
    if (options.follow) await printFollowing(reader, filter, upTo, line);
    else if (isTerminal() && options.limit === undefined && count === filter.limit) {
      process.stderr.write(`(the newest ${count}; --limit gives more)\n`);
    }
  });
}

async function runShow(
  command: Command,
  text: string,
  { state, format = 'tree' }: ShowOptions,
  { defaultState, spansOf }: AuditCommandParts,
): Promise<void> {
  const id = parseId(text);
  if (id === undefined) {
    const allowed = 'a request id or a trace id: 32 hex digits, with or without dashes';
    return command.error(`id: read ${JSON.stringify(text)}; allowed is ${allowed}`);
  }
  await reading(state ?? defaultState(), async (reader) => {
    const rows = find(reader, id);
    if (rows.length === 0) {
      process.stderr.write(`There is no request and no trace ${id}.\n`);
      process.exitCode = EXIT_FOUND_NOTHING;
    } else if (format === 'tree') {
      const trees = rows.map((row) => formatTree(row, spansOf(row), { colour: hasColours() }));
      await print(trees.join('\n'));
    } else {
      await printRows(rows, lineFormat(format, true).line);
    }
  });
}

function lineFormat(
  format: 'table' | 'json' | 'line',
  isDated: boolean,
): { readonly header?: string | undefined; readonly line: (row: StoredRow) => string } {
  if (format === 'json') return { line: toJson };
  const width = process.stdout.columns as number | undefined;
  const formatter = createFormatter({
    colour: hasColours(),
    isDated,
    ...(width !== undefined && { width }),
  });
  const header = format === 'table' ? formatter.header() : undefined;
  return { header, line: (row) => formatter.line(row) };
}

async function printRows(
  rows: Iterable<StoredRow>,
  line: (row: StoredRow) => string,
): Promise<number> {
  let count = 0;
  let lines = '';
  for (const row of rows) {
    lines += `${line(row)}\n`;
    count += 1;
    if (lines.length < WRITE_CHARS) continue;
    await print(lines);
    lines = '';
  }
  if (lines !== '') await print(lines);
  return count;
}

async function printFollowing(
  reader: AuditReader,
  filter: Filter,
  after: number,
  line: (row: StoredRow) => string,
): Promise<void> {
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  process.once('SIGTERM', () => interrupted.abort());
  for await (const row of follow(reader, filter, after, interrupted.signal)) {
    await print(`${line(row)}\n`);
  }
}

function filterOf(command: Command, options: ListOptions, nowUs: number): Filter {
  try {
    const filter = parseFilter(options, nowUs);
    if (filter.limit !== undefined) return filter;
    if (options.follow) return { ...filter, limit: FOLLOW_LIMIT };
    return isTerminal() ? { ...filter, limit: TERMINAL_LIMIT } : filter;
  } catch (error) {
    return command.error(explain(error));
  }
}

async function reading(
  stateFolder: string,
  work: (reader: AuditReader) => Promise<void>,
): Promise<void> {
  const reader = readerOrNone(join(stateFolder, AUDIT_STORE_FILE));
  if (reader === undefined) return;
  // The reader of our output may stop reading, as `head` does: that is its good right.
  process.stdout.on('error', () => undefined);
  try {
    await work(reader);
  } catch (error) {
    if (!isClosedPipe(error)) throw error;
  } finally {
    reader.close();
  }
}

function readerOrNone(path: string): AuditReader | undefined {
  try {
    return openAuditReader(path);
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'ERR_AUDIT_STORE') throw error;
    const mend = 'Name the state folder of `signet serve` by --state or SIGNET_STATE.';
    process.stderr.write(`${error.message} ${mend}\n`);
    process.exitCode = EXIT_NO_STORE;
    return undefined;
  }
}

function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

function isClosedPipe(error: unknown): boolean {
  return isNativeError(error) && 'code' in error && error.code === 'EPIPE';
}

function isTerminal(): boolean {
  return process.stdout.isTTY;
}

function hasColours(): boolean {
  return process.stdout.isTTY && process.stdout.hasColors();
}

function formatOption(choices: readonly string[], byDefault: string): Option {
  return new Option('--format <format>', `(default: ${byDefault})`).choices(choices);
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

// Commander's own code for a wrong option is 1; here that means that nothing was found.
function exitAsUsage({ exitCode }: CommanderError): never {
  process.exit(exitCode === 0 ? 0 : EXIT_USAGE);
}
