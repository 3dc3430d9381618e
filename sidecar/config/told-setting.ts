// One line of `signet config`: a setting, its value, and where that comes from.
import type { ConfigError } from './errors.ts';
import type { ConfigParts } from './load.ts';
import { isAbout, type Origin, originOf, originOfSecret, type SecretNames } from './provenance.ts';
import type { Reading } from './reading.ts';
import { shownWhole } from './shown.ts';

export type ToldValue = string | number | boolean | readonly string[];

export type ToldSetting = {
  /** Its path in signet.yaml, with a destination's name for its index; or a variable that has none. */
  readonly setting: string;
  /** Not there where the setting is refused, and where it is a secret. */
  readonly value?: ToldValue;
  /** A secret is given; not what it is. */
  readonly isSecret?: true;
  /** What is written there is wrong: a mistake says what. */
  readonly isRefused?: true;
  readonly from: string;
};

/** A setting as it was found. */
export type Found = {
  readonly setting: string;
  /** Undefined: there is none. */
  readonly value: ToldValue | undefined;
  /** Its path in the file, if that is another than `setting`. */
  readonly path?: string;
  /** If it isn't where its path says. */
  readonly origin?: Origin;
};

/** A secret as it was found, and its names. */
export type FoundSecret = SecretNames & {
  readonly setting: string;
  /** The file that the settings name. */
  readonly file: string | undefined;
};

/** What tells settings: one line for each, none for what isn't given. */
export type Tell = {
  readonly tell: (found: Found) => ToldSetting[];
  readonly tellSecret: (found: FoundSecret) => ToldSetting[];
};

/** What the lines are made of. */
export type Telling = Tell & { readonly reading: Reading; readonly parts: ConfigParts };

/** Returns what tells settings, and of those with a mistake only where they stand. */
export function createTell(reading: Reading, errors: readonly ConfigError[]): Tell {
  const isRefused = (path: string, origin: Origin) =>
    // What a file says that can't be understood nobody knows: not that a default holds, either.
    (!reading.readable && origin.isDefault) || errors.some((error) => isAbout(error, path, origin));

  const tell = ({ setting, value, path = setting, origin = originOf(path, reading) }: Found) => {
    if (isRefused(path, origin)) return [refused(setting, origin)];
    return value === undefined ? [] : [{ setting, value: shownValue(value), from: origin.from }];
  };

  const tellSecret = ({ setting, file, ...names }: FoundSecret) => {
    const origin = originOfSecret(names, file, reading);
    if (origin === undefined) return [];
    const { variable, path = setting } = names;
    const isWrong = errors.some(({ where }) => variable !== undefined && isNamed(where, variable));
    if (isWrong || isRefused(path, origin)) return [refused(setting, origin)];
    return [{ setting, isSecret: true as const, from: origin.from }];
  };

  return { tell, tellSecret };
}

// Where it is wrong, the name of its file may be the secret itself.
function refused(setting: string, { from, where }: Origin): ToldSetting {
  return { setting, isRefused: true, from: where ?? from };
}

// `SIGNET_KEYS (or its file)`, `SIGNET_KEYS and SIGNET_KEYS_FILE`.
function isNamed(where: string, variable: string): boolean {
  return where.split(' ')[0]?.replace(/_FILE$/, '') === variable;
}

function shownValue(value: ToldValue): ToldValue {
  if (typeof value === 'string') return shownWhole(value);
  return typeof value === 'object' ? value.map(shownWhole) : value;
}
