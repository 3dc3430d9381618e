// What the recorder's thread is told by the main one, once: all that it needs, as plain data.
import type { KeyObject } from 'node:crypto';
import type { AddressKind } from './audit/address.ts';
import type { AuditPlace } from './audit/open.ts';
import type { Opening } from './opening.ts';
import type { PlainDestinations } from './plain-destinations.ts';
import type { Sampling } from './trace/sampling.ts';

/** What the thread is given; plain data, so that it can be handed over. */
export type RecorderOptions = {
  readonly accessLog: string;
  readonly stateFolder: string;
  readonly auditStore: AuditPlace;
  readonly headsFile: string;
  /** Opens stamps: every key of the ring. */
  readonly keys: readonly KeyObject[];
  /** Seeds of the keys that sign heads, in the ring's order. */
  readonly chainKeys: readonly KeyObject[];
  readonly opening: Omit<Opening, 'keyIds'>;
  readonly machineBootId: string;
  readonly clientAddress: AddressKind;
  readonly redactQuery: readonly string[];
  readonly ownAddresses: readonly string[];
  readonly retention: { readonly rowsMs?: number; readonly undeliveredMs: number };
  readonly destinations: PlainDestinations;
  readonly sampling: Sampling & { readonly slowUs: number };
  readonly resource: Readonly<Record<string, string>>;
  readonly version: string;
};
