// How the removal of old rows stands, and what is to be told of it. Plain data: it crosses threads. Pure.
import type { HoldUp } from '../audit/removal-held.ts';
import type { Undelivered } from '../audit/undelivered.ts';
import type { Loss } from './loss.ts';
import type { SeenClock } from './seen-clock.ts';

export type Waiting = {
  /** Rows that are old enough, and that the destination does not have. */
  readonly rows: number;
  /** When the oldest of them was old enough. */
  readonly since: string;
};

/** All but `keeping` come with a problem, `waiting` once it lasts. */
export type RetentionStatus =
  'keeping' | 'waiting' | 'held-up' | 'undelivered' | 'clock' | 'failing';

export type RetentionState = {
  readonly status: RetentionStatus;
  /** The last row that was removed, ever; 0 when none was. */
  readonly removedUpTo: number;
  /** Rows that are old enough and wait, by the cursors of the destinations that don't have them. */
  readonly waiting?: Readonly<Record<string, Waiting>>;
  readonly problem?: string;
};

/** What is known, each part as it was found last. Times in microseconds since the epoch. */
export type RetentionFacts = {
  readonly removedUpTo: number;
  readonly rowsUs: number;
  readonly undeliveredUs: number;
  readonly waiting: ReadonlyMap<string, { readonly rows: number; readonly sinceUs: number }>;
  /** What was removed without a destination's having it. */
  readonly lost?: Loss;
  readonly doubt?: NonNullable<SeenClock['doubt']>;
  /** A row that was dated ahead. */
  readonly held?: HoldUp;
  readonly failure?: string;
  readonly nowUs: number;
};

const DAY_US = 86_400_000_000;
/** How long rows may wait before that is a problem: a destination that is new, or away for a night, is none. */
const QUIET_US = DAY_US;
/** How long a loss is shown. */
const SHOWN_US = DAY_US;
/** The last that a Date can be, and by its negative the first (ECMA-262, Time Values). */
const LAST_DATE_MS = 8.64e15;

/** Returns the state; of what is wrong at once, the most urgent. */
export function retentionState(facts: RetentionFacts): RetentionState {
  const { removedUpTo, waiting } = facts;
  const entries = [...waiting].map(([name, { rows, sinceUs }]) => [
    name,
    { rows, since: isoTime(sinceUs) },
  ]);
  return {
    ...standing(facts),
    removedUpTo,
    ...(waiting.size > 0 && { waiting: Object.fromEntries(entries) as Record<string, Waiting> }),
  };
}

function standing(facts: RetentionFacts): Pick<RetentionState, 'status' | 'problem'> {
  const { failure, lost, doubt, held, waiting, nowUs } = facts;
  if (failure !== undefined) {
    return {
      status: 'failing',
      problem: `old rows can't be removed: ${failure}; it is tried again`,
    };
  }
  if (lost !== undefined && Math.abs(nowUs - lost.atUs) < SHOWN_US) {
    return { status: 'undelivered', problem: lost.text };
  }
  if (doubt !== undefined) return { status: 'clock', problem: doubtText(doubt, nowUs) };
  if (held !== undefined) return { status: 'held-up', problem: heldText(held, facts) };
  if (waiting.size === 0) return { status: 'keeping' };
  const late = [...waiting].filter(([, { sinceUs }]) => nowUs - sinceUs > QUIET_US);
  if (late.length === 0) return { status: 'waiting' };
  return { status: 'waiting', problem: waitingText(new Map(late), facts) };
}

function waitingText(late: RetentionFacts['waiting'], facts: RetentionFacts): string {
  const each = [...late].map(
    ([name, { rows, sinceUs }]) => `${name} (${rows} rows, since ${isoTime(sinceUs)})`,
  );
  const firstUs = Math.min(...[...late.values()].map(({ sinceUs }) => sinceUs));
  const goes = isoTime(firstUs + facts.undeliveredUs);
  return (
    `rows older than ${days(facts.rowsUs)} wait for ${each.join(', ')}: from ${goes} on they go, delivered or ` +
    'not. See why it does not get them, or take it out of the configuration'
  );
}

function doubtText({ beforeUs, waitUs }: NonNullable<RetentionFacts['doubt']>, nowUs: number) {
  return (
    `the clock has jumped ahead by ${days(nowUs - beforeUs)}, or nothing ran for so long: no row is removed until ` +
    `it has gone on evenly for ${days(waitUs)} more. If it is wrong, set it back; rows go by it afterwards`
  );
}

function heldText({ sequence, startedAtUs }: HoldUp, { rowsUs }: RetentionFacts): string {
  return (
    `row ${sequence} of ${isoTime(startedAtUs)} holds up older ones after it: a clock was ahead when it was recorded. ` +
    `Rows go in their order, so that they stay until it is old enough, at ${isoTime(startedAtUs + rowsUs)}`
  );
}

/** Returns what is told of rows that went without a destination's having them. */
export function lostText(undelivered: Undelivered): string {
  const each = [...undelivered].map(([name, rows]) => `${name} (${rows} rows)`);
  return `rows were removed that were not delivered to ${each.join(', ')}: they had waited for as long as \`retention.undelivered\` says`;
}

function days(us: number): string {
  const whole = us / DAY_US;
  return whole >= 1
    ? `${Number(whole.toFixed(1))} days`
    : `${Number((us / 3_600_000_000).toFixed(1))} hours`;
}

// A date that no calendar reaches would throw, and this is asked for at every look.
function isoTime(us: number): string {
  const ms = Math.max(-LAST_DATE_MS, Math.min(LAST_DATE_MS, us / 1000));
  return new Date(ms).toISOString();
}
