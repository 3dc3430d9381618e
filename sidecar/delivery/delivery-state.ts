// How a destination stands, as /readyz, the metrics and the log tell it. Plain data: it crosses threads.
import { MANY_REFUSED, type Status } from './pace.ts';

/**
 * What may be wrong at once, most urgent first: the store; how the destination takes what it is sent; a
 * file with credentials, of which those before serve on; what was lost on the way.
 */
export const TROUBLES = ['store', 'sending', 'credentials', 'loss'] as const;

/** What is wrong of each, and who mends it. */
export type Troubles = Readonly<Partial<Record<(typeof TROUBLES)[number], string>>>;

export type DeliveryState = {
  /** The last row that is dealt with, and all before it. */
  readonly cursor: number;
  readonly status: Status;
  /** Requests under way. */
  readonly inFlight: number;
  /** Spans (or log records) that it has taken since the start of this process. */
  readonly sent: number;
  /**
   * Those that it did not get, since then, by reason: `rejected` by a partial success, `refused` and set
   * aside, `budget-…`.
   */
  readonly leftOut: Readonly<Record<string, number>>;
  /** What is wrong, and who mends it; all of it in sentences. */
  readonly troubles?: Troubles;
  readonly problem?: string;
};

const REMEDIES: Readonly<Record<Status, string>> = {
  delivering: '',
  refusing: '',
  retrying: '; it will be tried again',
  unauthorized:
    '; a file is read anew when it changes, and then it is tried again. A variable needs a restart',
  misdirected: '; check its endpoint and protocol. It will be tried again',
};

/** Returns how it takes what it is sent, and what becomes of that or who mends it; undefined: as it should. */
export function sendingTrouble(status: Status, problem: string | undefined): string | undefined {
  if (problem !== undefined) return problem + REMEDIES[status];
  if (status !== 'refusing') return undefined;
  return `it has refused all of the last ${MANY_REFUSED} requests or more`;
}

/** Returns what is wrong, as a state has it: each once, most urgent first; nothing when nothing is. */
export function troublesOf(
  found: Readonly<Record<(typeof TROUBLES)[number], string | undefined>>,
): Pick<DeliveryState, 'troubles' | 'problem'> {
  const told = new Map<string, string>();
  for (const trouble of TROUBLES) {
    const text = found[trouble];
    // Without a token nothing is sent: what is wrong with its file is why.
    const isTold = text === undefined || [...told.values()].some((before) => before.includes(text));
    if (!isTold) told.set(trouble, text);
  }
  if (told.size === 0) return {};
  return { troubles: Object.fromEntries(told), problem: [...told.values()].join('. ') };
}
