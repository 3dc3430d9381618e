// One destination as `signet config` tells it: how it was named, what came of it, and where each of its
// settings was written. By the same look-ups as those that read it.
import type { Destination } from '../otlp/destination.ts';
import { type Entry, isStandard, otelSetting, VARIABLE } from './destination-entries.ts';
import { isByStandard } from './endpoint-places.ts';
import { byDefault, byVariable, type Origin, originOf } from './provenance.ts';
import type { Reading } from './reading.ts';

export type ToldDestination = {
  readonly entry: Entry;
  /** `destinations.lightstep`, as its lines begin. */
  readonly prefix: string;
  /** `destinations[0]` in the file; undefined for one that a variable names. */
  readonly path: string | undefined;
  readonly destination: Destination;
};

/** Settings that a standard variable stands for, and what it calls them. */
const STANDARD: Readonly<Record<string, string>> = {
  protocol: 'PROTOCOL',
  compression: 'COMPRESSION',
  certificate_file: 'CERTIFICATE',
  client_certificate_file: 'CLIENT_CERTIFICATE',
  client_key_file: 'CLIENT_KEY',
};

/** Returns the variable that names the destinations; undefined where the file does. */
export function namedBy({ given, settings }: Reading): string | undefined {
  if (given.has(VARIABLE)) return VARIABLE;
  return settings.destinations === undefined ? otelSetting(given, 'ENDPOINT')?.where : undefined;
}

/** Returns where a setting of a destination was written: a standard variable wins over the file. */
export function placeOf(
  told: ToldDestination,
  key: string,
  reading: Reading,
): { readonly path: string; readonly origin: Origin } {
  const { entry, prefix, path } = told;
  const name = STANDARD[key];
  const isAsked = key === 'protocol' ? isByStandard(entry) : isStandard(entry);
  const standard = name === undefined || !isAsked ? undefined : otelSetting(reading.given, name);
  const own = ownOrigin(told, key, fallbackOf(told, key, reading), reading);
  return {
    path: `${path ?? prefix}.${key}`,
    origin: standard === undefined ? own : byVariable(standard.where),
  };
}

/** Returns where the entry itself says it. */
export function ownOrigin(
  { path }: ToldDestination,
  key: string,
  fallback: Origin,
  reading: Reading,
): Origin {
  return path === undefined ? fallback : originOf(`${path}.${key}`, reading, fallback);
}

/** Returns the origin of what a profile says. */
export function byProfile({ entry }: ToldDestination): Origin {
  return byDefault(`of the profile ${entry.profile}`);
}

function fallbackOf(told: ToldDestination, key: string, reading: Reading): Origin {
  const named = told.path === undefined ? namedBy(reading) : undefined;
  if (key === 'profile') return named === undefined ? byDefault('by its name') : byVariable(named);
  if (key === 'compression') return byDefault('by whether it is on this machine');
  return key === 'protocol' ? byProfile(told) : byDefault();
}
