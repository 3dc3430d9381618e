// The options of `signet deploy verdict`: what they are, and what they may be.
import { InvalidArgumentError, Option, type Command } from 'commander';
import { formatOption } from '../report/command-options.ts';
import { parseTimeUs } from '../report/filter-time.ts';

export type VerdictCommandOptions = {
  readonly sinceMark?: string | true;
  /** Microseconds. */
  readonly before?: number;
  readonly route?: readonly string[];
  readonly allowQuiet?: readonly string[];
  readonly minRequests: number;
  /** A share, not points: 0.005 is half a percentage point. */
  readonly minErrorIncrease: number;
  readonly alpha: number;
  readonly format?: 'table' | 'json';
  readonly json?: true;
};

/** Fewer, and the normal approximation of the test of ranks is none. */
const LEAST_REQUESTS = 20;

/** Adds them to a command, and returns it. */
export function withVerdictOptions(command: Command): Command {
  return command
    .option('--since-mark [id]', 'since this mark (default: the newest one)')
    .option(
      '--before <length>',
      'how long before the mark: 10m, 1h (default: as after it)',
      parseLength,
    )
    .option('--route <names>', 'only these routes (default: those of the mark)', collect)
    .option('--min-requests <number>', 'that times, and quiet routes, want', parseRequests, 100)
    .option('--allow-quiet <names>', 'routes that may have much less traffic than before', collect)
    .addOption(
      new Option('--min-error-increase <points>', 'percentage points of errors')
        .argParser(parsePoints)
        .default(0.005, '0.5'),
    )
    .option('--alpha <probability>', 'of a false alarm', parseAlpha, 0.01)
    .addOption(formatOption(['table', 'json'], 'table on a terminal, else json'))
    .option('--json', 'the same as --format json');
}

function parseLength(text: string): number {
  const us = parseTimeUs(text, 0);
  if (us !== undefined && us < 0) return -us;
  throw new InvalidArgumentError('Allowed is a length: 90s, 15m, 1h, 7d.');
}

function parseRequests(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= LEAST_REQUESTS) return number;
  throw new InvalidArgumentError(`Allowed are whole numbers from ${LEAST_REQUESTS} on.`);
}

function parsePoints(text: string): number {
  const points = Number(text);
  if (text.trim() !== '' && points >= 0 && points <= 100) return points / 100;
  throw new InvalidArgumentError('Allowed are 0 to 100.');
}

function parseAlpha(text: string): number {
  const alpha = Number(text);
  if (alpha > 0 && alpha <= 0.5) return alpha;
  throw new InvalidArgumentError('Allowed is more than 0, and up to 0.5.');
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, ...value.split(',').map((name) => name.trim())];
}
