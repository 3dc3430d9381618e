// What `signet deploy` ends with. A pipeline rolls back on 1, so 1 must never mean that something else
// went wrong; and 2, elsewhere a wrong option, is taken by the verdict.
import type { CommanderError } from 'commander';

export const EXIT_REGRESSED = 1;
export const EXIT_NOT_KNOWN = 2;
// As sysexits.h has them.
export const EXIT_DEPLOY_USAGE = 64;
export const EXIT_SOFTWARE = 70;

/** Ends the process after help, or after what was typed wrong. */
export function exitAsDeployUsage({ exitCode }: CommanderError): never {
  process.exit(exitCode === 0 ? 0 : EXIT_DEPLOY_USAGE);
}
