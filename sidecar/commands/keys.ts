// `signet keys`: which keys the ring has, another one in front, and one taken out. The ring is a file; running
// sidecars notice that it has changed, and nobody is signed out while the old key stays behind the new one.
import { Command } from 'commander';
import { exitAsUsage, print, say } from '../report/command-store.ts';

/** A key of the ring. Its id is public: `/readyz`, rows and signed heads name it. */
export type RingKey = {
  readonly id: string;
  /** What the file says beside it: when it was made. */
  readonly comment?: string;
};

/** The ring's file. All throw a Fault ERR_KEYS where it is not a file, or can't be read or written. */
export type RingFile = {
  readonly path: string;
  /** The sealing one first. */
  keys(): readonly RingKey[];
  /** Returns the id of the key that was added. */
  add(where: 'first' | 'last'): string;
  /** The id of the one that was added as the last, and waits to be put in front. */
  staged(): string | undefined;
  /** Puts the staged one in front; returns its id. */
  promoteLast(): string;
  remove(id: string): void;
  /** Returns how many sessions only this key opens; undefined when the session store can't be had. */
  sessionsOf(id: string): Promise<number | undefined>;
};

export type KeysParts = { readonly open: (state: string | undefined) => RingFile };

const EXIT_REFUSED = 1;

const HELP = `
The first key seals, all of them open. A rotation puts another one in front; the old one has to stay behind it
until everything that it sealed is over:
  - lines of Caddy's log that are not recorded yet (seconds, unless the recorder is behind: signet status)
  - sessions: such as are used are sealed anew; others are over after session.idle (8h by default)
  - sign-ins that are under way (ten minutes), assertions for apps (five)
Signed heads of the audit chain stay provable by the public key, which the store keeps.

Examples:
  $ signet keys list
  $ signet keys rotate                  # one machine: another first key
  $ signet keys rotate --stage          # several: 1. add the new key behind, copy the file to all of them
  $ signet keys rotate --staged         #          2. then put it in front, and copy the file again
  $ signet keys remove 3f9a0c41d27be865 # when the old one is of no use any more

Exit codes:
  0   done
  1   refused, with the reason
  2   an option is wrong
  78  the ring is not a file that can be changed from here
`;

/** Returns the command. */
export function keysCommand(parts: KeysParts): Command {
  return new Command('keys')
    .description('the key ring: list, rotate, remove')
    .addHelpText('after', HELP)
    .exitOverride(exitAsUsage)
    .addCommand(
      withState(new Command('list').description('list the keys, the sealing one first')).action(
        ({ state }: { state?: string }) => list(parts.open(state)),
      ),
    )
    .addCommand(
      withState(new Command('rotate').description('put another key in front'))
        .option('--stage', 'only add it, behind the others: it opens, and does not seal yet')
        .option('--staged', 'put the one in front that was staged')
        .action((options: RotateOptions) => rotate(parts.open(options.state), options)),
    )
    .addCommand(
      withState(new Command('remove').description('take a key out'))
        .argument('<id>', 'its id, as `signet keys list` prints it')
        .option('--end-sessions', 'even if sessions end by it')
        .action((id: string, options: { state?: string; endSessions?: true }) =>
          remove(parts.open(options.state), id, options.endSessions === true),
        ),
    );
}

type RotateOptions = { readonly state?: string; readonly stage?: true; readonly staged?: true };

function withState(command: Command): Command {
  return command
    .option('--state <folder>', 'the state folder (default: SIGNET_STATE, SIGNET_KEYS_FILE)')
    .exitOverride(exitAsUsage);
}

async function list(ring: RingFile): Promise<void> {
  const lines = ring.keys().map(({ id, comment }, at) => {
    const does = at === 0 ? 'seals and opens' : 'opens';
    return `${id}  ${does.padEnd(15)}  ${comment ?? ''}`.trimEnd();
  });
  await print(`${lines.join('\n')}\n`);
}

async function rotate(ring: RingFile, { stage, staged }: RotateOptions): Promise<void> {
  if (stage && staged) return refuse('--stage and --staged are two steps: one at a time');
  const before = ring.keys();
  if (staged) {
    if (ring.staged() === undefined) return refuse('nothing is staged: --stage adds a key');
    const id = ring.promoteLast();
    return print(`${id} seals from now on; ${before[0]?.id} still opens\n`);
  }
  const waiting = stage && ring.staged();
  if (waiting) return refuse(`${waiting} is staged already: --staged puts it in front`);
  const id = ring.add(stage ? 'last' : 'first');
  if (!stage) return print(`${id} seals from now on; ${before[0]?.id} still opens\n`);
  const next = `copy ${ring.path} to every sidecar, then: signet keys rotate --staged`;
  return print(`${id} opens, and does not seal yet. Next: ${next}\n`);
}

async function remove(ring: RingFile, id: string, mayEnd: boolean): Promise<void> {
  const keys = ring.keys();
  const at = keys.findIndex((key) => key.id === id);
  if (at < 0) return refuse(`the ring has no key ${id}: signet keys list`);
  if (at === 0) return refuse(`${id} is the one that seals: rotate first, and remove it later`);
  const sessions = await ring.sessionsOf(id);
  if (sessions !== 0 && !mayEnd) {
    const many = sessions === 1 ? '1 session is' : `${sessions} sessions are`;
    const why =
      sessions === undefined ? 'the session store can’t be asked' : `${many} sealed by it`;
    return refuse(`${why}: wait until they are over, or --end-sessions`);
  }
  ring.remove(id);
  return print(`${id} is out: nothing that it sealed is opened any more\n`);
}

function refuse(why: string): void {
  say(`signet: ${why}\n`);
  process.exitCode = EXIT_REFUSED;
}
