// The credentials of a destination: its profile's token, and further headers. What is given by a file is
// looked at here once, so that a mistake in it shows at start; whoever sends reads it anew.
import { resolve } from 'node:path';
import type { Destination } from '../otlp/destination.ts';
import { isHeader, parseHeaderLines } from '../otlp/header-lines.ts';
import { type Credential, PROFILES } from '../otlp/profiles.ts';
import { secret } from '../secret.ts';
import { type Entry, isStandard, otelSetting } from './destination-entries.ts';
import { parsePairs } from './environment.ts';
import type { Reading } from './reading.ts';
import type { FoundSecret } from './secret-file.ts';

type Credentials = Pick<
  Destination,
  'headers' | 'tokenFile' | 'headersFile' | 'credentialVariables'
>;

/** Returns the credentials; reports a token that is missing or can't be one, and unusable headers. */
export function readCredentials(entry: Entry, reading: Reading): Credentials {
  const further = readHeaders(entry, reading);
  const token = readToken(entry, reading);
  const variables = [token, further].flatMap((part) => part.credentialVariables ?? []);
  return {
    ...further,
    ...token,
    headers: { ...further.headers, ...token.headers },
    ...(variables.length > 0 && { credentialVariables: variables }),
  };
}

function readToken(entry: Entry, reading: Reading): Partial<Credentials> {
  const credential = PROFILES[entry.profile]?.credential;
  if (credential === undefined) {
    if (entry.token_file !== undefined) reportNoToken(entry, reading);
    return {};
  }
  const found = findToken(entry, credential, reading);
  if (found === undefined) reportMissing(entry, credential, reading);
  if (!found || !checkToken(found, credential, reading)) return {};
  const { variable: _, ...parts } = credential;
  if (found.path !== undefined) return { tokenFile: { ...parts, path: found.path } };
  const headers = { [credential.header]: secret(valueOf(found, credential)) };
  return { headers, credentialVariables: [found.where] };
}

/** The environment describes the destination with the profile's own name; for others it is the last resort. */
function findToken(entry: Entry, { variable }: Credential, { findSecret }: Reading) {
  const file = entry.token_file;
  const where = `${entry.where}.token_file`;
  if (entry.name === entry.profile || file === undefined) {
    return findSecret({ variable, file, where });
  }
  return findSecret({ file, where });
}

function valueOf({ secret: token }: FoundSecret, { prefix, encoding }: Credential): string {
  const text = token.reveal();
  return prefix + (encoding === undefined ? text : Buffer.from(text).toString(encoding));
}

function checkToken(found: FoundSecret, { encoding }: Credential, { report }: Reading): boolean {
  const { where } = found;
  const token = found.secret.reveal();
  if (!/^[!-~]+$/.test(token)) {
    const read = 'a token with characters that no token has';
    report({ where, read, allowed: 'one word of printable ASCII' });
    return false;
  }
  if (encoding === undefined || /^[^:]+:./.test(token)) return true;
  const mend = 'Signet makes the base64 of it itself';
  report({ where, read: 'a token without a colon', allowed: 'user:token, as it is', mend });
  return false;
}

function reportMissing({ profile }: Entry, { variable, encoding }: Credential, reading: Reading) {
  const mend = `or ${variable}_FILE, or token_file in the file`;
  const form = encoding === undefined ? '' : ', as user:token';
  const allowed = `${profile}'s access token${form}`;
  reading.report({ where: variable, read: 'nothing', allowed, mend });
}

function reportNoToken({ where, profile }: Entry, { report }: Reading): void {
  const mend =
    'set profile to the backend that the token is for, or put `name=value` into a file and name it as headers_file';
  const allowed = `no token for ${profile}`;
  report({ where: `${where}.token_file`, read: 'a token file', allowed, mend });
}

function readHeaders(entry: Entry, reading: Reading): Credentials {
  const standard = isStandard(entry) ? otelSetting(reading.given, 'HEADERS') : undefined;
  if (standard !== undefined) {
    const pairs = parsePairs(standard.value);
    const isSound = pairs?.every(isHeader) ?? false;
    if (!isSound) reportHeaders(standard.where, 'name=value,name=value, percent-encoded', reading);
    const sound = isSound ? (pairs ?? []) : [];
    return {
      ...(sound.length > 0 && { credentialVariables: [standard.where] }),
      headers: Object.fromEntries(
        sound.map(([name, value]) => [name.toLowerCase(), secret(value)]),
      ),
    };
  }
  const file = entry.headers_file;
  if (file === undefined) return { headers: {} };
  const where = `${entry.where}.headers_file`;
  const text = reading.readText(file, where);
  if (text !== undefined && !parseHeaderLines(text)?.length) {
    reportHeaders(where, 'name=value on each line', reading);
  }
  return { headers: {}, headersFile: resolve(reading.sources.cwd, file) };
}

function reportHeaders(where: string, allowed: string, { report }: Reading): void {
  const mend =
    'names of letters, digits, _ . -, neither grpc-… nor …-bin nor what Signet sets itself; values of printable ASCII';
  report({ where, read: 'headers that cannot be sent', allowed, mend });
}
