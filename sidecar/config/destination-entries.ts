// Which destinations are named: by SIGNET_DESTINATION, else by `destinations` in the file, else by
// OTEL_EXPORTER_OTLP_ENDPOINT. What each needs is read in destinations.ts.
import { PROFILES } from '../otlp/profiles.ts';
import { parseOrigin, parsePlainUrl } from './address.ts';
import { type Given, splitList } from './environment.ts';
import { nearest, type Report } from './errors.ts';
import type { Reading } from './reading.ts';
import type { DestinationSettings } from './schema.ts';
import { described, shown } from './shown.ts';

/** An entry wherever it came from. */
export type Entry = DestinationSettings & {
  readonly profile: string;
  /** How messages name it. */
  readonly where: string;
  /** Its keys whose values were refused, and reported. */
  readonly refused: readonly string[];
};

/** The variable that names destinations. */
export const VARIABLE = 'SIGNET_DESTINATION';

/** Returns the entries, names unique; reports what is wrong with them, and if none is named at all. */
export function findEntries(reading: Reading): Entry[] {
  const entries = listEntries(reading);
  reportRepeated(entries, reading.report);
  return entries;
}

function listEntries(reading: Reading): Entry[] {
  const { given, settings, file, missing, report } = reading;
  const variable = given.get(VARIABLE);
  if (variable !== undefined) return parseDestinations(variable, report);
  if (settings.destinations !== undefined) return entriesInFile(reading);
  if (otelSetting(given, 'ENDPOINT') !== undefined) return parseDestinations('otlp', report);
  // A list that is there and no good is reported already.
  if (missing('destinations') !== undefined) {
    const allowed = `${Object.keys(PROFILES).join(', ')}, a URL, or several with commas between`;
    const mend = 'say where spans go; `none` keeps the audit and sends nothing';
    report({ where: `${VARIABLE} (or destinations in ${file})`, read: 'nothing', allowed, mend });
  }
  return [];
}

/** Returns the entries of the file, those that were refused as a whole left out. */
export function entriesInFile({ settings, file, refused }: Reading): Entry[] {
  return (settings.destinations ?? []).flatMap((entry, index) => {
    if (entry === undefined) return [];
    const { name, profile = Object.hasOwn(PROFILES, name) ? name : 'otlp' } = entry;
    const path = `destinations[${index}]`;
    const below = [...refused].filter((setting) => setting.startsWith(`${path}.`));
    const keys = below.map((setting) => /^\w*/.exec(setting.slice(path.length + 1))?.[0] ?? '');
    return { ...entry, profile, where: `${file}: ${path}`, refused: keys };
  });
}

/** Returns the entries of `lightstep,otlp@http://host:4317,https://host`; none for `none`. */
function parseDestinations(text: string, report: Report): Entry[] {
  const items = splitList(text);
  if (items.length === 0) reportProfile(shown(text), text, report);
  if (items.length === 1 && items[0] === 'none') return [];
  const entries: Entry[] = [];
  for (const [index, item] of items.entries()) {
    const [profile = '', ...url] = /^https?:/.test(item) ? ['otlp', item] : item.split(/@(.*)/s, 2);
    const endpoint = url[0];
    if (!Object.hasOwn(PROFILES, profile)) {
      const place = items.length > 1 ? ` (number ${index + 1})` : '';
      reportProfile(`${shownProfile(profile, item)}${place}`, profile, report);
      continue;
    }
    // The first of a profile has its plain name, so that its cursor stays when others are added.
    const isFirst = !entries.some((entry) => entry.profile === profile);
    const address = addressOf(endpoint ?? '');
    const name = isFirst || address === undefined ? profile : `${profile}@${address}`;
    const own = endpoint !== undefined && { endpoint };
    entries.push({ name, profile, signals: ['traces'], where: VARIABLE, refused: [], ...own });
  }
  return entries;
}

/** A port that isn't written is the scheme's own, or gRPC's in plain text. */
function addressOf(endpoint: string): string | undefined {
  const origin = parsePlainUrl(endpoint) && parseOrigin(endpoint);
  return origin?.replace(/^https?:\/\//, '');
}

// An access token may stand here by mistake: only what is nearly a profile is quoted.
function shownProfile(profile: string, item: string): string {
  const known = [...Object.keys(PROFILES), 'none'];
  const isNear = nearest(profile, known, profile.length / 3) !== undefined;
  return isNear ? shown(profile) : `${described(item)} that names no destination`;
}

function reportProfile(read: string, profile: string, report: Report): void {
  const known = Object.keys(PROFILES);
  const mend =
    profile === 'none'
      ? '`none` stands alone'
      : `the nearest known one is ${nearest(profile, known)}; an endpoint begins with https:// or http://`;
  const allowed = `${known.join(', ')}, each also as NAME@URL, or a URL, or none`;
  report({ where: VARIABLE, read, allowed, mend });
}

function reportRepeated(entries: readonly Entry[], report: Report): void {
  const names = entries.map(({ name }) => name);
  for (const { name, where } of entries.filter((entry, at) => names.indexOf(entry.name) < at)) {
    const allowed = 'each name once: what was sent is remembered under it';
    report({ where, read: `${shown(name)}, twice`, allowed, mend: 'rename or remove one' });
  }
}

/** Returns how messages name a setting of an entry: the variable has none. */
export function settingOf({ where }: Entry, key: string): string {
  return where === VARIABLE ? VARIABLE : `${where}.${key}`;
}

/**
 * Returns whether OTEL_EXPORTER_OTLP_* is about this destination: the one called `otlp` and no
 * other, so that one backend's credentials never reach a second one.
 */
export function isStandard(entry: Entry): boolean {
  return entry.name === 'otlp' && entry.profile === 'otlp';
}

/** Returns a standard setting and its variable; the one for traces wins (OTLP exporter, 1.0). */
export function otelSetting(
  given: Given,
  name: string,
): { value: string; where: string } | undefined {
  for (const where of [`OTEL_EXPORTER_OTLP_TRACES_${name}`, `OTEL_EXPORTER_OTLP_${name}`]) {
    const value = given.get(where);
    if (value !== undefined) return { value, where };
  }
  return undefined;
}
