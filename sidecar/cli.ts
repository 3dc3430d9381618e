// The command `signet` with all that it can do. Reads the environment and the terminal, and nothing else does.
import { existsSync, readFileSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { isatty } from 'node:tty';
import { Command, type CommanderError } from 'commander';
import { auditCommand } from './report/command.ts';
import { forgetCommand } from './report/command-forget.ts';
import { removeCommand } from './report/command-remove.ts';
import { verifyCommand } from './report/command-verify.ts';
import { markOf } from './reload/watch-files.ts';
import { publicKeysOf, signingKeys, type SigningKey } from './audit/signing-key.ts';
import type { Whereabouts } from './report/whereabouts.ts';
import { openCommand } from './command-open.ts';
import type { Config } from './config/config.ts';
import { deriveKeys, KEYS_FILE, loadKeyRing, type KeyRing } from './config/keys.ts';
import {
  checkConfig,
  loadConfig,
  loadPlaces,
  loadSessionPlaces,
  type SessionPlaces,
  type ReadPlaces,
} from './config/load.ts';
import { jsonSchemaText } from './config/json-schema.ts';
import { loadWatched } from './config/load-watched.ts';
import { tellConfig } from './config/told.ts';
import { checkSending, loadSending } from './config/load-sending.ts';
import { deliverCommand, type DeliverSettings } from './commands/deliver.ts';
import { readBounded } from './otlp/bounded-file.ts';
import { cursorNames } from './otlp/destination.ts';
import { configCommand } from './commands/config.ts';
import { checkCommand } from './commands/check.ts';
import { deployCommand } from './commands/deploy.ts';
import { doctorCommand, type DoctorSettings } from './commands/doctor.ts';
import { explainCommand } from './commands/explain.ts';
import type { Sending } from './doctor/destinations.ts';
import type { Known } from './doctor/examination.ts';
import { issuersOf } from './doctor/issuers.ts';
import { edgeSettings, vouchersOf } from './edge-settings.ts';
import { initCommand } from './commands/init.ts';
import { snippetCommand } from './commands/snippet.ts';
import { keysCommand, type RingFile } from './commands/keys.ts';
import { type SessionsAccess, sessionsCommand } from './commands/sessions.ts';
import { statusCommand } from './commands/status.ts';
import { isIssuer, parseHostPort } from './config/address.ts';
import { programName } from './setup/program-name.ts';
import { exportReviewCommand, type ExportReviewSettings } from './commands/export-review.ts';
import { explain, Fault, type FaultCode } from './fault.ts';
import { takeInheritedSocket } from './http/inherited-socket.ts';
import { pagesProblems } from './http/pages.ts';
import { auditStoreFile } from './places.ts';
import { openSessions, SESSION_STORE_FILE } from './open-sessions.ts';
import { openRingFile } from './ring-file.ts';
import { openAccess } from './sessions-access.ts';
import { spansCommand, type SpansParts } from './commands/spans.ts';
import { spansOf } from './trace/spans.ts';
import { createSpansOf } from './trace/worth.ts';
import { VERSION } from './version.ts';

/** Exit codes, as sysexits.h has them; 1 is anything else. */
const EXIT_CODES: Partial<Record<FaultCode, number>> = {
  ERR_CONFIG: 78,
  ERR_KEYS: 78,
  ERR_SOCKET_IN_USE: 69,
  ERR_STATE_IN_USE: 69,
  ERR_SESSION_STORE: 69,
  ERR_STORE_DAMAGED: 74,
  ERR_STORE_NEWER: 74,
};

/** Of a file that is read while it runs; the system's authorities are some 250 KB. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** What is typed wrong at the top, as sysexits.h has it: 1 would be `deploy verdict`'s "regressed". */
const EXIT_USAGE = 64;

const HELP = `
Exit codes:
  64  there is no such command, or what was typed before one, or to serve or deploy, is wrong
      (the others end with 2 then)
  69  in use, or can't be reached
  70  \`deploy\` failed itself (others: 1)
  74  the store is damaged, or was written by a newer Signet
  78  the configuration is wrong; all mistakes are listed
Each command says its own: signet COMMAND --help. In a clone that isn't installed write \`npm run -s signet --\`
or \`npx signet\` for \`signet\`.
`;

const SERVE_HELP = `
Four settings are enough:
  SIGNET_ISSUER         the OpenID provider, e.g. https://login.example.com
  SIGNET_CLIENT_ID      this installation's client there
  SIGNET_CLIENT_SECRET  its secret (or SIGNET_CLIENT_SECRET_FILE)
  SIGNET_DESTINATION    lightstep, an OTLP/gRPC URL, or none

Example:
  $ SIGNET_ISSUER=https://login.example.com SIGNET_CLIENT_ID=signet \\
    SIGNET_CLIENT_SECRET_FILE=/etc/signet/client-secret \\
    SIGNET_DESTINATION=https://collector.example.com:4317 signet serve

Exit codes:
  0   stopped by SIGTERM or SIGINT, with everything in the log recorded
  64  an option is wrong
  69  the socket, the port or the state folder is in use
  78  the configuration is wrong; all mistakes are listed
`;

const NOT_WHOLE =
  "the sidecar's settings are not here, or not whole (`signet config --check` says what is lacking)";

const sources = {
  env: process.env,
  readFile: (path: string) => readFileSync(path, 'utf8'),
  cwd: process.cwd(),
  home: homedir(),
  isRoot: process.getuid?.() === 0,
  pagesProblems,
};

const program = new Command('signet')
  .description('A name on every trace: identity-aware tracing and audit for Caddy.')
  .version(VERSION)
  .enablePositionalOptions()
  .showHelpAfterError('(signet --help shows what there is)')
  .addHelpText('after', HELP)
  .exitOverride(exitAsUsage)
  .addCommand(
    new Command('serve')
      .description('run the sidecar: the gate for Caddy, and the recorder')
      .addHelpText('after', SERVE_HELP)
      .exitOverride(exitAsUsage)
      .action(runServe),
  )
  .addCommand(
    initCommand({
      isIssuer,
      cwd: sources.cwd,
      isRoot: sources.isRoot,
      program: programName(process.argv),
    }),
  )
  .addCommand(snippetCommand())
  .addCommand(configCommand({ tell: () => tellConfig(sources, VERSION), schema: jsonSchemaText }))
  .addCommand(
    checkCommand({
      ...{ version: VERSION, env: process.env, cwd: sources.cwd },
      settings: () => mapped(configHere(), edgeSettings),
    }),
  )
  .addCommand(
    explainCommand({
      ...{ env: process.env, cwd: sources.cwd },
      vouchers: () => mapped(configHere(), vouchersOf),
    }),
  )
  .addCommand(
    doctorCommand({
      ...{ locate, version: VERSION, settings: doctorSettings, sending: doctorSending },
      caddy: () => process.env['CADDY'],
      readFile: (path) => readBounded(path, MAX_FILE_BYTES),
    }),
  )
  .addCommand(
    statusCommand({ health: () => loadPlaces(sources).health, parseAddress: parseHostPort }),
  )
  .addCommand(
    auditCommand({ defaultPlace: () => locate(undefined).place, spansOf }, [
      openCommand({ locate }),
      verifyCommand({ locate }),
      forgetCommand({ locate }),
      removeCommand({ locate }),
    ]),
  )
  .addCommand(sessionsCommand({ open: sessionsAt, nowMs: Date.now }))
  .addCommand(keysCommand({ open: keysAt }))
  .addCommand(deliverCommand({ locate, settings: deliverSettings }))
  .addCommand(spansCommand({ locate, settings: spansSettings }))
  .addCommand(deployCommand({ locate }))
  .addCommand(exportReviewCommand({ locate, settings: reviewSettings }));

await program.parseAsync().catch(fail);

async function runServe(): Promise<void> {
  const inherited = takeInheritedSocket(process.env, process.pid);
  // From the first moment on: without a listener the signal would end the process.
  let wasAsked = false;
  let reload = (_why: string): void => {
    wasAsked = true;
  };
  const stopped = Promise.withResolvers<void>();
  const wasAtTerminal = isatty(0);
  process.on('SIGHUP', () => {
    // Of a terminal that is gone: nobody could stop it there any more.
    if (wasAtTerminal && !isatty(0)) stopped.resolve();
    else reload('SIGHUP');
  });
  process.once('SIGTERM', () => stopped.resolve());
  process.once('SIGINT', () => stopped.resolve());
  // Loaded only here: the audit command needs no server.
  const { serve } = await import('./main.ts');
  let from = sources;
  const load = () => {
    const loaded = loadWatched(from, markOf);
    // While requests are decided nothing is waited for: a pipe into which nobody writes would hold them all.
    from = { ...sources, readFile: readFileAtOnce };
    return loaded;
  };
  const sidecar = await serve(load, inherited);
  reload = (why) => sidecar.reload(why);
  if (wasAsked) reload('SIGHUP');
  await stopped.promise;
  await sidecar.stop();
  process.exit(0);
}

function readFileAtOnce(path: string): string {
  return readBounded(path, MAX_FILE_BYTES).toString('utf8');
}

function locate(state: string | undefined): Whereabouts {
  const places = state === undefined ? loadPlaces(sources) : placesIn(resolve(state));
  const { stateFolder, headsFile, auditStore } = places;
  const file = auditStoreFile(places);
  const isOwn = state === undefined;
  return {
    place: auditStore === undefined ? { path: file } : { url: auditStore.reveal() },
    stateFolder,
    headsFile,
    ...(auditStore !== undefined &&
      existsSync(file) && { chain: readFileSync(file, 'utf8').trim() }),
    publicKeys: () => publicKeysOf(chainKeys(stateFolder, isOwn).map((key) => key.publicKey)),
    signingKey: () => signingKey(stateFolder, isOwn),
    destinations: () => wholeConfig()?.destinations.flatMap(cursorNames),
  };
}

async function sessionsAt(state: string | undefined): Promise<SessionsAccess> {
  const places = sessionPlaces(state);
  assertSessions(places, state);
  const keys = deriveKeys(ringIn(places), 'session');
  const store = openSessions(places, () => keys);
  const clock = () => Date.now() * 1000;
  return openAccess({ store, keys, where: locate(state), clock, by: systemUser() });
}

// By sudo it is whoever called it. A uid without a name, as containers have, is itself.
function systemUser(): string {
  const caller = process.env['SUDO_USER'];
  if (caller) return caller;
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.()}`;
  }
}

// A file that is not there would be made, and be empty: nobody would be signed in. Nor is anybody by one that was
// left behind when the sessions moved to PostgreSQL.
function assertSessions({ stateFolder, sessionStore }: SessionPlaces, state?: string): void {
  if (sessionStore !== undefined) return;
  const file = join(stateFolder, SESSION_STORE_FILE);
  const shared = state === undefined ? undefined : sharedPlaces();
  if (shared && (!existsSync(file) || resolve(shared.stateFolder) === stateFolder)) {
    const mend = 'by the settings, sessions are in PostgreSQL: leave --state out';
    throw new Fault('ERR_SESSION_STORE', `--state looks for ${file}, and ${mend}`);
  }
  if (existsSync(file)) return;
  const mend = 'name the state folder, or the settings of the sidecar, if they name PostgreSQL';
  throw new Fault('ERR_SESSION_STORE', `there is no session store ${file}: ${mend}`);
}

// Settings that are wrong, or none, have nothing to say here.
function sharedPlaces(): SessionPlaces | undefined {
  try {
    const places = loadSessionPlaces(sources);
    return places.sessionStore && places;
  } catch {
    return undefined;
  }
}

function keysAt(state: string | undefined): RingFile {
  const places = sessionPlaces(state);
  const { stateFolder, keys, keysFile } = places;
  if (keys !== undefined && keysFile === undefined) {
    throw new Fault(
      'ERR_KEYS',
      'the key ring stands in SIGNET_KEYS, and is changed where that is set',
    );
  }
  const path = keysFile ?? join(stateFolder, KEYS_FILE);
  ringIn(places);
  return openRingFile(path, () => {
    assertSessions(places, state);
    return openSessions(places, () => deriveKeys(ringIn(places), 'session'));
  });
}

function sessionPlaces(state: string | undefined): SessionPlaces {
  return state === undefined ? loadSessionPlaces(sources) : placesIn(resolve(state));
}

// Read, and never made: what a new ring sealed, no sidecar would open.
function ringIn({ stateFolder, keys }: SessionPlaces): KeyRing {
  if (keys === undefined && !existsSync(join(stateFolder, KEYS_FILE))) {
    throw new Fault('ERR_KEYS', `there is no key ring in ${stateFolder}: name the state folder`);
  }
  return loadKeyRing({ stateFolder, neededBy: stateFolder, ...(keys && { given: keys }) });
}

// A folder that is named holds all of it, a copy that was brought elsewhere, too.
function placesIn(
  stateFolder: string,
): Pick<ReadPlaces, 'stateFolder' | 'headsFile' | 'auditStore'> {
  return { stateFolder, headsFile: join(stateFolder, 'heads.jsonl') };
}

function signingKey(stateFolder: string, isOwn: boolean): SigningKey {
  const [key] = chainKeys(stateFolder, isOwn);
  if (key !== undefined) return key;
  throw new Fault('ERR_KEYS', `there is no key ring in ${stateFolder} to sign with`);
}

// Read, and never made: a new ring beside a store would be worth nothing.
function chainKeys(stateFolder: string, isOwn: boolean): SigningKey[] {
  const given = isOwn ? wholeConfig()?.keys : undefined;
  if (given === undefined && !existsSync(join(stateFolder, 'keys'))) return [];
  const ring = loadKeyRing({ stateFolder, neededBy: stateFolder, ...(given && { given }) });
  return signingKeys(deriveKeys(ring, 'chain'));
}

function wholeConfig(): Config | undefined {
  const checked = checkConfig(sources);
  return 'config' in checked ? checked.config : undefined;
}

// None where there is no file and they are not whole without one; a file that is wrong is told.
function configHere(): Config | undefined {
  const file = process.env['SIGNET_CONFIG'] ?? join(sources.cwd, 'signet.yaml');
  return existsSync(file) ? loadConfig(sources) : wholeConfig();
}

function mapped<A, B>(value: A | undefined, map: (value: A) => B): B | undefined {
  return value === undefined ? undefined : map(value);
}

function doctorSettings(): Known<DoctorSettings> {
  const config = wholeConfig();
  if (config === undefined) return { why: NOT_WHOLE };
  const { providers, bearer, health, accessLog } = config;
  return { is: { issuers: issuersOf(providers, bearer), health, accessLog } };
}

function doctorSending(): Known<Sending> {
  return 'sending' in checkSending(sources) ? { is: deliverSettings() } : { why: NOT_WHOLE };
}

function deliverSettings(): DeliverSettings {
  const { destinations, proxy, resource, sampling } = loadSending(sources);
  return {
    destinations,
    ...(proxy !== undefined && { proxy }),
    slowUs: sampling.slowUs,
    resource: { 'service.version': VERSION, ...resource },
    version: VERSION,
  };
}

function spansSettings(): ReturnType<SpansParts['settings']> {
  const checked = checkSending(sources);
  if ('sending' in checked) {
    const { destinations, sampling } = checked.sending;
    return { destinations, slowUs: sampling.slowUs };
  }
  const mistakes = checked.errors.map(
    ({ where, read = 'what is wrong' }) => `read ${read} at ${where}`,
  );
  return { problem: mistakes.join('; ') };
}

function reviewSettings(): ExportReviewSettings {
  const { slowUs, ...settings } = deliverSettings();
  return { ...settings, spansOf: createSpansOf(slowUs) };
}

function exitAsUsage({ exitCode }: CommanderError): never {
  process.exit(exitCode === 0 ? 0 : EXIT_USAGE);
}

function fail(error: unknown): never {
  process.stderr.write(`signet: ${explain(error)}\n`);
  process.exit(error instanceof Fault ? (EXIT_CODES[error.code] ?? 1) : 1);
}
