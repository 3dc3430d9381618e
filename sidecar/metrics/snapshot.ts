// Metrics as they stand at one moment: plain data, whatever they are written as.
import type { Instrument } from './instruments.ts';

/** Name → value; a label that is absent has no value. */
export type Labels = Readonly<Record<string, string | boolean>>;

/** One measurement that stands for those of its bucket, and the span that it was taken of. */
export type Exemplar = {
  readonly traceId: string;
  readonly spanId: string;
  /** In the instrument's unit. */
  readonly value: number;
  /** Microseconds since the epoch. */
  readonly atUs: number;
};

export type NumberPoint = { readonly labels: Labels; readonly value: number };

export type HistogramPoint = {
  readonly labels: Labels;
  readonly count: number;
  /** In the instrument's unit. */
  readonly sum: number;
  /** How many fell into each bucket, and into no other; one more than there are bounds. */
  readonly counts: readonly number[];
  /** By bucket. */
  readonly exemplars: readonly (Exemplar | undefined)[];
};

export type NumberMetric = {
  readonly instrument: Instrument;
  /** Since when a counter counts; absent where it goes on from before the process. */
  readonly startedAtUs?: number;
  readonly points: readonly NumberPoint[];
};

export type HistogramMetric = {
  readonly instrument: Instrument;
  readonly startedAtUs: number;
  /** Upper ends of the buckets, which belong to them, in the instrument's unit; the last has none. */
  readonly bounds: readonly number[];
  readonly histograms: readonly HistogramPoint[];
};

export type Metric = NumberMetric | HistogramMetric;

export type Snapshot = {
  /** Microseconds since the epoch. */
  readonly atUs: number;
  readonly metrics: readonly Metric[];
};
