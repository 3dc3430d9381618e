// Where traces, logs and metrics go: each destination that is named, put together and checked as a
// whole. Which are named is in destination-entries.ts. Nothing is sent from here.
import { type Destination, isOnThisMachine } from '../otlp/destination.ts';
import { PROFILES } from '../otlp/profiles.ts';
import type { Config } from './config.ts';
import { readCredentials } from './destination-credentials.ts';
import { readWay } from './destination-endpoint.ts';
import { type Entry, findEntries, isStandard, otelSetting } from './destination-entries.ts';
import { settingOf } from './destination-entries.ts';
import { readTls } from './destination-tls.ts';
import type { Way } from './endpoint-places.ts';
import { readProxy } from './proxy.ts';
import type { Reading } from './reading.ts';
import { COMPRESSIONS } from './schema-destination.ts';
import { shown } from './shown.ts';

/** Returns them, names unique, and the proxies on the way; reports all that is wrong with them. */
export function readDestinations(reading: Reading): Pick<Config, 'destinations' | 'proxy'> {
  const entries = findEntries(reading);
  // Where nothing is sent, nobody asks what those variables say.
  const proxy = entries.length > 0 ? readProxy(reading) : undefined;
  const destinations = entries.flatMap((entry) => makeDestination(entry, reading) ?? []);
  return { destinations, ...(proxy && { proxy }) };
}

/** What is read of an entry, and the keys that it rests on. */
const PARTS = [
  { read: readWay, restsOn: ['profile', 'protocol', 'endpoint'] },
  { read: readCredentials, restsOn: ['profile', 'token_file', 'token'] },
  {
    read: readTls,
    restsOn: ['certificate_file', 'client_certificate_file', 'client_key_file', 'client_key'],
  },
  { read: checkSignals, restsOn: ['profile', 'signals'] },
  { read: readCompression, restsOn: [] },
  { read: readBudget, restsOn: ['signals'] },
] as const;

/** Finds the further mistakes of an entry with a refused setting, as far as they aren't its consequences. */
function checkRest(entry: Entry, reading: Reading): void {
  for (const { read, restsOn } of PARTS) {
    if (!restsOn.some((key) => entry.refused.includes(key))) read(entry, reading);
  }
}

function makeDestination(entry: Entry, reading: Reading): Destination | undefined {
  if (entry.refused.length > 0) {
    checkRest(entry, reading);
    return undefined;
  }
  const way = readWay(entry, reading);
  const credentials = readCredentials(entry, reading);
  const tls = readTls(entry, reading);
  checkSignals(entry, reading);
  const asked = readCompression(entry, reading);
  const budget = readBudget(entry, reading);
  if (way === undefined) return undefined;
  if (tls.clientCertificateFile !== undefined) checkSecure(entry, way, reading);
  const { name, signals } = entry;
  // On this machine packing costs more than it saves.
  const isNear = addresses(way, entry).every((endpoint) => isOnThisMachine({ endpoint }));
  const compression = asked ?? (isNear ? 'none' : 'gzip');
  return { name, ...way, ...credentials, ...tls, compression, signals, ...(budget && { budget }) };
}

/** Where requests really go: an endpoint whose signals all have URLs of their own is none. */
function addresses({ endpoint, urls = {} }: Way, { signals }: Entry): string[] {
  return signals.map((signal) => urls[signal] ?? endpoint);
}

function readCompression(entry: Entry, { given, report }: Reading) {
  const standard = isStandard(entry) ? otelSetting(given, 'COMPRESSION') : undefined;
  if (standard === undefined) return entry.compression;
  const known = COMPRESSIONS.find((word) => word === standard.value);
  const allowed = COMPRESSIONS.join(', ');
  if (!known) report({ where: standard.where, read: shown(standard.value), allowed });
  return known;
}

function checkSignals(entry: Entry, { report }: Reading): void {
  const taken = PROFILES[entry.profile]?.signals ?? [];
  const refused = entry.signals.filter((signal) => !taken.includes(signal));
  if (refused.length === 0) return;
  const where = settingOf(entry, 'signals');
  const allowed = `${taken.join(', ')} for ${entry.profile}`;
  report({ where, read: refused.join(', '), allowed, mend: 'send them by way of a Collector' });
}

function readBudget(entry: Entry, { report }: Reading): Destination['budget'] {
  const { budget, signals } = entry;
  if (budget === undefined) return undefined;
  if (!signals.includes('traces')) {
    const where = settingOf(entry, 'budget');
    const mend = 'take it away, or add traces to the signals';
    report({ where, read: 'a budget without traces', allowed: 'a budget of spans', mend });
  }
  const { spans_per_second: spansPerSecond, spans_per_day: spansPerDay } = budget;
  return {
    ...(spansPerSecond !== undefined && { spansPerSecond }),
    ...(spansPerDay !== undefined && { spansPerDay }),
  };
}

/** Whoever gives a client certificate means to be known by it; in plain text it is never shown. */
function checkSecure(entry: Entry, way: Way, { given, report }: Reading): void {
  if (addresses(way, entry).every((url) => url.startsWith('https:'))) return;
  const standard = isStandard(entry) ? otelSetting(given, 'CLIENT_CERTIFICATE') : undefined;
  const where = standard?.where ?? settingOf(entry, 'client_certificate_file');
  const allowed = 'a client certificate for https:// only';
  report({ where, read: 'an endpoint in plain text', allowed, mend: 'put https:// in front' });
}
