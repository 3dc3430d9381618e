// What `signet doctor` says of one thing: how it is, what was seen, and what mends it. Pure.
import { cut, visible } from '../visible.ts';

export type Verdict = 'well' | 'warning' | 'wrong' | 'not-looked-at';

export type Line = {
  /** What was looked at: `tls`, `destination lightstep`. */
  readonly name: string;
  readonly verdict: Verdict;
  /** A sentence or two, without secrets; why, where it was not looked at. */
  readonly seen: string;
  /** What to do; of warnings and wrongs. */
  readonly mend?: string;
};

/** Of what somebody else wrote, in characters. */
const MAX_QUOTED = 120;
/** Of a whole finding: a fault may quote what was read, which somebody else wrote. */
const MAX_SEEN = 600;

/** Returns the line of something that is as it should be. */
export function well(name: string, seen: string): Line {
  return { name, verdict: 'well', seen: cut(seen, MAX_SEEN) };
}

/** Returns the line of something that works, and may not be meant. */
export function warning(name: string, seen: string, mend: string): Line {
  return { name, verdict: 'warning', seen: cut(seen, MAX_SEEN), mend };
}

/** Returns the line of something that does not do what it is there for. */
export function wrong(name: string, seen: string, mend: string): Line {
  return { name, verdict: 'wrong', seen: cut(seen, MAX_SEEN), mend };
}

/** Returns the line of something that nobody has looked at, and why. */
export function notLookedAt(name: string, why: string): Line {
  return { name, verdict: 'not-looked-at', seen: cut(why, MAX_SEEN) };
}

/** Returns what somebody else wrote, short, and safe to print. */
export function quoted(text: string): string {
  return cut(visible(text), MAX_QUOTED);
}
