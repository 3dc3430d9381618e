// The lines of `signet config` about who proves identities: providers, issuers of bearer tokens, and which of
// their claims says what. What a preset brings is told with the preset's name.
import type { ClaimNames } from '../identity/claims.ts';
import type { BearerParts } from './bearer.ts';
import { CLAIM_KEYS, type ClaimsBase } from './claim-names.ts';
import type { Issuers } from './issuers.ts';
import { pathIn } from './issuer-entries.ts';
import { byDefault, type Origin, originOf } from './provenance.ts';
import type { ProviderParts } from './providers.ts';
import { soundsSecret } from './shown.ts';
import type { Telling, ToldSetting, ToldValue } from './told-setting.ts';

type ProviderLine = Issuers['providers'][number];
type BearerLine = Issuers['bearer'][number];

/** What one entry's lines are told by: a key of it, its value, and what makes its default. */
type TellKey = (key: string, value: ToldValue | undefined, fallback?: Origin) => ToldSetting[];

/** Returns the lines about the provider of the top level; what it shares with the others is told there. */
export function tellMain(telling: Telling): ToldSetting[] {
  return telling.parts.issuers.providers.slice(0, 1).flatMap((main) => tellProvider(main, telling));
}

/** Returns the lines about further providers, and about issuers of bearer tokens. */
export function tellFurther(telling: Telling): ToldSetting[] {
  const { parts, reading, tell } = telling;
  const { providers, bearer } = reading.settings;
  const none = (setting: string, list: readonly unknown[]) =>
    list.length === 0 ? tell({ setting, value: [] }) : [];
  const further = parts.issuers.providers.slice(1);
  return [
    ...none('providers', providers),
    ...further.flatMap((one) => [...tellProvider(one, telling), ...tellClaims(one, telling)]),
    ...none('bearer', bearer),
    ...parts.issuers.bearer.flatMap((one) => tellBearer(one, telling)),
  ];
}

function tellKeys({ entry }: ProviderParts | BearerParts, { reading, tell }: Telling): TellKey {
  return (key, value, fallback) => {
    const setting = pathIn(entry, key);
    return tell({ setting, value, origin: originOf(setting, reading, fallback) });
  };
}

function tellProvider(provider: ProviderLine, telling: Telling): ToldSetting[] {
  const { entry, parameters } = provider;
  const key = tellKeys(provider, telling);
  const isTop = entry.path === '';
  const setting = pathIn(entry, 'client_secret_file');
  const names = { setting, path: setting, file: entry.client_secret_file };
  const of = byPreset(entry);
  return [
    ...key('preset', entry.preset ?? 'oidc'),
    ...key('name', provider.name, byName(entry)),
    ...key('label', provider.label, of('label')),
    ...key('issuer', provider.issuer, of('issuer')),
    ...key('client_id', provider.clientId),
    ...telling.tellSecret({ ...names, ...(isTop && { variable: 'SIGNET_CLIENT_SECRET' }) }),
    ...key('scopes', provider.scopes, of('scopes')),
    ...Object.entries(parameters).flatMap(([name, value]) => {
      const lines = key(`parameters.${name}`, value, of('parameters'));
      return soundsSecret(name) ? lines.map(hidden) : lines;
    }),
    ...(Object.keys(parameters).length === 0 ? key('parameters', []) : []),
    ...key('sign_out', provider.signOut),
    ...key('audiences', entry.audiences),
  ];
}

function hidden({ value, ...line }: ToldSetting): ToldSetting {
  return value === undefined ? line : { ...line, isSecret: true };
}

function tellBearer(issuer: BearerLine, telling: Telling): ToldSetting[] {
  const { entry } = issuer;
  const key = tellKeys(issuer, telling);
  const of = byPreset(entry);
  return [
    ...key('preset', entry.preset ?? 'oidc'),
    ...key('name', issuer.name, byName(entry)),
    ...key('issuer', issuer.issuer, of('issuer')),
    ...key('audiences', issuer.audiences),
    ...key('audience_claim', issuer.audienceClaim, of('audienceClaim')),
    ...key('algorithms', issuer.algorithms, of('algorithms')),
    ...key('types', issuer.types, of('types')),
    ...key('clock_tolerance', entry.clock_tolerance),
    ...tellIntrospection(issuer, telling),
    ...tellClaims(issuer, telling),
  ];
}

function tellIntrospection(issuer: BearerLine, telling: Telling): ToldSetting[] {
  const { entry } = issuer;
  const { introspection } = entry;
  if (introspection === undefined) return [];
  const key = tellKeys(issuer, telling);
  const setting = pathIn(entry, 'introspection.client_secret_file');
  return [
    ...key('introspection.client_id', introspection.client_id),
    ...telling.tellSecret({ setting, path: setting, file: introspection.client_secret_file }),
    ...key('introspection.cache', introspection.cache),
    ...key('introspection.token_prefix', introspection.token_prefix),
  ];
}

/** Returns the lines about an issuer's claims. */
export function tellClaims(
  one: { readonly names: ClaimNames; readonly base: ClaimsBase } & (ProviderParts | BearerParts),
  telling: Telling,
): ToldSetting[] {
  const key = tellKeys(one, telling);
  return Object.entries(CLAIM_KEYS).flatMap(([setting, name]) =>
    key(`claims.${setting}`, one.names[name], byDefault(one.base.why(name))),
  );
}

type Brought =
  'label' | 'issuer' | 'scopes' | 'parameters' | 'algorithms' | 'types' | 'audienceClaim';

function byPreset({ preset, brings }: ProviderParts['entry'] | BearerParts['entry']) {
  return (key: Brought): Origin => {
    const isBrought = preset !== undefined && brings[key] !== undefined;
    return byDefault(isBrought ? `of the preset ${preset}` : '');
  };
}

function byName({ path, preset }: ProviderParts['entry'] | BearerParts['entry']): Origin {
  const isKind = preset !== undefined && preset !== 'oidc';
  return byDefault(isKind ? `of the preset ${preset}` : path === '' ? '' : 'by its issuer');
}
