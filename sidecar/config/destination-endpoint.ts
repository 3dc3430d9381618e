// How a destination is reached: its protocol and its endpoint. Nothing is opened.
import type { Protocol } from '../otlp/destination.ts';
import { PROFILES } from '../otlp/profiles.ts';
import { parseEndpoint, parsePlainUrl } from './address.ts';
import { type Entry, otelSetting, settingOf, VARIABLE } from './destination-entries.ts';
import { readHttp } from './endpoint-http.ts';
import { inFront, isByStandard, ownEndpoint, signalUrls, type Way } from './endpoint-places.ts';
import type { Reading } from './reading.ts';
import { PROTOCOLS } from './schema-destination.ts';
import { shown, shownUrl } from './shown.ts';

/** Returns protocol and endpoint; undefined if one of them is no good, and reported. */
export function readWay(entry: Entry, reading: Reading): Way | undefined {
  const protocol = readProtocol(entry, reading);
  if (protocol === undefined) return undefined;
  return protocol === 'grpc' ? readGrpc(entry, reading) : readHttp(entry, reading);
}

function readProtocol(entry: Entry, { given, report }: Reading): Protocol | undefined {
  const profile = PROFILES[entry.profile];
  const standard = isByStandard(entry) ? otelSetting(given, 'PROTOCOL') : undefined;
  const { value = profile?.protocol, where } = standard ?? {
    value: entry.protocol,
    where: settingOf(entry, 'protocol'),
  };
  const spoken = PROTOCOLS.filter((protocol) => profile?.endpoints[protocol] !== undefined);
  const protocol = spoken.find((known) => known === value);
  if (protocol !== undefined) return protocol;
  const isJson = value === 'http/json';
  const mend = isJson ? 'http/protobuf goes to the same endpoint as http/json' : undefined;
  const allowed = `${spoken.join(', ')} for ${entry.profile}`;
  report({ where, read: shown(value), allowed, ...(mend !== undefined && { mend }) });
  return undefined;
}

function readGrpc(entry: Entry, reading: Reading): Way | undefined {
  const { given, report } = reading;
  const standard = isByStandard(entry) ? otelSetting(given, 'ENDPOINT') : undefined;
  const found = standard ?? ownEndpoint(entry, 'grpc', reading);
  if (found === undefined) return undefined;
  for (const [signal, { where }] of signalUrls(entry, reading)) {
    if (signal === 'traces') continue;
    const mend = 'take it away, or make a destination of its own for this signal';
    report({ where, read: 'another endpoint', allowed: 'one endpoint for all, over gRPC', mend });
  }
  const endpoint = parseEndpoint(found.value);
  if (endpoint !== undefined) return { protocol: 'grpc', endpoint };
  const hasPath = parsePlainUrl(found.value) !== undefined;
  const mend = hasPath ? byHttp(found.where) : inFront(found.value);
  const allowed =
    'https://host:port, or http://host:port for plaintext; gRPC has no path, and no port is 0';
  report({ where: found.where, read: shownUrl(found.value), allowed, ...(mend && { mend }) });
  return undefined;
}

function byHttp(where: string): string {
  if (where.startsWith('OTEL_'))
    return 'for OTLP over HTTP set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf';
  if (where !== VARIABLE) return 'for OTLP over HTTP set protocol: http/protobuf';
  return 'for OTLP over HTTP give it by OTEL_EXPORTER_OTLP_ENDPOINT, with OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf';
}
