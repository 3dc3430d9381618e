// May they: a requirement and an identity in, a decision and its reason out. Pure.
import type { Identity } from '../identity/identity.ts';
import type { EvidenceReason } from '../identity/reason.ts';
import type { ClosedReason, Decision, Reason, RequirementReason } from './reason.ts';
import type { Condition, Kind, Requirement } from './requirement.ts';

/** What the request's evidence proved. */
export type Found =
  | { readonly identity: Identity }
  | { readonly refused: EvidenceReason }
  /** What had to be asked could not be asked: closes, whatever the requirement. */
  | { readonly closed: ClosedReason };

/** The gate always decides; `none` is for lines that it was not asked about. */
export type Outcome = { readonly decision: Exclude<Decision, 'none'>; readonly reason: Reason };

/**
 * Returns the decision. Signed-out people on their way to a page are sent to sign in; everything
 * else that is signed out is denied. Whoever is known and not allowed is denied, never sent to sign
 * in again: that would be a loop.
 */
export function decide(requirement: Requirement, found: Found, isNavigation: boolean): Outcome {
  if (requirement.level === 'invalid') return deny('requirement-invalid');
  if ('closed' in found) return deny(found.closed);
  if (requirement.level === 'public') return { decision: 'allow', reason: 'public' };
  if ('refused' in found) {
    return isNavigation ? { decision: 'login', reason: found.refused } : deny(found.refused);
  }
  const unmet = requirement.conditions.find((condition) => !meets(found.identity, condition));
  return unmet === undefined
    ? { decision: 'allow', reason: 'requirement-met' }
    : deny(UNMET[unmet.kind]);
}

const UNMET: Record<Kind, RequirementReason> = {
  user: 'user-not-allowed',
  team: 'team-not-allowed',
  role: 'role-not-allowed',
  type: 'type-not-allowed',
  scope: 'scope-not-allowed',
};

function deny(reason: Reason): Outcome {
  return { decision: 'deny', reason };
}

// Case-sensitive and whole: a value that is merely alike is another value.
function meets(identity: Identity, { kind, anyOf }: Condition): boolean {
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
  }
}
