// What the connections are for: how its failures are called, and how many there may be.
import type { FaultCode } from '../fault.ts';

export type PostgresUse = {
  /** The code of its Faults. */
  readonly code: FaultCode;
  /** What its messages call it: `audit store`. */
  readonly store: string;
  /** What another process may keep locked: `this chain`. */
  readonly locked: string;
  /** How many connections one process makes for it. */
  readonly maxConnections: number;
};
