// What the demo's requests must have led to, in so many words. Knows nothing of Signet's code.

/**
 * How far a request came: answered by Caddy alone, by the gate (or Signet's own pages), or by the app.
 */
export type Reach = 'edge' | 'gate' | 'app';

export type Expected = {
  readonly user: string | undefined;
  readonly decision: string;
  readonly reason: string;
  readonly status: number;
  readonly reach: Reach;
};

const none = undefined;

/** By label (see journey.ts): user, decision, reason, status, reach. */
const TABLE: readonly (readonly [string, string | undefined, string, string, number, Reach])[] = [
  ['nobody: GET /public/', none, 'allow', 'public', 200, 'app'],
  ['nobody: GET /open/', none, 'none', 'unprotected', 200, 'edge'],
  ['nobody (signed out): GET /orders', none, 'login', 'no-credentials', 302, 'gate'],
  ['a program without a token: GET /orders', none, 'deny', 'no-credentials', 401, 'gate'],

  ['alice (signed out): GET /orders', none, 'login', 'no-credentials', 302, 'gate'],
  ['alice: GET /.signet/login', none, 'none', 'signet', 302, 'gate'],
  ['alice: GET /.signet/callback', 'alice', 'none', 'signet', 302, 'gate'],
  ['alice: GET /orders', 'alice', 'allow', 'requirement-met', 200, 'app'],
  ['alice: GET /', 'alice', 'allow', 'requirement-met', 200, 'app'],
  ['alice: GET /payments/', 'alice', 'allow', 'requirement-met', 200, 'app'],
  ['alice: GET /admin/', 'alice', 'deny', 'role-not-allowed', 403, 'gate'],
  ['alice: GET /public/', 'alice', 'allow', 'public', 200, 'app'],
  ['alice: GET /open/', none, 'none', 'unprotected', 200, 'edge'],
  ['alice: GET /fail', 'alice', 'allow', 'requirement-met', 500, 'app'],
  ['alice: GET /slow', 'alice', 'allow', 'requirement-met', 200, 'app'],
  ['alice: GET /stream', 'alice', 'allow', 'requirement-met', 200, 'app'],
  ['alice: GET /download', 'alice', 'allow', 'requirement-met', 200, 'app'],
  ['alice: GET /socket', 'alice', 'allow', 'requirement-met', 101, 'app'],

  ['bob (signed out): GET /orders', none, 'login', 'no-credentials', 302, 'gate'],
  ['bob: GET /.signet/login', none, 'none', 'signet', 302, 'gate'],
  ['bob: GET /.signet/callback', 'bob', 'none', 'signet', 302, 'gate'],
  ['bob: GET /orders', 'bob', 'allow', 'requirement-met', 200, 'app'],
  ['bob: GET /payments/', 'bob', 'deny', 'team-not-allowed', 403, 'gate'],

  ['dave (signed out): GET /orders', none, 'login', 'no-credentials', 302, 'gate'],
  ['dave: GET /.signet/login', none, 'none', 'signet', 302, 'gate'],
  ['dave: GET /.signet/callback', 'dave', 'none', 'signet', 302, 'gate'],
  ['dave: GET /orders', 'dave', 'allow', 'requirement-met', 200, 'app'],
  ['dave: GET /payments/', 'dave', 'deny', 'team-not-allowed', 403, 'gate'],

  ['alice: GET /.signet/logout', 'alice', 'none', 'signet', 303, 'gate'],
  ['alice: GET /.signet/signed-out', none, 'none', 'signet', 200, 'gate'],
  ['alice (signed out): GET /payments/', none, 'login', 'no-credentials', 302, 'gate'],

  ['carol (signed out): GET /orders', none, 'login', 'no-credentials', 302, 'gate'],
  ['carol: GET /.signet/login', none, 'none', 'signet', 302, 'gate'],
  ['carol: GET /.signet/callback', 'carol', 'none', 'signet', 302, 'gate'],
  ['carol: GET /orders', 'carol', 'allow', 'requirement-met', 200, 'app'],
  ['carol: GET /admin/', 'carol', 'allow', 'requirement-met', 200, 'app'],
  ['carol (signed out): GET /admin/', none, 'login', 'session-unknown', 302, 'gate'],

  ['deploy-agent: GET /orders', 'deploy-agent', 'allow', 'requirement-met', 200, 'app'],
  ['deploy-agent: GET /admin/', 'deploy-agent', 'deny', 'role-not-allowed', 403, 'gate'],
  ['a program with a forged token: GET /orders', none, 'deny', 'token-signature', 401, 'gate'],
];

/** What is expected of each request, by its label. */
export const EXPECTED: ReadonlyMap<string, Expected> = new Map(
  TABLE.map(([label, user, decision, reason, status, reach]) => [
    label,
    { user, decision, reason, status, reach },
  ]),
);

/** What else is known of the users: `team` is absent for those without one. */
export const USERS: Readonly<Record<string, { readonly team?: string; readonly type: string }>> = {
  alice: { team: 'payments', type: 'human' },
  bob: { team: 'search', type: 'human' },
  carol: { team: 'audit', type: 'human' },
  dave: { type: 'human' },
  'deploy-agent': { team: 'platform', type: 'agent' },
};
