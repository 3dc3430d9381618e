// Where a PostgreSQL database lies, by its URL, and how a message calls it. The URL holds a password:
// nothing of it but host, port and database gets into one.
import { Client } from 'pg';
import { Fault } from '../fault.ts';
import type { PostgresUse } from './use.ts';

/** Where a database lies, as a Fault names it. */
export type PostgresPlace = {
  readonly host: string;
  readonly port: number;
  readonly database: string;
};

/** Returns how a place is called in a message. */
export function nameOf({ host, port, database }: PostgresPlace): string {
  const at = host.startsWith('/') ? `${host}/.s.PGSQL.${port}` : `${host}:${port}`;
  return `PostgreSQL at ${at}, database ${database},`;
}

/**
 * Returns where the client will connect to, by its own reading of the URL. What does not look like one
 * is not even read: parts of a password could pass for the host or the database, and be printed.
 */
export function placeOf(url: string, use: PostgresUse): PostgresPlace {
  const [, path] = /^postgres(?:ql)?:\/\/[^/?#]*(.*)$/is.exec(url) ?? [];
  if (path === undefined || path.includes('@')) {
    throw new Fault(
      use.code,
      `the URL of the ${use.store} is not of the form postgres://user:password@host:5432/database ` +
        '(in user and password, write @ as %40, / as %2F, ? as %3F, # as %23, % as %25)',
    );
  }
  try {
    const { host, port, database = '' } = new Client({ connectionString: url });
    return { host, port, database };
  } catch (error) {
    throw new Fault(use.code, `the URL of the ${use.store} can't be used: ${mistake(error)}`);
  }
}

// Node's errors have a code; their messages have parts of the URL in them.
function mistake(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : '';
  if (code === 'ENOENT' || code === 'EACCES') return `a file that it names can't be read (${code})`;
  return 'see whether all of it is percent-encoded as it should be';
}
