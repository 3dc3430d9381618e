// May they: a requirement and an identity in, a decision and its reason out. Pure.
import { actorDepth, type Identity } from '../identity/identity.ts';
import type { EvidenceReason } from '../identity/reason.ts';
import type { ClosedReason, Decision, Reason, RequirementReason } from './reason.ts';
import type { Condition, Kind, Requirement } from './requirement.ts';

/** What the request's evidence proved. */
export type Found =
  | { readonly identity: Identity }
  | { readonly refused: EvidenceReason }
  /** What had to be asked could not be asked: closes, whatever the requirement. */
  | { readonly closed: ClosedReason };

/**
 * What kind of request it is: `navigation` is a browser on its way to a page, which can be sent to sign in;
 * `preflight` is a browser that asks, without credentials, whether a page elsewhere may send a request.
 */
export type How = 'navigation' | 'preflight' | 'other';

/** The gate always decides; `none` is for lines that it was not asked about. */
export type Outcome = { readonly decision: Exclude<Decision, 'none'>; readonly reason: Reason };

/**
 * Returns the decision. Signed-out people on their way to a page are sent to sign in; everything
 * else that is signed out is denied. Whoever is known and not allowed is denied, never sent to sign
 * in again: that would be a loop. A preflight is let through, whoever asks, where the requirement says so.
 */
export function decide(requirement: Requirement, found: Found, how: How): Outcome {
  if (requirement.level === 'invalid') return deny('requirement-invalid');
  // A preflight, too: a browser's has no credentials, so there is nothing that could not be asked.
  if ('closed' in found) return deny(found.closed);
  if (requirement.level === 'public') return { decision: 'allow', reason: 'public' };
  if (how === 'preflight' && requirement.preflight) {
    return { decision: 'allow', reason: 'preflight' };
  }
  if ('refused' in found) {
    return how === 'navigation'
      ? { decision: 'login', reason: found.refused }
      : deny(found.refused);
  }
  const unmet = requirement.conditions.find((condition) => !meets(found.identity, condition));
  return unmet === undefined
    ? { decision: 'allow', reason: 'requirement-met' }
    : deny(reasonOf(unmet.kind, found.identity));
}

const UNMET: Record<Kind, RequirementReason> = {
  user: 'user-not-allowed',
  team: 'team-not-allowed',
  role: 'role-not-allowed',
  type: 'type-not-allowed',
  scope: 'scope-not-allowed',
  idp: 'idp-not-allowed',
  actors: 'actors-not-allowed',
};

// Where the provider kept groups back, a team or role that is not there proves nothing; a team that is
// there is another one.
function reasonOf(kind: Kind, { groupsIncomplete, team }: Identity): RequirementReason {
  const isUnknown = kind === 'role' || (kind === 'team' && team === undefined);
  return groupsIncomplete && isUnknown ? 'groups-incomplete' : UNMET[kind];
}

function deny(reason: Reason): Outcome {
  return { decision: 'deny', reason };
}

// Case-sensitive and whole: a value that is merely alike is another value.
function meets(identity: Identity, condition: Condition): boolean {
  if (condition.kind === 'actors') return actorDepth(identity) <= condition.atMost;
  const { kind, anyOf } = condition;
  switch (kind) {
    case 'user':
      return anyOf.includes(identity.user);
    case 'team':
      return identity.team !== undefined && anyOf.includes(identity.team);
    case 'role':
      return identity.roles.some((role) => anyOf.includes(role));
    case 'type':
      return anyOf.includes(identity.type);
    case 'scope':
      return identity.scopes.some((scope) => anyOf.includes(scope));
    case 'idp':
      return identity.provider !== undefined && anyOf.includes(identity.provider);
  }
}
