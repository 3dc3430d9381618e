// What has become of each pending decision: settled, lost, or still open. Pure: what is known is handed
// in, and the recorder does with the judgement what follows from it.
import { sizeOf, type Range } from '../audit/account.ts';
import type { JournalView, Pending } from './pending.ts';

/**
 * A refusal without a line for so long is lost: its answer is one small page, and Caddy writes the line
 * when it has been sent. Twelve times Caddy's longest wait for the sidecar.
 */
export const REFUSAL_MAX_US = 60_000_000;
/** An allowed one is open as long as its stream or download: lost after a day. */
export const ALLOWED_MAX_US = 24 * 3_600_000_000;
/** Open for longer than this is worth a look: most requests end within a minute. */
export const OVERDUE_US = 60_000_000;

/** What the pending ones are judged by. */
export type JudgedBy = {
  /** Whether a row has this request id: its line came without a stamp. */
  readonly hasRow: (requestId: string) => boolean;
  /** The boot whose gate decides now; undefined where that isn't known: then none has ended. */
  readonly currentBootId: string | undefined;
  /** The kernel's boot; empty where that isn't known. */
  readonly machineBootId: string;
  readonly nowUs: number;
  /** Whether all lines that are in the log have been read: before that nothing is lost. */
  readonly isLogAtEnd: boolean;
};

/** Why no line is expected any more. */
export type LossCause =
  | 'refused-without-line' // refused a minute ago
  | 'open-too-long' // allowed a day ago, or unknown for a day
  | 'machine-restarted' // no request outlives its machine
  | 'journal-gone'; // of a boot that has ended, and nothing tells who or when

export type Settled = { readonly bootId: string; readonly range: Range };
export type Lost = Pending & { readonly cause: LossCause };

/** What follows: settled and lost numbers leave the account, open ones are asked about again. */
export type Judgement = {
  readonly settled: readonly Settled[];
  /** One each where it is known who it was, else one for a range. */
  readonly lost: readonly Lost[];
  readonly open: readonly Pending[];
  /** How many decisions have been open for more than a minute. */
  readonly overdue: number;
};

/** Returns what has become of what was pending. */
export function judge(pending: readonly Pending[], by: JudgedBy): Judgement {
  const settled: Settled[] = [];
  const lost: Lost[] = [];
  const open: Pending[] = [];
  for (const one of pending) {
    const cause = by.isLogAtEnd ? lossCause(one, by) : undefined;
    if (one.noted !== undefined && by.hasRow(one.noted.requestId)) settled.push(one);
    else if (cause !== undefined) lost.push({ ...one, cause });
    else open.push(one);
  }
  const overdue = open
    .filter(({ sinceUs }) => by.nowUs - sinceUs > OVERDUE_US)
    .reduce((sum, { range }) => sum + sizeOf(range), 0);
  return { settled, lost, open, overdue };
}

/** Returns the journals of ended boots of which nothing is open: they can be removed. */
export function finished<J extends Pick<JournalView, 'bootId'>>(
  journals: readonly J[],
  open: readonly Pending[],
  currentBootId: string,
): J[] {
  const needed = new Set([currentBootId, ...open.map(({ bootId }) => bootId)]);
  return journals.filter(({ bootId }) => !needed.has(bootId));
}

function lossCause(one: Pending, by: JudgedBy): LossCause | undefined {
  const ageUs = by.nowUs - one.sinceUs;
  if (isOfAnotherMachineBoot(one, by)) return 'machine-restarted';
  if (one.noted !== undefined && one.noted.decision !== 'allow' && ageUs >= REFUSAL_MAX_US) {
    return 'refused-without-line';
  }
  const hasEnded = by.currentBootId !== undefined && by.currentBootId !== one.bootId;
  if (one.noted === undefined && !one.hasJournal && hasEnded) return 'journal-gone';
  // What is unknown may have been allowed.
  return ageUs >= ALLOWED_MAX_US ? 'open-too-long' : undefined;
}

function isOfAnotherMachineBoot(one: Pending, { machineBootId }: JudgedBy): boolean {
  const areKnown = one.machineBootId !== '' && machineBootId !== '';
  return areKnown && one.machineBootId !== machineBootId;
}
