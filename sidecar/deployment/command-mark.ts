// `signet deploy mark`: says that a deployment has taken over. Made for a pipeline that tries again.
import { Command, InvalidArgumentError } from 'commander';
import { isoTime, visible } from '../audit/format-text.ts';
import { print, say, STORE_EXIT_CODES, storeCommand } from '../report/command-store.ts';
import { parseTimeUs, TIMES } from '../report/filter-time.ts';
import { ownChain, readingAt, stateOf, writing, type RecordParts } from '../report/whereabouts.ts';
import { exitAsDeployUsage } from './exit-codes.ts';
import {
  isMarkId,
  isNote,
  MARK_IDS,
  MAX_NOTE_CHARS,
  recordMark,
  type Mark,
  type Marked,
} from './mark.ts';

type MarkOptions = { readonly note?: string; readonly at?: number };

const EXIT_TAKEN = 1;

const HELP = `
A mark is an event (deployment-marked) in the audit chain of this sidecar, and belongs to the whole store.
Set it when the new version takes over. An id names one deployment, so deploying an old version again
wants another id. To mark again what is marked changes nothing and ends with 0, so that a pipeline can try
again; once another mark has followed, the id is taken.

Examples:
  $ signet deploy mark 2026-11-20.3
  $ signet deploy mark "$GITHUB_RUN_ID-$GITHUB_RUN_ATTEMPT" --note "orders 4.2.0"
  $ signet deploy mark 2026-11-20.3 --at 2026-11-20T10:35:14Z
  $ signet audit --event deployment-marked

Exit codes:
  0   marked, or it was already
  1   an earlier deployment has this id
  64  an option is wrong
${STORE_EXIT_CODES}
`;

/** Returns the command. */
export function markCommand(parts: RecordParts): Command {
  const command = new Command('mark')
    .description('say that a deployment has taken over')
    .argument('<id>', `its id: ${MARK_IDS}`, parseId)
    .option('--note <text>', `one line, up to ${MAX_NOTE_CHARS} characters`, parseNote)
    .option('--at <time>', 'when it was (default: now)', parsePast);
  return storeCommand(command, HELP)
    .exitOverride(exitAsDeployUsage)
    .action((id: string, options: MarkOptions) => run(parts, command, id, options));
}

async function run(
  { locate }: RecordParts,
  command: Command,
  id: string,
  { note, at }: MarkOptions,
): Promise<void> {
  const where = locate(stateOf(command));
  await readingAt(where, async (reader) => {
    const chain = await ownChain(where, reader);
    const nowUs = Date.now() * 1000;
    const mark: Mark = { id, ...(note !== undefined && { note }), atUs: at ?? nowUs };
    await tell(await writing(where, chain, (database) => recordMark(database, chain, mark, nowUs)));
  });
}

async function tell(marked: Marked): Promise<void> {
  const { id, note, atUs } = marked.mark;
  const what = `${id} at ${isoTime(atUs)}${note === undefined ? '' : `: ${visible(note)}`}`;
  if (marked.kind === 'marked') return print(`Marked ${what}\n`);
  if (marked.kind === 'known') return print(`Marked already: ${what}\n`);
  const { newest } = marked;
  say(
    `signet: ${id} names the deployment of ${isoTime(atUs)}, and ${newest.id} at ${isoTime(newest.atUs)} ` +
      'followed it. A deployment wants an id of its own.\n',
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

function parsePast(text: string): number {
  const nowUs = Date.now() * 1000;
  const us = parseTimeUs(text, nowUs);
  if (us === undefined) throw new InvalidArgumentError(`Allowed is ${TIMES}.`);
  if (us > nowUs) throw new InvalidArgumentError('Allowed is a time that is over.');
  return us;
}
