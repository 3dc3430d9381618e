// All who prove identities, together: each has a name, each issuer stands once, and people's user names may
// mean different ones.
import type { BearerIssuer } from '../identity/bearer.ts';
import { asBearer, type BearerParts, readBearer } from './bearer.ts';
import type { Config, ProviderConfig } from './config.ts';
import { pathIn } from './issuer-entries.ts';
import { nameAll, reportRepeatedNames } from './issuer-names.ts';
import { type ProviderParts, readProviders } from './providers.ts';
import type { Reading } from './reading.ts';

type Named<T> = T & { readonly name: string };

/** As they were read; they may lack what has no default. The first provider is that of the top level. */
export type Issuers = {
  readonly providers: readonly Named<ProviderParts>[];
  readonly bearer: readonly Named<BearerParts>[];
};

/** Returns all of them; reports what is wrong with each, and between them. */
export function readIssuers(reading: Reading): Issuers {
  const providers = readProviders(reading);
  const bearer = readBearer(reading, providers);
  const all = [...providers, ...bearer].map(({ entry, issuer }) => ({ ...entry, issuer }));
  const names = nameAll(all);
  reportRepeatedNames(all, names, reading.place, reading.report);
  reportRepeatedProviders(providers, reading);
  const named = <T extends ProviderParts | BearerParts>(parts: T): Named<T> => ({
    ...parts,
    name: names.get(parts.entry.path) ?? '',
  });
  return { providers: providers.map(named), bearer: bearer.map(named) };
}

function reportRepeatedProviders(
  providers: readonly ProviderParts[],
  { place, report }: Reading,
): void {
  const issuers = providers.map(({ issuer }) => issuer);
  for (const [at, { entry, issuer }] of providers.entries()) {
    if (issuer === undefined || issuers.indexOf(issuer) === at) continue;
    const setting = pathIn(entry, 'issuer');
    const mend = 'one client is enough for all who sign in there';
    const read = `${issuer}, twice`;
    report({ where: place(setting), setting, read, allowed: 'each issuer once', mend });
  }
}

/** Returns the providers as they are run with; undefined if one lacks something. */
export function providersOf({ providers }: Issuers): Config['providers'] | undefined {
  const [first, ...further] = providers.flatMap(wholeOf);
  const isWhole = first !== undefined && further.length === providers.length - 1;
  return isWhole ? [first, ...further] : undefined;
}

function wholeOf(parts: Named<ProviderParts>): ProviderConfig[] {
  const { entry: _, base: __, ...rest } = parts;
  const { issuer, clientId, clientSecret } = rest;
  return issuer && clientId && clientSecret ? [{ ...rest, issuer, clientId, clientSecret }] : [];
}

/** Returns the issuers of bearer tokens, providers with audiences first. */
export function bearerOf({ providers, bearer }: Issuers): BearerIssuer[] {
  const own = providers.flatMap((provider) => asBearer(provider, provider.name));
  const further = bearer.flatMap((parts) => {
    const { entry: _, base: __, issuer, ...rest } = parts;
    return issuer === undefined ? [] : [{ issuer, ...rest }];
  });
  return [...own, ...further];
}

/** Returns a sentence where a `user:` requirement may mean several people. */
export function findAmbiguous({ providers, bearer }: Issuers): string[] {
  const issuers = [...providers, ...bearer].map(({ issuer }) => issuer);
  if (new Set(issuers).size < 2) return [];
  return [
    'user names are unique within an issuer only, and there are several: see SECURITY.md, and add idp: to requirements where it matters',
  ];
}
