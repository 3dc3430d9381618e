// `signet init`: the files of a first installation, by four questions or by flags. The parts are in
// setup/; this is their order, and the exit codes.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isNativeError } from 'node:util/types';
import { Command } from 'commander';
import { explain } from '../fault.ts';
import { collectAnswers, createReaders, type Flags, problemsOf } from '../setup/answers.ts';
import { folderLayout, type Layout, systemLayout } from '../setup/layout.ts';
import type { Parsed } from '../setup/parsed.ts';
import { unreadable } from '../setup/secret-source.ts';
import { isTerminal, Left, openTerminal, type Terminal } from '../setup/terminal.ts';
import { checkProvider, type Checked } from './init-provider.ts';
import { install, obstaclesTo } from './init-install.ts';

/** What the command is made of. */
export type InitParts = {
  /** The configuration's own rule: what is written here must be taken there. */
  readonly isIssuer: (text: string) => boolean;
  readonly cwd: string;
  readonly isRoot: boolean;
  /** How this program is called in a shell. */
  readonly program: string;
};

export type InitOptions = Omit<Flags, 'clientSecret'> & {
  readonly clientSecretFile?: string;
  readonly folder?: string;
  readonly offline?: true;
};

const EXIT_LEFT_TO_YOU = 1;
const EXIT_USAGE = 2;
const EXIT_UNAVAILABLE = 69;
const EXIT_CANNOT_CREATE = 73;
const EXIT_LEFT = 130;

const HELP = `
Asks at a terminal for what no flag gives: issuer, client id, host and app, and, unseen, for the client's
secret. Without a terminal the four have to be given; a secret that isn't is written into its file later.

Root without --folder: /etc/signet and /etc/caddy, as the units of systemd expect them. Others, and with
--folder: all in one folder. Nothing that is there is overwritten: where it differs, the new text is put
beside it as NAME.new; where that is there, too, and differs, both are left. Run twice, it changes nothing but
this: what root wrote before there was a group signet is given to it. Root writes only where all folders on the
way are root's.

Examples:
  $ signet init
  $ signet init --issuer https://login.example.com --client-id signet --client-secret-file ./secret \\
    --host app.example.com --app localhost:3000
  $ signet init --issuer http://localhost:9000 --client-id signet --host localhost:8443 --app localhost:3000 \\
    --folder ./trial --offline

Exit codes:
  0    everything is there
  1    something else was there under one of the names: ours is beside it, as NAME.new, if that was free
  2    an option is wrong or missing
  69   the provider can't be reached, or lacks what signing in needs; nothing was written
  73   a file can't be read or written, or a folder is another user's and root runs this
  130  ended at a question; nothing was written
`;

/** Returns the command. */
export function initCommand(parts: InitParts): Command {
  return new Command('init')
    .description('write the files of a first installation, by four questions')
    .option('--issuer <url>', "the OpenID provider's issuer")
    .option('--client-id <id>', "this installation's client there")
    .option(
      '--client-secret-file <file>',
      "copy the client's secret from here; - is standard input",
    )
    .option('--host <host>', 'the host that people open, and its port where it is not 443')
    .option('--app <address>', 'where the app listens, as for reverse_proxy; several in quotes')
    .option('--destination <place>', 'where spans go: none, a profile, or an URL (default: none)')
    .option('--folder <folder>', 'put everything in here (default unless root: ./signet)')
    .option('--offline', 'do not ask the provider what it offers')
    .addHelpText('after', HELP)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT_USAGE))
    .action((options: InitOptions) => run(options, parts));
}

async function run(options: InitOptions, parts: InitParts): Promise<void> {
  const terminal = isTerminal() ? openTerminal() : undefined;
  try {
    process.exitCode = await init(options, parts, terminal);
  } catch (error) {
    const isLeft = error instanceof Left;
    if (!isLeft && !isSystemError(error)) throw error;
    const again = 'once that is mended, run it again: it goes on where it ended';
    process.stderr.write(`signet: ${isLeft ? error.message : `${explain(error)}; ${again}`}\n`);
    process.exitCode = isLeft ? EXIT_LEFT : EXIT_CANNOT_CREATE;
  } finally {
    terminal?.close();
  }
}

async function init(
  options: InitOptions,
  parts: InitParts,
  terminal: Terminal | undefined,
): Promise<number> {
  const readers = createReaders(parts.isIssuer);
  const read = flagsOf(options, terminal !== undefined);
  if ('problem' in read) return cannot([`--client-secret-file: ${read.problem}`]);
  const flags = read.value;
  const layout = layoutOf(options, parts);
  const problems = [...problemsOf(flags, readers, terminal !== undefined), ...problemIn(layout)];
  if ('problem' in layout || problems.length > 0) {
    process.stderr.write(problems.map((problem) => `signet: ${problem}\n`).join(''));
    return EXIT_USAGE;
  }
  const obstacles = obstaclesTo(layout.value, parts.isRoot);
  if (obstacles.length > 0) return cannot(obstacles);
  terminal?.say(
    `Files go to ${placesOf(layout.value)}; what is there is not overwritten. Ctrl-C ends it.\n\n`,
  );
  let provider: Checked = {};
  const answers = await collectAnswers(flags, readers, terminal, async (issuer) => {
    const checked = options.offline ? {} : await checkProvider(issuer, terminal, say);
    provider = checked ?? {};
    return checked !== undefined;
  });
  if (answers === undefined) {
    terminal?.say('Nothing was written.\n');
    return EXIT_UNAVAILABLE;
  }
  terminal?.stay();
  const done = install({ answers, layout: layout.value, ...provider, ...parts });
  if ('obstacles' in done) return cannot(done.obstacles);
  process.stdout.write(`\n${done.told}`);
  return done.isComplete ? 0 : EXIT_LEFT_TO_YOU;
}

function cannot(obstacles: readonly string[]): number {
  say(obstacles.map((obstacle) => `signet: ${obstacle}\n`).join(''));
  say('signet: no file was written\n');
  return EXIT_CANNOT_CREATE;
}

// Of files; a fault of our own has no system call.
function isSystemError(error: unknown): boolean {
  return isNativeError(error) && 'syscall' in error;
}

function say(text: string): void {
  process.stderr.write(text);
}

function flagsOf({ clientSecretFile, ...flags }: InitOptions, isAsked: boolean): Parsed<Flags> {
  // Standard input is where the person types: it is asked for, then.
  if (clientSecretFile === undefined || (isAsked && clientSecretFile === '-')) {
    return { value: flags };
  }
  const from = clientSecretFile === '-' ? 0 : clientSecretFile;
  try {
    return { value: { ...flags, clientSecret: readFileSync(from, 'utf8') } };
  } catch (error) {
    return unreadable(clientSecretFile, error);
  }
}

function layoutOf(
  { folder }: InitOptions,
  { isRoot, cwd }: InitParts,
): ReturnType<typeof folderLayout> {
  if (folder === undefined && isRoot) return { value: systemLayout() };
  return folderLayout(resolve(cwd, folder ?? 'signet'));
}

function placesOf({ settings, caddyfile }: Layout): string {
  return [...new Set([dirname(settings), dirname(caddyfile)])].join(' and ');
}

function problemIn(layout: { value: Layout } | { problem: string }): string[] {
  return 'problem' in layout ? [`--folder: ${layout.problem}`] : [];
}
