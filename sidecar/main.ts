// The only wiring: configuration → parts → listen → take over other configurations → shut down in order.
import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { createClock } from './clock.ts';
import { headFields } from './audit/head.ts';
import type { Config } from './config/config.ts';
import { deriveKeys, KEYS_FILE, loadKeyRing, type KeyRing } from './config/keys.ts';
import type { Loaded } from './config/load-watched.ts';
import { createDiskWatch, diskPlaces } from './disk-space.ts';
import { endBySignal } from './end.ts';
import { explain, Fault } from './fault.ts';
import { createFronts, type Front } from './front.ts';
import { type Check, createHealth } from './http/health.ts';
import { closeInOrder } from './http/close.ts';
import type { InheritedSocket } from './http/inherited-socket.ts';
import { listen } from './http/listen.ts';
import { createSidecarServer } from './http/server.ts';
import type { Identity } from './identity/identity.ts';
import { openSessions } from './open-sessions.ts';
import { openJournal } from './decisions/journal.ts';
import { createLiveTrace } from './live-trace.ts';
import { lockState } from './lock.ts';
import { createLog, type Logger } from './log.ts';
import { recorderDown } from './metrics/metrics.ts';
import { writeText } from './metrics/write-text.ts';
import { createNumbers } from './numbers.ts';
import { auditStoreFile, journalFolder, machineBootId } from './places.ts';
import { createRecorderThread } from './record-thread.ts';
import { recorderChecks, toCheck } from './readiness.ts';
import { recorderOptions } from './recorder-settings.ts';
import { createReload, type Taken } from './reload/reload.ts';
import { idsOf, takeOver } from './takeover.ts';
import { stampedIdentity } from './stamp.ts';
import { type Trouble, troubleText } from './troubles.ts';
import { VERSION } from './version.ts';
import { markOf, watchFiles } from './reload/watch-files.ts';

/** How long those may take who are under way when the gate closes. */
const STOP_GRACE_MS = 5000;

/** A running sidecar. */
export type Sidecar = {
  /** Takes over the configuration as it is now; files that have changed are noticed by themselves. */
  reload(why: string): void;
  /** Stops deciding, then records and delivers what is left, then closes. Resolves when all is done. */
  stop(): Promise<void>;
};

/**
 * Starts the sidecar with what `load` returns, and loads again whenever one of its files has changed. The gate
 * listens on the `inherited` socket, if there is one. Throws a Fault when it cannot start: nothing is left
 * listening then.
 */
export async function serve(load: () => Loaded, inherited?: InheritedSocket): Promise<Sidecar> {
  const loaded = load();
  if ('fault' in loaded) throw loaded.fault;
  let { config, files } = loaded;
  let seen = files;
  const startedAt = new Date().toISOString();
  const log = createLog(config.logLevel, VERSION);
  const lock = lockState(config.stateFolder);
  const keysPath = join(config.stateFolder, KEYS_FILE);
  let ring = keyRingOf(config, log);
  let keysMark = markOf(keysPath);
  let keyIds = idsOf(ring);
  const bootId = randomUUID();
  let reloads = 0;

  const store = openSessions(config, () => deriveKeys(ring, 'session'));
  const journal = openJournal({
    folder: journalFolder(config.stateFolder),
    bootId,
    machineBootId: machineBootId(),
  });
  const clock = createClock();
  const recorder = createRecorderThread(recorderOptions(config, ring, { bootId, reloads }), {
    onTrouble: tellTroubles(log),
    // Whole, with its signature: the log is one of the places where heads are kept.
    onHead: (head) => log.info({ head: headFields(head) }, 'the audit chain was signed'),
  });
  const live = createLiveTrace({
    sample: (decided) => front.sample(decided),
    clock,
    addSpans: (spans) => recorder.addSpans(spans),
  });
  const fronts = createFronts({
    ...{ log, store, journal, clock, bootId },
    numbered: createNumbers(),
    used: {
      states: new Map(),
      handOvers: new Map(),
      logoutTokens: new Map(),
      endedNames: new Map(),
      unremoved: new Map(),
    },
    within: live.within,
    onEnded: tellEnded,
  });
  let front: Front = fronts.prepare(config, ring);
  fronts.settle('keep');
  const disk = createDiskWatch({
    places: diskPlaces(config.stateFolder, config.accessLog, config.headsFile),
    onChange: (problem) =>
      problem === undefined
        ? log.info('there is room on the disks again')
        : log.error(
            { problem },
            'a disk is full, or nearly so, or does not answer; requests go on',
          ),
  });
  const reload = createReload({ file: loaded.file, take, now: Date.now, log });
  const watch = watchFiles(watched, () => reload.request('a file has changed'));

  const door = createSidecarServer((req, res) => front.surface(req, res));
  const health = createServer(
    createHealth({
      about: { version: VERSION, node: process.versions.node, boot: bootId, started_at: startedAt },
      essential: ['sessions'],
      checks: () => ({ ...ownChecks(), ...recorderChecks(recorder.state()) }),
      metrics: async (format) => {
        const { retention } = recorderChecks(recorder.state());
        const told = { ...ownChecks(), ...(retention && { retention }) };
        const checks = Object.fromEntries(Object.entries(told).map(([name, { ok }]) => [name, ok]));
        const text = await recorder.metrics(format, checks);
        return text ?? writeText(recorderDown(clock(), checks), format, config.resource);
      },
    }),
  );

  try {
    await listen(health, config.health, 'SIGNET_HEALTH');
    await listen(
      door,
      config.listen,
      'socket' in config.listen ? 'SIGNET_SOCKET' : 'SIGNET_LISTEN',
      inherited,
    );
  } catch (error) {
    await closeAll([health, door]);
    journal.discard();
    await closeParts();
    throw error;
  }
  for (const server of [door, health]) {
    server.on('error', (error) =>
      log.error({ error: explain(error) }, 'a connection was not taken'),
    );
  }
  recorder.start();
  void live.start().catch((error: unknown) => {
    log.warn({ error: explain(error) }, 'the calls of sign-ins to the provider are not traced');
  });
  tellWarnings();
  log.info({ listen: addressOf(config), access_log: config.accessLog }, 'the gate is open');

  return {
    reload: (why) => reload.request(why),
    async stop() {
      log.info('stopping: the gate closes, what is in the log is recorded');
      watch.close();
      disk.close();
      await Promise.all([reload.close(), closeInOrder(door, STOP_GRACE_MS)]);
      // Before the recorder: what providers say of sessions until then is still recorded.
      const sessionsClosed = fronts.close();
      journal.close();
      await live.stop();
      await sessionsClosed;
      await recorder.stop();
      await closeAll([health]);
      await closeParts();
      if (watch.isLooking() || disk.isLooking()) endBySignal();
      log.info('stopped');
      log.flush();
    },
  };

  // The recorder knows new keys before the gate seals by them. Until the last line nothing has changed.
  async function take(): Promise<Taken> {
    const next = load();
    // Those of a refused one as well: it is mended there.
    const ringMark = markOf(keysPath);
    seen = new Map([...files, ...next.files]);
    keysMark = ringMark;
    if ('fault' in next) throw next.fault;
    mustStillBe(next, files);
    // Of the folder that holds, whatever the new one: a ring is made in none.
    const { stateFolder } = config;
    const to = { ...next, ring: keyRingOf({ ...next.config, stateFolder }, log) };
    const taken = takeOver({ config, ring, files }, to);
    if (taken.changed.length > 0) {
      // By twos: one that is not taken in time may be recorded, and is taken back then.
      reloads += 2;
      try {
        const prepared = fronts.prepare(taken.config, to.ring);
        await findProviders(prepared, front);
        await recorder.take(
          recorderOptions(taken.config, to.ring, {
            bootId,
            reloads: reloads - 1,
            sessions: taken.sessions,
          }),
        );
        front = prepared;
      } catch (error) {
        fronts.settle('drop');
        throw error;
      }
      fronts.settle('keep');
      [config, ring] = [taken.config, to.ring];
      keyIds = idsOf(ring);
      log.level = config.logLevel;
      tellWarnings();
    }
    files = seen = next.files;
    return taken;
  }

  function watched(): ReadonlyMap<string, string> {
    const marks = [...seen].map(([path, { mark }]) => [path, mark] as const);
    return new Map([...marks, [keysPath, keysMark]]);
  }

  function ownChecks(): Record<string, Check> {
    return {
      sessions: toCheck(store.state()),
      ...front.checks(),
      journal: toCheck(stateOf(journal.problem())),
      disk: toCheck(disk.state()),
      configuration: reload.state(),
      keys: { ok: true, seals: keyIds[0], count: keyIds.length },
      gate: { ok: true, listen: addressOf(config) },
    };
  }

  function tellWarnings(): void {
    for (const warning of config.warnings) log.warn(warning);
  }

  // No request, and so no stamp, is there to carry it. The provider's words are for the log only.
  function tellEnded({ identity, why }: { identity: Identity; why: string }): void {
    const { sessionHash } = identity;
    log.info({ session_hash: sessionHash, why }, 'a session has ended');
    recorder.addEvent({
      kind: 'event',
      requestId: `session-revoked:${sessionHash}`,
      event: 'session-revoked',
      details: { why: 'provider' },
      startedAtUs: clock(),
      identity: stampedIdentity(identity),
    });
  }

  async function closeParts(): Promise<void> {
    watch.close();
    journal.close();
    disk.close();
    try {
      await fronts.close();
      await store.close();
    } finally {
      lock.release();
    }
  }
}

function keyRingOf(config: Config, log: Logger): KeyRing {
  const ring = loadKeyRing({
    stateFolder: config.stateFolder,
    neededBy: auditStoreFile(config),
    ...(config.keys !== undefined && { given: config.keys }),
  });
  if (ring.warning !== undefined) log.warn(ring.warning);
  return ring;
}

// A file that was there and says nothing any more would be all defaults: that is nobody's wish.
function mustStillBe({ file, files }: Loaded, before: Loaded['files']): void {
  const wasThere = (before.get(file)?.hash ?? '') !== '';
  if (!wasThere || files.get(file)?.hash !== '') return;
  const mend = 'write it again; to go on without it, start Signet again';
  throw new Fault('ERR_CONFIG', `${file} is gone or empty: ${mend}`);
}

// A provider that can't be found is no reason to give up one that can. If the old one can't be found
// either, or there was none, nothing is lost by trying the new one for as long as it takes.
async function findProviders({ providers }: Front, before: Front): Promise<void> {
  const others = providers.filter((provider) => !before.providers.includes(provider));
  await Promise.all(others.map(({ tried }) => tried));
  for (const other of others) {
    const replaced =
      before.providers.find(({ name }) => name === other.name) ??
      (other === providers[0] ? before.providers[0] : undefined);
    if (replaced?.state().ready) other.config();
  }
}

function stateOf(problem: string | undefined): Parameters<typeof toCheck>[0] {
  return problem === undefined ? { ready: true } : { ready: false, problem };
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
