// What the file says about destinations, and the environment says otherwise. The environment wins, and
// that may not be meant: the file looks as if it held.
import {
  entriesInFile,
  type Entry,
  isStandard,
  otelSetting,
  VARIABLE,
} from './destination-entries.ts';
import { type Found, signalUrls } from './endpoint-places.ts';
import type { Reading } from './reading.ts';

/** Settings of the destination called `otlp`, and what OTEL_EXPORTER_OTLP_* calls them. */
const STANDARD = {
  endpoint: 'ENDPOINT',
  protocol: 'PROTOCOL',
  headers_file: 'HEADERS',
  compression: 'COMPRESSION',
  certificate_file: 'CERTIFICATE',
  client_certificate_file: 'CLIENT_CERTIFICATE',
  client_key_file: 'CLIENT_KEY',
} as const;

/** Returns a sentence for each thing in the file that a variable wins over, without its value. */
export function findOverruled(reading: Reading): string[] {
  const variable = reading.given.get(VARIABLE);
  const inFile = entriesInFile(reading);
  if (variable === undefined) {
    return inFile.filter(isStandard).flatMap((entry) => overruledIn(entry, reading));
  }
  if (inFile.length === 0) return [];
  const unused = inFile.length === 1 ? 'its entry is' : `its ${inFile.length} entries are`;
  const effect = variable === 'none' ? 'nothing is sent' : `${unused} not used`;
  return [`${VARIABLE} wins over destinations in ${reading.file}: ${effect}; ${MEND}`];
}

const MEND = 'unset the variable, or take away what the file says';

function overruledIn(entry: Entry, reading: Reading): string[] {
  const settings = Object.entries(STANDARD) as [keyof typeof STANDARD, string][];
  return settings.flatMap(([key, name]) => {
    const inFile = entry[key];
    const winner =
      key === 'endpoint' ? endpointOf(entry, reading) : otelSetting(reading.given, name);
    if (inFile === undefined || winner === undefined || winner.value === inFile) return [];
    return `${winner.where} wins over ${entry.where}.${key}; ${MEND}`;
  });
}

/** The one for a signal that isn't sent wins over nothing. */
function endpointOf(entry: Entry, reading: Reading): Found | undefined {
  const where = 'OTEL_EXPORTER_OTLP_ENDPOINT';
  const value = reading.given.get(where);
  return signalUrls(entry, reading)[0]?.[1] ?? (value === undefined ? undefined : { value, where });
}
