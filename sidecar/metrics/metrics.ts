// What the recorder counts and measures of the rows that it makes, and how it stands, as a snapshot of
// metrics. Never waits, sends nothing, and knows no clock: a row costs it well below 1.5 µs.
import type { EventName } from '../audit/event.ts';
import { isRequest, type RequestRow, type Row } from '../audit/row.ts';
import { addTo, createHistogram, exemplarsOf, type Histogram } from './histogram.ts';
import { INSTRUMENTS, LABELS, type Instrument } from './instruments.ts';
import { createSeries, type Series } from './series.ts';
import type { HistogramMetric, Metric, NumberMetric, Snapshot } from './snapshot.ts';
import { checkMetrics, single, standingMetrics, type Standing } from './standing.ts';

/** Most series of one instrument: what OpenTelemetry's SDKs have. */
export const MAX_SERIES = 2000;

/** As the conventions advise for `http.server.request.duration`, in microseconds. */
export const DURATION_BOUNDS_US: readonly number[] = [
  5_000, 10_000, 25_000, 50_000, 75_000, 100_000, 250_000, 500_000, 750_000, 1_000_000, 2_500_000,
  5_000_000, 7_500_000, 10_000_000,
];
/** A decision takes some 60 µs. */
export const GATE_BOUNDS_US: readonly number[] = [
  25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
];

/**
 * Those that the recorder makes of the access log, and so sees; they count from 0, so that the first is an
 * increase. All others are put into the store beside it, some by other processes.
 */
const EVENTS_OF_THE_LOG = [
  'sign-in',
  'sign-in-failed',
  'sign-out',
  'session-revoked',
  'recorder-gap',
] as const satisfies readonly EventName[];

/** It looks four times a second. When it has not for so long, it does not know that it is at the end. */
const BLIND_US = 5_000_000;

export type MetricsOptions = {
  /** Microseconds since the epoch; what counts, counts since then. */
  readonly startedAtUs: number;
  /** Signet's own. */
  readonly version: string;
  /** Returns the id of a request's ingress span. */
  readonly spanIdOf: (requestId: string) => string;
  readonly maxSeries?: number;
};

export type Metrics = {
  /** Counts rows that were recorded, each once. */
  observe(rows: readonly Row[]): void;
  /**
   * Keeps how the recorder stood when it last could look, in microseconds since the epoch: after a fault
   * that is some time ago.
   */
  set(standing: Standing, lookedAtUs: number): void;
  /** Keeps how the parts beside the recorder stand, by name. */
  setChecks(checks: Readonly<Record<string, boolean>>): void;
  snapshot(nowUs: number): Snapshot;
};

type Counter = { value: number };

/** Returns metrics in which nothing was counted. */
export function createMetrics({
  startedAtUs,
  version,
  spanIdOf,
  maxSeries = MAX_SERIES,
}: MetricsOptions): Metrics {
  const { route, team, userType, decision, statusClass, rowKind, event } = LABELS;
  const counter = (): Counter => ({ value: 0 });
  const requests = createSeries([route, team, userType, decision, statusClass], maxSeries, counter);
  const durations = createSeries([route, decision, statusClass], maxSeries, () =>
    createHistogram(DURATION_BOUNDS_US.length + 1),
  );
  const decisions = createSeries([decision], maxSeries, () =>
    createHistogram(GATE_BOUNDS_US.length + 1),
  );
  const kinds = createSeries([rowKind], maxSeries, counter);
  const events = createSeries([event], maxSeries, counter);
  for (const name of EVENTS_OF_THE_LOG) events.of([name]);
  let standing: Standing | undefined;
  let checks: Readonly<Record<string, boolean>> = {};
  // The end of the request recorded last, or when there was nothing left to record.
  let recordedUpToUs = startedAtUs;
  let lookedLastUs = startedAtUs;
  let isAtEnd = false;

  function observe(rows: readonly Row[]): void {
    for (const row of rows) {
      kinds.of([row.kind]).value += 1;
      if (isRequest(row)) observeRequest(row);
      else events.of([row.event]).value += 1;
    }
  }

  function observeRequest(row: RequestRow): void {
    const { identity, durationUs, requestId, traceId, sampled } = row;
    const endedAtUs = row.startedAtUs + durationUs;
    const status = statusClassOf(row.status);
    const measured = { requestId, traceId, sampled, endedAtUs };
    requests.of([row.route, identity?.team, identity?.type, row.decision, status]).value += 1;
    const series = durations.of([row.route, row.decision, status]);
    addTo(series, DURATION_BOUNDS_US, durationUs, measured);
    if (row.gate !== undefined) {
      addTo(decisions.of([row.decision]), GATE_BOUNDS_US, row.gate.durationUs, measured);
    }
    recordedUpToUs = endedAtUs;
  }

  function set(next: Standing, lookedAtUs: number): void {
    standing = next;
    isAtEnd = next.lagBytes === 0;
    lookedLastUs = lookedAtUs;
    if (isAtEnd) recordedUpToUs = lookedAtUs;
  }

  function snapshot(nowUs: number): Snapshot {
    const counted = (instrument: Instrument, of: Series<Counter>): NumberMetric => ({
      instrument,
      startedAtUs,
      points: of.all().map(({ labels, series }) => ({ labels, value: series.value })),
    });
    const metrics: Metric[] = [
      counted(INSTRUMENTS.requests, requests),
      measuredAs(INSTRUMENTS.duration, durations, DURATION_BOUNDS_US),
      measuredAs(INSTRUMENTS.gateDuration, decisions, GATE_BOUNDS_US),
      counted(INSTRUMENTS.rows, kinds),
      counted(INSTRUMENTS.events, events),
      ...(standing === undefined ? [] : standingMetrics(standing, lagUs(nowUs))),
      single(INSTRUMENTS.recorderUp, 1),
      ...checkMetrics(checks),
      single(INSTRUMENTS.buildInfo, 1, { [LABELS.version]: version }),
    ];
    return { atUs: nowUs, metrics };
  }

  function lagUs(nowUs: number): number {
    const isSure = isAtEnd && nowUs - lookedLastUs < BLIND_US;
    return isSure ? 0 : Math.max(0, nowUs - recordedUpToUs);
  }

  function measuredAs(
    instrument: Instrument,
    of: Series<Histogram>,
    boundsUs: readonly number[],
  ): HistogramMetric {
    return {
      instrument,
      startedAtUs,
      bounds: boundsUs.map((us) => us / 1_000_000),
      histograms: of.all().map(({ labels, series }) => ({
        labels,
        count: series.count,
        sum: series.sumUs / 1_000_000,
        counts: [...series.counts],
        exemplars: exemplarsOf(series, spanIdOf),
      })),
    };
  }

  return { observe, set, setChecks: (next) => void (checks = next), snapshot };
}

/** Returns what is known where the recorder does not answer: that, and how the other parts stand. */
export function recorderDown(
  nowUs: number,
  checks: Readonly<Record<string, boolean>> = {},
): Snapshot {
  return { atUs: nowUs, metrics: [single(INSTRUMENTS.recorderUp, 0), ...checkMetrics(checks)] };
}

// Absent when the client left before an answer.
const STATUS_CLASSES = [undefined, '1xx', '2xx', '3xx', '4xx', '5xx'];

function statusClassOf(status: number): string | undefined {
  return STATUS_CLASSES[Math.floor(status / 100)];
}
