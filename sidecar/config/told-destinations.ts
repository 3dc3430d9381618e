// The lines of `signet config` about destinations: what their profiles, the file and the variables made of
// each together, and which of them said so.
import { findEntries, VARIABLE } from './destination-entries.ts';
import { byVariable, originOf } from './provenance.ts';
import { tellAddresses } from './told-addresses.ts';
import { tellCredentials } from './told-credentials.ts';
import { namedBy, placeOf, type ToldDestination } from './told-destination.ts';
import type { Telling, ToldSetting, ToldValue } from './told-setting.ts';

/** Returns the lines of all destinations, or one that says that there is none. */
export function tellDestinations(telling: Telling): ToldSetting[] {
  const { parts, reading, tell } = telling;
  // What is wrong with them was said when they were read.
  const entries = findEntries({ ...reading, report: () => undefined });
  const named = namedBy(reading);
  const origin = named === undefined ? originOf('destinations', reading) : byVariable(named);
  // Where nothing is said at all, that is a mistake, and not none.
  if (entries.length === 0 && origin.isDefault && reading.readable) return [];
  if (entries.length === 0) return tell({ setting: 'destinations', value: [], origin });
  return entries.flatMap((entry) => {
    const { name, where } = entry;
    const prefix = `destinations.${name}`;
    const path = where === VARIABLE ? undefined : where.slice(`${reading.file}: `.length);
    const destination = parts.destinations.find((made) => made.name === name);
    if (destination !== undefined) return tellOne({ entry, prefix, path, destination }, telling);
    // Which of its settings it is, its mistake says.
    const { from } = path === undefined ? origin : originOf(path, reading);
    return [{ setting: prefix, isRefused: true as const, from }];
  });
}

function tellOne(told: ToldDestination, telling: Telling): ToldSetting[] {
  const { destination, prefix, entry } = told;
  const { budget = {} } = destination;
  const line = (key: string, value: ToldValue | undefined) =>
    telling.tell({ setting: `${prefix}.${key}`, value, ...placeOf(told, key, telling.reading) });
  return [
    ...line('profile', entry.profile),
    ...line('protocol', destination.protocol),
    ...tellAddresses(told, telling),
    ...tellCredentials(told, telling),
    ...line('certificate_file', destination.certificateFile),
    ...line('client_certificate_file', destination.clientCertificateFile),
    ...line('client_key_file', destination.clientKeyFile),
    ...line('compression', destination.compression),
    ...line('signals', destination.signals),
    ...line('budget.spans_per_second', budget.spansPerSecond),
    ...line('budget.spans_per_day', budget.spansPerDay),
  ];
}
