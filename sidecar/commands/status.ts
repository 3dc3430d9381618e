// `signet status`: how a running sidecar stands, by what its health listener says. It opens no file and
// needs no right to the state folder.
import { Command, InvalidArgumentError, type CommanderError } from 'commander';
import { explain } from '../fault.ts';
import { visible } from '../visible.ts';
import {
  EXIT_UNAVAILABLE,
  EXIT_USAGE,
  hasColours,
  isTerminal,
  print,
  say,
  terminalWidth,
} from '../report/command-store.ts';
import { addressText, askHealth, type Answered, type HealthAddress } from './status-ask.ts';
import { readAnswer, type StatusAnswer } from './status-answer.ts';
import { statusJson, statusText, type Found } from './status-text.ts';
import { readTraffic, type Traffic } from './status-traffic.ts';

/** What the command is made of. */
export type StatusParts = {
  /** Where the sidecar of this configuration listens. Throws ERR_CONFIG where that can't be told. */
  readonly health: () => HealthAddress;
  /** Returns what `host:port` names, or undefined. */
  readonly parseAddress: (text: string) => HealthAddress | undefined;
};

type StatusOptions = { readonly health?: HealthAddress; readonly json?: true };

const EXIT_CODES = { ready: 0, degraded: 1, unready: 3 } as const;
const WITHIN_MS = 2000;
/** A check is a few hundred bytes; there may be dozens of destinations. */
const MAX_ANSWER_BYTES = 1_000_000;
/** 2,000 series of 17 lines are some 6 MB. */
const MAX_METRICS_BYTES = 16_000_000;
const DEFAULT_WIDTH = 100;

const HELP = `
Asked are /readyz and /metrics of the health listener: at --health, else where SIGNET_HEALTH or signet.yaml
says, else at 127.0.0.1:9465. What fails is told in whole sentences. 'degraded' is a sidecar that decides
requests while evidence, telemetry, new sign-ins or a changed configuration are not as they should be;
'unready' one that can let nobody in. Traffic is that since the sidecar started, as far as it is recorded.

On a terminal it is one screen (without colours where NO_COLOR is set), elsewhere one JSON object: what
/readyz says, with 'address' and 'traffic'.

Examples:
  $ signet status
  $ signet status --health 127.0.0.1:9466
  $ signet status --json | jq -r '.checks | to_entries[] | select(.value.ok | not) | .value.problem'
  $ signet status > /dev/null || echo "look at it"

Exit codes:
  0   ready
  1   degraded
  2   an option is wrong
  3   unready
  69  nothing answers there, or it is not Signet
  78  the configuration does not say where to ask
`;

/** Returns the command. */
export function statusCommand(parts: StatusParts): Command {
  return new Command('status')
    .description('how the running sidecar stands, on one screen')
    .option('--health <host:port>', 'ask there (default: SIGNET_HEALTH)', (text) =>
      parseHealth(text, parts),
    )
    .option('--json', 'one JSON object (default where no terminal reads it)')
    .addHelpText('after', HELP)
    .exitOverride(exitAsUsage)
    .action((options: StatusOptions) => run(options, parts));
}

async function run({ health, json }: StatusOptions, parts: StatusParts): Promise<void> {
  const address = health ?? parts.health();
  const found = await find(address);
  if ('problem' in found) return notFound(address, found.problem);
  // The reader of our output may stop reading, as `head` does: that is its good right.
  process.stdout.on('error', () => undefined);
  process.exitCode = EXIT_CODES[found.answer.status];
  const screen = {
    width: terminalWidth() ?? DEFAULT_WIDTH,
    colour: hasColours(),
    nowMs: Date.now(),
  };
  const isTable = json === undefined && isTerminal();
  await print(isTable ? statusText(found, screen) : statusJson(found)).catch(() => undefined);
}

async function find(address: HealthAddress): Promise<Found | { readonly problem: string }> {
  if (address.port === 0) return { problem: 'port 0 is a free one, which only its log names' };
  try {
    const [answered, traffic] = await Promise.all([
      askHealth(address, '/readyz', { withinMs: WITHIN_MS, maxBytes: MAX_ANSWER_BYTES }),
      trafficAt(address),
    ]);
    const answer = answerOf(answered);
    if (answer !== undefined) return { address: addressText(address), answer, traffic };
    return {
      problem: `what listens there is not Signet: /readyz answered ${answered.status}, and not as Signet does`,
    };
  } catch (error) {
    return { problem: explain(error) };
  }
}

function answerOf({ status, body }: Answered): StatusAnswer | undefined {
  return status === 200 || status === 503 ? readAnswer(body) : undefined;
}

// Beside the point where the rest is known: without an answer there is no traffic.
async function trafficAt(address: HealthAddress): Promise<Traffic | undefined> {
  const limits = { withinMs: WITHIN_MS, maxBytes: MAX_METRICS_BYTES };
  const answered = await askHealth(address, '/metrics', limits).catch(() => undefined);
  return answered?.status === 200 ? readTraffic(answered.body) : undefined;
}

function notFound(address: HealthAddress, problem: string): void {
  say(
    `signet: asked ${addressText(address)} how the sidecar stands: ${visible(problem)}.\n` +
      'Does `signet serve` run? Its log says why it does not. If its health listener (SIGNET_HEALTH, or health in\n' +
      'signet.yaml) is elsewhere, name it: signet status --health HOST:PORT\n',
  );
  process.exitCode = EXIT_UNAVAILABLE;
}

function parseHealth(text: string, { parseAddress }: StatusParts): HealthAddress {
  const address = parseAddress(text);
  if (address === undefined || address.port === 0) {
    throw new InvalidArgumentError('Allowed is HOST:PORT, like 127.0.0.1:9465 or [::1]:9465.');
  }
  return address;
}

function exitAsUsage({ exitCode }: CommanderError): never {
  process.exit(exitCode === 0 ? 0 : EXIT_USAGE);
}
