// What the budget of the day allows, from one choice to the next. The day is that of sending, in UTC: that
// of the bill.
import { spansOfAll, withinDay, type Candidate, type Choice } from './budget.ts';
import type { Budget } from '../otlp/destination.ts';
import { utcDay, type Volume } from './volume.ts';

/** Returns of candidates, dearest first, those that may be sent at that time, and counts them as sent. */
export type Allow = <T extends Candidate>(candidates: readonly T[], atMs: number) => Choice<T>;

/** Returns what allows; `volume` says what was sent that day by a run before. */
export function createAllowance({ spansPerDay }: Budget, volume: Pick<Volume, 'day'>): Allow {
  let day = '';
  let given = 0;

  // What is on its way is in no volume yet; what a run before had sent is only there.
  function givenOn(atMs: number): number {
    const today = utcDay(atMs);
    if (today !== day) given = 0;
    day = today;
    return Math.max(given, volume.day(atMs).sent);
  }

  return (candidates, atMs) => {
    if (spansPerDay === undefined) return { chosen: candidates, leftOut: {} };
    const before = givenOn(atMs);
    const choice = withinDay(candidates, spansPerDay, before);
    given = before + spansOfAll(choice.chosen);
    return choice;
  };
}
