// Where spans go: each destination that is named, with its endpoint, credentials and authorities.
// Which are named is in destination-entries.ts. Nothing is sent from here.
import { resolve } from 'node:path';
import { type Destination, PROFILES } from '../delivery/destination.ts';
import { parseEndpoint } from './address.ts';
import { type Entry, VARIABLE } from './destination-entries.ts';
import { findEntries, isStandard, otelSetting } from './destination-entries.ts';
import type { Given } from './environment.ts';
import { type Report, shown } from './errors.ts';
import { readMetadata } from './metadata.ts';
import type { Reading } from './reading.ts';

/** Returns the destinations, names unique; reports all that is wrong with them. */
export function readDestinations(reading: Reading): Destination[] {
  return findEntries(reading).flatMap((entry) => makeDestination(entry, reading) ?? []);
}

function makeDestination(entry: Entry, reading: Reading): Destination | undefined {
  const endpoint = readEndpoint(entry, reading);
  const metadata = readMetadata(entry, reading);
  const certificateFile = readCertificate(entry, reading);
  if (endpoint === undefined) return undefined;
  return {
    name: entry.name,
    endpoint,
    metadata,
    ...(certificateFile !== undefined && { certificateFile }),
  };
}

function readEndpoint(entry: Entry, { given, report }: Reading): string | undefined {
  const own = { value: entry.endpoint, where: entry.where };
  const standard = isStandard(entry) ? otelSetting(given, 'ENDPOINT') : undefined;
  const fallback = { value: PROFILES[entry.profile]?.endpoint, where: entry.where };
  // SIGNET_DESTINATION=otlp@URL says it more exactly than OTEL_*; a file does not.
  const found = entry.where === VARIABLE && own.value !== undefined ? own : (standard ?? own);
  if (found === standard) checkProtocol(given, report);
  const { value = '', where } = found.value === undefined ? fallback : found;
  const endpoint = parseEndpoint(value);
  if (endpoint === undefined) {
    const allowed = 'https://host:port, or http://host:port for plaintext; gRPC has no path';
    const mend = value.includes('://') ? undefined : `put https:// or http:// in front`;
    report({ where, read: shown(value), allowed, ...(mend !== undefined && { mend }) });
  }
  return endpoint;
}

function readCertificate(entry: Entry, reading: Reading): string | undefined {
  const { given, readText, report } = reading;
  const standard = isStandard(entry) ? otelSetting(given, 'CERTIFICATE') : undefined;
  const path = standard?.value ?? entry.certificate_file;
  if (path === undefined) return undefined;
  const where = standard?.where ?? `${entry.where}.certificate_file`;
  const text = readText(path, where);
  if (text !== undefined && !text.includes('-----BEGIN CERTIFICATE-----')) {
    report({ where, read: `${shown(path)}, no certificate`, allowed: 'certificates in PEM form' });
  }
  return resolve(reading.sources.cwd, path);
}

/** The endpoint may be meant for OTLP over HTTP, which Signet does not speak. */
function checkProtocol(given: Given, report: Report): void {
  const protocol = otelSetting(given, 'PROTOCOL');
  if (protocol === undefined || protocol.value === 'grpc') return;
  const mend = "name the collector's gRPC port, by default 4317, and take this variable away";
  report({ where: protocol.where, read: shown(protocol.value), allowed: 'grpc', mend });
}
