// The settings about who proves identities: the client at the OpenID provider, the issuers of
// bearer tokens, and how long a session lives.
import type { Secret } from '../secret.ts';
import { parseDuration } from './address.ts';
import type { BearerIssuer } from '../identity/bearer.ts';
import type { Config } from './config.ts';
import type { Reading } from './reading.ts';

type Client = Pick<Config, 'issuer' | 'clientId' | 'clientSecret'>;

/** Returns what there is of the client at the provider; reports what of it is missing. */
export function readClient(reading: Reading): Partial<Client> {
  const { issuer, client_id: clientId } = reading.settings;
  require(reading, 'issuer', "the OpenID provider's URL, such as https://login.example.com");
  require(reading, 'client_id', "the client's id, as the provider has it");
  const clientSecret = readClientSecret(reading);
  return {
    ...(issuer !== undefined && { issuer }),
    ...(clientId !== undefined && { clientId }),
    ...(clientSecret && { clientSecret }),
  };
}

function require({ missing, report }: Reading, path: string, allowed: string): void {
  const where = missing(path);
  if (where !== undefined) report({ where, read: 'nothing', allowed, mend: 'set one of the two' });
}

function readClientSecret(reading: Reading): Secret | undefined | null {
  const { settings, refused, file, readable, place, findSecret, report } = reading;
  const where = place('client_secret_file');
  const variable = 'SIGNET_CLIENT_SECRET';
  const found = findSecret({ variable, file: settings.client_secret_file, where });
  if (found === undefined && readable && !refused.has('client_secret_file')) {
    const mend = `set it, or name a file by ${variable}_FILE or client_secret_file in ${file}`;
    report({ where: variable, read: 'nothing', allowed: "the client's secret", mend });
  }
  if (!found || isClientSecret(found.secret)) return found?.secret;
  const read = 'a secret of several lines, or with characters that no secret has';
  report({ where: found.where, read, allowed: 'one line of printable ASCII' });
  return null;
}

// RFC 6749, appendix A.2: the provider would refuse every sign-in with another one.
function isClientSecret(found: Secret): boolean {
  return /^[\x20-\x7e]+$/.test(found.reveal());
}

/** Returns the issuers of bearer tokens, the provider first if it has audiences; each stands once. */
export function readBearer({ settings, place, report }: Reading): BearerIssuer[] {
  const { issuer, audiences } = settings;
  const own = issuer !== undefined && audiences.length > 0 ? [{ issuer, audiences }] : [];
  const sound = settings.bearer.filter((entry) => entry !== undefined);
  const further = sound.map(({ algorithms, ...rest }) =>
    algorithms === undefined ? rest : { ...rest, algorithms },
  );
  const all = [...own, ...further];
  const names = all.map((entry) => entry.issuer);
  if (new Set(names).size < names.length) {
    const mend = 'put its audiences together; for `issuer` itself use `audiences`';
    report({ where: place('bearer'), read: 'an issuer twice', allowed: 'each issuer once', mend });
  }
  return all;
}

/** Returns a session's lifetimes; reports an idle one that is longer than the absolute one. */
export function readSession({ settings, refused, place, report }: Reading): Config['session'] {
  const { idle, absolute } = settings.session;
  const idleMs = parseDuration(idle) ?? 0;
  const absoluteMs = parseDuration(absolute) ?? 0;
  // A default in place of a refused one was written by nobody.
  const isWritten = !refused.has('session.idle') && !refused.has('session.absolute');
  if (isWritten && idleMs > absoluteMs) {
    const allowed = `an idle time of at most ${absolute}, which is session.absolute`;
    report({ where: place('session.idle'), read: idle, allowed, mend: 'shorten it' });
  }
  return { idleMs, absoluteMs };
}
