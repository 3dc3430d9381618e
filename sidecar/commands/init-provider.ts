// Asks the provider what it offers, says it in words, and lets a person decide where it falls short.
import type { Asker } from '../setup/answers.ts';
import { discover, type Judged } from '../setup/discovery.ts';

/** What is known of the provider. */
export type Checked = Pick<Judged, 'scopes' | 'hasOfflineAccess'>;

/** Returns what is known; undefined when the provider won't do, and nobody says that it shall. */
export async function checkProvider(
  issuer: string,
  asker: Asker | undefined,
  say: (text: string) => void,
): Promise<Checked | undefined> {
  const found = await discover(issuer);
  if ('unreachable' in found) {
    say(`The provider can't be asked what it offers: ${found.unreachable}.\n`);
    return decided({}, asker, say);
  }
  say(`The provider answers.\n${indented(found.findings)}`);
  const { findings: _findings, problems: _problems, ...checked } = found;
  if (found.problems.length === 0) return checked;
  say(`Nobody can sign in with it as it is:\n${indented(found.problems)}`);
  return decided(checked, asker, say);
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}\n`).join('');
}

async function decided(
  checked: Checked,
  asker: Asker | undefined,
  say: (text: string) => void,
): Promise<Checked | undefined> {
  if (asker === undefined) {
    say('signet: nothing was written; --offline leaves this check out.\n');
    return undefined;
  }
  const answer = await asker.ask('Go on all the same? (y/N) ');
  return /^y(es)?$/i.test(answer) ? checked : undefined;
}
