// `signet doctor`: a running installation, looked at from outside as a client of the site, and from here as far
// as its settings and its record are here. It changes nothing; it leaves some rows, and a span at each destination.
import { X509Certificate } from 'node:crypto';
import { Command, type CommanderError } from 'commander';
import { readerAt } from './doctor-record.ts';
import { doctorJson, lineText, summaryText } from './doctor-text.ts';
import { parseSite } from './doctor-url.ts';
import { addressText, askHealth, type HealthAddress } from './status-ask.ts';
import { readAnswer } from './status-answer.ts';
import type { Failed, Site } from '../doctor/ask.ts';
import type { Program } from '../doctor/caddy.ts';
import type { Sending } from '../doctor/destinations.ts';
import type { Examination, Installed, Known } from '../doctor/examination.ts';
import { examine } from '../doctor/examine.ts';
import type { Readiness } from '../doctor/health.ts';
import type { Issuer } from '../doctor/issuers.ts';
import type { Line } from '../doctor/line.ts';
import { visible } from '../visible.ts';
import { explain } from '../fault.ts';
import {
  EXIT_USAGE,
  hasColours,
  isTerminal,
  print,
  say,
  terminalWidth,
} from '../report/command-store.ts';
import { createProgress } from '../report/progress.ts';
import type { RecordParts } from '../report/whereabouts.ts';

/** The settings that are looked at, where they are whole. */
export type DoctorSettings = {
  readonly issuers: readonly Issuer[];
  readonly health: HealthAddress;
  readonly accessLog: string;
};

/** What the command is made of. */
export type DoctorParts = RecordParts & {
  readonly version: string;
  /** Or why they are not here. */
  readonly settings: () => Known<DoctorSettings>;
  readonly sending: () => Known<Sending>;
  /** The Caddy program that the environment names, if it does. */
  readonly caddy: () => string | undefined;
  /** Throws where it can't be read. */
  readonly readFile: (path: string) => Buffer;
};

type Options = {
  readonly ca?: string;
  readonly caddy?: string;
  readonly state?: string;
  readonly json?: true;
};

const EXIT_WRONG = 1;
const DEFAULT_WIDTH = 100;
/** The sidecar answers by what it knows already. */
const HEALTH_LIMITS = { withinMs: 2000, maxBytes: 1_000_000 };

const HELP = `
From outside, with nothing but the URL: its address, TLS, clock, whether Signet answers, what somebody gets who
has not signed in, where a sign-in leads, and whether headers that a client made up come back. Name a URL that is
protected. Where the settings are, too (as for \`signet status\` and \`signet deliver\`): how the sidecar stands and its
version, the providers with their keys and clocks, and each destination, which gets one span named 'signet doctor'.
Where the record is (by the settings, or --state): the request that was just made, for at most 15 s.

Nothing is changed, and nobody signs in. What a protected app gets, and which Caddy runs, can't be seen from
outside: \`signet check\` reads the Caddyfile, and --caddy names the program that runs (default: CADDY, then the PATH).

On a terminal it is a line each, with what mends it; elsewhere one JSON object.

Examples:
  $ signet doctor https://app.example.com/
  $ signet doctor https://localhost:8443/ --ca .signet/local/caddy/pki/authorities/local/root.crt
  $ signet doctor https://app.example.com/orders --state /var/lib/signet
  $ signet doctor https://app.example.com/ --json | jq -r '.lines[] | select(.verdict == "wrong") | .mend'

Exit codes:
  0   nothing is wrong; there may be warnings, and what could not be looked at
  1   something is wrong
  2   the URL or an option is wrong, or its file can't be read
`;

/** Returns the command. */
export function doctorCommand(parts: DoctorParts): Command {
  return new Command('doctor')
    .description('look at a running installation from outside, line by line')
    .argument('<url>', 'of the site: a page that is protected')
    .option('--ca <file>', 'PEM file with the authority of the certificate, instead of those known')
    .option('--state <folder>', 'the state folder with the record (default: by the settings)')
    .option('--caddy <path>', 'the Caddy program that runs (default: CADDY, then the PATH)')
    .option('--json', 'one JSON object (default where no terminal reads it)')
    .addHelpText('after', HELP)
    .exitOverride(exitAsUsage)
    .action((url: string, options: Options) => run(url, options, parts));
}

async function run(text: string, options: Options, parts: DoctorParts): Promise<void> {
  const url = parseSite(text);
  if ('problem' in url) return refuse(url.problem);
  const site = siteOf(url, options.ca, parts);
  if ('problem' in site) return refuse(site.problem);
  // The reader of our output may stop reading, as `head` does: that is its good right.
  process.stdout.on('error', () => undefined);
  const settings = parts.settings();
  const record = await readerAt(options.state, settings, parts);
  const progress = createProgress();
  const examination: Examination = {
    site,
    version: parts.version,
    caddy: programOf(options.caddy ?? parts.caddy()),
    installed: 'why' in settings ? settings : { is: installedOf(settings.is) },
    sending: parts.sending(),
    record,
    tell: (text) => progress.tell(text),
  };
  try {
    const lines = await show(examination, options.json, () => progress.end());
    const isWrong = lines.some(({ verdict }) => verdict === 'wrong');
    if (isWrong) process.exitCode = EXIT_WRONG;
  } finally {
    progress.end();
    if ('is' in record) await record.is.close();
  }
}

async function show(
  examination: Examination,
  json: true | undefined,
  endProgress: () => void,
): Promise<Line[]> {
  const isTable = json === undefined && isTerminal();
  const screen = { width: terminalWidth() ?? DEFAULT_WIDTH, colour: hasColours() };
  const put = (text: string) => print(text).catch(() => undefined);
  const lines: Line[] = [];
  for await (const line of examine(examination)) {
    lines.push(line);
    endProgress();
    if (isTable) await put(lineText(line, screen));
  }
  const { site, version } = examination;
  const { origin, pathname } = site.url;
  await put(isTable ? summaryText(lines) : doctorJson(origin + pathname, version, lines));
  return lines;
}

function installedOf({ issuers, accessLog, health }: DoctorSettings): Installed {
  return { issuers, accessLog, health: addressText(health), askHealth: () => readinessAt(health) };
}

async function readinessAt(address: HealthAddress): Promise<Readiness | Failed> {
  if (address.port === 0) return { problem: 'port 0 is a free one, which only its log names' };
  try {
    const { status, body } = await askHealth(address, '/readyz', HEALTH_LIMITS);
    return readAnswer(body) ?? { problem: `what listens there is not Signet (${status})` };
  } catch (error) {
    return { problem: explain(error) };
  }
}

function programOf(path: string | undefined): Program {
  return path === undefined || path === ''
    ? { path: 'caddy', isNamed: false }
    : { path, isNamed: true };
}

function siteOf(url: URL, file: string | undefined, { readFile }: DoctorParts): Site | Failed {
  if (file === undefined) return { url };
  try {
    const ca = readFile(file);
    // OpenSSL takes a file without certificates for an empty list, and then trusts nobody, without a word.
    void new X509Certificate(ca);
    return { url, ca };
  } catch (error) {
    const why = Object(error).code === 'ENOENT' ? 'there is no such file' : explain(error);
    return { problem: `--ca ${visible(file)} is of no use: ${visible(why)}` };
  }
}

function refuse(problem: string): void {
  say(`signet: ${problem}\n`);
  process.exitCode = EXIT_USAGE;
}

function exitAsUsage({ exitCode }: CommanderError): never {
  process.exit(exitCode === 0 ? 0 : EXIT_USAGE);
}
