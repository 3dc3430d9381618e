// How a destination stands, as /readyz, the metrics and the log tell it. Plain data: it crosses threads.
import type { Status } from './pace.ts';

export type DeliveryState = {
  /** The last row that is dealt with, and all before it. */
  readonly cursor: number;
  readonly status: Status;
  /** Requests under way. */
  readonly inFlight: number;
  /** Spans (or log records) that it has taken since the start of this process. */
  readonly sentSpans: number;
  /**
   * Those that it will not get, since then, by reason: `rejected` by a partial success, `refused` and set
   * aside, `budget-…`.
   */
  readonly leftOut: Readonly<Record<string, number>>;
  /** What is wrong, and who mends it. */
  readonly problem?: string;
};

const REMEDIES: Readonly<Record<Status, string>> = {
  delivering: '',
  retrying: '; it will be tried again',
  unauthorized:
    '; as soon as a file with its credentials changes it is tried again. Those of the environment need a restart',
  misdirected: '; check its endpoint and protocol. It will be tried again',
};

/** Returns a problem, and what becomes of it or who mends it. */
export function withRemedy(status: Status, problem: string): string {
  return problem + REMEDIES[status];
}
