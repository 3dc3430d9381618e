// The issuers of bearer tokens: providers with audiences, and those under `bearer`; and whom opaque tokens
// are looked up at.
import type { BearerIssuer } from '../identity/bearer.ts';
import { parseDuration } from './address.ts';
import { baseOfOthers, baseOfPreset, claimNames, type ClaimsBase } from './claim-names.ts';
import { type BearerEntry, bearerEntries, isMissing, pathIn } from './issuer-entries.ts';
import { checkClientSecret, type ProviderParts } from './providers.ts';
import type { Reading } from './reading.ts';

/** An issuer under `bearer`, which may lack what has no default. */
export type BearerParts = Omit<BearerIssuer, 'issuer' | 'name' | 'names'> & {
  readonly issuer?: string;
  readonly names: NonNullable<BearerIssuer['names']>;
  readonly entry: BearerEntry;
  readonly base: ClaimsBase;
};

/** Returns what there is of each issuer under `bearer`; reports what is missing, and what does not go together. */
export function readBearer(reading: Reading, providers: readonly ProviderParts[]): BearerParts[] {
  const all = bearerEntries(reading).map((entry) => readIssuer(entry, providers, reading));
  reportRepeatedIssuers(all, providers, reading);
  reportPrefixes(all, reading);
  return all;
}

/** Returns what a provider with audiences is as an issuer of bearer tokens. */
export function asBearer(
  { entry, issuer = '', names }: ProviderParts,
  name: string,
): BearerIssuer[] {
  const { audiences, brings } = entry;
  if (audiences.length === 0) return [];
  return [{ name, issuer, audiences, names, ...ruledBy(brings) }];
}

function readIssuer(
  entry: BearerEntry,
  providers: readonly ProviderParts[],
  reading: Reading,
): BearerParts {
  const { audiences, brings, clock_tolerance: tolerance } = entry;
  const issuer = entry.issuer ?? brings.issuer;
  const path = pathIn(entry, 'issuer');
  if (isMissing(issuer, path, reading)) {
    const allowed = 'who issues the tokens: an https URL, exactly as in `iss`';
    reading.report({ where: reading.place(path), read: 'nothing', allowed });
  }
  const base = baseOf(entry, issuer, providers);
  const introspection = readIntrospection(entry, reading);
  return {
    ...{ entry, base, audiences, ...ruledBy({ ...brings, ...written(entry) }) },
    ...withoutPeople(brings),
    names: claimNames(entry.claims, base),
    ...(issuer !== undefined && { issuer }),
    ...(tolerance && { toleranceSeconds: (parseDuration(tolerance) ?? 0) / 1000 }),
    ...(introspection && { introspection }),
  };
}

function written({ algorithms, types, audience_claim: audienceClaim }: BearerEntry): Rules {
  return ruledBy({ algorithms, types: types?.map(lower), audienceClaim });
}

const lower = (type: string) => type.toLowerCase();

type Rules = Pick<BearerIssuer, 'algorithms' | 'types' | 'audienceClaim'>;
type MaybeRules = { readonly [Name in keyof Rules]?: Rules[Name] | undefined };

function ruledBy({ algorithms, types, audienceClaim }: MaybeRules): Rules {
  return {
    ...(algorithms && { algorithms }),
    ...(types && { types }),
    ...(audienceClaim !== undefined && { audienceClaim }),
  };
}

// Of workloads alone; nothing is written of the others, who may have both.
function withoutPeople({ forPeople }: BearerEntry['brings']): Pick<BearerIssuer, 'forPeople'> {
  return forPeople ? {} : { forPeople };
}

// One issuer calls a person alike wherever it stands; without a preset others do as the top level.
function baseOf(
  { preset, brings }: BearerEntry,
  issuer: string | undefined,
  providers: readonly ProviderParts[],
): ClaimsBase {
  const same = providers.find((provider) => provider.issuer === issuer && issuer !== undefined);
  if (same === undefined && preset !== undefined) return baseOfPreset(preset, brings);
  const others = same ?? providers[0];
  if (others === undefined) return baseOfPreset(preset, brings);
  return baseOfOthers(others.names, pathIn(others.entry, 'claims'));
}

function readIntrospection(entry: BearerEntry, reading: Reading): BearerIssuer['introspection'] {
  if (entry.introspection === undefined) return undefined;
  const { client_id: clientId, client_secret_file: file, cache } = entry.introspection;
  const tokenPrefix = entry.introspection.token_prefix;
  const where = reading.place(pathIn(entry, 'introspection.client_secret_file'));
  const found = reading.findSecret({ file, where });
  const clientSecret = found && checkClientSecret(found.secret, where, reading);
  if (!clientSecret) return undefined;
  const cacheMs = parseDuration(cache) ?? 0;
  return { clientId, clientSecret, cacheMs, ...(tokenPrefix !== undefined && { tokenPrefix }) };
}

function reportRepeatedIssuers(
  all: readonly BearerParts[],
  providers: readonly ProviderParts[],
  { place, report }: Reading,
): void {
  const own = providers.filter(({ entry }) => entry.audiences.length > 0);
  const issuers = [...own, ...all].flatMap(({ issuer }) => issuer ?? []);
  if (new Set(issuers).size < issuers.length) {
    const mend = 'put its audiences together; for `issuer` itself use `audiences`';
    report({ where: place('bearer'), read: 'an issuer twice', allowed: 'each issuer once', mend });
  }
}

// A token is never to be shown to an issuer that it was not meant for.
function reportPrefixes(all: readonly BearerParts[], { place, report }: Reading): void {
  const asked = all.filter(({ entry }) => entry.introspection !== undefined);
  const prefixes = asked.map(({ entry }) => entry.introspection?.token_prefix);
  for (const [at, { entry }] of asked.entries()) {
    const prefix = prefixes[at] ?? '';
    const others = prefixes.filter((_, other) => other !== at);
    if (!others.some((other = '') => other.startsWith(prefix))) continue;
    const setting = pathIn(entry, 'introspection.token_prefix');
    const read = prefix === '' ? 'nothing' : 'the beginning of another one';
    const allowed = "what this issuer's tokens begin with, and no others: several look tokens up";
    report({ where: place(setting), setting, read, allowed });
  }
}
