// Why a decision fell the way it did: the closed list. Rows, spans and logs carry these words;
// the public answer says less (see http/answer.ts).
import { EVIDENCE_REASONS, SIGN_IN_REASONS } from '../identity/reason.ts';

/** The caller is known, and the requirement is not met. */
export const REQUIREMENT_REASONS = [
  'user-not-allowed',
  'team-not-allowed',
  'role-not-allowed',
  'type-not-allowed',
  'scope-not-allowed',
  'idp-not-allowed',
  'actors-not-allowed', // more agents act on behalf of the user than the requirement lets through
  'groups-incomplete', // a team or role is lacking, and the provider sent a link in place of the groups
] as const;

/** Something is wrong with the Caddyfile, or with what Signet depends on: these close. */
export const CLOSED_REASONS = [
  'requirement-invalid',
  'request-invalid', // Caddy's own headers are missing: not asked by `forward_auth`
  'provider-unavailable',
  'session-store-unavailable',
] as const;

/** Rows without a decision of the gate. */
export const UNDECIDED_REASONS = [
  'unprotected', // no `protect` around this block
  'signet', // an answer of Signet's own under /.signet/
  'gate-unavailable', // a protected block, and no stamp: the sidecar did not answer
  'client-left', // a protected block, no stamp, no status: the client left before the decision
  'gate-refused', // no stamp, and a 4xx: no HTTP that the sidecar would read (its size, its method)
  'stamp-invalid', // the stamp's seal, version or request id does not hold
  'unexplained', // a protected block has served it, and no stamp says that it was allowed
] as const;

export const REASONS = [
  'public', // the requirement asks for nobody
  'requirement-met',
  'preflight', // a browser's question without credentials, where the requirement lets it through
  ...EVIDENCE_REASONS,
  ...REQUIREMENT_REASONS,
  ...CLOSED_REASONS,
  ...SIGN_IN_REASONS,
  ...UNDECIDED_REASONS,
] as const;

export type RequirementReason = (typeof REQUIREMENT_REASONS)[number];
export type ClosedReason = (typeof CLOSED_REASONS)[number];
export type Reason = (typeof REASONS)[number];

/** `allow` passed on, `login` sent to sign in, `deny` refused (401, 403, 503), `none` nobody decided. */
export type Decision = 'allow' | 'login' | 'deny' | 'none';

export const DECISIONS: readonly Decision[] = ['allow', 'login', 'deny', 'none'];
