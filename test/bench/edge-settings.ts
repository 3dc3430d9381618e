// What a run of the benchmark is asked for.

export type Settings = {
  /** Whether all works, and not how fast: no warm-up round, one second of everything. */
  readonly short: boolean;
  readonly rounds: number;
  /** Of load for each variant in a round. */
  readonly seconds: number;
  /** Names of variants and measurements. */
  readonly names: readonly string[];
  /** The variant that is to fail: its client is given a wrong credential. */
  readonly broken?: string;
};

/** What is measured beside the variants; memory takes a million requests. */
export const MEASUREMENTS = ['latency', 'outage', 'lag', 'memory'] as const;
