// What can go wrong with an SQLite file, in words that say what to do. Nothing is mended here.
import { isNativeError } from 'node:util/types';
import { explain, Fault } from '../fault.ts';

// Primary result codes of SQLite: https://www.sqlite.org/rescode.html
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** Returns what `work` returns; what it throws becomes a Fault that names the file. */
export function faulting<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw asFault(path, error);
  }
}

/** Returns the Fault of a file that is no sound store of ours. */
export function damaged(path: string, what: string): Fault {
  const advice =
    'It is left as it is: move it away, with what lies beside it (`-wal`, `-shm`), and Signet begins ' +
    'a new one from the log';
  return new Fault('ERR_STORE_DAMAGED', `The audit store ${path} ${what}. ${advice}`);
}

/** Returns the Fault of a file that is not there any more, though it is open. */
export function moved(path: string): Fault {
  const what = 'was moved, removed or replaced while it was open';
  return new Fault('ERR_AUDIT_STORE', `The audit store ${path} ${what}`);
}

/** Returns the Fault of a file that is not there, though what was last written to it is. */
export function beheaded(path: string): Fault {
  const advice = `Put the store back, or move ${path}-wal and ${path}-shm away, too`;
  return new Fault(
    'ERR_STORE_DAMAGED',
    `The audit store ${path} is gone, but ${path}-wal with what was last written to it is there. ${advice}`,
  );
}

function asFault(path: string, cause: unknown): Fault {
  if (cause instanceof Fault) return cause;
  const errcode = isNativeError(cause) && 'errcode' in cause ? Number(cause.errcode) & 0xff : 0;
  if (errcode === SQLITE_CORRUPT || errcode === SQLITE_NOTADB) {
    return damaged(path, `is damaged (${explain(cause)})`);
  }
  return new Fault('ERR_AUDIT_STORE', `The audit store ${path} failed`, { cause });
}
