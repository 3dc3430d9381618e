// `signet deploy mark`: says that a deployment has taken over. Made for a pipeline that tries again.
import { Command, InvalidArgumentError } from 'commander';
import { isoTime } from '../audit/format-text.ts';
import { visible } from '../visible.ts';
import { print, say, STORE_EXIT_CODES, storeCommand } from '../report/command-store.ts';
import { parseTimeUs, TIMES } from '../report/filter-time.ts';
import { ownChain, readingAt, stateOf, writing, type RecordParts } from '../report/whereabouts.ts';
import { exitAsDeployUsage } from './exit-codes.ts';
import {
  isMarkId,
  isNote,
  isRouteName,
  MARK_IDS,
  MAX_NOTE_CHARS,
  recordMark,
  type Mark,
  type Marked,
} from './mark.ts';

type MarkOptions = {
  readonly note?: string;
  readonly route?: readonly string[];
  readonly at?: number;
};

const EXIT_TAKEN = 1;

const HELP = `
A mark is an event (deployment-marked) in the audit chain of this sidecar, and belongs to the whole store.
Set it when the new version takes over. Where several services are deployed each by itself, name the routes
of each: only marks that have a route in common end each other's time. Without --route it is all routes.

An id names one deployment. To mark again what is marked changes nothing and ends with 0, so that a pipeline
can try again. It ends with 1 where the id can't be this deployment's: it names other routes, or it is more
than an hour old and another mark of these routes has followed. Deploying an old version again wants a new id.

Examples:
  $ signet deploy mark 2026-11-20.3
  $ signet deploy mark "$GITHUB_RUN_ID-$GITHUB_RUN_ATTEMPT" --note "orders 4.2.0"
  $ signet deploy mark pay-17 --route pay,refunds
  $ signet deploy mark 2026-11-20.3 --at 2026-11-20T10:35:14Z
  $ signet audit --event deployment-marked

Exit codes:
  0   marked, or it was already
  1   another deployment has this id
  64  an option is wrong
${STORE_EXIT_CODES}
`;

/** Returns the command. */
export function markCommand(parts: RecordParts): Command {
  const command = new Command('mark')
    .description('say that a deployment has taken over')
    .argument('<id>', `its id: ${MARK_IDS}`, parseId)
    .option('--note <text>', `one line, up to ${MAX_NOTE_CHARS} characters`, parseNote)
    .option('--route <names>', 'what it deploys (default: everything)', collectRoutes)
    .option('--at <time>', 'when it was (default: now)', parsePast);
  return storeCommand(command, HELP)
    .exitOverride(exitAsDeployUsage)
    .action((id: string, options: MarkOptions) => run(parts, command, id, options));
}

async function run(
  { locate }: RecordParts,
  command: Command,
  id: string,
  { note, route: routes, at }: MarkOptions,
): Promise<void> {
  const where = locate(stateOf(command));
  await readingAt(where, async (reader) => {
    const chain = await ownChain(where, reader);
    const nowUs = Date.now() * 1000;
    const mark: Mark = {
      id,
      ...(note !== undefined && { note }),
      ...(routes !== undefined && { routes }),
      atUs: at ?? nowUs,
    };
    await tell(await writing(where, chain, (database) => recordMark(database, chain, mark, nowUs)));
  });
}

async function tell({ kind, mark, ...rest }: Marked): Promise<void> {
  const { id, note, routes, atUs } = mark;
  const ofRoutes = routes === undefined ? '' : ` (${visible(routes.join(', '))})`;
  const what = `${id}${ofRoutes} at ${isoTime(atUs)}${note === undefined ? '' : `: ${visible(note)}`}`;
  if (kind === 'marked') return print(`Marked ${what}\n`);
  const next = 'next' in rest ? rest.next : undefined;
  const followed = next && `; ${next.id} at ${isoTime(next.atUs)} followed it`;
  if (kind === 'known') return print(`Marked already: ${what}${followed ?? ''}\n`);
  const why = followed ?? `, of ${routes === undefined ? 'all routes' : 'these routes'}`;
  say(
    `signet: ${id}${ofRoutes} names the deployment of ${isoTime(atUs)}${why}. ` +
      'A deployment wants an id of its own.\n',
  );
  process.exitCode = EXIT_TAKEN;
}

function parseId(text: string): string {
  if (isMarkId(text)) return text;
  throw new InvalidArgumentError(`Allowed are ${MARK_IDS}.`);
}

function parseNote(text: string): string {
  if (isNote(text)) return text;
  throw new InvalidArgumentError(
    `Allowed are up to ${MAX_NOTE_CHARS} characters in one line, none of them a control character.`,
  );
}

function collectRoutes(value: string, before: readonly string[] = []): string[] {
  const names = value.split(',').map((name) => name.trim());
  if (names.every(isRouteName)) return [...new Set([...before, ...names])];
  throw new InvalidArgumentError('Allowed are names of routes, as the Caddyfile has them.');
}

function parsePast(text: string): number {
  const nowUs = Date.now() * 1000;
  const us = parseTimeUs(text, nowUs);
  if (us === undefined) throw new InvalidArgumentError(`Allowed is ${TIMES}.`);
  if (us > nowUs) throw new InvalidArgumentError('Allowed is a time that is over.');
  return us;
}
