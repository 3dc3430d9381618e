// The endpoint of OTLP over HTTP: a base that paths are appended to, and URLs that are taken as they are.
import type { Signal } from '../otlp/destination.ts';
import { PROFILES } from '../otlp/profiles.ts';
import { parsePlainUrl } from './address.ts';
import type { Entry } from './destination-entries.ts';
import { type Found, inFront, isByStandard, ownEndpoint } from './endpoint-places.ts';
import { signalUrls, type Way } from './endpoint-places.ts';
import type { Reading } from './reading.ts';
import { shownUrl } from './shown.ts';

/** Returns where each signal goes; undefined if that is no good, and reported. */
export function readHttp(entry: Entry, reading: Reading): Way | undefined {
  const protocol = 'http/protobuf';
  const whole = wholeUrls(entry, reading);
  if (whole === undefined) return undefined;
  const base = isByStandard(entry) ? reading.given.get('OTEL_EXPORTER_OTLP_ENDPOINT') : undefined;
  const isCovered = entry.signals.every((signal) => whole[signal] !== undefined);
  // Nothing goes anywhere else, so that no other endpoint has to be there.
  if (isCovered && base === undefined && entry.endpoint === undefined) {
    const [url = ''] = Object.values(whole);
    return { protocol, endpoint: new URL(url).origin, urls: whole };
  }
  const found =
    base === undefined
      ? ownEndpoint(entry, protocol, reading)
      : { value: base, where: 'OTEL_EXPORTER_OTLP_ENDPOINT' };
  const endpoint = found && parseBase(found, entry, reading);
  if (endpoint === undefined) return undefined;
  const urls = { ...pathUrls(entry, endpoint), ...whole };
  return { protocol, endpoint, ...(Object.keys(urls).length > 0 && { urls }) };
}

/** Where a profile's paths aren't OTLP's own. */
function pathUrls({ profile }: Entry, endpoint: string): Partial<Record<Signal, string>> {
  const paths = Object.entries(PROFILES[profile]?.paths ?? {});
  return Object.fromEntries(paths.map(([signal, path]) => [signal, `${endpoint}${path}`]));
}

function parseBase({ value, where }: Found, entry: Entry, { report }: Reading): string | undefined {
  const base = parsePlainUrl(value)?.replace(/\/+$/, '');
  const allowed = 'https://host, or http://host for plaintext; a path may follow, no query';
  if (base === undefined) {
    const mend = inFront(value);
    report({ where, read: shownUrl(value), allowed, ...(mend && { mend }) });
    return undefined;
  }
  const paths = ['/v1/traces', '/v1/logs', '/v1/metrics'];
  const appended = [...paths, ...Object.values(PROFILES[entry.profile]?.paths ?? {})];
  const twice = appended.find((path) => base.endsWith(path));
  if (twice === undefined) return base;
  report({ where, read: shownUrl(value), allowed, mend: `take ${twice} away: it is appended` });
  return undefined;
}

/** They are taken as they are (OTLP exporter, "Endpoint URLs for OTLP/HTTP"). */
function wholeUrls(entry: Entry, reading: Reading): Partial<Record<Signal, string>> | undefined {
  const urls: Partial<Record<Signal, string>> = {};
  let isSound = true;
  for (const [signal, { value, where }] of signalUrls(entry, reading)) {
    const url = parsePlainUrl(value);
    if (url !== undefined) urls[signal] = url;
    else {
      isSound = false;
      reading.report({ where, read: shownUrl(value), allowed: 'a whole URL, with its path' });
    }
  }
  return isSound ? urls : undefined;
}
