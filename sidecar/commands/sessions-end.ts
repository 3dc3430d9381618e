// Ends sessions page by page, each recorded before it is ended: killed in the middle, the record says rather too
// much than too little. What fails is taken back. Which ones are meant, and what is printed, is in sessions.ts.
import type { OpenedSession } from './sessions-text.ts';

/** One session, as it can be told apart and ended. Undefined: sealed by a key that is not in the ring. */
export type ListedSession = { readonly key: string; readonly opened: OpenedSession | undefined };

/** Each throws a Fault when its store can't be had. */
export type SessionsToEnd = {
  /** All of them, in no order that means anything. */
  list(): AsyncIterable<ListedSession>;
  /** Ends these; returns how many of them were there. */
  removeAll(keys: readonly string[]): Promise<number>;
  /** Rejects where no session can be ended now. */
  tryWriting(): Promise<void>;
  /** Rejects when there is no audit store to record it in. */
  record(sessions: readonly OpenedSession[], as: Recorded): Promise<void>;
};

/** That they are ended next; that they have been; that the end which was recorded beforehand failed. */
export type Recorded = 'beforehand' | 'afterwards' | 'withdrawn';

/** What came of it. */
export type Outcome = {
  /** How many were ended. */
  readonly count: number;
  /** Ended, and not recorded: how many at most, and why. */
  readonly unrecorded?: { readonly count: number; readonly error: unknown };
  /** Recorded beforehand, and not ended: how many, and where that could not be recorded, why. */
  readonly withdrawn?: { readonly count: number; readonly error?: unknown };
  /** Why it could not go on. */
  readonly failed?: { readonly error: unknown };
};

/** Sessions that are recorded, and then ended, at once. */
export const PAGE = 50;

/** Ends all that are meant. Once `signal` is aborted, no further page is begun. */
export async function endSessions(
  sessions: SessionsToEnd,
  isMeant: (session: ListedSession) => boolean,
  signal: AbortSignal,
): Promise<Outcome> {
  const late: OpenedSession[] = [];
  let count = 0;
  let withdrawn: Outcome['withdrawn'];

  async function endPage(page: readonly ListedSession[]): Promise<number> {
    const opened = page.flatMap((session) => session.opened ?? []);
    await sessions.tryWriting();
    // Once it fails, whoever waits for each further page keeps people signed in who must not be.
    const isRecorded = late.length === 0 && (await isDone(sessions.record(opened, 'beforehand')));
    const ended = await removeAll(page, isRecorded ? opened : []);
    if (!isRecorded) late.push(...opened);
    count += ended;
    return ended;
  }

  async function removeAll(
    page: readonly ListedSession[],
    recorded: readonly OpenedSession[],
  ): Promise<number> {
    try {
      return await sessions.removeAll(page.map(({ key }) => key));
    } catch (error) {
      const failure = await errorOf(sessions.record(recorded, 'withdrawn'));
      if (recorded.length > 0) withdrawn = { count: recorded.length, ...failure };
      throw error;
    }
  }

  // Again until a look finds none: somebody may sign in meanwhile, or be refreshed.
  async function endAll(): Promise<void> {
    for (let found = -1; found !== 0;) {
      found = 0;
      for await (const page of pagesOf(sessions.list(), isMeant)) {
        await turn();
        if (signal.aborted) return;
        found += await endPage(page);
      }
    }
  }

  const failed = await errorOf(endAll());
  const unrecorded =
    late.length > 0 ? await errorOf(sessions.record(late, 'afterwards')) : undefined;
  return {
    count,
    ...(unrecorded && { unrecorded: { count: late.length, ...unrecorded } }),
    ...(withdrawn && { withdrawn }),
    ...(failed && { failed }),
  };
}

async function* pagesOf(
  all: AsyncIterable<ListedSession>,
  isMeant: (session: ListedSession) => boolean,
): AsyncGenerator<ListedSession[]> {
  let page: ListedSession[] = [];
  for await (const session of all) {
    if (!isMeant(session)) continue;
    page.push(session);
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

// SQLite answers at once: without it no signal would be heard until all are ended.
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function errorOf(work: Promise<void>): Promise<{ error: unknown } | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return { error };
  }
}

async function isDone(work: Promise<void>): Promise<boolean> {
  return (await errorOf(work)) === undefined;
}
