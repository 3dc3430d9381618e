// `signet config`: what holds and where it comes from, before it is started and while it runs. It reads what
// `signet serve` would read, and starts nothing.
import { isNativeError } from 'node:util/types';
import { Command, type CommanderError, Option } from 'commander';
import { EXIT_USAGE, isTerminal, say } from '../report/command-store.ts';
import { jsonOf, tableOf, type ToldConfig, warningsOf } from './config-text.ts';

/** What the command is made of. */
export type ConfigCommandParts = {
  readonly tell: () => ToldConfig;
  /** The JSON Schema of signet.yaml, with its newline. */
  readonly schema: () => string;
};

type Options = { readonly json?: true; readonly check?: true; readonly schema?: true };

/** As sysexits.h has it. */
const EXIT_CONFIG = 78;

const HELP = `
Every setting that holds is told with its value and where that comes from: a line of signet.yaml, a variable,
the file that one of them names, or a default. What is not set, and has no default, is left out. Paths are
absolute, destinations are told with all that their profile brings. Of a secret is told that it is there, and
what it was read from; never what it is. Where something is wrong, the rest is told all the same, and then what
is wrong, as serve would say it.

The environment is that of this command. Of a sidecar that systemd runs ask in the same environment, and as
the same user: defaults differ for root. What a running sidecar holds /readyz says: this is what it would read now.

It opens no socket, asks no provider, and does not look into the key ring in the state folder.

Examples:
  $ signet config
  $ signet config --json | jq -r '.settings[] | select(.from | startswith("default") | not) | .setting'
  $ signet config --check && systemctl reload signet
  $ signet config --schema > signet.schema.json     # for an editor, which is told by the first line of signet.yaml:
                                                    # yaml-language-server: $schema=signet.schema.json

Exit codes:
  0   signet serve would start with this
  2   an option is wrong
  78  the configuration is wrong; all mistakes are listed
`;

/** Returns the command. */
export function configCommand(parts: ConfigCommandParts): Command {
  return new Command('config')
    .description('what holds, and where it comes from')
    .option('--json', 'one JSON object (default where no terminal reads it)')
    .addOption(new Option('--check', 'say nothing but what is wrong').conflicts(['json', 'schema']))
    .addOption(new Option('--schema', 'print the JSON Schema of signet.yaml').conflicts('json'))
    .addHelpText('after', HELP)
    .exitOverride(exitAsUsage)
    .action((options: Options) => run(options, parts));
}

async function run(options: Options, { tell, schema }: ConfigCommandParts): Promise<void> {
  if (options.schema) return show(schema());
  const told = tell();
  // Whoever reads the output may stop: the code says how it stands all the same.
  if (told.problem !== undefined) process.exitCode = EXIT_CONFIG;
  if (!options.check) await show(options.json || !isTerminal() ? jsonOf(told) : tableOf(told));
  say(warningsOf(told));
}

async function show(text: string): Promise<void> {
  const written = Promise.withResolvers<void>();
  process.stdout.on('error', written.reject);
  process.stdout.write(text, (error) => (error ? written.reject(error) : written.resolve()));
  await written.promise.catch((error: unknown) => {
    if (!isNativeError(error) || !('code' in error) || error.code !== 'EPIPE') throw error;
  });
}

function exitAsUsage({ exitCode }: CommanderError): never {
  process.exit(exitCode === 0 ? 0 : EXIT_USAGE);
}
