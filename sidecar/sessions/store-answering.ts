// Whether a server answers: no act takes longer than it may, what has to come first comes first, and how
// the last one ended is told. Knows nothing of sessions.
import { explain, Fault } from '../fault.ts';
import { mayBeAnother } from '../postgres/fault.ts';
import { nameOf, type PostgresPlace } from '../postgres/place.ts';

/** Of the gate's five seconds, this much may go into one question, whatever the connections do. */
const LONGEST_MS = 1_800;
/** Asked for its state while it is down, it tries again at most this often. */
const PROBE_MS = 1_000;

export type AnsweringOptions = {
  readonly place: PostgresPlace;
  readonly now: () => number;
  /** What comes first, until it succeeds; also after a connection broke: the server may be another one by then. */
  readonly prepare: () => Promise<void>;
};

/** Returns what runs acts against a server within their time; it prepares at once. */
export function createAnswering({ place, now, prepare }: AnsweringOptions) {
  let failure: { fault: unknown; atMs: number } | undefined;
  let prepared: Promise<void> | undefined;
  let isKnown = false;
  let isClosed = false;

  async function bounded<T>(act: () => Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>();
    const reason = `${nameOf(place)} did not answer within ${LONGEST_MS} ms`;
    const timer = setTimeout(() => late.reject(new Fault('ERR_SESSION_STORE', reason)), LONGEST_MS);
    try {
      return await Promise.race([act(), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  function preparing(): Promise<void> {
    if (prepared !== undefined) return prepared;
    const mine = prepare();
    prepared = mine;
    mine.catch(() => undo(mine));
    return mine;
  }

  function undo(mine: Promise<void>): void {
    if (prepared === mine) prepared = undefined;
  }

  /**
   * Runs `act` when all is prepared, and whether that fails tells nothing of the server. Whoever comes while it is
   * being prepared waits for the same.
   */
  async function aside<T>(act: () => Promise<T>): Promise<T> {
    const mine = preparing();
    try {
      return await bounded(async () => mine.then(act));
    } catch (fault) {
      if (mayBeAnother(fault)) undo(mine);
      throw fault;
    }
  }

  /** The same for what tells of the server: `state` says how the last one ended. */
  async function within<T>(act: () => Promise<T>): Promise<T> {
    try {
      const result = await aside(act);
      failure = undefined;
      isKnown = true;
      return result;
    } catch (fault) {
      failure = { fault, atMs: now() };
      throw fault;
    }
  }

  const probe = () => void within(async () => {}).catch(() => {}); // `state` says so

  // Whoever is told "not ready" sends no requests that would try again: asking does.
  function state(): { ready: boolean; problem?: string } {
    if (failure === undefined) {
      return isKnown
        ? { ready: true }
        : { ready: false, problem: `${nameOf(place)} is being asked` };
    }
    const sinceMs = now() - failure.atMs;
    const isDue = sinceMs < 0 || sinceMs >= PROBE_MS;
    if (isDue && !isClosed) {
      failure.atMs = now();
      probe();
    }
    return { ready: false, problem: explain(failure.fault) };
  }

  probe();
  return { within, aside, state, close: async () => void (isClosed = true) };
}
