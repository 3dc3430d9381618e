// `signet sessions`: who is signed in, and an end to it. Works on the session store, beside running sidecars;
// they notice within a second.
import { Command, InvalidArgumentError } from 'commander';
import { visible } from '../visible.ts';
import { exitAsUsage, isTerminal, print, say, STORE_EXIT_CODES } from '../report/command-store.ts';
import { sessionsTable, type OpenedSession } from './sessions-text.ts';

/** One session, as it can be told apart and ended. Undefined: sealed by a key that is not in the ring. */
export type ListedSession = { readonly key: string; readonly opened: OpenedSession | undefined };

/** The sessions of one installation. Each throws a Fault when its store can't be had. */
export type SessionsAccess = {
  /** All of them, in no order that means anything. */
  list(): AsyncIterable<ListedSession>;
  /** Returns whether it was there to be ended. */
  remove(key: string): Promise<boolean>;
  /** Records that these were ended; rejects when there is no audit store to record it in. */
  record(sessions: readonly OpenedSession[]): Promise<void>;
  close(): Promise<void>;
};

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
machine).

Examples:
  $ signet sessions revoke --user alice
  $ signet sessions revoke --user alice --issuer https://login.example.com
  $ signet sessions revoke --session 5f2b7c1d9e8a0b34
  $ signet sessions revoke --all

Exit codes:
  0   ended
  1   there was none
  2   an option is wrong
${STORE_EXIT_CODES}
  75  ended, but not recorded in the audit store
  78  the configuration is wrong, or there is no key ring
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
  await withSessions(parts, which, async (sessions) => {
    const { ended, count } = await endAll(sessions, which);
    await print(count === 1 ? '1 session ended\n' : `${count} sessions ended\n`);
    if (count === 0) process.exitCode = EXIT_NOBODY;
    if (ended.length === 0) return;
    try {
      await sessions.record(ended);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      say(`signet: they were ended, but that is not recorded: ${visible(why)}\n`);
      process.exitCode = EXIT_NOT_RECORDED;
    }
  });
}

// Again until a look finds none: somebody may sign in meanwhile, or be refreshed.
async function endAll(
  sessions: SessionsAccess,
  which: Which,
): Promise<{ ended: OpenedSession[]; count: number }> {
  const ended: OpenedSession[] = [];
  let count = 0;
  for (let found = -1; found !== 0;) {
    found = 0;
    for await (const { key, opened } of sessions.list()) {
      const isIt =
        opened === undefined ? which.all === true && !which.issuer : isMeant(opened, which);
      if (!isIt || !(await sessions.remove(key))) continue;
      found += 1;
      if (opened !== undefined) ended.push(opened);
    }
    count += found;
  }
  return { ended, count };
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
