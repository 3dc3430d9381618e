// `signet deploy`: marks deployments, and says whether anything became worse since one. What it does is in
// the room deployment/.
import { Command } from 'commander';
import { markCommand } from '../deployment/command-mark.ts';
import { verdictCommand } from '../deployment/command-verdict.ts';
import { exitAsDeployUsage } from '../deployment/exit-codes.ts';
import type { RecordParts } from '../report/whereabouts.ts';

const HELP = `
Examples:
  $ signet deploy mark 2026-11-20.3
  $ signet deploy verdict --since-mark 2026-11-20.3

Each says its exit codes: signet deploy mark --help, signet deploy verdict --help
`;

/** Returns the command. */
export function deployCommand(parts: RecordParts): Command {
  return new Command('deploy')
    .description('mark deployments, and compare before with after')
    .enablePositionalOptions()
    .addHelpText('after', HELP)
    .exitOverride(exitAsDeployUsage)
    .addCommand(markCommand(parts))
    .addCommand(verdictCommand(parts));
}
