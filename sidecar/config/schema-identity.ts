// The schema of who is let in: providers, issuers of bearer tokens, sessions, assertions and pages. What
// goes together, and what a preset brings, is said where each is read.
import { z } from 'zod';
import { ALGORITHMS } from '../identity/algorithms.ts';
import { PRESETS } from '../identity/presets.ts';
import { isIssuer, parseDuration } from './address.ts';
import { duration, DURATION, PLAIN_URL, sections, text, texts } from './schema-parts.ts';

export const issuer = text
  .refine(isIssuer)
  .meta({ pattern: PLAIN_URL, examples: ['https://login.example.com'] });

/** Beyond that a clock is wrong, and a token that has ended would be good for long. */
const LONGEST_TOLERANCE = '5m';
/** For so long a token that was revoked may still be good. */
const LONGEST_CACHE = '1h';
/** More often would be an attack on the provider. */
const SHORTEST_RECHECK = '1s';

const msOf = (time: string) => parseDuration(time) ?? NaN;

/** A name for `idp:` and a path: requirements have it between `:` and `,` or `+`. */
const name = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/);

// Without the flag `i`, which JSON Schema has not.
const HOST_NAME = '[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?';
export const host = text.regex(new RegExp(`^(\\[[0-9a-fA-F:]+\\]|${HOST_NAME})(:\\d{1,5})?$`));
const domain = text.regex(/^[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)*\.[a-zA-Z][a-zA-Z0-9-]*$/);

const claim = (byDefault: string) =>
  text.optional().describe(`the name of a claim; by default ${byDefault}, or the preset's`);

export const claims = z.strictObject({
  user: claim('preferred_username'),
  team: claim('team'),
  team_prefix: z
    .string()
    .optional()
    .describe('the prefix of the group that is the team; by default team-'),
  roles: claim('roles'),
  groups: claim('groups'),
  type: claim('user_type'),
});

const preset = z.enum(Object.keys(PRESETS));
const forPeople = Object.keys(PRESETS).filter((key) => PRESETS[key]?.forPeople);
const named = 'a name of its own: letters in lower case, digits, and . _ -';

/** What the top level says of its provider, and each entry of `providers` of its own. */
export const provider = {
  preset: preset
    .meta({ enum: forPeople })
    .optional()
    .describe('the kind of provider, which brings defaults (by default oidc)'),
  name: name.optional().describe(named),
  label: text.max(100).optional().describe('a text of at most 100 characters'),
  issuer: issuer
    .optional()
    .describe("the OpenID provider's issuer: an https URL, or http on loopback, without a query"),
  client_id: text.optional().describe("the client's id at the OpenID provider"),
  client_secret_file: text.optional().describe("a file with the client's secret"),
  scopes: texts
    .refine((list) => list.includes('openid'))
    .meta({ contains: { const: 'openid' } })
    .optional()
    .describe('a list of scopes with `openid` among them (by default openid, profile and email)'),
  parameters: z
    .record(z.string(), z.string())
    .default({})
    .describe('names and texts of further parameters; an empty text takes one of the preset away'),
  sign_out: z.enum(['local', 'provider']).default('local').describe('where a sign-out ends'),
  audiences: texts.default([]).describe("a list of audiences for the issuer's bearer tokens"),
};

const introspection = z.strictObject({
  client_id: text.describe("the id of Signet's client at the issuer"),
  client_secret_file: text.describe("a file with that client's secret"),
  cache: duration
    .refine((value) => msOf(value) <= msOf(LONGEST_CACHE))
    .default('30s')
    .describe(`a time of at most ${LONGEST_CACHE}, such as 30s`),
  token_prefix: text.optional().describe('what all tokens of this issuer begin with'),
});

const bearer = z.strictObject({
  preset: preset.optional().describe('the kind of issuer, which brings defaults (by default oidc)'),
  name: name.optional().describe(named),
  issuer: issuer
    .optional()
    .describe('an issuer of access tokens: an https URL, or http on loopback'),
  audiences: texts.min(1).describe('one audience or more, each as in `aud`'),
  audience_claim: text
    .optional()
    .describe('the name of the claim that the audience stands in where a token has no `aud`'),
  algorithms: z.array(z.enum(ALGORITHMS)).min(1).optional().describe('a list of JWS algorithms'),
  types: z
    .array(z.string())
    .min(1)
    .optional()
    .describe('a list of what the header may say as `typ`; an empty text stands for none'),
  clock_tolerance: duration
    .refine((value) => msOf(value) <= msOf(LONGEST_TOLERANCE))
    .optional()
    .describe(`a time of at most ${LONGEST_TOLERANCE}, such as 5s`),
  claims: claims.prefault({}).describe('the names of claims'),
  introspection: introspection.optional().describe('how opaque tokens are looked up'),
});

export const providers = sections(z.strictObject({ ...provider, claims: claims.prefault({}) }))
  .default([])
  .describe('a list of further providers that people sign in at');

export const bearers = sections(bearer)
  .default([])
  .describe('a list of further issuers of bearer tokens');

export const session = z.strictObject({
  idle: duration.default('8h').describe('a time such as 30m or 8h'),
  absolute: duration.default('24h').describe('a time such as 24h or 7d'),
  recheck: text
    .refine((value) => value === 'never' || msOf(value) >= msOf(SHORTEST_RECHECK))
    .meta({ kind: 'duration', pattern: `^(never|${DURATION})$`, examples: ['10m', 'never'] })
    .default('10m')
    .describe(`a time of at least ${SHORTEST_RECHECK}, such as 10m, or never`),
  store_file: text.optional().describe('a file with the PostgreSQL URL of the session store'),
  domain: domain.optional().describe('a domain such as example.com, without a dot before it'),
  sign_in_host: host.optional().describe('one of `hosts`, where everybody signs in'),
});

export const assertion = z.strictObject({
  issuer: issuer.describe('an https URL, or http on loopback: `iss` of the assertion'),
});

export const pages = z.strictObject({
  css_file: text.optional().describe('a file with CSS, of at most 64 KiB'),
  texts_file: text.optional().describe('a YAML file with texts for each language'),
});

/** What the top level, or one entry of `providers`, says of a provider. */
export type ProviderSettings = z.output<typeof providers.def.innerType>[number] & {};

/** One entry under `bearer`. */
export type BearerSettings = z.output<typeof bearer>;

/** Names of claims, as far as they are written. */
export type ClaimsSettings = z.output<typeof claims>;
