// The recorder's thread: opens log and store, steps the recorder, and says how it stands. A fault
// closes everything and begins again from the checkpoint: nothing half-done is carried over.
import type { KeyObject } from 'node:crypto';
import { setImmediate, setTimeout as wait } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { createFollower, type Follower } from './accesslog/follow.ts';
import { openAuditStore, type AuditStore } from './audit/store.ts';
import { createDelivery, type Delivery } from './delivery/deliver.ts';
import { createOtlpWire } from './delivery/otlp.ts';
import { explain } from './fault.ts';
import { createRecorder, type Recorder } from './record.ts';
import { NOTHING_KNOWN, type RecorderState } from './recorder-state.ts';
import { secret } from './secret.ts';
import { createRedact } from './trace/redact.ts';
import { spansOf } from './trace/spans.ts';

/** What the thread is given; plain data, so that it can be handed over. */
export type RecorderOptions = {
  readonly accessLog: string;
  readonly auditStore: string;
  readonly keys: readonly KeyObject[];
  readonly redactQuery: readonly string[];
  readonly ownAddresses: readonly string[];
  readonly destinations: readonly {
    readonly name: string;
    readonly endpoint: string;
    readonly metadata: Readonly<Record<string, string>>;
    readonly certificateFile?: string;
  }[];
  readonly resource: Readonly<Record<string, string>>;
  readonly version: string;
};

/** Pause between two looks at a log that has nothing new. */
const POLL_MS = 50;
/** How often it says how it stands; that costs some looks at disk and store. */
const STATE_MS = 250;
/** Longest silence, so that a worker that hangs is noticed. */
const HEARTBEAT_MS = 2000;
/** Pause before beginning again after a fault. */
const RETRY_MS = 1000;
/** How long destinations may take to get what is left when the sidecar stops. */
const FINISH_MS = 3000;

const options = workerData as RecorderOptions;
const stop = new AbortController();
let lastSaid = '';
let lastSaidMs = 0;
let lastState = NOTHING_KNOWN;

parentPort?.once('message', () => stop.abort());
await run();
// The thread only: a call to a destination that says nothing must not keep it alive.
process.exit();

async function run(): Promise<void> {
  while (!stop.signal.aborted) {
    try {
      await record();
    } catch (error) {
      say({ ...lastState, problem: explain(error) });
      await pause(RETRY_MS);
    }
  }
}

async function record(): Promise<void> {
  const store = openAuditStore(options.auditStore);
  const deliveries: Delivery[] = [];
  try {
    for (const destination of options.destinations)
      deliveries.push(startDelivery(store, destination));
    const checkpoint = store.checkpoint();
    const follower = createFollower({
      path: options.accessLog,
      ...(checkpoint !== undefined && { checkpoint }),
    });
    try {
      await follow(follower, store, deliveries);
    } finally {
      follower.close();
    }
  } finally {
    await Promise.all(deliveries.map((delivery) => delivery.finish(FINISH_MS)));
    store.close();
  }
}

// After the signal to stop it goes on until the log has nothing new: the checkpoint is then its size.
async function follow(follower: Follower, store: AuditStore, deliveries: Delivery[]) {
  const recorder = createRecorder({
    follower,
    store,
    keys: options.keys,
    rules: { ownAddresses: options.ownAddresses, redact: createRedact(options.redactQuery) },
    deliveries,
  });
  for (const delivery of deliveries) delivery.wake();
  let nextLookMs = 0;
  for (;;) {
    const isNew = recorder.step();
    if (performance.now() >= nextLookMs) {
      say(stateOf(follower, store, recorder, deliveries));
      nextLookMs = performance.now() + STATE_MS;
    }
    if (isNew) await setImmediate();
    else if (stop.signal.aborted) return;
    else await pause(POLL_MS);
  }
}

function startDelivery(
  store: AuditStore,
  { metadata, ...rest }: RecorderOptions['destinations'][number],
): Delivery {
  const entries = Object.entries(metadata).map(([name, value]) => [name, secret(value)] as const);
  const destination = { ...rest, metadata: Object.fromEntries(entries) };
  const wire = createOtlpWire(destination, options.resource, options.version);
  return createDelivery(destination.name, store, wire, spansOf);
}

function stateOf(
  follower: Follower,
  store: AuditStore,
  recorder: Recorder,
  deliveries: Delivery[],
): RecorderState {
  const { rows, lastSequence, setAside } = store.counts();
  const problem = follower.problem();
  return {
    ...(problem !== undefined && { problem }),
    lagBytes: follower.lagBytes(),
    rows,
    lastSequence,
    setAside,
    invalidStamps: recorder.invalidStamps(),
    destinations: Object.fromEntries(
      deliveries.map((delivery) => [delivery.name, delivery.state()]),
    ),
  };
}

function say(state: RecorderState): void {
  const text = JSON.stringify(state);
  if (text === lastSaid && performance.now() < lastSaidMs + HEARTBEAT_MS) return;
  lastSaid = text;
  lastSaidMs = performance.now();
  lastState = state;
  parentPort?.postMessage(state);
}

async function pause(ms: number): Promise<void> {
  await wait(ms, undefined, { signal: stop.signal }).catch(() => undefined);
}
