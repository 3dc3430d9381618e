// The audit store in PostgreSQL: its URL, which is a secret because the password stands in it. Nothing
// is asked of the server here.
import type { Secret } from '../secret.ts';
import type { Reading } from './reading.ts';

const VARIABLE = 'SIGNET_AUDIT_STORE';

/** Returns the URL; undefined if none is given, or one that is no good, and reported without quoting it. */
export function readAuditStore(reading: Reading): Secret | undefined {
  const { settings, given, place, readSecret, report } = reading;
  const where = place('audit.store_file');
  const file = settings.audit.store_file;
  if (isUrl(given.get(`${VARIABLE}_FILE`) ?? file ?? '')) {
    const mend = `give the URL by ${VARIABLE}, or write it into a file and name that`;
    const read = 'the URL itself';
    report({ where: `${VARIABLE}_FILE (or ${where})`, read, allowed: "a file's path", mend });
    return undefined;
  }
  const found = readSecret({ variable: VARIABLE, file, where });
  const problem = found ? problemOf(found.reveal()) : undefined;
  if (problem !== undefined) reportUrl(problem, reading);
  return problem === undefined ? (found ?? undefined) : undefined;
}

function reportUrl(read: string, { report }: Reading): void {
  const allowed =
    'postgresql://user:password@host:5432/database, or postgresql:///database?host=/folder/of/socket';
  const mend = 'percent-encode what is special in user and password: @ is %40, / is %2F, # is %23';
  report({ where: `${VARIABLE} (or its file)`, read, allowed, mend });
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
