// What goes out: to each destination one transport, and over it spans, log records, metrics, and the
// spans of sign-ins. Wiring for the recorder's thread; how each of them is sent is in delivery/.
import type { RequestRow } from './audit/row.ts';
import type { AuditStore } from './audit/store.ts';
import { createBudgetedSource } from './delivery/budgeted-source.ts';
import { createTransport } from './otlp/connect.ts';
import { createDelivery, type Delivery, type DeliveryState } from './delivery/deliver.ts';
import { cursorNames, type Destination } from './otlp/destination.ts';
import { createSpanEncoder } from './otlp/encode-spans.ts';
import { createSpanFeed } from './delivery/feed.ts';
import { createLiveDelivery, type LiveState } from './delivery/live.ts';
import { createLogFeed } from './delivery/log-feed.ts';
import { createMetricsExport, type MetricsState } from './delivery/metrics-export.ts';
import type { ProxySettings } from './otlp/proxy.ts';
import { createSource, type Source } from './delivery/source.ts';
import type { Transport } from './otlp/transport.ts';
import { createVolume, type Volume, volumeNote } from './delivery/volume.ts';
import type { Span } from './trace/span.ts';
import { createSpanCount } from './trace/span-count.ts';
import { createSpansOf, worthOf } from './trace/worth.ts';

export type DispatchOptions = {
  readonly destinations: readonly Destination[];
  readonly proxy?: ProxySettings;
  readonly resource: Readonly<Record<string, string>>;
  readonly version: string;
  /** From how long on a request is slow, in microseconds. */
  readonly slowUs: number;
  readonly store: AuditStore;
  /** Returns the request that says how the metrics stand now. */
  readonly encodeMetrics: () => Buffer;
};

export type Dispatch = {
  readonly deliveries: readonly Delivery[];
  /** Has spans sent that are of no row, as well as it can be done without one. */
  addSpans(spans: readonly Span[]): void;
  /** How each delivery stands, by the name of its cursor. */
  states(): Readonly<Record<string, DeliveryState>>;
  /** How metrics stand, by the name of the destination. */
  metricsStates(): Readonly<Record<string, MetricsState>>;
  /** Sends what is left, until the deadline; then closes all transports. */
  finish(deadlineMs: number): Promise<void>;
};

/** One destination with its transport and its options. */
type Way = DispatchOptions & {
  readonly destination: Destination;
  readonly transport: Transport;
};

/** Returns what sends. Faults of the store as `openAuditStore`; a destination that is away is none. */
export async function createDispatch(options: DispatchOptions): Promise<Dispatch> {
  const { version, proxy } = options;
  const ways = options.destinations.map((destination) => ({
    ...options,
    destination,
    transport: createTransport(destination, { version, ...(proxy !== undefined && { proxy }) }),
  }));
  const deliveries = (await Promise.all(ways.map(deliveriesOf))).flat();
  const live = new Map(
    ways
      .filter((way) => has(way, 'traces'))
      .map((way) => [way.destination.name, liveDelivery(way)]),
  );
  const metrics = createMetricsExport({
    destinations: ways
      .filter((way) => has(way, 'metrics'))
      .map(({ destination: { name }, transport }) => ({ name, transport })),
    encode: options.encodeMetrics,
  });

  async function finish(deadlineMs: number): Promise<void> {
    const sending = [...deliveries, ...live.values(), metrics];
    await Promise.all(sending.map((each) => each.finish(deadlineMs)));
    for (const { transport } of ways) transport.close();
  }

  return {
    deliveries,
    addSpans: (spans) => {
      for (const each of live.values()) each.add(spans);
    },
    states: () =>
      Object.fromEntries(
        deliveries.map((each) => [each.name, withLive(each.state(), live.get(each.name)?.state())]),
      ),
    metricsStates: () => metrics.states(),
    finish,
  };
}

// Spans are spans: those of sign-ins are told among them.
function withLive(state: DeliveryState, live: LiveState | undefined): DeliveryState {
  if (live === undefined) return state;
  const { leftOut, sent } = state;
  const isAny = live.droppedSpans > 0;
  return {
    ...state,
    sent: sent + live.sentSpans,
    leftOut: { ...leftOut, ...(isAny && { 'sign-in-dropped': live.droppedSpans }) },
  };
}

function has({ destination }: Way, signal: Destination['signals'][number]): boolean {
  return destination.signals.includes(signal);
}

function deliveriesOf(way: Way): Promise<Delivery[]> {
  return Promise.all(cursorNames(way.destination).map((name) => deliveryOf(name, way)));
}

async function deliveryOf(name: string, way: Way): Promise<Delivery> {
  const { destination, transport, store, resource, version, slowUs } = way;
  const isOfSpans = name === destination.name;
  const volume = createVolume(await store.note(volumeNote(name)));
  const { budget } = destination;
  return createDelivery({
    name,
    outbox: store,
    transport,
    volume,
    feed: isOfSpans
      ? () => createSpanFeed(resource, version, createSpansOf(slowUs))
      : () => createLogFeed(resource, version),
    source:
      isOfSpans && budget !== undefined
        ? (after, wasSent) => budgetedSource(after, { store, budget, volume, slowUs, wasSent })
        : (after) => createSource(store, { after }),
  });
}

type Budgeted = Pick<DispatchOptions, 'store' | 'slowUs'> & {
  readonly budget: NonNullable<Destination['budget']>;
  readonly volume: Volume;
  readonly wasSent: (sequence: number) => boolean;
};

function budgetedSource(after: number, budgeted: Budgeted): Source {
  const { store, budget, volume, slowUs, wasSent } = budgeted;
  return createBudgetedSource({
    outbox: store,
    after,
    budget,
    volume,
    worthOf: (row: RequestRow) => worthOf(row, slowUs),
    spansIn: createSpanCount(slowUs),
    wasSent,
    nowMs: Date.now,
  });
}

function liveDelivery({ transport, resource, version }: Way) {
  return createLiveDelivery({ transport, encode: createSpanEncoder(resource, version) });
}
