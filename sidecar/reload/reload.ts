// Takes over another configuration while requests are answered: on SIGHUP, and when a file that it came from
// has changed. One that is wrong is refused: the one before holds, and it is told.
import { explain, Fault } from '../fault.ts';

/** How the configuration stands, for `/readyz`. */
export type ConfigurationState = {
  readonly ok: boolean;
  readonly problem?: string;
  readonly file: string;
  /** When what holds was read, as ISO 8601 in UTC. */
  readonly read_at: string;
  /** Settings that have changed since, and hold from the next start on. */
  readonly waits_for_restart?: readonly string[];
};

/** What came of taking over. */
export type Taken = {
  /** Names of the settings that are others now. */
  readonly changed: readonly string[];
  readonly waits: readonly string[];
  /** Sentences about sessions that are open, and not what a sign-in would be now. */
  readonly sessions?: readonly string[];
};

/** As far as it is needed; pino's is one. */
export type ReloadLog = Record<'info' | 'warn' | 'error', (fields: object, text: string) => void>;

export type ReloadParts = {
  readonly file: string;
  /** Reads the configuration and takes it over, whole or not at all; rejects with the reason why not. */
  readonly take: () => Promise<Taken>;
  readonly now: () => number;
  readonly log: ReloadLog;
  /** Pause after a refusal for a reason that passes by itself; default 10,000. */
  readonly againMs?: number;
};

export type Reload = {
  /** Takes over what there is now; after the one that is under way. */
  request(why: string): void;
  state(): ConfigurationState;
  /** Resolves when none is under way; none begins after it. */
  close(): Promise<void>;
};

/** Somebody asked for it, and wants to hear of it. */
const BY_HAND = 'SIGHUP';

const AGAIN = 'tried again';
const AGAIN_MS = 10_000;

const TAKEN = 'the configuration was read anew, and holds';
const UNCHANGED = 'the configuration was read anew: nothing has changed';
const WAITING = 'these settings have changed, and hold from the next start on';
const NOT_WAITING = 'the settings that waited for a start are again what they were';

/** Returns what takes over; the configuration of the start holds now. */
export function createReload(parts: ReloadParts): Reload {
  const { file, take, now, log, againMs = AGAIN_MS } = parts;
  let isClosed = false;
  let waiting: string | undefined;
  let underWay: Promise<void> | undefined;
  let again: NodeJS.Timeout | undefined;
  let readAt = iso(now());
  let waits: readonly string[] = [];
  let problem: string | undefined;

  function request(why: string): void {
    clearTimeout(again);
    waiting = why;
    underWay ??= run().finally(() => (underWay = undefined));
  }

  async function run(): Promise<void> {
    while (waiting !== undefined && !isClosed) {
      const why = waiting;
      waiting = undefined;
      await once(why);
    }
  }

  async function once(why: string): Promise<void> {
    const at = iso(now());
    try {
      const taken = await take();
      const { changed } = taken;
      const isNews = changed.length > 0 || problem !== undefined || why === BY_HAND;
      const isNewlyWaiting = taken.waits.join() !== waits.join();
      [problem, readAt, waits] = [undefined, at, taken.waits];
      if (isNews) log.info({ why, changed }, changed.length > 0 ? TAKEN : UNCHANGED);
      for (const sentence of taken.sessions ?? []) log.warn({ why }, sentence);
      if (isNewlyWaiting) log.warn({ settings: waits }, waits.length > 0 ? WAITING : NOT_WAITING);
    } catch (error) {
      problem = `what was read at ${at} is refused, and what was read at ${readAt} holds: ${explain(error)}`;
      log.error(
        { why, problem: explain(error) },
        'the new configuration is refused, the old one holds',
      );
      if (isPassing(error) && !isClosed) again = setTimeout(() => request(AGAIN), againMs).unref();
    }
  }

  return {
    request,
    state: () => ({
      ok: problem === undefined,
      ...(problem !== undefined && { problem }),
      file,
      read_at: readAt,
      ...(waits.length > 0 && { waits_for_restart: waits }),
    }),
    async close() {
      isClosed = true;
      clearTimeout(again);
      await underWay;
    },
  };
}

// Nothing is wrong with the files: who would change them to be heard again?
function isPassing(error: unknown): boolean {
  return error instanceof Fault && (error.code === 'ERR_PROVIDER' || error.code === 'ERR_RECORDER');
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
