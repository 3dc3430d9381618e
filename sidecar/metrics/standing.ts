// The metrics that are not counted here: how the recorder and its deliveries stand, as they say it. Pure.
import { INSTRUMENTS, LABELS, type Instrument } from './instruments.ts';
import type { Labels, NumberMetric, NumberPoint } from './snapshot.ts';

/** How the recorder stands; what it tells the main thread has all of this. */
export type Standing = {
  readonly problem?: string;
  readonly lagBytes: number;
  readonly lastSequence: number;
  readonly setAside: number;
  readonly lost: number;
  readonly unexplained: number;
  readonly invalidStamps: number;
  readonly clockSkewUs: number;
  readonly decisions: { readonly open: number; readonly overdue: number };
  /** By the name of the cursor: `x` for spans, `x/logs` for log records. */
  readonly destinations: Readonly<Record<string, DeliveryStanding>>;
};

export type DeliveryStanding = {
  readonly cursor: number;
  readonly status: string;
  readonly inFlight: number;
  readonly sent: number;
  readonly leftOut: Readonly<Record<string, number>>;
};

/** What a delivery's status may be. */
export const STATUSES = [
  'delivering',
  'refusing',
  'retrying',
  'unauthorized',
  'misdirected',
] as const;

/** Losses count from 0, so that the first of them is an increase. */
const NONE_LOST = { rejected: 0, refused: 0 };

/** Returns what a standing says, `lagUs` beside it; nothing of deliveries where there are none. */
export function standingMetrics(standing: Standing, lagUs: number): NumberMetric[] {
  const { decisions, problem } = standing;
  const metrics = [
    single(INSTRUMENTS.linesSetAside, standing.setAside),
    single(INSTRUMENTS.decisionsLost, standing.lost),
    single(INSTRUMENTS.unexplained, standing.unexplained),
    single(INSTRUMENTS.decisionsOpen, decisions.open),
    single(INSTRUMENTS.decisionsOverdue, decisions.overdue),
    single(INSTRUMENTS.invalidStamps, standing.invalidStamps),
    single(INSTRUMENTS.recorderProblem, problem === undefined ? 0 : 1),
    single(INSTRUMENTS.recorderBacklog, standing.lagBytes),
    single(INSTRUMENTS.recorderLag, lagUs / 1_000_000),
    single(INSTRUMENTS.clockSkew, standing.clockSkewUs / 1_000_000),
    ...deliveryMetrics(standing),
  ];
  return metrics.filter(({ points }) => points.length > 0);
}

/** Returns how each part stands; nothing where none is known. */
export function checkMetrics(checks: Readonly<Record<string, boolean>>): NumberMetric[] {
  const points = Object.entries(checks).map(([name, isOk]) => ({
    labels: { [LABELS.check]: name },
    value: isOk ? 1 : 0,
  }));
  return points.length === 0 ? [] : [{ instrument: INSTRUMENTS.checkOk, points }];
}

/** Returns a metric of one series, without labels unless they are given. */
export function single(instrument: Instrument, value: number, labels: Labels = {}): NumberMetric {
  return { instrument, points: [{ labels, value }] };
}

function deliveryMetrics({ destinations, lastSequence }: Standing): NumberMetric[] {
  const entries = Object.entries(destinations);
  const of = (
    instrument: Instrument,
    pointsOf: (delivery: DeliveryStanding, labels: Labels) => NumberPoint[],
  ): NumberMetric => ({
    instrument,
    points: entries.flatMap(([name, delivery]) => pointsOf(delivery, deliveryLabels(name))),
  });
  return [
    of(INSTRUMENTS.deliverySent, ({ sent }, labels) => [{ labels, value: sent }]),
    of(INSTRUMENTS.deliveryLeftOut, ({ leftOut }, labels) =>
      Object.entries({ ...NONE_LOST, ...leftOut }).map(([reason, value]) => ({
        labels: { ...labels, [LABELS.leftOutReason]: reason },
        value,
      })),
    ),
    of(INSTRUMENTS.deliveryBacklog, ({ cursor }, labels) => [
      { labels, value: Math.max(0, lastSequence - cursor) },
    ]),
    of(INSTRUMENTS.deliveryInFlight, ({ inFlight }, labels) => [{ labels, value: inFlight }]),
    of(INSTRUMENTS.deliveryStatus, ({ status }, labels) =>
      STATUSES.map((each) => ({
        labels: { ...labels, [LABELS.status]: each },
        value: each === status ? 1 : 0,
      })),
    ),
  ];
}

function deliveryLabels(cursorName: string): Labels {
  const isLogs = cursorName.endsWith('/logs');
  const name = isLogs ? cursorName.slice(0, -'/logs'.length) : cursorName;
  return { [LABELS.destination]: name, [LABELS.signal]: isLogs ? 'logs' : 'traces' };
}
