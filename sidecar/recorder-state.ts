// How the recorder stands, as its thread tells the main one. Plain data.
import type { Head } from './audit/head.ts';
import type { DeliveryState } from './delivery/deliver.ts';
import type { MetricsState } from './delivery/metrics-export.ts';
import type { DecisionsState } from './decisions/reckon.ts';
import type { RetentionState } from './retention/retention-state.ts';

/** Sent whenever it changes. */
export type RecorderState = {
  readonly problem?: string;
  /** Bytes of the log that are not yet rows. */
  readonly lagBytes: number;
  readonly rows: number;
  readonly lastSequence: number;
  readonly setAside: number;
  /** Decisions whose line never came, and served requests that no decision explains. */
  readonly lost: number;
  readonly unexplained: number;
  /** Stamps that were not believed, since the recorder began. */
  readonly invalidStamps: number;
  /** By how much the gate's clock is ahead of Caddy's, at the most, lately. */
  readonly clockSkewUs: number;
  readonly decisions: DecisionsState;
  /** Of the rows that are old. */
  readonly retention?: RetentionState;
  /** The last signed end of the chain. */
  readonly head?: Head;
  readonly destinations: Readonly<Record<string, DeliveryState>>;
  /** By the name of the destination, of those that get metrics. */
  readonly metrics: Readonly<Record<string, MetricsState>>;
};

/** What is known while neither store nor log is open. */
export const NOTHING_KNOWN: RecorderState = {
  lagBytes: 0,
  rows: 0,
  lastSequence: 0,
  setAside: 0,
  lost: 0,
  unexplained: 0,
  invalidStamps: 0,
  clockSkewUs: 0,
  decisions: { open: 0, overdue: 0 },
  destinations: {},
  metrics: {},
};
