// The command `signet`: serve, audit. Reads the environment and the terminal, and nothing else does.
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { Command } from 'commander';
import { auditCommand } from './audit/command.ts';
import { loadConfig, loadPlaces } from './config/load.ts';
import { explain, Fault, type FaultCode } from './fault.ts';
import { spansOf } from './trace/spans.ts';
import { VERSION } from './version.ts';

/** Exit codes, as sysexits.h has them; 1 is anything else. */
const EXIT_CODES: Partial<Record<FaultCode, number>> = {
  ERR_CONFIG: 78,
  ERR_KEYS: 78,
  ERR_SOCKET_IN_USE: 69,
  ERR_STATE_IN_USE: 69,
  ERR_STORE_DAMAGED: 74,
  ERR_STORE_NEWER: 74,
};

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
  69  the socket, the port or the state folder is in use
  78  the configuration is wrong; all mistakes are listed
`;

const sources = {
  env: process.env,
  readFile: (path: string) => readFileSync(path, 'utf8'),
  cwd: process.cwd(),
  home: homedir(),
  isRoot: process.getuid?.() === 0,
};

const program = new Command('signet')
  .description('A name on every trace: identity-aware tracing and audit for Caddy.')
  .version(VERSION)
  .enablePositionalOptions()
  .showHelpAfterError('(signet --help shows what there is)')
  .addCommand(
    new Command('serve')
      .description('run the sidecar: the gate for Caddy, and the recorder')
      .addHelpText('after', SERVE_HELP)
      .action(runServe),
  )
  .addCommand(auditCommand({ defaultState: () => loadPlaces(sources).stateFolder, spansOf }));

await program.parseAsync().catch(fail);

async function runServe(): Promise<void> {
  const config = loadConfig(sources);
  // Loaded only here: the audit command needs no server.
  const { serve } = await import('./main.ts');
  const stopped = Promise.withResolvers<void>();
  process.once('SIGTERM', () => stopped.resolve());
  process.once('SIGINT', () => stopped.resolve());
  const sidecar = await serve(config);
  await stopped.promise;
  await sidecar.stop();
  process.exit(0);
}

function fail(error: unknown): never {
  process.stderr.write(`signet: ${explain(error)}\n`);
  process.exit(error instanceof Fault ? (EXIT_CODES[error.code] ?? 1) : 1);
}
