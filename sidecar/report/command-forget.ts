// `signet audit forget`: erases one person's values. It says whom it forgot, and what is not in its reach.
import { Command } from 'commander';
import { EXIT_FOUND_NOTHING, print, say, STORE_EXIT_CODES, storeCommand } from './command-store.ts';
import type { Database } from '../audit/database.ts';
import { countActing, countRows, findPersons, type Who } from '../audit/find-persons.ts';
import { forget, type ForgottenPerson } from '../audit/forget.ts';
import { visible } from '../visible.ts';
import type { AuditReader } from '../audit/reader.ts';
import { beginErasing, hasRemains, rewrite } from '../audit/remains.ts';
import { readingAt, stateOf, writing, type RecordParts, type Whereabouts } from './whereabouts.ts';

type ForgetOptions = {
  readonly user: string;
  readonly issuer?: string;
  readonly dryRun?: true;
  readonly rewrite: boolean;
};

const EXIT_REMAINS = 75; // EX_TEMPFAIL of sysexits.h: again, later

const HELP = `
Whoever has this name or this subject is forgotten, under all names that the same subject has had. Their
rows stay, with method, host, route, status, decision and times; path, query, addresses, user agent,
requirement and everything about the person are erased, and so is the key without which nobody can try
out what they were. An event that the key ring signs says so, and \`signet audit verify\` passes afterwards. It can't be undone; look first with --dry-run.

It works beside a running sidecar, whose recorder waits meanwhile (some 50 s for a million rows of one
person) and makes up for it. At the end the store's file is written anew, so that nothing stays in its free
space: some 8 s for a million rows, and room on the disk for two more of it. With --no-rewrite that is left
to the next time.

Examples:
  $ signet audit forget --user alice --dry-run
  $ signet audit forget --user alice
  $ signet audit forget --user 248289761001 --issuer https://login.example.com

Exit codes:
  0   forgotten
  1   nobody has this name or subject
  2   an option is wrong
${STORE_EXIT_CODES}
  75  forgotten, but the file could not be written anew: run it again
  78  there is no key to sign the event with
`;

/** Returns the command. */
export function forgetCommand(parts: RecordParts): Command {
  const command = new Command('forget')
    .description('erase one person’s values; the rows and their proof stay')
    .requiredOption('--user <name>', 'the user’s name, or the subject')
    .option('--issuer <url>', 'only of this issuer')
    .option('--dry-run', 'say who it would be, and change nothing')
    .option('--no-rewrite', 'don’t write the store’s file anew now');
  return storeCommand(command, HELP).action((options: ForgetOptions) =>
    run(parts.locate(stateOf(command)), options),
  );
}

async function run(where: Whereabouts, options: ForgetOptions): Promise<void> {
  const { user, issuer, dryRun } = options;
  const who = { user, ...(issuer !== undefined && { issuer }) };
  await readingAt(where, async (reader) => {
    const found: ForgottenPerson[] = [];
    for (const chain of await reader.chainsOfRows()) {
      found.push(...(dryRun ? await look(reader, chain, who) : await erase(where, chain, who)));
    }
    if (!dryRun && found.length > 0) await print(`${outOfReach(where)}\n`);
    const isRewritten = !dryRun && options.rewrite && (await rewriteIfNeeded(where, reader));
    if (found.length > 0 || isRewritten) return;
    say(`Nobody has the name or subject ${visible(user)}.\n`);
    process.exitCode ??= EXIT_FOUND_NOTHING;
  });
}

async function look(reader: AuditReader, chain: string, who: Who): Promise<ForgottenPerson[]> {
  const persons: ForgottenPerson[] = [];
  for (const person of await findPersons(reader, chain, who)) {
    persons.push({ ...person, rows: await countRows(reader, chain, person) });
  }
  await print(persons.map((person) => `Would be forgotten: ${textOf(person)}\n`).join(''));
  return persons;
}

async function erase(
  where: Whereabouts,
  chain: string,
  who: Who,
): Promise<readonly ForgottenPerson[]> {
  return writing(where, chain, async (database) => {
    if ((await findPersons(database, chain, who)).length === 0) return [];
    const key = where.signingKey();
    if ('path' in where.place) await beginErasing(database);
    const { persons, setAside } = await forget(database, chain, who, Date.now() * 1000, key);
    await print(persons.map((person) => `Forgotten: ${textOf(person)}\n`).join(''));
    if (setAside > 0)
      await print(`${setAside} lines that were set aside held the name: emptied.\n`);
    await tellActing(database, chain, persons);
    return persons;
  });
}

async function tellActing(
  database: Database,
  chain: string,
  persons: readonly ForgottenPerson[],
): Promise<void> {
  const count = await countActing(database, chain, persons);
  if (count === 0) return;
  await print(
    `${count} rows of others say that this person acted for them. They stay as they are.\n`,
  );
}

/** Returns whether it was written anew. */
async function rewriteIfNeeded(where: Whereabouts, reader: AuditReader): Promise<boolean> {
  const chains = [...(await reader.chainsOfRows()), ...(await reader.chains())];
  const [chain] = 'path' in where.place ? chains : [];
  if (chain === undefined) return false;
  return writing(where, chain, async (database) => {
    if (!(await hasRemains(database, chain))) return false;
    const problem = await rewrite(database);
    if (problem === undefined) await print('The file was written anew: nothing stays in it.\n');
    else tellRemains(problem);
    return problem === undefined;
  });
}

function tellRemains(problem: string): void {
  say(
    `signet: the file can't be written anew, and may hold remains: ${visible(problem)}. Run it again.\n`,
  );
  process.exitCode = EXIT_REMAINS;
}

function textOf({ user, subject, issuer, rows }: ForgottenPerson): string {
  const from = subject === '' ? 'known by name only' : `subject ${subject} of ${issuer}`;
  return `${visible(user)} (${visible(from)}), ${rows} rows`;
}

function outOfReach({ place, stateFolder }: Whereabouts): string {
  const server = 'url' in place ? ['the files of PostgreSQL, until it has run VACUUM'] : [];
  return [
    'Out of reach from here, and perhaps with the name in it:',
    ...[
      'Caddy’s access log, until its files have rolled away (what of it is not yet read is a new person’s)',
      `the gate’s journal in ${stateFolder}/decisions, for 16,384 more decisions or until the next start`,
      'sessions that are open (sessions.db), until they end',
      'spans that were sent to destinations',
      'copies and backups of the store',
      'paths of other people’s requests',
      ...server,
    ].map((what) => `  - ${what}`),
  ].join('\n');
}
