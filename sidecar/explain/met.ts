// Whether something holds: yes, no, or not to be told from here. And how several such answers make one.
import type { Maybe } from './request.ts';

/** One way in which something may hold: what it fills in, or the status that it fails with. */
export type Case = {
  readonly why: string;
  readonly fills: NonNullable<Met['fills']>;
  readonly fails?: string;
};

export type Met = {
  readonly met: 'yes' | 'no' | 'unknown';
  /** What was held against what, or why it can't be told; a clause for people. */
  readonly why: string;
  /** Placeholders that the match fills in, whatever becomes of the route. */
  readonly fills?: readonly (readonly [key: string, value: Maybe<string>])[];
  /** Of what can't be told, the ways in which it may hold, where they can be. */
  readonly cases?: readonly Case[];
  /** Whether one of the cases holds for certain. */
  readonly isSure?: boolean;
};

export function yes(why: string, fills?: Met['fills']): Met {
  return { met: 'yes', why, ...(fills && { fills }) };
}

export function no(why: string): Met {
  return { met: 'no', why };
}

export function unknown(why: string, fills?: Met['fills']): Met {
  return { met: 'unknown', why, ...(fills && { fills }) };
}

/** Returns yes or no. */
export function whether(holds: boolean, why: string): Met {
  return holds ? yes(why) : no(why);
}

/** Returns whether all hold; yes when there are none. */
export function all(parts: readonly Met[]): Met {
  const failed = parts.find(({ met }) => met === 'no');
  if (failed) return { ...failed, ...filled(parts, failed) };
  const open = parts.filter(({ met }) => met === 'unknown');
  const met = open.length > 0 ? 'unknown' : 'yes';
  const [only] = open.length === 1 ? open : [];
  return {
    met,
    why: whysOf(open.length > 0 ? open : parts, ' and '),
    ...filled(parts),
    ...(only?.cases && { cases: only.cases, isSure: only.isSure ?? false }),
  };
}

/** Returns whether any holds; no when there are none. */
export function any(parts: readonly Met[]): Met {
  const at = parts.findIndex(({ met }) => met === 'yes');
  const held = parts[at];
  if (held) return { ...held, ...filled(parts.slice(0, at + 1)) };
  const open = parts.filter(({ met }) => met === 'unknown');
  const met = open.length > 0 ? 'unknown' : 'no';
  if (parts.length === 1 && open[0]) return open[0];
  return { met, why: whysOf(open.length > 0 ? open : parts, ' or '), ...filled(parts) };
}

/** Returns the opposite; in which ways it may hold is not known of it. */
export function opposite({ met, why, fills }: Met): Met {
  const filled = fills && { fills };
  if (met === 'unknown') return { met, why: negated(why), ...filled };
  return { met: met === 'yes' ? 'no' : 'yes', why, ...filled };
}

const NOT = 'not: ';

/** Returns the clause that holds where this one does not. */
export function negated(why: string): string {
  return why.startsWith(NOT) ? why.slice(NOT.length) : NOT + why;
}

// Caddy looks at the matchers of a set in any order and stops at the first that fails: what another one has
// filled in by then is not known.
function filled(parts: readonly Met[], failed?: Met): Pick<Met, 'fills'> {
  const fills = parts.flatMap((part) => part.fills ?? []);
  if (fills.length === 0) return {};
  return { fills: failed === undefined ? fills : fills.map(([key]) => [key, undefined] as const) };
}

function whysOf(parts: readonly Met[], joint: string): string {
  return [...new Set(parts.map(({ why }) => why))].join(joint);
}
