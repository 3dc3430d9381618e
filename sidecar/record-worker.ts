// The recorder's thread: opens log and store, steps the recorder, and says how it stands. A fault
// closes everything and begins again from the checkpoint: nothing half-done is carried over.
import { randomBytes } from 'node:crypto';
import { setImmediate, setTimeout as wait } from 'node:timers/promises';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { createFollower, type Follower } from './accesslog/follow.ts';
import { createAddressRule, createSalts } from './audit/address.ts';
import { signingKeys } from './audit/signing-key.ts';
import { openAuditStore } from './audit/open.ts';
import type { EventRow } from './audit/row.ts';
import type { AuditStore } from './audit/store.ts';
import { createClock } from './clock.ts';
import type { Delivery } from './delivery/deliver.ts';
import { encodeMetrics } from './otlp/encode-metrics.ts';
import { createDispatch, type Dispatch } from './dispatch.ts';
import { explain, Fault } from './fault.ts';
import { createHeads, type Heads } from './heads.ts';
import { syncJournal } from './decisions/journal-file.ts';
import { logFacts } from './decisions/log-facts.ts';
import { recordOpening, type Opening } from './opening.ts';
import { createMetrics } from './metrics/metrics.ts';
import { writeText } from './metrics/write-text.ts';
import { journalFolder } from './places.ts';
import { cursorNames } from './otlp/destination.ts';
import { readPlain } from './plain-destinations.ts';
import { createReckoning, type Reckoning } from './decisions/reckon.ts';
import { createRecorder, type Recorder } from './record.ts';
import type { FromRecorder, ToRecorder } from './recorder-messages.ts';
import type { RecorderOptions } from './recorder-options.ts';
import { createRetention, type Retention } from './retention/retention.ts';
import { NOTHING_KNOWN, type RecorderState } from './recorder-state.ts';
import { spanIdsOf } from './trace/ids.ts';
import { createRedact } from './trace/redact.ts';
import { createSample } from './trace/sampling.ts';

/**
 * Pause between two looks at a log of which all was read. Lines gather meanwhile: in transactions of 10,
 * as when it looked again at once, a row took 150 µs, in those of 100 it takes 75, of 500 57.
 */
const POLL_MS = 250;
/** How often it says how it stands; that costs some looks at disk and store. */
const STATE_MS = 250;
/** Longest silence, so that a worker that hangs is noticed. */
const HEARTBEAT_MS = 2000;
/** How often the gate's journal is brought to the disk. */
const SYNC_MS = 1000;
/** Pause before beginning again after a fault. */
const RETRY_MS = 1000;
/** While the store is away, and the configuration is changed again and again. */
const MAX_SUPERSEDED = 1000;
/** How long destinations may take to get what is left when the sidecar stops. */
const FINISH_MS = 3000;

let options = workerData as RecorderOptions;
/** What opens stamps, of the options: others are known at once, before another line is read. */
const stampKeys = [...options.keys];
/** Options that held, and of which the store does not know yet. */
const superseded: RecorderOptions[] = [];
/** Whether other options wait for the recorder to begin again. */
let isStale = false;
/** What happened without a request, and is not in the store yet. */
const told = new Map<string, EventRow>();
let taken = 0;
const clock = createClock();
const stop = new AbortController();
let lastSaid = '';
let lastSaidMs = 0;
let lastState = NOTHING_KNOWN;
let lookedAtUs = clock();
let dispatch: Dispatch | undefined;
// Counts go on when the store was away: they are this process's.
const metrics = createMetrics({
  startedAtUs: clock(),
  version: options.version,
  spanIdOf: (requestId) => spanIdsOf(requestId).ingress,
});

/** All that a recorder works with, from one fault to the next. */
type Parts = {
  readonly store: AuditStore;
  readonly follower: Follower;
  readonly recorder: Recorder;
  readonly reckoning: Reckoning;
  readonly heads: Heads;
  readonly retention: Retention;
  readonly deliveries: readonly Delivery[];
};

parentPort?.on('message', hear);
// Whatever the store does: a power cut must take less of the journal than of the log.
setInterval(syncOwnJournal, SYNC_MS).unref();
await run();
// The thread only: a call to a destination that says nothing must not keep it alive.
process.exit();

function hear(message: ToRecorder): void {
  switch (message.kind) {
    case 'stop':
      return stop.abort();
    case 'take':
      return take(message.id, message.options);
    case 'events':
      return message.events.forEach((event) => told.set(event.requestId, event));
    case 'spans':
      return dispatch?.addSpans(message.spans);
    case 'ask-metrics': {
      metrics.setChecks(message.checks);
      const text = writeText(metrics.snapshot(clock()), message.format, options.resource);
      return post({ kind: 'metrics', id: message.id, text });
    }
  }
}

function take(id: number, next: RecorderOptions): void {
  taken = id;
  if (superseded.length < MAX_SUPERSEDED) superseded.push(options);
  options = next;
  stampKeys.splice(0, stampKeys.length, ...next.keys);
  isStale = true;
}

function post(message: FromRecorder): void {
  parentPort?.postMessage(message);
}

function syncOwnJournal(): void {
  try {
    syncJournal(join(journalFolder(options.stateFolder), options.opening.bootId));
  } catch {
    // The gate tells what is wrong with it: `journal` in /readyz.
  }
}

async function run(): Promise<void> {
  while (!stop.signal.aborted) {
    if (isStale) {
      isStale = false;
      post({ kind: 'taken', id: taken });
    }
    try {
      await record();
    } catch (error) {
      say({ ...lastState, problem: explain(error) });
      await pause(RETRY_MS);
    }
  }
}

async function record(): Promise<void> {
  const store = await openAuditStore(options.auditStore);
  try {
    const follower = await openFollower(store);
    try {
      dispatch = await dispatchFrom(store);
      await follow(await partsOf(store, follower, dispatch.deliveries));
    } finally {
      follower.close();
    }
  } finally {
    await dispatch?.finish(FINISH_MS);
    dispatch = undefined;
    await store.close();
  }
}

function dispatchFrom(store: AuditStore): Promise<Dispatch> {
  const { resource, version } = options;
  return createDispatch({
    ...readPlain(options.destinations),
    resource,
    version,
    slowUs: options.sampling.slowUs,
    store,
    encodeMetrics: () => encodeMetrics(metrics.snapshot(clock()), resource, version),
  });
}

async function openFollower(store: AuditStore): Promise<Follower> {
  const checkpoint = await store.checkpoint();
  return createFollower({
    path: options.accessLog,
    spool: join(options.stateFolder, 'spool'),
    isMemoryReused: true,
    ...(checkpoint === 'damaged' && { isCheckpointLost: true }),
    ...(typeof checkpoint === 'object' && { checkpoint }),
  });
}

async function partsOf(
  store: AuditStore,
  follower: Follower,
  deliveries: readonly Delivery[],
): Promise<Parts> {
  const { stateFolder, machineBootId, opening } = options;
  const [key] = signingKeys(options.chainKeys);
  if (key === undefined) throw new Fault('ERR_KEYS', 'there is no key to sign heads with');
  await recordOpenings(store);
  const salts = createSalts(await store.note('address-salts'), randomBytes, clock);
  const rules = {
    ownAddresses: options.ownAddresses,
    redact: createRedact(options.redactQuery),
    address: createAddressRule(options.clientAddress, salts),
    sample: createSample(options.sampling),
  };
  const recorder = createRecorder({
    follower,
    store,
    keys: stampKeys,
    rules,
    notes: () => {
      const text = salts.toStore();
      return text === undefined ? {} : { 'address-salts': text };
    },
    deliveries,
    observe: (rows) => metrics.observe(rows),
    clock,
  });
  const { bootId } = opening;
  const reckoning = createReckoning({
    store,
    folder: journalFolder(stateFolder),
    bootId,
    machineBootId,
    logFacts: () => logFacts(options.accessLog, recorder.lastGap()),
    clock,
  });
  const heads = createHeads({ store, key, file: options.headsFile, clock });
  const retention = createRetention({
    store,
    key,
    retention: options.retention,
    clock,
    destinations: readPlain(options.destinations).destinations.flatMap(cursorNames),
  });
  await tellReplaced(store, heads);
  // What came in after the last head of the run before is vouched for as early as can be.
  await heads.sign();
  return { store, follower, recorder, reckoning, heads, retention, deliveries };
}

// Each one that held is told, if only for a moment; and the one that holds to each store that is opened.
async function recordOpenings(store: AuditStore): Promise<void> {
  const held = options;
  while (superseded[0] !== undefined) {
    await recordOpening(store, openingOf(superseded[0]), clock());
    superseded.shift();
  }
  await recordOpening(store, openingOf(held), clock());
}

function openingOf({ opening, chainKeys }: RecorderOptions): Opening {
  return { ...opening, keyIds: signingKeys(chainKeys).map(({ id }) => id) };
}

async function tellReplaced(store: AuditStore, heads: Heads): Promise<void> {
  const before = heads.replaced();
  if (before === undefined) return;
  const requestId = `store-replaced:${store.chain}:${before}`;
  const event = { kind: 'event', event: 'store-replaced', requestId } as const;
  await store.commit({ rows: [{ ...event, details: { before }, startedAtUs: clock() }] });
}

// After the signal to stop it goes on until the log has nothing new: the checkpoint is then its size. With
// other options it ends at once, and begins again.
async function follow(parts: Parts): Promise<void> {
  const { follower, recorder, reckoning, heads, retention, deliveries } = parts;
  for (const delivery of deliveries) delivery.wake();
  let nextLookMs = 0;
  for (;;) {
    if (isStale) break;
    await recordTold(parts);
    const isNew = await recorder.step();
    await reckoning.step(follower.isAtEnd());
    await heads.step();
    await retention.step();
    if (performance.now() >= nextLookMs) {
      say(await stateOf(parts));
      nextLookMs = performance.now() + STATE_MS;
    }
    if (isNew && !follower.isAtEnd()) await setImmediate();
    else if (isNew || !stop.signal.aborted) await pause(POLL_MS);
    else break;
  }
  await recordTold(parts);
  await heads.sign();
  say(await stateOf(parts));
}

async function recordTold({ store, deliveries }: Parts): Promise<void> {
  if (told.size === 0) return;
  const rows = [...told.values()];
  const committed = await store.commit({ rows });
  // Not those that a stamp has told of as well.
  metrics.observe(committed.rows);
  for (const delivery of deliveries) delivery.wake();
  for (const { requestId } of rows) told.delete(requestId);
  post({ kind: 'recorded', requestIds: rows.map(({ requestId }) => requestId) });
}

async function stateOf(parts: Parts): Promise<RecorderState> {
  lookedAtUs = clock();
  const { store, follower, recorder, reckoning, heads, retention } = parts;
  const problem = follower.problem() ?? heads.problem();
  const retained = retention.state();
  return {
    ...(problem !== undefined && { problem }),
    lagBytes: follower.lagBytes(),
    ...(await store.counts()),
    invalidStamps: recorder.invalidStamps(),
    clockSkewUs: recorder.skewUs(),
    decisions: reckoning.state(),
    ...heads.state(),
    ...(retained !== undefined && { retention: retained }),
    destinations: dispatch?.states() ?? {},
    metrics: dispatch?.metricsStates() ?? {},
  };
}

function say(state: RecorderState): void {
  metrics.set(state, lookedAtUs);
  const text = JSON.stringify(state);
  if (text === lastSaid && performance.now() < lastSaidMs + HEARTBEAT_MS) return;
  lastSaid = text;
  lastSaidMs = performance.now();
  lastState = state;
  post({ kind: 'state', state });
}

async function pause(ms: number): Promise<void> {
  await wait(ms, undefined, { signal: stop.signal }).catch(() => undefined);
}
