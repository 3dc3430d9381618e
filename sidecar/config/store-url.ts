// The stores in PostgreSQL, of the record and of sessions: their URLs, which are secrets because a password
// stands in them. Nothing is asked of the server here.
import type { Secret } from '../secret.ts';
import type { Reading } from './reading.ts';

/** Returns the URL of the audit store; undefined if none is given, or one that is no good, and reported. */
export function readAuditStore(reading: Reading): Secret | undefined {
  const file = reading.settings.audit.store_file;
  return readUrl({ variable: 'SIGNET_AUDIT_STORE', setting: 'audit.store_file', file }, reading);
}

/** Returns the URL of the session store; undefined if none is given, or one that is no good, and reported. */
export function readSessionStore(reading: Reading): Secret | undefined {
  const file = reading.settings.session.store_file;
  return readUrl(
    { variable: 'SIGNET_SESSION_STORE', setting: 'session.store_file', file },
    reading,
  );
}

/** Returns a sentence where sessions are shared, and the key ring that opens them is not. */
export function findOwnRing(reading: Reading, sessionStore: Secret | undefined): string[] {
  const { given, settings } = reading;
  const isGiven =
    settings.keys_file !== undefined || given.has('SIGNET_KEYS') || given.has('SIGNET_KEYS_FILE');
  if (sessionStore === undefined || isGiven) return [];
  return [
    'sessions are in PostgreSQL, and the key ring is in the state folder: several sidecars need one ring, by keys_file or SIGNET_KEYS, or none opens what another one sealed',
  ];
}

type Place = {
  readonly variable: string;
  readonly setting: string;
  readonly file: string | undefined;
};

// Reported without quoting it.
function readUrl({ variable, setting, file }: Place, reading: Reading): Secret | undefined {
  const { given, place, readSecret, report } = reading;
  const where = place(setting);
  if (isUrl(given.get(`${variable}_FILE`) ?? file ?? '')) {
    const mend = `give the URL by ${variable}, or write it into a file and name that`;
    const read = 'the URL itself';
    report({ where: `${variable}_FILE (or ${where})`, read, allowed: "a file's path", mend });
    return undefined;
  }
  const found = readSecret({ variable, file, where });
  const problem = found ? problemOf(found.reveal()) : undefined;
  if (problem !== undefined) reportUrl(problem, variable, reading);
  return problem === undefined ? (found ?? undefined) : undefined;
}

function reportUrl(read: string, variable: string, { report }: Reading): void {
  const allowed =
    'postgresql://user:password@host:5432/database, or postgresql:///database?host=/folder/of/socket';
  const mend = 'percent-encode what is special in user and password: @ is %40, / is %2F, # is %23';
  report({ where: `${variable} (or its file)`, read, allowed, mend });
}

function isUrl(text: string): boolean {
  return /^postgres(ql)?:\/\//i.test(text);
}

/** Stands where libpq's `user:password@/database?host=/folder` has no host, which a URL must have. */
const NO_HOST = 'nowhere.invalid';

// What https://www.postgresql.org/docs/current/libpq-connect.html and `pg` both take; one host only.
function problemOf(text: string): string | undefined {
  if (!isUrl(text)) return 'no URL that begins with postgresql://';
  const url = URL.parse(text) ?? URL.parse(text.replace('@/', `@${NO_HOST}/`));
  if (url === null || /\s/.test(text) || isTorn(url)) return 'no URL that can be read';
  const host = url.searchParams.get('host') ?? url.hostname;
  if (host === '' || host === NO_HOST) return 'a URL without a host';
  if (host.includes(',')) return 'a URL with several hosts';
  return /^\/[^/]+$/.test(url.pathname) ? undefined : 'a URL without one database';
}

// A `/`, `?` or `#` of the password ends the host: what stands behind is no path, and a part of it.
function isTorn({ pathname, search, hash }: URL): boolean {
  return hash !== '' || `${pathname}${search}`.includes('@');
}
