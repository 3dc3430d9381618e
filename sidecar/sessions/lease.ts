// The lease of a session among the sidecars of one store: whoever holds it may use up the session's refresh
// token. One that dies gives it up by not renewing it; sessions go on meanwhile, see renewal.ts.
import { randomUUID } from 'node:crypto';
import { REFRESH_MS } from '../identity/begun.ts';
import { WRITE_MS } from './confirm.ts';
import type { SessionStore } from './store.ts';
import { every, pause } from './wait.ts';

/**
 * As long as a refresh and the writing of its tokens may take together: it holds even while the store is away, and
 * can't be renewed. Whoever took it over earlier would spend a refresh token that is spent already.
 */
export const LEASE_MS = REFRESH_MS + WRITE_MS;
/** Longest time for which a lease is renewed: whoever takes longer is stuck. */
const MAX_HELD_MS = 120_000;

export type LeaseOptions = {
  readonly store: Pick<SessionStore, 'lease' | 'release'>;
  readonly forMs: number;
  /** How long to wait while another sidecar holds it. */
  readonly waitMs: number;
  /** Told each time when another holds it. */
  readonly onHeld: () => void;
  /** Whether it is still of use; asked between tries. */
  readonly isWanted: () => Promise<boolean>;
};

/** Returns what gives the lease back; undefined when it was not to be had in time, or not wanted any more. */
export async function takeLease(
  key: string,
  options: LeaseOptions,
): Promise<(() => Promise<void>) | undefined> {
  const { store, forMs, waitMs, onHeld, isWanted } = options;
  // Of each taking its own: one that was given up for lost must not pass for the next.
  const owner = randomUUID();
  for (let waitedMs = 0, nextMs = 50; ; nextMs = Math.min(2 * nextMs, 500)) {
    if (await lease()) return hold(key, owner, options);
    onHeld();
    if (waitedMs >= waitMs || !(await isWanted())) return undefined;
    await pause(nextMs);
    waitedMs += nextMs;
  }

  // It may have been given, and only the answer was lost: nobody would hold it, and nobody could have it.
  async function lease(): Promise<boolean> {
    try {
      return await store.lease(key, owner, forMs);
    } catch (error) {
      await store.release(key, owner).catch(ignore);
      throw error;
    }
  }
}

function hold(key: string, owner: string, { store, forMs }: LeaseOptions): () => Promise<void> {
  let renewedMs = 0;
  const everyMs = forMs / 3;
  // A renewal that fails is no matter: what is written, is written by the version.
  const stop = every(everyMs, () => renew(), ignore);

  async function renew(): Promise<void> {
    renewedMs += everyMs;
    if (renewedMs >= MAX_HELD_MS) stop();
    else await store.lease(key, owner, forMs);
  }

  return async () => {
    stop();
    await store.release(key, owner).catch(ignore);
  };
}

function ignore(): void {
  // The lease runs out by itself.
}
