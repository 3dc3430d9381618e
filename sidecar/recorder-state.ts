// How the recorder stands, as its thread tells the main one. Plain data.
import type { DeliveryState } from './delivery/deliver.ts';

/** Sent whenever it changes. */
export type RecorderState = {
  readonly problem?: string;
  /** Bytes of the log that are not yet rows. */
  readonly lagBytes: number;
  readonly rows: number;
  readonly lastSequence: number;
  readonly setAside: number;
  /** Stamps that were not believed, since the recorder began. */
  readonly invalidStamps: number;
  readonly destinations: Readonly<Record<string, DeliveryState>>;
};

/** What is known while neither store nor log is open. */
export const NOTHING_KNOWN: RecorderState = {
  lagBytes: 0,
  rows: 0,
  lastSequence: 0,
  setAside: 0,
  invalidStamps: 0,
  destinations: {},
};
