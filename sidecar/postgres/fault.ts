// What can go wrong with a PostgreSQL server, in words that say what to do. No password, and nothing of
// the URL but host, port and database, gets into a message; nor do values of rows.
import { explain, Fault } from '../fault.ts';
import { nameOf, type PostgresPlace } from './place.ts';
import type { PostgresUse } from './use.ts';

type Sentence = string | ((use: PostgresUse) => string);

/** Of the client's pool, which gives its error no code: it is known by its message. */
const POOL_FULL = 'POOL_FULL';
const POOL_FULL_MESSAGE = 'timeout exceeded when trying to connect';

// By SQLSTATE, or its first two characters, which are its class
// (https://www.postgresql.org/docs/current/errcodes-appendix.html), or by Node's code of a network error.
const SENTENCES: Readonly<Record<string, Sentence>> = {
  ECONNREFUSED: 'refuses connections: start it, or correct host and port in the URL',
  ECONNRESET: 'broke the connection off; the next try makes a new one',
  EPIPE: 'broke the connection off; the next try makes a new one',
  ETIMEDOUT: "can't be reached: correct host and port in the URL, or see what stands between",
  EHOSTUNREACH: "can't be reached: correct host and port in the URL, or see what stands between",
  ENETUNREACH: "can't be reached: correct host and port in the URL, or see what stands between",
  ENOENT: 'has no socket there: start it, or correct host and port in the URL',
  ENOTFOUND: "can't be found: correct the host in the URL, or see what the name service says",
  EAI_AGAIN: "can't be found for now: the name service does not answer",
  [POOL_FULL]: ({ maxConnections }) =>
    `had none of this process's ${maxConnections} connections free in time: it is slow, or much is asked at once`,
  '08': 'broke the connection off; the next try makes a new one',
  '22': 'does not take a value',
  '23505': 'holds a row already that may be there only once',
  '25P03': 'undid a transaction that stood still for a minute',
  '25006':
    'accepts no changes: it is a replica, or was made read-only; name the one that is written to',
  '28': 'does not let Signet in: correct user and password in the URL, or see pg_hba.conf',
  '3D000':
    "doesn't have that database: make it (CREATE DATABASE … ENCODING 'UTF8'), or correct the URL",
  '42501':
    "does not grant Signet's user what it needs: USAGE of the schema, CREATE in it at the first start, " +
    'then SELECT, INSERT, UPDATE and DELETE on its tables',
  '42P07': 'has tables of these names that are not of Signet: name a database of its own',
  '53100': 'has a full disk: make room there',
  '53300': ({ store, maxConnections }) =>
    'has no connection left: raise its max_connections; each process of Signet takes up to ' +
    `${maxConnections} for its ${store}`,
  '57014': ({ locked }) => `took too long, or another process kept ${locked} locked for as long`,
  '57P01': 'is being shut down or restarted; the next try makes a new connection',
  '57P02': 'has crashed and is recovering; the next try makes a new connection',
  '57P03': 'is starting or stopping, and takes no connections yet',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'has a certificate that nobody vouches for: name its CA by sslrootcert',
  SELF_SIGNED_CERT_IN_CHAIN: 'has a certificate of an unknown CA: name it by sslrootcert',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'has a certificate of an unknown CA: name it by sslrootcert',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'has a certificate of an unknown CA: name it by sslrootcert',
  CERT_HAS_EXPIRED: 'has a certificate that has expired: renew it',
  ERR_TLS_CERT_ALTNAME_INVALID: 'has a certificate for another name: correct the host in the URL',
};

// The client's own errors have no code: no answer in time, an end in mid-answer, TLS that isn't offered.
const NO_CODE = 'does not answer as it should; the next try makes a new connection';

/** Returns the Fault that an error of the client or of the server is; a Fault stays itself. */
export function postgresFault(place: PostgresPlace, use: PostgresUse, error: unknown): Fault {
  if (error instanceof Fault) return error;
  const code = codeOf(error);
  const sentence =
    SENTENCES[code] ?? SENTENCES[code.slice(0, 2)] ?? (code === '' ? NO_CODE : 'failed');
  const reason = new Error(`${reasonOf(error)}${code === '' ? '' : ` (${code})`}`);
  const cause = Object.assign(reason, { code });
  const told = typeof sentence === 'string' ? sentence : sentence(use);
  return new Fault(use.code, `${nameOf(place)} ${told}`, { cause });
}

/**
 * Returns whether an error tells of the connection, which is then of no more use, and not of what was
 * asked: whatever the server did not say itself, and when it said that it ends or is out of reach.
 */
export function isOfConnection(error: unknown): boolean {
  const code = codeOf(error);
  const isOfServer = /^(?=.*\d)[0-9A-Z]{5}$/.test(code); // EPIPE is Node's
  return !isOfServer || code.startsWith('08') || code.startsWith('57P');
}

/**
 * Returns whether another server may answer after this failure, or one without our tables: a connection broke, or
 * a table was not there (42P01). A full pool tells of nobody but ourselves.
 */
export function mayBeAnother(fault: unknown): boolean {
  const cause = fault instanceof Fault ? fault.cause : undefined;
  const code = codeOf(cause);
  return code === '42P01' || (cause !== undefined && code !== POOL_FULL && isOfConnection(cause));
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('code' in error) return String(error.code);
  return 'message' in error && error.message === POOL_FULL_MESSAGE ? POOL_FULL : '';
}

// The message alone. The error itself has more: values of a row in its detail, and the connection.
function reasonOf(error: unknown): string {
  if (codeOf(error).startsWith('22')) return 'its message is left out, it quotes the value';
  // Of a name with two addresses the attempts are in `errors`, and the message is empty.
  if (typeof error === 'object' && error !== null && 'errors' in error) {
    return (error.errors as readonly unknown[]).map(explain).join(', ');
  }
  return explain(error);
}
