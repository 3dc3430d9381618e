// `signet sessions`: who is signed in, and an end to it. Works on the session store, beside running sidecars;
// they notice within a second.
import { Command, InvalidArgumentError } from 'commander';
import { visible } from '../visible.ts';
import { exitAsUsage, isTerminal, print, say } from '../report/command-store.ts';
import {
  endSessions,
  type ListedSession,
  type Outcome,
  type SessionsToEnd,
} from './sessions-end.ts';
import { sessionsTable, type OpenedSession } from './sessions-text.ts';

/** The sessions of one installation. */
export type SessionsAccess = SessionsToEnd & { close(): Promise<void> };

export type SessionsParts = {
  readonly open: (state: string | undefined) => Promise<SessionsAccess>;
  readonly nowMs: () => number;
};

type Which = {
  readonly state?: string;
  readonly user?: string;
  readonly issuer?: string;
  readonly session?: string;
  readonly all?: true;
};

const EXIT_NOBODY = 1;
const EXIT_USAGE = 2;
const EXIT_NOT_RECORDED = 75; // EX_TEMPFAIL of sysexits.h
const EXIT_INTERRUPTED = 130; // 128 and SIGINT, as shells have it

const LIST_HELP = `
A session is named by the first 16 hex digits of its hash, as in rows (sessionHash), Signet's log and this list.
CHECKED is when the provider last confirmed it; never: without a refresh token it is not asked.

Examples:
  $ signet sessions list
  $ signet sessions list --user alice
  $ signet sessions list --format json | jq -r .user | sort | uniq -c

Exit codes:
  0   there are some
  1   there are none
  2   an option is wrong
  69  the session store can't be reached
  78  the configuration is wrong, or there is no key ring
`;

const REVOKE_HELP = `
They are refused on every sidecar of this store within a second. Who is revoked can sign in again: whoever may
not has to be stopped at the provider, too. Bearer tokens are not sessions, and go on until they expire. Each
session that is ended is an event in the audit store (session-revoked, why: command, and by which user of this
machine). It is recorded right before (recorded: beforehand), where the store can be written at that moment. If the
end fails all the same, an event takes that back (recorded: withdrawn). If the command is killed between the two,
the event is there and the session goes on. Run it again: each attempt is recorded. Interrupted, it ends those that
are recorded, says how many that were, and stops.

Examples:
  $ signet sessions revoke --user alice
  $ signet sessions revoke --user alice --issuer https://login.example.com
  $ signet sessions revoke --session 5f2b7c1d9e8a0b34
  $ signet sessions revoke --all

Exit codes:
  0   ended
  1   there was none
  2   an option is wrong
  69  the session store can't be reached or written: whoever it has not counted as ended may go on
  75  ended, but not recorded in the audit store
  78  the configuration is wrong, or there is no key ring
  130 interrupted (SIGINT, SIGTERM): what was ended is recorded, and others may be open
`;

/** Returns the command. */
export function sessionsCommand(parts: SessionsParts): Command {
  return new Command('sessions')
    .description('who is signed in, and an end to it')
    .addHelpText(
      'after',
      '\nEach says more: signet sessions list --help, signet sessions revoke --help',
    )
    .exitOverride(exitAsUsage)
    .addCommand(listCommand(parts))
    .addCommand(revokeCommand(parts));
}

function listCommand(parts: SessionsParts): Command {
  return withWhich(new Command('list').description('list the sessions that are open'))
    .option(
      '--format <format>',
      'table or json, an object a line (default: by where the output goes)',
      parseFormat,
    )
    .addHelpText('after', LIST_HELP)
    .action((options: Which & { format?: 'table' | 'json' }) => list(parts, options));
}

function revokeCommand(parts: SessionsParts): Command {
  return withWhich(new Command('revoke').description('end sessions'))
    .option('--session <hash>', 'the one of this hash', parseHash)
    .option('--all', 'all of them, also such that no key opens')
    .addHelpText('after', REVOKE_HELP)
    .action((options: Which) => revoke(parts, options));
}

function withWhich(command: Command): Command {
  return command
    .option('--user <name>', 'of the people of this name, or this subject')
    .option('--issuer <url>', 'of this issuer only')
    .option(
      '--state <folder>',
      'the state folder whose SQLite file is meant; leave it out where the settings name PostgreSQL ' +
        '(default: as the settings say: SIGNET_STATE, SIGNET_SESSION_STORE)',
    )
    .exitOverride(exitAsUsage);
}

async function list(
  parts: SessionsParts,
  { format = isTerminal() ? 'table' : 'json', ...which }: Which & { format?: 'table' | 'json' },
): Promise<void> {
  await withSessions(parts, which, async (sessions) => {
    const found: OpenedSession[] = [];
    let unreadable = 0;
    for await (const { opened } of sessions.list()) {
      if (opened === undefined) unreadable += 1;
      else if (isMeant(opened, which)) found.push(opened);
    }
    found.sort((one, other) => other.seenAtMs - one.seenAtMs);
    tellUnreadable(unreadable);
    if (found.length === 0) process.exitCode = EXIT_NOBODY;
    if (format === 'table') return print(sessionsTable(found, parts.nowMs()));
    await print(found.map((session) => `${JSON.stringify(lineOf(session))}\n`).join(''));
  });
}

async function revoke(parts: SessionsParts, which: Which): Promise<void> {
  const { user, session, all } = which;
  if ([user, session, all].filter((one) => one !== undefined).length !== 1) {
    say(
      'signet: say which: --user NAME, --session HASH, or --all (signet sessions revoke --help)\n',
    );
    process.exitCode = EXIT_USAGE;
    return;
  }
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  process.once('SIGTERM', () => interrupted.abort());
  await withSessions(parts, which, async (sessions) => {
    const isIt = ({ opened }: ListedSession) =>
      opened === undefined ? all === true && !which.issuer : isMeant(opened, which);
    const outcome = await endSessions(sessions, isIt, interrupted.signal);
    await tellEnded(outcome, interrupted.signal.aborted);
  });
}

async function tellEnded(
  { count, failed, unrecorded, withdrawn }: Outcome,
  isInterrupted: boolean,
): Promise<void> {
  if (count > 0 || failed === undefined) {
    await print(count === 1 ? '1 session ended\n' : `${count} sessions ended\n`);
  }
  if (count === 0) process.exitCode = EXIT_NOBODY;
  if (isInterrupted) {
    say('signet: interrupted: others may still be open; run it again to end them\n');
    process.exitCode = EXIT_INTERRUPTED;
  }
  if (unrecorded !== undefined) {
    say(`signet: ${unrecorded.count} of them are not recorded: ${wordsOf(unrecorded.error)}\n`);
    process.exitCode = EXIT_NOT_RECORDED;
  }
  if (withdrawn !== undefined) tellWithdrawn(withdrawn);
  if (failed !== undefined) throw failed.error;
}

function tellWithdrawn({ count, error }: NonNullable<Outcome['withdrawn']>): void {
  const isTold =
    error === undefined ? 'it is recorded that this failed' : `not withdrawn: ${wordsOf(error)}`;
  say(`signet: recorded beforehand, and not ended: ${count} (${isTold})\n`);
}

function wordsOf(error: unknown): string {
  return visible(error instanceof Error ? error.message : String(error));
}

function isMeant({ identity, sessionHash }: OpenedSession, which: Which): boolean {
  const { user, issuer, session } = which;
  if (issuer !== undefined && identity.issuer !== issuer) return false;
  if (session !== undefined && sessionHash !== session) return false;
  return user === undefined || identity.user === user || identity.subject === user;
}

async function withSessions(
  parts: SessionsParts,
  { state }: Which,
  work: (sessions: SessionsAccess) => Promise<void>,
): Promise<void> {
  const sessions = await parts.open(state);
  try {
    await work(sessions);
  } finally {
    await sessions.close();
  }
}

function tellUnreadable(count: number): void {
  if (count === 0) return;
  say(`${count} more can't be read: no key of the ring opens them, and nobody gets in by them.\n`);
}

function lineOf({ identity, sessionHash, createdAtMs, checkedAtMs, seenAtMs }: OpenedSession) {
  const { user, subject, issuer, provider, team, type } = identity;
  return {
    session: sessionHash,
    ...{ user, subject, issuer, provider, team, type },
    began: new Date(createdAtMs).toISOString(),
    checked: checkedAtMs === undefined ? null : new Date(checkedAtMs).toISOString(),
    seen: new Date(seenAtMs).toISOString(),
  };
}

function parseFormat(text: string): 'table' | 'json' {
  if (text === 'table' || text === 'json') return text;
  throw new InvalidArgumentError('Allowed are table and json.');
}

function parseHash(text: string): string {
  if (/^[0-9a-f]{16}$/i.test(text)) return text.toLowerCase();
  throw new InvalidArgumentError(
    'Allowed are 16 hex digits, as `signet sessions list` prints them.',
  );
}
