// Whose turn it is to ask a provider: so many sessions at once, and nobody for a while when it can't be had.
// A session without a turn goes on as it is. Knows neither store nor requests.
import { Fault } from '../fault.ts';
import type { Refresh } from '../identity/begun.ts';
import type { Identity } from '../identity/identity.ts';

/** At 300 ms for a refresh that is 50 a second: 15,000 sessions in five minutes. */
export const MAX_AT_ONCE = 16;
/**
 * So many sessions that fail with no answer in between tell of the provider. One alone tells of itself: it must
 * not keep the provider's word on all others from being heard.
 */
export const FAILED_IN_A_ROW = 3;
const FIRST_PAUSE_MS = 5_000;
/** Short, because who is locked out at the provider stays here meanwhile; one question a minute hurts nobody. */
const LONGEST_PAUSE_MS = 60_000;

export type Turns = {
  /** Whether it makes sense to wait for a turn at the provider of this session. */
  isOpen(identity: Identity): boolean;
  /** Returns what ends the turn (once), when it has come; undefined when none comes for now. */
  take(identity: Identity): Promise<(() => void) | undefined>;
  /** Returns what asks, and learns from it how the provider stands. */
  asking(refresh: Refresh): Refresh;
  /** No turn comes any more. */
  close(): void;
};

type Standing = {
  underWay: number;
  readonly waiting: ((leave: (() => void) | undefined) => void)[];
  /** Sessions whose refreshes failed since the last answer; no more than it takes. */
  readonly failed: Set<string>;
  pauseMs: number;
  pauseUntilMs: number;
};

/** Returns the turns at all providers. */
export function createTurns(now: () => number): Turns {
  const standings = new Map<string, Standing>();
  let isClosed = false;

  function of({ issuer, provider = '' }: Identity): Standing {
    const name = JSON.stringify([issuer, provider]);
    const standing = standings.get(name) ?? newStanding();
    standings.set(name, standing);
    return standing;
  }

  // After a pause one asks for all: until it is answered, the others needn't wait.
  function isShut(standing: Standing): boolean {
    return isClosed || isPausing(standing) || (isSuspect(standing) && standing.underWay > 0);
  }

  // A pause that begins later than now is of a clock that was set back.
  function isPausing({ pauseMs, pauseUntilMs }: Standing): boolean {
    const nowMs = now();
    return nowMs < pauseUntilMs && nowMs >= pauseUntilMs - pauseMs;
  }

  async function take(identity: Identity): Promise<(() => void) | undefined> {
    const standing = of(identity);
    if (isShut(standing)) return undefined;
    if (standing.underWay < MAX_AT_ONCE) return enter(standing);
    return new Promise((resolve) => standing.waiting.push(resolve));
  }

  function enter(standing: Standing): () => void {
    standing.underWay++;
    let hasLeft = false;
    return () => {
      if (hasLeft) return;
      hasLeft = true;
      standing.underWay--;
      const next = isShut(standing) ? undefined : standing.waiting.shift();
      next?.(enter(standing));
    };
  }

  function failed(standing: Standing, { sessionHash = '' }: Identity): void {
    if (!isSuspect(standing)) standing.failed.add(sessionHash);
    // What was under way when the pause began says nothing new.
    if (!isSuspect(standing) || isPausing(standing)) return;
    standing.pauseMs = Math.min(Math.max(FIRST_PAUSE_MS, 2 * standing.pauseMs), LONGEST_PAUSE_MS);
    standing.pauseUntilMs = now() + standing.pauseMs;
    sendAway(standing);
  }

  function asking(refresh: Refresh): Refresh {
    return async (session) => {
      const standing = of(session.identity);
      try {
        const answer = await refresh(session);
        if (answer !== undefined && 'unchecked' in answer) failed(standing, session.identity);
        else if (answer !== undefined) answered(standing);
        return answer;
      } catch (error) {
        const isOfProvider = error instanceof Fault && error.code === 'ERR_PROVIDER';
        if (isOfProvider) failed(standing, session.identity);
        throw error;
      }
    };
  }

  function close(): void {
    isClosed = true;
    standings.forEach(sendAway);
  }

  return { isOpen: (identity) => !isShut(of(identity)), take, asking, close };
}

function newStanding(): Standing {
  return { underWay: 0, waiting: [], failed: new Set(), pauseMs: 0, pauseUntilMs: 0 };
}

function isSuspect({ failed }: Standing): boolean {
  return failed.size >= FAILED_IN_A_ROW;
}

function answered(standing: Standing): void {
  standing.failed.clear();
  [standing.pauseMs, standing.pauseUntilMs] = [0, 0];
}

function sendAway({ waiting }: Standing): void {
  for (const resolve of waiting.splice(0)) resolve(undefined);
}
