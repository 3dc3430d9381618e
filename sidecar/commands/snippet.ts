// `signet snippet`: prints the snippets for Caddy that belong to this version.
import { Command } from 'commander';
import { readSnippet } from '../setup/package-files.ts';
import { print } from '../report/command-store.ts';

const HELP = `
The file that a Caddyfile imports. After an upgrade of Signet write it anew, and restart Caddy.

Example:
  $ signet snippet > /etc/caddy/signet.caddy

Exit codes:
  0   printed
  2   an option is wrong
`;

/** Returns the command. */
export function snippetCommand(): Command {
  return new Command('snippet')
    .description('print the snippets for Caddy (caddy/signet.caddy) of this version')
    .addHelpText('after', HELP)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
    .action(() => print(readSnippet()));
}
