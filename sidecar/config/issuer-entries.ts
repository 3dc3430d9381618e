// Who proves identities, as the settings have it: the provider of the top level, further ones, and issuers of
// bearer tokens, each with its preset. What comes of them is read in providers.ts and bearer.ts.
import { PRESETS, type Preset } from '../identity/presets.ts';
import type { Reading } from './reading.ts';
import type { BearerSettings, ProviderSettings } from './schema-identity.ts';

type Entry = {
  /** In the settings: `providers[1]`; empty for the top level. */
  readonly path: string;
  /** What it is by its preset; that of `oidc` brings nothing. */
  readonly brings: Preset;
};

export type ProviderEntry = ProviderSettings & Entry;
export type BearerEntry = BearerSettings & Entry;

/** The preset of whoever names none. */
const PLAIN = 'oidc';

/** Returns the provider of the top level and the further ones; those that were refused as a whole left out. */
export function providerEntries({ settings }: Reading): ProviderEntry[] {
  const { preset, name, label, issuer, client_id, client_secret_file, scopes } = settings;
  const { parameters, sign_out, audiences, claims } = settings;
  const own = { preset, name, label, issuer, client_id, client_secret_file, scopes };
  return [
    { ...own, parameters, sign_out, audiences, claims, path: '', brings: presetOf(preset) },
    ...present(settings.providers, 'providers'),
  ];
}

/** Returns the entries under `bearer`; those that were refused as a whole left out. */
export function bearerEntries({ settings }: Reading): BearerEntry[] {
  return present(settings.bearer, 'bearer');
}

function present<T extends { preset?: string | undefined }>(
  list: readonly (T | undefined)[],
  name: string,
): (T & Entry)[] {
  return list.flatMap((entry, index) =>
    entry === undefined
      ? []
      : [{ ...entry, path: `${name}[${index}]`, brings: presetOf(entry.preset) }],
  );
}

function presetOf(name = PLAIN): Preset {
  return PRESETS[name] ?? { label: name, forPeople: true };
}

/** Returns whether an entry is of a kind that has a name of its own. */
export function hasKind(preset: string | undefined): preset is string {
  return preset !== undefined && preset !== PLAIN;
}

/** Returns the path of a setting of an entry: `providers[1].issuer`, or `issuer` at the top level. */
export function pathIn({ path }: { readonly path: string }, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

/** Returns whether a setting may be called missing: a file that nobody understands may have it, and so may a refused value. */
export function isMissing(value: unknown, path: string, { readable, refused }: Reading): boolean {
  return value === undefined && readable && !refused.has(path);
}
