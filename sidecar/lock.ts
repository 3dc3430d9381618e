// One sidecar per state folder: two recorders on one store would send everything twice. The lock is
// SQLite's own on an empty database, so that a kill -9 gives it back.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Fault } from './fault.ts';

/** Holds the folder until `release`, or until the process ends, however. Throws ERR_STATE_IN_USE. */
export function lockState(folder: string): { release(): void } {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(join(folder, 'sidecar.lock'));
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    const mend = 'stop that one, or set SIGNET_STATE to another folder';
    throw new Fault('ERR_STATE_IN_USE', `another sidecar keeps its state in ${folder}; ${mend}`, {
      cause,
    });
  }
  return { release: () => database.close() };
}
