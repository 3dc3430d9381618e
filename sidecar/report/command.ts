// `signet audit` put together: listing is the command itself, everything else is a subcommand in a
// file of its own (command-show.ts, command-export.ts …). What they share is in command-store.ts.
import { Command } from 'commander';
import { exportCommand } from './command-export.ts';
import { FOLLOW_LIMIT, runList, TERMINAL_LIMIT, type ListOptions } from './command-list.ts';
import { formatOption, LISTS_HELP, withFilters } from './command-options.ts';
import { showCommand } from './command-show.ts';
import { STORE_EXIT_CODES, storeCommand, type AuditCommandParts } from './command-store.ts';
import { GROUPINGS } from './filter.ts';
import { LINE_FORMATS } from './lines.ts';
import { START } from './page-key.ts';

export type { AuditCommandParts, ReadPlace } from './command-store.ts';

const HELP = `
${LISTS_HELP}

Users, teams, routes, events, refusals and their reasons, 5xx and the rarer kinds are found at once in
years of rows; everything else reads what lies between --since and --until.

Pages: with --after KEY the rows that come after a place, oldest first. Where there are more, their key
is told on standard error (next: KEY); the first page's is ${START}. The order is that of time, so a
row of an earlier time that is recorded later stands on a page before.

Groups: --by counts requests, with those answered by 500 and more (errors), those denied, and the
50th, 95th and 99th percentile of their durations, exact, by the nearest rank. A 4xx is an answer and
no error; a client that left is none either. The signed out, and who was forgotten, have no name.

Examples:
  $ signet audit --user alice --since 1h
  $ signet audit --decision deny,login --status 4xx,503 --since 2026-11-20T08:00 --until 15m
  $ signet audit --kind event,lost,unexplained --since 30d
  $ signet audit --type agent --follow
  $ signet audit --by team --since 7d
  $ signet audit --team payments --since 7d --format json | jq .path
  $ signet audit --user alice --limit 100 --after ${START} --format json
  $ signet audit show 4d032074-7bbc-4e5d-964f-a0f15a34b6f6
  $ signet audit export --since 30d --output november.csv

Exit codes:
  0   listed, or interrupted while following
  2   an option is wrong; all mistakes are listed
${STORE_EXIT_CODES}
`;

/**
 * Returns the command `audit` with its subcommands, and with `more` of them. Damaged and newer stores
 * are thrown as Faults.
 */
export function auditCommand(parts: AuditCommandParts, more: readonly Command[] = []): Command {
  const command = withFilters(new Command('audit'))
    .description('who did what, whether it was allowed, and how long it took')
    .enablePositionalOptions()
    .option('--by <field>', `count requests by ${GROUPINGS.join(', ')}`)
    .option('--limit <number>', `newest rows only (default: ${TERMINAL_LIMIT} on a terminal)`)
    .option('--after <key>', `the page that follows a key, oldest first; ${START}: the first`)
    .option('--follow', `go on with new rows, after the newest ${FOLLOW_LIMIT}`)
    .addOption(formatOption(LINE_FORMATS, 'table on a terminal, else json'));
  storeCommand(command, HELP).action((options: ListOptions) => runList(command, options, parts));
  // Options may stand before a subcommand, too; those behind it count.
  const before = () => command.opts<ListOptions>();
  for (const each of [showCommand(parts, before), exportCommand(parts, before), ...more]) {
    command.addCommand(each);
  }
  return command;
}
