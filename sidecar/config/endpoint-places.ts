// Where the endpoint of a destination may be written. Whether it is one, its protocol says.
import type { Destination, Protocol, Signal } from '../otlp/destination.ts';
import { PROFILES } from '../otlp/profiles.ts';
import { type Entry, isStandard, settingOf, VARIABLE } from './destination-entries.ts';
import type { Reading } from './reading.ts';

/** How a destination is reached. */
export type Way = Pick<Destination, 'protocol' | 'endpoint' | 'urls'>;

/** A text, and how messages name the place where it was. */
export type Found = { readonly value: string; readonly where: string };

/**
 * Returns whether OTEL_…_ENDPOINT and what goes with it is about this destination: SIGNET_DESTINATION
 * with a URL stands for itself.
 */
export function isByStandard(entry: Entry): boolean {
  return isStandard(entry) && (entry.where !== VARIABLE || entry.endpoint === undefined);
}

/** Returns the entry's own, else its profile's; reports the latter if it has to be filled in first. */
export function ownEndpoint(
  entry: Entry,
  protocol: Protocol,
  { report }: Reading,
): Found | undefined {
  const where = settingOf(entry, 'endpoint');
  if (entry.endpoint !== undefined) return { value: entry.endpoint, where };
  const value = PROFILES[entry.profile]?.endpoints[protocol] ?? '';
  if (!value.includes('<')) return { value, where };
  const isVariable = entry.where === VARIABLE;
  const mend = isVariable ? `write ${entry.profile}@${value}, filled in` : 'set it, filled in';
  report({ where, read: 'no endpoint', allowed: `${entry.profile}'s: ${value}`, mend });
  return undefined;
}

/** Returns the URLs that OTEL_EXPORTER_OTLP_<SIGNAL>_ENDPOINT gives for what this destination gets. */
export function signalUrls(entry: Entry, { given }: Reading): [Signal, Found][] {
  if (!isByStandard(entry)) return [];
  return entry.signals.flatMap((signal) => {
    const where = `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`;
    const value = given.get(where);
    return value === undefined ? [] : [[signal, { value, where }]];
  });
}

/** Returns what to do about a URL without its scheme. */
export function inFront(value: string): string | undefined {
  return value.includes('://') ? undefined : 'put https:// or http:// in front';
}
