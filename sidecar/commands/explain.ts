// `signet explain`: one request, held against a Caddyfile: which block answers, which requirement holds, what the
// decision would be and why. Reads, and asks Caddy what it makes of the file; sends nothing, and writes nothing.
import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { visible } from '../visible.ts';
import { readAdapted } from '../edge/adapted.ts';
import { findCaddyHere } from '../edge/find-here.ts';
import type { CaddyVersion } from '../edge/version.ts';
import { claimedCaller, namedCaller, type Voucher } from '../explain/caller.ts';
import { explainRequest, type Explained, type Question } from '../explain/explain.ts';
import { explainJson, type Asked } from '../explain/explain-json.ts';
import { explainText } from '../explain/explain-text.ts';
import { isRefused, isUnserved } from '../explain/words.ts';
import { explain } from '../fault.ts';
import type { Claims } from '../identity/claims.ts';
import { actorWords, MAX_ACTOR_DEPTH, USER_TYPES, type UserType } from '../identity/identity.ts';
import type { Found } from '../policy/decide.ts';
import { exitAsUsage, hasColours, isTerminal, print, say } from '../report/command-store.ts';
import { adaptTold } from './adapt-told.ts';
import { caddyEnvironment } from './caddy-environment.ts';
import { createLines } from './explain-line.ts';
import { readAtMost } from './read-at-most.ts';

/** What the command is made of. */
export type ExplainParts = {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Who vouches for callers by the settings; undefined where there are none. May throw ERR_CONFIG. */
  readonly vouchers: () => readonly Voucher[] | undefined;
};

type Options = {
  readonly caddyfile?: string;
  readonly caddy?: string;
  readonly envfile: readonly string[];
  readonly user?: string;
  readonly team?: string;
  readonly role: readonly string[];
  readonly scope: readonly string[];
  readonly type?: UserType;
  readonly idp?: string;
  readonly actors?: number;
  readonly claims?: string;
  readonly signedOut?: true;
  readonly header: readonly (readonly [string, string])[];
  readonly from?: string;
  readonly page?: true;
  readonly trail: boolean;
  readonly json?: true;
};

type Problem = { readonly problem: string };

const EXIT_REFUSED = 1;
const EXIT_COULD_NOT = 2;
const EXIT_SEVERAL = 3;
const SYSTEM_FILE = '/etc/caddy/Caddyfile';
const MAX_CLAIMS_BYTES = 1_000_000;
const NO_FILE = 'there is no such file';

const HELP = `
Told is what Caddy would do by this file (\`caddy adapt\`), and what the gate would decide by its own rules. The path is
taken as it is spelled; a browser, and curl without --path-as-is, tidy '/../' before they send. Without an identity
nobody is signed in. What is named of a caller is believed: no token is verified, and no session looked up.

What only the running Caddy knows (files on the disk, other authentication, a header that isn't named) is not
guessed: each thing that may happen is told, with what it hangs on. That an app is down is not thought of, nor what TLS
brings before its handshake is done.
{$NAME} in a Caddyfile is taken from the environment of this command, or from --envfile.

On a terminal it is text (without colours where NO_COLOR is set), elsewhere one JSON object.

Examples:
  $ signet explain GET https://app.example.com/admin/x
  $ signet explain GET https://app.example.com/admin/x --user alice --team payments --role admin
  $ signet explain POST https://app.example.com/orders --claims claims.json --idp okta
  $ signet explain OPTIONS https://app.example.com/orders --header 'Origin: https://other.example.com' \\
      --header 'Access-Control-Request-Method: POST'
  $ signet explain GET https://app.example.com/ --page --json | jq -r '.outcomes[].decision'

Exit codes:
  0  the gate allows it, or none is asked: an app answers, or Caddy does (also by a redirect, an error, or 'abort')
  1  it is refused: by the gate, which may send to sign-in, or by 'import signet'
  2  it could not be told: no file, no Caddy, the file is not understood, or an option is wrong;
     or nobody is there to answer: no server listens on the port, or no site is for the host
  3  several things may happen
`;

/** Returns the command. */
export function explainCommand(parts: ExplainParts): Command {
  return new Command('explain')
    .description('which block answers a request, what it takes, and what the gate would decide')
    .argument('<method>', 'GET, POST …, as the client sends it')
    .argument('<url>', 'with http:// or https:// and the host')
    .option('--caddyfile <path>', `or Caddy's JSON (default: ./Caddyfile, else ${SYSTEM_FILE})`)
    .option('--caddy <path>', 'the Caddy to ask (default: CADDY, else caddy on the PATH)')
    .option('--envfile <file>', 'variables of Caddy, again for more files', collect, [])
    .option('--user <name>', 'the caller')
    .option('--team <name>', 'the caller’s team')
    .option('--role <name>', 'a role of the caller, again for more', collect, [])
    .option('--scope <name>', 'a scope of the caller’s token, again for more', collect, [])
    .addOption(
      new Option('--type <type>', 'what kind of caller (default: human)').choices(USER_TYPES),
    )
    .option('--idp <name>', 'who vouches for the caller')
    .option('--actors <n>', 'how many act on the caller’s behalf', parseActors)
    .addOption(claimsOption())
    .addOption(signedOutOption())
    .option('--header <header>', "'Name: value' of the request, again for more", collectHeader, [])
    .option('--from <ip>', 'the address that it comes from', parseAddress)
    .option('--page', 'a browser on its way to a page, which is sent to sign in')
    .option('--no-trail', 'not how the request got there')
    .option('--json', 'one JSON object (default where no terminal reads it)')
    .addHelpText('after', HELP)
    .exitOverride(exitAsUsage)
    .action((method: string, url: string, options: Options) => run(method, url, options, parts));
}

const OF_A_CALLER = ['user', 'team', 'type', 'actors'];

function claimsOption(): Option {
  const text =
    'the claims of a token, a file with a JSON object, or - (read as signet.yaml maps them)';
  return new Option('--claims <file>', text).conflicts(OF_A_CALLER);
}

function signedOutOption(): Option {
  return new Option('--signed-out', 'nobody is signed in (the default)').conflicts([
    ...OF_A_CALLER,
    'claims',
    'idp',
  ]);
}

async function run(
  method: string,
  url: string,
  options: Options,
  parts: ExplainParts,
): Promise<void> {
  const vouchers = vouchersOf(parts);
  const found = callerOf(options, vouchers ?? []);
  if ('problem' in found) return couldNot(found.problem);
  const question = questionOf({ method, url, options, found, vouchers });
  const read = await configured(options, parts);
  if ('problem' in read) return couldNot(read.problem);
  const explained = explainRequest(read.adapted, { ...question, caddy: read.caddy });
  if ('problem' in explained) return couldNot(explained.problem);
  process.exitCode = exitCodeOf(explained);
  // The reader of our output may stop reading, as `head` does: that is its good right.
  process.stdout.on('error', () => undefined);
  const asked = { method, url, by: nameOf(found), locate: read.lines(portOf(url)) };
  await print(textOf(explained, asked, options)).catch(() => undefined);
}

function textOf(explained: Explained, asked: Asked, { json, trail }: Options): string {
  if (json || !isTerminal()) return explainJson(explained, asked, { hasTrail: trail });
  return explainText(explained, asked, { colour: hasColours(), hasTrail: trail });
}

function exitCodeOf({ outcomes, isCut }: Explained): number {
  const [only] = outcomes;
  if (outcomes.length > 0 && outcomes.every(isUnserved)) return EXIT_COULD_NOT;
  if (only === undefined || outcomes.length > 1 || isCut) return EXIT_SEVERAL;
  return isRefused(only) ? EXIT_REFUSED : 0;
}

type Reading = {
  readonly adapted: Exclude<ReturnType<typeof readAdapted>, Problem>;
  readonly caddy: CaddyVersion | undefined;
  readonly lines: (port: number) => Asked['locate'];
};

async function configured(
  options: Options,
  { env, cwd }: ExplainParts,
): Promise<Reading | Problem> {
  const path = options.caddyfile ?? defaultFile(cwd);
  if (path === undefined)
    return { problem: `there is no Caddyfile here, and no ${SYSTEM_FILE}; name it by --caddyfile` };
  const caddy = await findCaddyHere(env, options.caddy);
  const isHere = !('problem' in caddy);
  // JSON needs no Caddy, unless one was named.
  if (!isHere && (options.caddy !== undefined || !path.endsWith('.json'))) return caddy;
  const all = caddyEnvironment(env, options.envfile);
  if ('problem' in all) return all;
  const file = await adaptTold({
    path,
    caddy: isHere ? caddy.path : undefined,
    env,
    envFiles: options.envfile,
    allEnv: all.env,
  });
  if ('problem' in file) return file;
  const adapted = readAdapted(file.json);
  if ('problem' in adapted) return { problem: `${path}: ${adapted.problem}` };
  return {
    adapted,
    caddy: isHere ? caddy.version : undefined,
    lines: (port) => (file.isJson ? () => undefined : createLines(path, all.env, port)),
  };
}

function defaultFile(cwd: string): string | undefined {
  if (existsSync(join(cwd, 'Caddyfile'))) return 'Caddyfile';
  return existsSync(SYSTEM_FILE) ? SYSTEM_FILE : undefined;
}

type Asking = {
  readonly method: string;
  readonly url: string;
  readonly options: Options;
  readonly found: Found;
  readonly vouchers: readonly Voucher[] | undefined;
};

// Whoever is known has shown something that is not named here.
function questionOf({ method, url, options, found, vouchers }: Asking): Question {
  const { header, from, page } = options;
  const headers = page ? [...header, ['Sec-Fetch-Mode', 'navigate'] as const] : header;
  return {
    method,
    url,
    headers,
    unknownHeaders: 'identity' in found ? ['Cookie', 'Authorization'] : [],
    from,
    found,
    names: vouchers?.map(({ name }) => name),
  };
}

function callerOf(options: Options, vouchers: readonly Voucher[]): Found | Problem {
  const { claims, user, team, role, scope, type, idp, actors } = options;
  if (claims !== undefined) {
    const read = claimsAt(claims);
    return 'problem' in read ? read : claimedCaller(read.claims, vouchers, idp);
  }
  const isNamed =
    [user, team, type, idp, actors].some((one) => one !== undefined) ||
    role.length + scope.length > 0;
  if (!isNamed) return { refused: 'no-credentials' };
  return { identity: namedCaller({ user, team, roles: role, scopes: scope, type, idp, actors }) };
}

function claimsAt(file: string): { readonly claims: Claims } | Problem {
  try {
    const text = readAtMost(file === '-' ? 0 : file, MAX_CLAIMS_BYTES);
    if (text === undefined) return { problem: `${file} has more than ${MAX_CLAIMS_BYTES} bytes` };
    const read: unknown = JSON.parse(text);
    if (typeof read === 'object' && read !== null && !Array.isArray(read))
      return { claims: Object.fromEntries(Object.entries(read)) };
    return { problem: `${file} holds no JSON object of claims` };
  } catch (error) {
    return { problem: `--claims ${file}: ${isMissing(error) ? NO_FILE : explain(error)}` };
  }
}

function isMissing(error: unknown): boolean {
  return Object(error).code === 'ENOENT';
}

// Settings that are wrong don't keep the edge from being explained.
function vouchersOf({ vouchers }: ExplainParts): readonly Voucher[] | undefined {
  try {
    return vouchers();
  } catch (error) {
    const [first = ''] = explain(error).split('\n');
    say(
      `signet: claims are read as usual, and any name behind idp: is taken for one, because the settings are wrong: ${visible(first)}\n`,
    );
    return undefined;
  }
}

function nameOf(found: Found): string {
  if (!('identity' in found)) return 'nobody (signed out)';
  const { team, type } = found.identity;
  return [actorWords(found.identity), ...(team === undefined ? [] : [`team ${team}`]), type].join(
    ', ',
  );
}

function portOf(url: string): number {
  const [, scheme, port] = /^(https?):\/\/[^/?#]*?(?::(\d+))?(?:[/?#]|$)/i.exec(url) ?? [];
  return Number(port ?? (scheme?.toLowerCase() === 'http' ? 80 : 443));
}

function couldNot(problem: string): void {
  say(`signet: it could not be told: ${visible(problem)}\n`);
  process.exitCode = EXIT_COULD_NOT;
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function collectHeader(
  text: string,
  before: readonly (readonly [string, string])[],
): (readonly [string, string])[] {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined)
    throw new InvalidArgumentError("Allowed is 'Name: value'.");
  return [...before, [name, value]];
}

function parseAddress(text: string): string {
  if (isIP(text) !== 0 && !text.includes('%')) return text;
  throw new InvalidArgumentError('Allowed is one address, like 203.0.113.7 or 2001:db8::7.');
}

function parseActors(text: string): number {
  if (!/^\d$/.test(text) || Number(text) > MAX_ACTOR_DEPTH) {
    throw new InvalidArgumentError(`Allowed is a number from 0 to ${MAX_ACTOR_DEPTH}.`);
  }
  return Number(text);
}
