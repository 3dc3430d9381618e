// Who the local provider knows. Data only: there are no passwords, any will do.

export type Person = {
  /** What is typed as `login`; also `sub` and `preferred_username`. */
  readonly login: string;
  readonly name: string;
  readonly team?: string;
  readonly roles: readonly string[];
};

export const PEOPLE: readonly Person[] = [
  { login: 'alice', name: 'Alice Adams', team: 'payments', roles: ['engineer'] },
  { login: 'bob', name: 'Bob Brown', team: 'search', roles: [] },
  { login: 'carol', name: 'Carol Clark', team: 'audit', roles: ['auditor'] },
  { login: 'dave', name: 'Dave Dunn', roles: [] },
];

/** A program with an identity of its own (client credentials). The secret is no secret: the provider is local. */
export const AGENT = {
  clientId: 'deploy-agent',
  secret: 'deploy-agent',
  team: 'platform',
} as const;

/** The audience of bearer tokens, and the resource that the provider issues them for. */
export const AUDIENCE = 'https://orders.example';
