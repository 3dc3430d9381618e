// The connection to the sessions' file: closed when it fails or is the file's no more, opened again when it is
// asked, and what is told of it. Knows no statement.
import type { DatabaseSync } from 'node:sqlite';
import { Fault, explain } from '../fault.ts';
import { openSessionFile, placeOf, type SealOld } from './store-file.ts';
import { createLine } from './store-line.ts';
import type { Awaitable } from './store.ts';

export type SessionFileOptions = {
  readonly path: string;
  readonly now: () => number;
  /** Without it the sessions of schema 1 are dropped. */
  readonly sealOld?: SealOld;
};

type Act<T> = (database: DatabaseSync) => T;

const REOPEN_MS = 1_000;
// SQLite's primary result codes BUSY, READONLY, FULL and CONSTRAINT.
const PASSING: ReadonlySet<number> = new Set([5, 8, 13, 19]);

/** Returns what runs acts on the file's connection, which is opened at once. Throws ERR_SESSION_STORE. */
export function createReopened({ path, now, sealOld }: SessionFileOptions) {
  const [readers, writers] = [createLine(), createLine()];
  let database: DatabaseSync | undefined;
  let place: string | undefined;
  let failure: { fault: Fault; atMs: number } | undefined;
  let isClosed = false;

  function opened(): DatabaseSync {
    // What was under way when it was closed must not open it again.
    if (isClosed) throw new Fault('ERR_SESSION_STORE', `the session store ${path} was closed`);
    if (database) return database;
    const sinceMs = failure ? now() - failure.atMs : REOPEN_MS;
    if (failure && sinceMs >= 0 && sinceMs < REOPEN_MS) throw failure.fault;
    database = openSessionFile(path, sealOld);
    place = placeOf(path);
    return database;
  }

  function attempt<T>(act: (database: DatabaseSync) => T): T {
    try {
      const result = act(opened());
      failure = undefined;
      return result;
    } catch (cause) {
      if (cause instanceof Fault) throw cause;
      const fault = new Fault('ERR_SESSION_STORE', `the session store ${path} failed`, { cause });
      // A lock, a full disk, a file that may not be written, a key given twice: a new connection cures
      // none of them, and what can be read must go on being read.
      if (!isPassing(cause)) {
        drop();
        failure = { fault, atMs: now() };
      }
      throw fault;
    }
  }

  // A file that was removed, or another one in its place: what is written would be lost, and whoever did it
  // meant everybody to be signed out.
  function leaveMoved(): void {
    const there = placeOf(path);
    if (database && there !== undefined && there !== place) drop();
  }

  // Upkeep: when the disk is full it fails, and sessions can be read all the same.
  function aside<T>(act: (database: DatabaseSync) => T): T {
    const usable = attempt((opened) => opened);
    try {
      return act(usable);
    } catch (cause) {
      throw new Fault('ERR_SESSION_STORE', `the session store ${path} can't be written`, { cause });
    }
  }

  // Whoever is told "not ready" sends no requests that would open it again: asking does.
  function state(): { ready: boolean; problem?: string } {
    try {
      if (failure) attempt(() => undefined);
    } catch {
      // what is left in `failure`
    }
    return failure ? { ready: false, problem: explain(failure.fault) } : { ready: true };
  }

  function drop(): void {
    try {
      database?.close();
    } catch {
      // It failed already; that is why it is being closed.
    }
    database = undefined;
  }

  try {
    attempt(() => undefined);
  } catch {
    // `state` says so
  }
  const close = () => {
    isClosed = true;
    drop();
    readers.close();
    writers.close();
  };
  return {
    /** At once, and for who waits only where the file is locked as a whole. */
    read: <T>(act: Act<T>): Awaitable<T> => readers.run(() => attempt(act)),
    write: async <T>(act: Act<T>): Promise<T> =>
      writers.run(() => {
        leaveMoved();
        return attempt(act);
      }),
    /** A write whose failure tells nothing of reading. */
    writeAside: async <T>(act: Act<T>): Promise<T> =>
      writers.run(() => {
        leaveMoved();
        return aside(act);
      }),
    ...{ state, close },
  };
}

function isPassing(error: unknown): boolean {
  const isCoded = typeof error === 'object' && error !== null && 'errcode' in error;
  return isCoded && PASSING.has(Number(error.errcode) & 0xff);
}
