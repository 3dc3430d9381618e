// The whole recorder, as its thread steps it: a log goes in, rows and acknowledged spans come out. What
// it takes for a record, and how many a core of this machine records in a second.
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { createFollower } from '../../sidecar/accesslog/follow.ts';
import { AUDIT_STORE_FILE } from '../../sidecar/audit/open.ts';
import type { AuditStore } from '../../sidecar/audit/store.ts';
import { createClock } from '../../sidecar/clock.ts';
import { createTransport } from '../../sidecar/otlp/connect.ts';
import { createDelivery, type Delivery } from '../../sidecar/delivery/deliver.ts';
import { createSpanFeed } from '../../sidecar/delivery/feed.ts';
import { createSource } from '../../sidecar/delivery/source.ts';
import { createRecorder } from '../../sidecar/record.ts';
import { createSpansOf } from '../../sidecar/trace/worth.ts';
import { aDestination, startCounter, type Counter } from './edge-receiver.ts';
import { linesOf, STAMP_KEY } from './parts-inputs.ts';
import {
  figureOf,
  figureOfValues,
  timed,
  type PartFigure,
  type PartsOptions,
  type Round,
} from './parts-measure.ts';
import { RULES } from './parts-recorder.ts';
import { filledStore, filling } from './parts-store.ts';

const NAME = 'parts';
const FINISH_MS = 60_000;
const SLOW_US = 2_000_000;
/** Of an allowed request: ingress, gate, upstream. */
const SPANS = 3;

/** Returns the figures without a destination, and with one. */
export async function measureWhole(options: PartsOptions): Promise<PartFigure[]> {
  const receiver = await startCounter([]);
  const folder = mkdtempSync(join(tmpdir(), 'signet-parts-'));
  const store = await filledStore(join(folder, AUDIT_STORE_FILE), filling(options.short));
  try {
    return await measureRuns({ log: join(folder, 'access.log'), store }, receiver, options);
  } finally {
    await store.close();
    await receiver.stop();
    rmSync(folder, { recursive: true });
  }
}

type Place = { readonly log: string; readonly store: AuditStore };

// In turns: what the machine does besides falls on both alike.
async function measureRuns(
  place: Place,
  receiver: Counter,
  { short }: PartsOptions,
): Promise<PartFigure[]> {
  const [rounds, perRound] = short ? [3, 4000] : [5, 10_000];
  const alone: Round[] = [];
  const delivered: Round[] = [];
  for (let round = 0; round <= rounds; round++) {
    const from = 2 * round * perRound + 1;
    alone.push(await run(place, linesOf(perRound, from)));
    delivered.push(await run(place, linesOf(perRound, from + perRound), receiver));
  }
  return [
    ...figuresOf('recorder, whole: no destination', alone.slice(1)),
    ...figuresOf('recorder, whole: one destination', delivered.slice(1)),
  ];
}

function figuresOf(name: string, rounds: readonly Round[]): PartFigure[] {
  const rates = rounds.map(({ items, us }) => items / (us / 1e6));
  return [figureOf(name, rounds), figureOfValues(name, rates, 'records/s', 'of one core')];
}

// Each round has a log and a recorder of its own, and goes on in the same store.
async function run(
  { log, store }: Place,
  lines: readonly string[],
  receiver?: Counter,
): Promise<Round> {
  rmSync(log, { force: true });
  appendFileSync(log, `${lines.join('\n')}\n`);
  const rowsBefore = (await store.counts()).lastSequence;
  const spansBefore = await spansAt(receiver);
  await store.moveCursor(NAME, rowsBefore);
  const deliveries = receiver === undefined ? [] : [deliveryTo(store, receiver)];
  const taken = await timed(lines.length, () => recordAll(log, store, deliveries));
  const rows = (await store.counts()).lastSequence - rowsBefore;
  const spans = (await spansAt(receiver)) - spansBefore;
  if (rows !== lines.length || spans !== deliveries.length * SPANS * rows) {
    throw new Error(`${lines.length} lines became ${rows} rows, and ${spans} spans arrived`);
  }
  return taken;
}

async function spansAt(receiver: Counter | undefined): Promise<number> {
  return receiver === undefined ? 0 : (await receiver.counted()).spans;
}

function deliveryTo(store: AuditStore, { port }: Counter): Delivery {
  return createDelivery({
    name: NAME,
    outbox: store,
    transport: createTransport(aDestination(port), { version: '1.2.3' }),
    feed: () => createSpanFeed({}, '1.2.3', createSpansOf(SLOW_US)),
    source: (after) => createSource(store, { after }),
  });
}

async function recordAll(
  log: string,
  store: AuditStore,
  deliveries: readonly Delivery[],
): Promise<void> {
  const follower = createFollower({ path: log, isMemoryReused: true });
  const recorder = createRecorder({
    follower,
    store,
    keys: [STAMP_KEY],
    rules: RULES,
    deliveries,
    notes: () => ({}),
    clock: createClock(),
  });
  while (await recorder.step()) await setImmediate();
  follower.close();
  await Promise.all(deliveries.map((delivery) => delivery.finish(FINISH_MS)));
}
