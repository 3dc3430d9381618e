// One series of a histogram: how many fell into each bucket, their sum, and for each bucket the latest
// request that was sampled. In whole microseconds, so that a sum of millions is exact.
import type { Exemplar } from './snapshot.ts';

/** The request that a measurement was taken of. */
export type Measured = {
  readonly requestId: string;
  readonly traceId: string;
  /** Only what was sampled can be looked up. */
  readonly sampled: boolean;
  readonly endedAtUs: number;
};

/** A series in the making; only `addTo` changes it. */
export type Histogram = {
  count: number;
  sumUs: number;
  readonly counts: number[];
  readonly exemplars: (Sample | undefined)[];
};

type Sample = { requestId: string; traceId: string; valueUs: number; atUs: number };

/** Returns a series in which nothing has fallen yet. */
export function createHistogram(buckets: number): Histogram {
  return {
    count: 0,
    sumUs: 0,
    counts: Array.from({ length: buckets }, () => 0),
    exemplars: Array.from({ length: buckets }, () => undefined),
  };
}

/** Adds a measurement. */
export function addTo(
  histogram: Histogram,
  boundsUs: readonly number[],
  valueUs: number,
  measured: Measured,
): void {
  const bucket = bucketOf(boundsUs, valueUs);
  histogram.count += 1;
  histogram.sumUs += valueUs;
  histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + 1;
  if (measured.sampled) keepSample(histogram.exemplars, bucket, valueUs, measured);
}

/** Returns the exemplars in seconds; `spanIdOf` gives the span of a request. */
export function exemplarsOf(
  { exemplars }: Histogram,
  spanIdOf: (requestId: string) => string,
): (Exemplar | undefined)[] {
  return exemplars.map(
    (sample) =>
      sample && {
        traceId: sample.traceId,
        spanId: spanIdOf(sample.requestId),
        value: sample.valueUs / 1_000_000,
        atUs: sample.atUs,
      },
  );
}

// A bound belongs to its bucket. Most are fast: from the front it is two or three looks.
function bucketOf(boundsUs: readonly number[], valueUs: number): number {
  let bucket = 0;
  while (bucket < boundsUs.length && valueUs > (boundsUs[bucket] as number)) bucket += 1;
  return bucket;
}

// Written over in place: an object for each request would be garbage at once.
function keepSample(
  exemplars: (Sample | undefined)[],
  bucket: number,
  valueUs: number,
  { requestId, traceId, endedAtUs }: Measured,
): void {
  const sample = (exemplars[bucket] ??= { requestId, traceId, valueUs, atUs: endedAtUs });
  sample.requestId = requestId;
  sample.traceId = traceId;
  sample.valueUs = valueUs;
  sample.atUs = endedAtUs;
}
