// `signet check`: what a Caddyfile lets past the gate, before it is live. Reads, and asks Caddy; writes nothing.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { visible } from '../visible.ts';
import { CODES, type Code } from '../check/codes.ts';
import { countsOf, type Report, withoutCodes } from '../check/report.ts';
import { reportJson } from '../check/report-json.ts';
import { failureSarif, reportSarif } from '../check/report-sarif.ts';
import type { EdgeSettings } from '../check/rule.ts';
import { findCaddyHere } from '../edge/find-here.ts';
import { explain } from '../fault.ts';
import {
  exitAsUsage,
  hasColours,
  isTerminal,
  print,
  say,
  terminalWidth,
} from '../report/command-store.ts';
import { checkFile } from './check-file.ts';
import { reportText } from './check-text.ts';

/** What the command is made of. */
export type CheckParts = {
  /** Signet's. */
  readonly version: string;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** What the sidecar of this configuration says of the edge; undefined where nothing is set. May throw ERR_CONFIG. */
  readonly settings: () => EdgeSettings | undefined;
};

type Options = {
  readonly caddy?: string;
  readonly envfile: readonly string[];
  readonly except: readonly Code[];
  readonly json?: true;
  readonly sarif?: true;
};

const EXIT_FOUND = 1;
const EXIT_COULD_NOT = 2;
const DEFAULT_WIDTH = 100;
const SYSTEM_FILE = '/etc/caddy/Caddyfile';

const HELP = `
What is read is what Caddy makes of the file (\`caddy adapt\`): a Caddyfile with all that it imports, or Caddy's JSON.
Told is each place where a request is served without a decision of the gate, and whatever else lets somebody get
past it, speak for another, or leave no trace; each with the line where that can be told, what could happen, and
what mends it. deploy/check.md lists the codes. Nothing is written, and no Caddy that runs is asked.

{$NAME} in a Caddyfile is taken from the environment of this command, not of Caddy's service: name its file by
--envfile, as Caddy does. Settings of the sidecar (signet.yaml, SIGNET_*) are read as \`signet config\` reads them; without
them it is said what was not looked at.

On a terminal it is text (without colours where NO_COLOR is set), elsewhere one JSON object.

Examples:
  $ signet check
  $ signet check /etc/caddy/Caddyfile --envfile /etc/caddy/signet.env && systemctl reload caddy
  $ signet check --json | jq -r '.findings[] | "\\(.file):\\(.line) \\(.code)"'
  $ signet check --except log-skipped --except plain-http
  $ signet check --sarif deploy/Caddyfile > signet.sarif

Exit codes:
  0  nothing was found
  1  something was found, warnings among it
  2  it could not be checked: no file, no Caddy, the file is not understood, or an option is wrong
`;

/** Returns the command. */
export function checkCommand(parts: CheckParts): Command {
  return new Command('check')
    .description('what a Caddyfile lets past the gate, before it is live')
    .argument('[Caddyfile]', `or Caddy's JSON (default: ./Caddyfile, else ${SYSTEM_FILE})`)
    .option('--caddy <path>', 'the Caddy to ask (default: CADDY, else caddy on the PATH)')
    .option('--envfile <file>', 'variables of Caddy, again for more files', collect, [])
    .option(
      '--except <code>',
      'findings of this code are left out, again for more codes',
      collectCode,
      [],
    )
    .option('--json', 'one JSON object (default where no terminal reads it)')
    .addOption(new Option('--sarif', 'SARIF 2.1.0, for code hosts').conflicts('json'))
    .addHelpText('after', HELP)
    .exitOverride(exitAsUsage)
    .action((file: string | undefined, options: Options) => run(file, options, parts));
}

async function run(named: string | undefined, options: Options, parts: CheckParts): Promise<void> {
  // The reader of our output may stop reading, as `head` does: that is its good right.
  process.stdout.on('error', () => undefined);
  const found = await reported(named, options, parts);
  if ('problem' in found) return couldNot(found.problem, options, parts);
  const report = withoutCodes(found, options.except);
  const { errors, warnings } = countsOf(report);
  process.exitCode = errors + warnings === 0 ? 0 : EXIT_FOUND;
  await print(textOf(report, options, parts)).catch(() => undefined);
}

async function reported(
  named: string | undefined,
  options: Options,
  parts: CheckParts,
): Promise<Report | { readonly problem: string }> {
  const path = named ?? defaultFile(parts.cwd);
  if (path === undefined)
    return { problem: `there is no Caddyfile here, and no ${SYSTEM_FILE}; name it` };
  const caddy = await findCaddyHere(parts.env, options.caddy);
  const isHere = !('problem' in caddy);
  // JSON needs no Caddy, unless one was named.
  if (!isHere && (options.caddy !== undefined || !path.endsWith('.json'))) return caddy;
  return checkFile({
    path,
    env: parts.env,
    envFiles: options.envfile,
    caddy: isHere ? caddy : undefined,
    ...settingsOf(parts),
  });
}

function textOf(report: Report, { json, sarif }: Options, { version, cwd }: CheckParts): string {
  if (sarif) return reportSarif(report, { version, folder: cwd });
  if (json || !isTerminal()) return reportJson(report);
  return reportText(report, { width: terminalWidth() ?? DEFAULT_WIDTH, colour: hasColours() });
}

function defaultFile(cwd: string): string | undefined {
  if (existsSync(join(cwd, 'Caddyfile'))) return 'Caddyfile';
  return existsSync(SYSTEM_FILE) ? SYSTEM_FILE : undefined;
}

// Settings that are wrong don't keep the edge from being looked at.
function settingsOf({ settings }: CheckParts): {
  readonly settings: EdgeSettings | undefined;
  readonly settingsProblem?: string;
} {
  try {
    return { settings: settings() };
  } catch (error) {
    const [first = ''] = explain(error).split('\n');
    return {
      settings: undefined,
      settingsProblem: `they are wrong (\`signet config\` says how): ${first}`,
    };
  }
}

// A code host uploads what there is, also after a failure.
async function couldNot(
  problem: string,
  { sarif }: Options,
  { version, cwd }: CheckParts,
): Promise<void> {
  say(`signet: it could not be checked: ${visible(problem)}\n`);
  process.exitCode = EXIT_COULD_NOT;
  if (sarif) await print(failureSarif(problem, { version, folder: cwd })).catch(() => undefined);
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function collectCode(code: string, before: readonly Code[]): Code[] {
  if (isCode(code)) return [...before, code];
  throw new InvalidArgumentError(
    `There is no such code; there are ${Object.keys(CODES).join(', ')}.`,
  );
}

function isCode(text: string): text is Code {
  return Object.hasOwn(CODES, text);
}
