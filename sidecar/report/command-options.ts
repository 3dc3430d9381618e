// The options by which rows are asked for: the same for listing and for exporting.
import { Option, type Command } from 'commander';
import { explain } from '../fault.ts';
import { USER_TYPES } from '../identity/identity.ts';
import { DECISIONS } from '../policy/reason.ts';
import { ROW_KINDS } from '../audit/event.ts';
import { parseQuestion, type FilterOptions, type Question } from './filter.ts';

/** What the help of both says of the lists. */
export const LISTS_HELP = `Lists give any of their values (--team payments,search, or --team payments --team search); different
options must all hold. Times are those of the request's start.`;

/** Adds the filters to a command, and returns it. */
export function withFilters(command: Command): Command {
  return command
    .option('--user <names>', 'user names', collect)
    .option('--team <names>', 'teams', collect)
    .option('--type <types>', USER_TYPES.join(', '), collect)
    .option('--route <names>', 'routes, as the Caddyfile names them', collect)
    .option('--host <names>', 'hosts that were asked for', collect)
    .option('--method <methods>', 'GET, POST …', collect)
    .option('--decision <decisions>', DECISIONS.join(', '), collect)
    .option(
      '--reason <reasons>',
      'why it was decided so: token-expired, team-not-allowed …',
      collect,
    )
    .option('--status <statuses>', 'numbers or classes: 404, 5xx', collect)
    .option('--slower-than <time>', 'requests that took longer: 250ms, 1.5s, 2m')
    .option('--kind <kinds>', `${ROW_KINDS.join(', ')} (default: all of them)`, collect)
    .option('--event <events>', 'sign-in, sign-in-failed, key-ring-changed …', collect)
    .option('--since <time>', 'from here on: 2026-11-20T10:35, or 90s, 15m, 1h, 7d ago')
    .option('--until <time>', 'up to here');
}

/** Returns the option `--format`, of which one is taken when none is named. */
export function formatOption(choices: readonly string[], byDefault: string): Option {
  return new Option('--format <format>', `(default: ${byDefault})`).choices(choices);
}

/** Returns the question that the options ask; with mistakes the command ends, and says them all. */
export function questionOf(command: Command, options: FilterOptions, nowUs: number): Question {
  try {
    return parseQuestion(options, nowUs);
  } catch (error) {
    return command.error(explain(error));
  }
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
