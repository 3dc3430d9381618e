// A loss is evidence, and must not be told too soon: a clock that jumps, or a log that is mounted a
// moment late, makes everything look lost for one look. Only what stays so is told.
import { sizeOf } from '../audit/account.ts';
import type { Judgement, Lost } from './judge.ts';

/** How long a decision must have looked lost, at every look: longer than a step of the clock by NTP. */
export const SURE_AFTER_MS = 10_000;
/** The same while there is no log at all: its disk may come later than the sidecar. */
export const SURE_WITHOUT_LOG_MS = 120_000;

export type Doubt = {
  /** Returns the judgement with those losses only that have stayed for long enough; the others are open. */
  confirmed(judgement: Judgement, hasLog: boolean): Judgement;
};

/** Returns the doubt of one reckoning; `nowMs` is a clock that never jumps. */
export function createDoubt(nowMs: () => number): Doubt {
  let since = new Map<string, number>();

  function confirmed(judgement: Judgement, hasLog: boolean): Judgement {
    const now = nowMs();
    const sureAfterMs = hasLog ? SURE_AFTER_MS : SURE_WITHOUT_LOG_MS;
    since = new Map(
      judgement.lost.map((one) => [keyOf(one), since.get(keyOf(one)) ?? now] as const),
    );
    const isSure = (one: Lost) => now - (since.get(keyOf(one)) ?? now) >= sureAfterMs;
    const doubted = judgement.lost.filter((one) => !isSure(one));
    return {
      ...judgement,
      lost: judgement.lost.filter(isSure),
      open: [...judgement.open, ...doubted],
      overdue: judgement.overdue + doubted.reduce((sum, { range }) => sum + sizeOf(range), 0),
    };
  }

  return { confirmed };
}

function keyOf({ bootId, range }: Lost): string {
  return `${bootId}:${range.first}-${range.last}`;
}
