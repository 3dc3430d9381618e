// `signet audit remove`: retention. It removes what is old enough, and says what holds up the rest.
import { Command, InvalidArgumentError } from 'commander';
import { print, say, STORE_EXIT_CODES, storeCommand } from './command-store.ts';
import { parseTimeUs, TIMES } from './filter-time.ts';
import { isoTime } from '../audit/format-text.ts';
import { visible } from '../visible.ts';
import { createProgress } from './progress.ts';
import type { AuditReader } from '../audit/reader.ts';
import { emptyLog, overwriteDeleted, rewrite } from '../audit/remains.ts';
import { planRemoval, type Holder, type RemovalPlan } from '../audit/removal-plan.ts';
import { remove } from '../audit/remove.ts';
import {
  ownChain,
  readingAt,
  stateOf,
  writing,
  type RecordParts,
  type Whereabouts,
} from './whereabouts.ts';

type RemoveOptions = {
  readonly before: number;
  readonly evenUndelivered?: true | string[];
  readonly dryRun?: true;
  readonly rewrite?: true;
};

/** Younger rows stay: a log of them may still be read, and a request be under way. */
const LEAST_AGE_US = 3_600_000_000;
const EXIT_HELD = 1;

const HELP = `
Rows go from the start, up to a signed head before the first row that is younger. A signed stub stays in
their place, so that \`signet audit verify\` passes and tells what was removed; persons who have no row left
go with their keys. A log that is read again doesn't bring rows back. It works beside a running sidecar,
in steps of 20,000 rows, and can be interrupted at any of them. Lines that were set aside stay.

Rows stay until every destination has them; --even-undelivered removes them all the same, or those that
only the named destinations don't have.

Examples:
  $ signet audit remove --before 90d
  $ signet audit remove --before 2026-08-01 --dry-run
  $ signet audit remove --before 90d --even-undelivered old-collector

Exit codes:
  0   removed, or nothing is old enough
  1   rows that are old enough stay: a destination does not have them, or some are missing
  2   an option is wrong
${STORE_EXIT_CODES}
  78  there is no key to sign the stub with
`;

/** Returns the command. */
export function removeCommand(parts: RecordParts): Command {
  const command = new Command('remove')
    .description('remove the oldest rows; a signed stub stays in their place')
    .requiredOption(
      '--before <time>',
      'rows that began before: 2026-08-01, or 90d ago',
      parseBefore,
    )
    .option('--even-undelivered [names]', 'also what no, or these destinations have', collect)
    .option('--dry-run', 'say what it would be, and change nothing')
    .option('--rewrite', 'give the disk space back: the store’s file is written anew');
  return storeCommand(command, HELP).action((options: RemoveOptions) =>
    run(parts.locate(stateOf(command)), options),
  );
}

async function run(where: Whereabouts, options: RemoveOptions): Promise<void> {
  await readingAt(where, async (reader) => {
    const chain = await ownChain(where, reader);
    const plan = await planOf(where, reader, chain, options);
    if (plan.rows === 0) await print('Nothing to remove.\n');
    else if (options.dryRun) await print(`Would be removed: ${textOf(plan)}.\n`);
    else await removePlanned(where, chain, plan, options);
    if (plan.heldBy.length === 0) return;
    say(heldText(plan));
    process.exitCode = EXIT_HELD;
  });
}

async function planOf(
  where: Whereabouts,
  reader: AuditReader,
  chain: string,
  { before: beforeUs, evenUndelivered = [] }: RemoveOptions,
): Promise<RemovalPlan> {
  const notWaitingFor = evenUndelivered === true ? 'all' : evenUndelivered;
  const destinations = where.destinations();
  if (destinations === undefined && notWaitingFor !== 'all') {
    say('The configuration is not whole here: destinations that never had a row are not known.\n');
  }
  return planRemoval(reader, chain, { beforeUs, notWaitingFor, destinations: destinations ?? [] });
}

async function removePlanned(
  where: Whereabouts,
  chain: string,
  plan: RemovalPlan,
  options: RemoveOptions,
): Promise<void> {
  const key = where.signingKey();
  const progress = createProgress();
  const onProgress = (rows: number) => progress.tell(`${rows} of ${plan.rows} rows removed`);
  await writing(where, chain, async (database) => {
    const isFile = 'path' in where.place;
    if (isFile) await overwriteDeleted(database);
    const removed = await remove(database, chain, plan, {
      key,
      nowUs: Date.now() * 1000,
      onProgress,
    }).finally(() => progress.end());
    await print(
      `Removed: ${textOf({ ...plan, rows: removed })}. The stub is signed by ${key.id}.\n`,
    );
    if (removed < plan.rows) tellMissing(plan.rows - removed);
    const problem = isFile && (await (options.rewrite ? rewrite : emptyLog)(database));
    if (problem && options.rewrite) say(`signet: the file can't be written anew: ${problem}.\n`);
  });
}

function tellMissing(count: number): void {
  say(
    `signet: ${count} of the rows were missing. See what \`signet audit verify\` says of the others.\n`,
  );
  process.exitCode = EXIT_HELD;
}

function textOf({ rows, upTo, beforeUs }: RemovalPlan): string {
  return `${rows} rows up to row ${upTo}, of before ${isoTime(beforeUs)}`;
}

function heldText({ heldBy, upTo, couldBeUpTo }: RemovalPlan): string {
  const who = heldBy.map(
    ({ destination, has }: Holder) => `${visible(destination)} (has up to ${has})`,
  );
  return (
    `signet: rows ${upTo + 1} to ${couldBeUpTo} are old enough, and stay until they are delivered to ` +
    `${who.join(', ')}. --even-undelivered removes them all the same.\n`
  );
}

function parseBefore(text: string): number {
  const nowUs = Date.now() * 1000;
  const us = parseTimeUs(text, nowUs);
  if (us === undefined) throw new InvalidArgumentError(`Allowed is ${TIMES}.`);
  if (us > nowUs - LEAST_AGE_US)
    throw new InvalidArgumentError('Allowed is an hour ago, or earlier.');
  return us;
}

function collect(value: string, before: true | readonly string[] | undefined): string[] {
  const names = value.split(',').map((name) => name.trim());
  return [...(Array.isArray(before) ? (before as string[]) : []), ...names];
}
