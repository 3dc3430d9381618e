// What of an installation is not here, and what is therefore not looked at: each reason once. Pure.
import type { Examination } from './examination.ts';
import { type Line, notLookedAt } from './line.ts';

/** Returns a line for each reason; none where all of it is here. */
export function lookAtLacking({
  record,
  installed,
  sending,
}: Pick<Examination, 'record' | 'installed' | 'sending'>): Line[] {
  const byReason = new Map<string, string[]>();
  const note = (known: object, ...names: readonly string[]) => {
    if (!('why' in known)) return;
    const why = String(known.why);
    byReason.set(why, [...(byReason.get(why) ?? []), ...names]);
  };
  note(record, 'record');
  note(installed, 'readiness', 'versions', 'providers');
  note(sending, 'destinations');
  return [...byReason].map(([why, names]) => lineOf(why, names));
}

// Only the record can be lacking for a reason of its own.
function lineOf(why: string, names: readonly string[]): Line {
  if (names.length === 1) return notLookedAt(names.join(''), why);
  const list = `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
  return notLookedAt('settings', `${why}: ${list} were not looked at`);
}
