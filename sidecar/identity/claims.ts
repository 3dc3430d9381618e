// Claims of a verified token to an Identity. Pure: nothing here proves anything; signatures, audiences
// and times were checked before. Claims may hold any text, so each value is bounded on its way in.
import type { Actor, Identity, UserType } from './identity.ts';
import { MAX_ACTOR_DEPTH, MAX_CLAIM_CHARS, MAX_LIST_ITEMS, USER_TYPES } from './identity.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** Which claim holds what, for one issuer. */
export type ClaimNames = {
  /** The user's name, else `sub`; where it is the default, a verified `email` comes before `sub`. */
  readonly user: string;
  readonly team: string;
  /** Where no team claim is there, the first group that begins with this is the team, less the prefix. */
  readonly teamPrefix: string;
  readonly roles: string;
  readonly groups: string;
  readonly type: string;
};

export const DEFAULT_CLAIM_NAMES: ClaimNames = {
  user: 'preferred_username',
  team: 'team',
  teamPrefix: 'team-',
  roles: 'roles',
  groups: 'groups',
  type: 'user_type',
};

export type ClaimsContext = {
  readonly issuer: string;
  /** What the configuration calls it. */
  readonly provider?: string | undefined;
  readonly method: Identity['method'];
  readonly names: ClaimNames;
  readonly expiresAtMs: number;
  /** Whether the issuer knows people at all; default yes. */
  readonly forPeople?: boolean | undefined;
};

/**
 * Returns the Identity that these claims describe. Refused without a usable `sub`, and with a chain of
 * actors that is too long or names nobody somewhere. A value that decisions compare is kept whole or not at all: cut, it could equal
 * somebody else's. Only the display name is cut. A mapped claim that is there and of no use is never
 * replaced by another that people may have chosen themselves.
 */
export function identityFromClaims(
  claims: Claims,
  context: ClaimsContext,
): Identity | { refused: 'token-claims' } {
  const { issuer, provider, method, names, expiresAtMs } = context;
  const subject = text(claims.sub);
  const actor = claims.act === undefined ? undefined : readActor(claims.act, MAX_ACTOR_DEPTH);
  if (subject === undefined || actor === UNCLEAR) return { refused: 'token-claims' };
  const email = text(verifiedEmail(claims));
  const groups = list(claimAt(claims, names.groups));
  const team = teamOf(claimAt(claims, names.team), groups, names.teamPrefix);
  const name = displayName(claims.name);
  return {
    issuer,
    ...(provider !== undefined && { provider }),
    subject,
    user: userOf(claims, names.user, email) ?? subject,
    ...(name !== undefined && { name }),
    ...(email !== undefined && { email }),
    groups: groups.slice(0, MAX_LIST_ITEMS),
    ...(hasGroupOverage(claims, names.groups) && { groupsIncomplete: true as const }),
    ...(team !== undefined && { team }),
    roles: list(claimAt(claims, names.roles)).slice(0, MAX_LIST_ITEMS),
    scopes: scopesOf(claims).slice(0, MAX_LIST_ITEMS),
    type: typeOf(claims, actor, context),
    ...(actor !== undefined && { actor }),
    method,
    expiresAtMs,
  };
}

// Where an operator named another claim, only that one counts: an address or a name that people
// choose, in its place, would let them be somebody else.
function userOf(claims: Claims, claim: string, email: string | undefined): string | undefined {
  const isMapped = claim !== DEFAULT_CLAIM_NAMES.user;
  return single(claimAt(claims, claim)) ?? (isMapped ? undefined : email);
}

/** Returns whether the provider sent a link instead of the groups (Entra ID, above 200 of them). */
function hasGroupOverage(claims: Claims, groups: string): boolean {
  const elsewhere = claims._claim_names;
  return claims.hasgroups === true || (isRecord(elsewhere) && Object.hasOwn(elsewhere, groups));
}

function typeOf(
  claims: Claims,
  actor: Actor | undefined,
  { issuer, method, names, forPeople = true }: ClaimsContext,
): UserType {
  const value = single(claimAt(claims, names.type));
  const named = USER_TYPES.find((type) => type === value);
  // Token exchange copies the subject's claims: that alice is human does not make who acts for her so.
  if (actor !== undefined) return named === 'service' ? named : 'agent';
  // What a workload may write into its claims makes no person of it.
  if (named !== undefined) return named === 'human' && !forPeople ? 'service' : named;
  const isService = !forPeople || (method === 'bearer' && hasNoHuman(claims, issuer));
  return isService ? 'service' : 'human';
}

// How providers mark a token of the client-credentials grant: RFC 9068 section 2.2 (`sub` is the
// client; Okta calls it `cid`), Entra ID (`idtyp`), Auth0 (`gty`, or by its RFC 9068 profile only a
// `sub` made of the client), Keycloak (a user named after the client). Kubernetes and GitHub Actions sign
// for workloads only, and mark none as such.
function hasNoHuman(claims: Claims, issuer: string): boolean {
  if (GITHUB_ACTIONS.test(issuer) || isServiceAccount(claims.sub)) return true;
  const client = text(claims.client_id) ?? text(claims.azp) ?? text(claims.cid);
  if (claims.idtyp === 'app' || claims.gty === 'client-credentials') return true;
  if (client === undefined) return false;
  const isClient = claims.sub === client || claims.sub === `${client}@clients`;
  return isClient || claims.preferred_username === `service-account-${client}`;
}

/** An enterprise may have its name behind it (docs.github.com/actions/reference/security/oidc). */
const GITHUB_ACTIONS = /^https:\/\/token\.actions\.githubusercontent\.com(\/|$)/;

// kubernetes.io/docs/reference/access-authn-authz/authentication/#service-account-tokens.
function isServiceAccount(sub: unknown): boolean {
  return typeof sub === 'string' && sub.startsWith('system:serviceaccount:');
}

const UNCLEAR = 'unclear';

// Kept whole or refused, like all that decisions compare: `actors:4` must not be met by a chain of ten, nor
// the actor of another issuer be taken for one of this one.
function readActor(act: unknown, depthLeft: number): Actor | typeof UNCLEAR {
  if (!isRecord(act) || depthLeft === 0) return UNCLEAR;
  const subject = text(act.sub === undefined ? act.client_id : act.sub);
  const issuer = text(act.iss);
  if (subject === undefined || (act.iss !== undefined && issuer === undefined)) return UNCLEAR;
  const actor = act.act === undefined ? undefined : readActor(act.act, depthLeft - 1);
  if (actor === UNCLEAR) return UNCLEAR;
  return { subject, ...(issuer !== undefined && { issuer }), ...(actor && { actor }) };
}

// A team claim of several teams, or of none that is usable, is no team: a group doesn't decide for it.
function teamOf(claim: unknown, groups: readonly string[], prefix: string): string | undefined {
  if (claim !== undefined) return single(claim);
  const group = groups.find((name) => name.startsWith(prefix) && name.length > prefix.length);
  return group?.slice(prefix.length);
}

function scopesOf(claims: Claims): string[] {
  const scope = claims.scope ?? claims.scp; // `scp`: Entra ID and Okta
  return typeof scope === 'string' ? scope.split(' ').filter(isUsable) : list(scope);
}

// A name that no claim has is a path: Keycloak's `realm_access.roles`. A claim of just that name
// always wins, and a URL (Auth0's `https://app.example.com/roles`) is never taken apart. Undefined is
// a claim that is not there. Parsed JSON may hold a `__proto__` of its own: no claim is called so.
function claimAt(claims: Claims, name: string): unknown {
  const parts = name.split('.');
  if (parts.includes('__proto__')) return undefined;
  if (name === 'email') return verifiedEmail(claims);
  if (Object.hasOwn(claims, name)) return claims[name];
  if (/[/:]/.test(name)) return undefined;
  const within = (value: unknown, part: string) =>
    isRecord(value) && Object.hasOwn(value, part) ? value[part] : undefined;
  return parts.reduce<unknown>(within, claims);
}

// Anybody may say that an address is theirs. Null is one that is there and does not count.
function verifiedEmail(claims: Claims): unknown {
  if (!Object.hasOwn(claims, 'email')) return undefined;
  return isTrue(claims.email_verified) ? claims.email : null;
}

// Providers that know claims of several values only send a list of one.
function single(value: unknown): string | undefined {
  return text(Array.isArray(value) && value.length === 1 ? value[0] : value);
}

// A text is one value: split at spaces or commas, "Site Admins" would grant the role "Admins".
function list(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).filter(isUsable);
}

function text(value: unknown): string | undefined {
  return isUsable(value) ? value : undefined;
}

// A lone surrogate can't be percent-encoded, so such a text could not be carried further; a control
// character in a name is nobody's name, and costs six characters wherever JSON carries it.
function isUsable(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= MAX_CLAIM_CHARS &&
    value.isWellFormed() &&
    !/\p{Cc}/u.test(value)
  );
}

function displayName(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  return value.slice(0, MAX_CLAIM_CHARS).toWellFormed();
}

// Cognito sends its booleans as text.
function isTrue(value: unknown): boolean {
  return value === true || value === 'true';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
