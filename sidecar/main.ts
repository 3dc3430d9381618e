// The only wiring: configuration → parts → listen → shut down in order.
import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { createClock } from './clock.ts';
import { headFields } from './audit/head.ts';
import type { Config } from './config/config.ts';
import { fingerprint } from './config/fingerprint.ts';
import { deriveKeys, loadKeyRing, type KeyRing } from './config/keys.ts';
import { explain } from './fault.ts';
import { createGate } from './gate.ts';
import { createHealth } from './http/health.ts';
import { listen } from './http/listen.ts';
import { createSidecarServer, createSurface, stampOwn } from './http/server.ts';
import { signInRoutes } from './http/sign-in.ts';
import { createBearer } from './identity/bearer.ts';
import { isLoopback } from './identity/bounded-fetch.ts';
import { createLogin } from './identity/login.ts';
import { createProvider } from './identity/provider.ts';
import { createSessions } from './identity/session.ts';
import { createSessionStore } from './identity/session-store.ts';
import { openJournal } from './journal.ts';
import { createLiveTrace } from './live-trace.ts';
import { lockState } from './lock.ts';
import { createLog, type Logger } from './log.ts';
import { recorderDown } from './metrics/metrics.ts';
import { writeText } from './metrics/write-text.ts';
import { auditPlace, auditStoreFile, journalFolder, machineBootId } from './places.ts';
import { toPlain } from './plain-destinations.ts';
import { createRecorderThread } from './record-thread.ts';
import { recorderChecks, toCheck } from './readiness.ts';
import type { RecorderOptions } from './recorder-options.ts';
import type { RequestHeaders } from './request.ts';
import { createSample } from './trace/sampling.ts';
import { type Trouble, troubleText } from './troubles.ts';
import { VERSION } from './version.ts';

/** Name of the session store in the state folder. */
const SESSION_STORE_FILE = 'sessions.db';

/** A running sidecar. */
export type Sidecar = {
  /** Stops deciding, then records and delivers what is left, then closes. Resolves when all is done. */
  stop(): Promise<void>;
};

/** Starts the sidecar. Throws a Fault when it cannot: nothing is left listening then. */
export async function serve(config: Config): Promise<Sidecar> {
  const log = createLog(config.logLevel, VERSION);
  const lock = lockState(config.stateFolder);
  const ring = loadKeyRing({
    stateFolder: config.stateFolder,
    neededBy: auditStoreFile(config),
    ...(config.keys !== undefined && { given: config.keys }),
  });
  if (ring.warning !== undefined) log.warn(ring.warning);
  const stampKeys = deriveKeys(ring, 'stamp');
  const bootId = randomUUID();

  const store = createSessionStore({
    path: join(config.stateFolder, SESSION_STORE_FILE),
    now: Date.now,
  });
  const sessions = createSessions({ store, now: Date.now, ...config.session });
  const provider = createProvider(config);
  const login = createLogin({
    provider,
    keys: deriveKeys(ring, 'login'),
    names: config.claims,
    now: Date.now,
  });
  const bearer =
    config.bearer.length === 0
      ? undefined
      : createBearer({
          issuers: config.bearer.map((issuer) => ({ ...issuer, names: config.claims })),
          now: Date.now,
        });
  if (config.bearer.some(({ issuer }) => issuer !== config.issuer)) {
    log.warn('user names are unique within an issuer only, and there are several: see SECURITY.md');
  }
  const journal = openJournal({
    folder: journalFolder(config.stateFolder),
    bootId,
    machineBootId: machineBootId(),
  });
  const clock = createClock();
  const sample = createSample(config.sampling);
  const gate = createGate({
    sessions,
    bearer,
    trust: config.trace.trust,
    sample,
    key: stampKeys[0],
    bootId,
    journal,
    clock,
    onInvalidRequirement: (route, requirement, problem) =>
      log.error(
        { route, requirement, problem },
        'a requirement does not parse; the block is closed',
      ),
  });
  const options = recorderOptions(config, ring, bootId);
  const recorder = createRecorderThread(options, {
    onTrouble: tellTroubles(log),
    // Whole, with its signature: the log is one of the places where heads are kept.
    onHead: (head) => log.info({ head: headFields(head) }, 'the audit chain was signed'),
  });
  const live = createLiveTrace({ sample, clock, addSpans: (spans) => recorder.addSpans(spans) });
  const surface = createSurface({
    gate,
    signIn: signInRoutes({
      login,
      sessions,
      hosts: config.hosts,
      within: live.within,
      identify: (req) => gate.identify(req.headers as RequestHeaders),
      onOutcome: (req, res, { detail, ...outcome }) => {
        stampOwn(gate, req, res, outcome);
        if (detail !== undefined)
          log.warn(
            { request_id: req.get('X-Request-Id'), reason: outcome.reason, detail },
            'a sign-in was refused',
          );
      },
    }),
    sharedKey: 'key' in config.listen ? config.listen.key : undefined,
    onError: (error) => log.error({ error: explain(error) }, 'a request failed and was refused'),
  });
  const door = createSidecarServer(surface);
  const health = createServer(
    createHealth({
      essential: ['sessions'],
      checks: () => ({
        sessions: toCheck(store.state()),
        provider: toCheck(provider.state()),
        ...(bearer !== undefined && { bearer: toCheck(bearer.state()) }),
        journal: toCheck(stateOf(journal.problem())),
        ...recorderChecks(recorder.state()),
      }),
      metrics: async (format) =>
        (await recorder.metrics(format)) ??
        writeText(recorderDown(clock()), format, options.resource),
    }),
  );

  try {
    await listen(health, config.health, 'SIGNET_HEALTH');
    await listen(
      door,
      config.listen,
      'socket' in config.listen ? 'SIGNET_SOCKET' : 'SIGNET_LISTEN',
    );
  } catch (error) {
    await closeAll([health, door]);
    closeParts();
    throw error;
  }
  recorder.start();
  void live.start().catch((error: unknown) => {
    log.warn({ error: explain(error) }, 'the calls of sign-ins to the provider are not traced');
  });
  for (const warning of config.warnings) log.warn(warning);
  log.info({ listen: addressOf(config), access_log: config.accessLog }, 'the gate is open');

  return {
    async stop() {
      log.info('stopping: the gate closes, what is in the log is recorded');
      await closeAll([door]);
      journal.close();
      await live.stop();
      await recorder.stop();
      await closeAll([health]);
      closeParts();
      log.info('stopped');
      log.flush();
    },
  };

  function closeParts(): void {
    journal.close();
    provider.close();
    sessions.close();
    store.close();
    lock.release();
  }
}

function recorderOptions(config: Config, ring: KeyRing, bootId: string): RecorderOptions {
  const chainKeys = deriveKeys(ring, 'chain');
  const settings = chainKeys.map((key) => fingerprint(config, key));
  return {
    accessLog: config.accessLog,
    stateFolder: config.stateFolder,
    auditStore: auditPlace(config),
    headsFile: config.headsFile,
    keys: deriveKeys(ring, 'stamp'),
    chainKeys,
    opening: { bootId, version: VERSION, settings },
    machineBootId: machineBootId(),
    clientAddress: config.clientAddress,
    redactQuery: config.redactQuery,
    ownAddresses: ownAddresses(config.listen),
    retention: config.retention,
    destinations: toPlain(config),
    sampling: config.sampling,
    resource: { 'service.version': VERSION, ...config.resource },
    version: VERSION,
  };
}

function stateOf(problem: string | undefined): Parameters<typeof toCheck>[0] {
  return problem === undefined ? { ready: true } : { ready: false, problem };
}

// As Caddy logs them in `upstream`: a unix socket with and without its network's name.
function ownAddresses(address: Config['listen']): string[] {
  if ('socket' in address) return [address.socket, `unix/${address.socket}`];
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  const hosts = isLoopback(host) ? ['127.0.0.1', '[::1]', 'localhost', host] : [host];
  return hosts.map((name) => `${name}:${address.port}`);
}

function addressOf({ listen: address }: Config): string {
  return 'socket' in address ? address.socket : `${address.host}:${address.port}`;
}

function tellTroubles(log: Logger): (trouble: Trouble) => void {
  return (trouble) => {
    const { of: _, ...fields } = trouble;
    if (trouble.problem === undefined) log.info(fields, troubleText(trouble));
    else log.error(fields, troubleText(trouble));
  };
}

function closeAll(servers: readonly Server[]): Promise<unknown> {
  return Promise.all(
    servers.map(
      (server) =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    ),
  );
}
