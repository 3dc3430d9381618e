// The lines of `signet config` about a destination's credentials: that they are given, and by what.
import { PROFILES } from '../otlp/profiles.ts';
import { isStandard, otelSetting } from './destination-entries.ts';
import type { ToldDestination } from './told-destination.ts';
import type { Telling, ToldSetting } from './told-setting.ts';

/** Returns a line for the token, and one for further headers, as far as they are given. */
export function tellCredentials(told: ToldDestination, telling: Telling): ToldSetting[] {
  return [...tellToken(told, telling), ...tellHeaders(told, telling)];
}

function tellToken({ entry, prefix, path }: ToldDestination, { tellSecret }: Telling) {
  const credential = PROFILES[entry.profile]?.credential;
  const { name, profile, token_file: file } = entry;
  // As in `findToken`: for a destination by another name the variable is the last resort.
  const isAsked = credential !== undefined && (name === profile || file === undefined);
  return tellSecret({
    setting: `${prefix}.token_file`,
    path: `${path ?? prefix}.token_file`,
    file,
    ...(isAsked && { variable: credential.variable }),
  });
}

// Not their names, either: of `token=` the whole may be the secret.
function tellHeaders({ entry, prefix, path }: ToldDestination, { tellSecret, reading }: Telling) {
  const standard = isStandard(entry) ? otelSetting(reading.given, 'HEADERS') : undefined;
  return tellSecret({
    setting: `${prefix}.${standard === undefined ? 'headers_file' : 'headers'}`,
    path: `${path ?? prefix}.headers_file`,
    file: entry.headers_file,
    ...(standard !== undefined && { variable: standard.where }),
  });
}
