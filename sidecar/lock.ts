// One sidecar per state folder: two recorders on one store would send everything twice. The lock is
// SQLite's own on a file of nothing else, so that a kill -9 gives it back.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Fault } from './fault.ts';

/** SQLite's result code for a lock that another connection holds. */
const SQLITE_BUSY = 5;

/** Holds the folder until `release`, or until the process ends, however. Throws ERR_STATE_IN_USE. */
export function lockState(folder: string): { release(): void } {
  const file = join(folder, 'sidecar.lock');
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    database = new DatabaseSync(file);
    // A write, because of a file that may only be read SQLite would grant a lock to everyone. It is never
    // committed, and its journal is in memory: a full disk must not keep the gate closed.
    database.exec(
      'PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; PRAGMA user_version = 1',
    );
    const held = database;
    return { release: () => held.close() };
  } catch (cause) {
    database?.close();
    throw new Fault('ERR_STATE_IN_USE', whyNot(folder, file, cause), { cause });
  }
}

/** Returns whether a sidecar works in the folder now. */
export function isInUse(folder: string): boolean {
  try {
    lockState(folder).release();
    return false;
  } catch (error) {
    return error instanceof Fault && error.code === 'ERR_STATE_IN_USE';
  }
}

function whyNot(folder: string, file: string, cause: unknown): string {
  const isHeld =
    typeof cause === 'object' &&
    cause !== null &&
    'errcode' in cause &&
    (Number(cause.errcode) & 0xff) === SQLITE_BUSY;
  if (!isHeld) return `${file} can't be locked: it must be writable, and of nobody else`;
  return `another sidecar keeps its state in ${folder}; stop that one, or set SIGNET_STATE to another folder`;
}
