// The gRPC metadata of a destination: its profile's token, and further headers. All values are secrets.
import { PROFILES } from '../delivery/destination.ts';
import { type Secret, secret } from '../secret.ts';
import { type Entry, isStandard, otelSetting } from './destination-entries.ts';
import { parsePairs } from './environment.ts';
import type { Reading } from './reading.ts';
import type { ReadSecret } from './secret-file.ts';

type Metadata = Readonly<Record<string, Secret>>;

const TOKEN_VARIABLES: Readonly<Record<string, string>> = { lightstep: 'LIGHTSTEP_ACCESS_TOKEN' };

/** Returns the metadata; reports a token that is missing or can't be one, and unusable headers. */
export function readMetadata(entry: Entry, reading: Reading): Metadata {
  return { ...readHeaders(entry, reading), ...readToken(entry, reading) };
}

function readToken(entry: Entry, { readSecret, report }: Reading): Metadata {
  const header = PROFILES[entry.profile]?.tokenHeader;
  const variable = TOKEN_VARIABLES[entry.profile];
  const where = `${entry.where}.token_file`;
  if (header === undefined || variable === undefined) {
    if (entry.token_file === undefined) return {};
    const mend = 'put `name=value` into a file, and name it as headers_file';
    report({ where, read: 'a token file', allowed: `no token for ${entry.profile}`, mend });
    return {};
  }
  const token = findToken(entry, variable, where, readSecret);
  if (token === undefined) {
    const mend = `or ${variable}_FILE, or token_file in the file`;
    report({ where: variable, read: 'nothing', allowed: `${entry.profile}'s access token`, mend });
  }
  if (token && !/^[!-~]+$/.test(token.reveal())) {
    const read = 'a token with characters that no token has';
    report({ where: variable, read, allowed: 'one word of printable ASCII' });
  }
  return token ? { [header]: token } : {};
}

/** The environment describes the destination with the profile's own name; for others it is the last resort. */
function findToken(
  entry: Entry,
  variable: string,
  where: string,
  readSecret: ReadSecret,
): Secret | undefined | null {
  const file = entry.token_file;
  if (entry.name === entry.profile || file === undefined) {
    return readSecret({ variable, file, where });
  }
  return readSecret({ file, where });
}

function readHeaders(entry: Entry, reading: Reading): Metadata {
  const { given, readText, report } = reading;
  const standard = isStandard(entry) ? otelSetting(given, 'HEADERS') : undefined;
  const where = standard?.where ?? `${entry.where}.headers_file`;
  const file = entry.headers_file;
  const text = file === undefined || standard ? undefined : readText(file, where);
  const pairs = standard ? parsePairs(standard.value) : parseLines(text ?? '');
  if (pairs !== undefined && pairs.every(isHeader)) {
    return Object.fromEntries(pairs.map(([name, value]) => [name.toLowerCase(), secret(value)]));
  }
  const allowed = standard ? 'name=value,name=value, percent-encoded' : 'name=value on each line';
  const mend =
    'names of letters, digits, _ . -, neither grpc-… nor …-bin; values of printable ASCII';
  report({ where, read: 'headers that gRPC cannot send', allowed, mend });
  return {};
}

/** Returns the pairs of a file's lines; empty lines and those with `#` in front are passed over. */
function parseLines(text: string): [string, string][] | undefined {
  const lines = text.split('\n').map((line) => line.trim());
  const pairs = lines.filter((line) => line !== '' && !line.startsWith('#')).map(splitPair);
  return pairs.every((pair) => pair !== undefined) ? pairs : undefined;
}

function splitPair(line: string): [string, string] | undefined {
  const equals = line.indexOf('=');
  return equals < 1 ? undefined : [line.slice(0, equals).trim(), line.slice(equals + 1).trim()];
}

/** gRPC keeps `grpc-` to itself, and takes `-bin` for base64 (gRPC over HTTP2, Custom-Metadata). */
function isHeader([name, value]: [string, string]): boolean {
  return /^(?!grpc-)[\w.-]+(?<!-bin)$/i.test(name) && /^[ -~]*$/.test(value);
}
