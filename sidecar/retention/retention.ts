// Rows go by themselves when they are old enough: some minutes after the start and then hourly, in acts so
// small that recording goes on between them; and lines set aside when they are too many. It runs in the
// recorder's thread, by its connection. Which rows may go, and what stays in their place, is in audit/.
import { uptime } from 'node:os';
import type { Aged } from '../audit/removal.ts';
import type { HoldUp } from '../audit/removal-held.ts';
import type { RemovalPlan } from '../audit/removal-plan.ts';
import type { SigningKey } from '../audit/signing-key.ts';
import type { AuditStore } from '../audit/store.ts';
import { explain } from '../fault.ts';
import { parseLoss, RETENTION_LOSS, type Loss } from './loss.ts';
import { parseClock, RETENTION_CLOCK, seeClock, type SeenClock } from './seen-clock.ts';
import { lostText, retentionState, type RetentionState } from './retention-state.ts';

export type { RetentionState };

/** Before the first look a clock may be set, and what gathered while nothing ran be recorded. */
export const FIRST_LOOK_MS = 600_000;
export const LOOK_EVERY_MS = 3_600_000;
/** After something failed. */
const RETRY_MS = 60_000;
/** Before the first look of a recorder that begins anew in a thread that is older than that. */
const LEAST_PAUSE_MS = 1000;
/** Younger rows stay, whatever the setting: a request may be under way, and its log be read. */
const LEAST_AGE_US = 3_600_000_000;
/** Lines set aside that are kept: at 4 KiB each, 80 MB. They have no age, and none of them is a row. */
export const MAX_SET_ASIDE = 20_000;
const SET_ASIDE_AT_ONCE = 500;
/** How long one act should take. */
const ACT_MS = 25;
/** Rows that are looked at, and removed, by the first act; then by how long it took. */
const FIRST_PAGE = 2000;
const FIRST_SLICE = 200;
const MAX_ROWS = 50_000;

export type Retention = {
  /** Does one small act when it is time. Never rejects: what fails is told, and tried again. */
  step(): Promise<void>;
  /** Undefined where rows are kept for ever. */
  state(): RetentionState | undefined;
};

export type RetentionParts = {
  readonly store: Pick<AuditStore, 'removal' | 'note' | 'commit'>;
  /** Signs the stub that stays. */
  readonly key: SigningKey;
  readonly retention: { readonly rowsMs?: number; readonly undeliveredMs: number };
  /** Names of the cursors that are configured. */
  readonly destinations: readonly string[];
  /** Microseconds since the epoch. */
  readonly clock: () => number;
  /** Milliseconds of a clock that never jumps, since this thread began; by default the process's own. */
  readonly steadyMs?: () => number;
  /** Microseconds since the machine was started; by default the machine's own. */
  readonly uptimeUs?: () => number;
};

/** One look, from which on rows are removed by the same times. */
type Run = {
  readonly nowUs: number;
  plan?: RemovalPlan;
};

/** Returns the removal of old rows, not before some minutes after this thread began. */
export function createRetention(parts: RetentionParts): Retention {
  const { store, key, destinations, clock, steadyMs = () => performance.now() } = parts;
  const { uptimeUs = () => Math.round(uptime() * 1_000_000) } = parts;
  const { removal } = store;
  const { rowsMs, undeliveredMs } = parts.retention;
  const rowsUs = Math.max(LEAST_AGE_US, (rowsMs ?? 0) * 1000);
  const undeliveredUs = undeliveredMs * 1000;
  const old = createMarch(rowsUs);
  const overdue = createMarch(rowsUs + undeliveredUs);
  const [pages, slices] = [createSize(FIRST_PAGE, steadyMs), createSize(FIRST_SLICE, steadyMs)];
  const firstLookMs = Math.max(FIRST_LOOK_MS, steadyMs() + LEAST_PAUSE_MS);
  let nextMs = 0;
  let run: Run | undefined;
  let removedUpTo = 0;
  let waiting = new Map<string, { rows: number; sinceUs: number }>();
  let doubt: SeenClock['doubt'];
  let held: HoldUp | undefined;
  let lost: Loss | undefined;
  let failure: string | undefined;
  let isReminded = false;

  async function step(): Promise<void> {
    if (steadyMs() < nextMs) return;
    try {
      await act();
      failure = undefined;
    } catch (error) {
      failure = explain(error);
      rest(RETRY_MS);
    }
  }

  // What was told before this recorder began is told on, long before its first look.
  async function remind(): Promise<void> {
    lost = parseLoss(await store.note(RETENTION_LOSS));
    doubt = parseClock(await store.note(RETENTION_CLOCK))?.doubt;
    removedUpTo = await removal.start();
    isReminded = true;
    nextMs = firstLookMs;
  }

  async function act(): Promise<void> {
    if (!isReminded) return remind();
    if (run === undefined) return begin();
    if (run.plan !== undefined) return remove(run.plan);
    if (!(await isLookedThrough(run))) return;
    await decide(run);
  }

  async function begin(): Promise<void> {
    if ((await removal.trimSetAside(MAX_SET_ASIDE, SET_ASIDE_AT_ONCE)) > 0) return;
    if (rowsMs === undefined) return rest(LOOK_EVERY_MS);
    const nowUs = clock();
    const seen = parseClock(await store.note(RETENTION_CLOCK)) ?? (await newest());
    const now = seeClock(seen, { nowUs, uptimeUs: uptimeUs() }, rowsUs);
    await store.commit({ rows: [], notes: { [RETENTION_CLOCK]: JSON.stringify(now) } });
    removedUpTo = await removal.start();
    doubt = now.doubt;
    if (doubt !== undefined) return rest(LOOK_EVERY_MS);
    old.begin(removedUpTo, nowUs);
    overdue.begin(removedUpTo, nowUs);
    run = { nowUs };
  }

  async function newest(): Promise<SeenClock | undefined> {
    const seenUs = await removal.newestUs();
    return seenUs === undefined ? undefined : { seenUs };
  }

  // What has waited too long is old enough: the longer march need not be gone twice.
  async function isLookedThrough({ nowUs }: Run): Promise<boolean> {
    const march = overdue.isOver() ? old : overdue;
    if (!march.isOver()) {
      const { after, ageUs } = march.place();
      march.went(await pages.timed((rows) => removal.age(after, nowUs - ageUs, rows)));
      if (march === overdue) old.follow(overdue.place().after);
    }
    return old.isOver();
  }

  async function decide(current: Run): Promise<void> {
    const [oldUpTo, overdueUpTo] = [old.place().after, overdue.place().after];
    const beforeUs = current.nowUs - rowsUs;
    const plan = await removal.plan({ oldUpTo, overdueUpTo, beforeUs }, destinations);
    waiting = await waitingIn(plan);
    held = await removal.heldUp(oldUpTo, beforeUs);
    if (plan.rows === 0) return rest(LOOK_EVERY_MS);
    current.plan = plan;
  }

  async function waitingIn({ heldBy, couldBeUpTo, upTo }: RemovalPlan) {
    const all: typeof waiting = new Map();
    for (const { destination, has } of heldBy) {
      const after = Math.max(upTo, has);
      const beganUs = (await removal.beganUs(after)) ?? clock();
      all.set(destination, { rows: couldBeUpTo - after, sinceUs: beganUs + rowsUs });
    }
    return all;
  }

  async function remove(plan: RemovalPlan): Promise<void> {
    const { isLast, undelivered } = await slices.timed((sliceRows) =>
      removal.slice(plan, { key, nowUs: clock(), sliceRows }),
    );
    removedUpTo = await removal.start();
    if (!isLast) return;
    if (undelivered) await remember({ atUs: clock(), text: lostText(undelivered) });
    rest(LOOK_EVERY_MS);
  }

  async function remember(loss: Loss): Promise<void> {
    lost = loss;
    await store.commit({ rows: [], notes: { [RETENTION_LOSS]: JSON.stringify(loss) } });
  }

  function rest(ms: number): void {
    run = undefined;
    nextMs = steadyMs() + ms;
  }

  function state(): RetentionState | undefined {
    if (rowsMs === undefined) return undefined;
    return retentionState({
      ...{ removedUpTo, rowsUs, undeliveredUs, waiting, nowUs: clock() },
      ...(lost !== undefined && { lost }),
      ...(doubt !== undefined && { doubt }),
      ...(held !== undefined && { held }),
      ...(failure !== undefined && { failure }),
    });
  }

  return { step, state };
}

// How far all rows are older than an age. It goes on where it was: rows only grow older, unless the clock
// was set back.
function createMarch(ageUs: number) {
  let after = 0;
  let isOver = false;
  let lastUs = -Infinity;
  return {
    begin: (start: number, nowUs: number) => {
      after = nowUs < lastUs ? start : Math.max(start, after);
      lastUs = nowUs;
      isOver = false;
    },
    follow: (other: number) => void (after = Math.max(after, other)),
    went: (aged: Aged) => {
      after = aged.upTo;
      isOver = aged.isEnd;
    },
    isOver: () => isOver,
    place: () => ({ after, ageUs }),
  };
}

// How many rows an act may have, by how long the last one took.
function createSize(first: number, steadyMs: () => number) {
  let rows = first;
  return {
    timed: async <T>(work: (rows: number) => Promise<T>): Promise<T> => {
      const beganMs = steadyMs();
      const result = await work(rows);
      const tookMs = Math.max(0.1, steadyMs() - beganMs);
      const fitting = (rows * ACT_MS) / tookMs;
      rows = Math.round(Math.min(MAX_ROWS, 2 * rows, Math.max(100, rows / 4, fitting)));
      return result;
    },
  };
}
