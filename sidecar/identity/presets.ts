// What is known of a kind of provider: data, no code. Each line is a default, and whatever is written in the
// settings wins. The sources were read in November 2026; which of them were run is in deploy/providers.md.
//
// `user` is what requirements and the audit know somebody by. So it is never a claim that people choose, or that
// is given to others in time, where a provider has a better one.
import type { ClaimNames } from './claims.ts';

/** What a kind of issuer brings: defaults, over which whatever is written wins. */
export type Preset = {
  /** For people to read. */
  readonly label: string;
  /** Where there is only one. */
  readonly issuer?: string;
  /** Beside `openid`; those that bring a refresh token among them, where a provider wants one. */
  readonly scopes?: readonly string[];
  readonly claims?: Partial<ClaimNames>;
  /** Of the authorization request. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Of tokens that services show. */
  readonly algorithms?: readonly string[];
  /** Of tokens that services show: their header's `typ` in lower case, the empty text where they have none. */
  readonly types?: readonly string[];
  /** Of tokens that services show: the claim that the audience stands in where there is no `aud`. */
  readonly audienceClaim?: string;
  /** Whether people are known there: can sign in, and have tokens. */
  readonly forPeople: boolean;
};

export const PRESETS: Readonly<Record<string, Preset>> = {
  oidc: { label: 'OpenID Connect', forPeople: true },

  // developer.okta.com/docs/api/openapi/okta-oauth/guides/overview (scopes) and …/guides/customize-tokens-groups-claim.
  // The user is the login, which administrators write, and which alone stands in both tokens: an access token's `sub`
  // is the login, an ID token's an id. Not the scope `groups`: a custom authorization server refuses it as unknown.
  okta: {
    label: 'Okta',
    scopes: ['profile', 'email', 'offline_access'],
    claims: { roles: 'groups' },
    algorithms: ['RS256'],
    forPeople: true,
  },

  // learn.microsoft.com/entra/identity-platform/id-token-claims-reference: `preferred_username` "is mutable", and is not
  // to be decided by; `oid` is the person in the whole tenant, `sub` one for each client. Above 200 groups a link comes
  // instead of them (…/hybrid/connect/how-to-connect-fed-group-claims). `idtyp` marks a service (…/optional-claims).
  entra: {
    label: 'Microsoft Entra ID',
    scopes: ['profile', 'email', 'offline_access'],
    claims: { user: 'oid' },
    algorithms: ['RS256'],
    types: ['jwt'],
    forPeople: true,
  },

  // developers.google.com/identity/openid-connect/openid-connect: `sub` is "never reused", the address may be changed and is
  // not unique; `hd` is the Workspace domain, absent for private accounts. A refresh token comes with
  // `access_type=offline`, and again only after consent (…/protocols/oauth2/web-server); `offline_access` is no scope.
  google: {
    label: 'Google',
    issuer: 'https://accounts.google.com',
    scopes: ['profile', 'email'],
    claims: { user: 'sub', team: 'hd' },
    parameters: { access_type: 'offline', prompt: 'consent' },
    algorithms: ['RS256'],
    types: ['jwt'],
    forPeople: true,
  },

  // auth0.com/docs/secure/tokens/json-web-tokens/create-custom-claims: `roles`, `groups` and others need a URL before them,
  // which only you know. The address is verified or not, and the nickname is anybody's; `sub` names connection and id.
  auth0: {
    label: 'Auth0',
    scopes: ['profile', 'email', 'offline_access'],
    claims: { user: 'sub' },
    algorithms: ['RS256'],
    forPeople: true,
  },

  // keycloak.org/docs/latest/server_admin: a user name is unique in its realm, and people can't change it unless "Edit
  // username" is on. Roles stand in `realm_access.roles`. A refresh token comes without a scope: with
  // `offline_access` it would be one that outlives signing out.
  keycloak: {
    label: 'Keycloak',
    scopes: ['profile', 'email'],
    claims: { user: 'preferred_username', roles: 'realm_access.roles' },
    forPeople: true,
  },

  // docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html and …-the-access-token.html:
  // both have `sub` and `cognito:groups`, but the name is `cognito:username` in the one and `username` in the other.
  // There is no scope `offline_access`; a refresh token comes with every code. Tokens say no `typ`. An access token has
  // an `aud` only where a resource was asked for; otherwise `client_id` says for which client it is.
  cognito: {
    label: 'Amazon Cognito',
    scopes: ['profile', 'email'],
    claims: { user: 'sub', groups: 'cognito:groups', roles: 'cognito:groups' },
    algorithms: ['RS256'],
    types: [''],
    audienceClaim: 'client_id',
    forPeople: true,
  },

  // docs.aws.amazon.com/singlesignon/latest/userguide/customermanagedapps.html: applications sign in by SAML; its OAuth is for
  // AWS services and the command line. So the issuer is that of a broker before it, and what a broker says of everybody
  // is `sub`.
  'aws-identity-center': {
    label: 'AWS IAM Identity Center',
    scopes: ['profile', 'email'],
    claims: { user: 'sub' },
    forPeople: true,
  },

  // docs.github.com/actions/reference/security/oidc. One issuer for all of GitHub: anybody's workflow gets a token for your
  // audience, so only `user`, `team` and `role` tell whose it is. `actor` is a person's name, and no proof of one.
  'github-actions': {
    label: 'GitHub Actions',
    issuer: 'https://token.actions.githubusercontent.com',
    claims: { user: 'sub', team: 'repository_owner', roles: 'repository' },
    algorithms: ['RS256'],
    types: ['jwt'],
    forPeople: false,
  },

  // kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin and …/authentication/#service-account-tokens: `sub` is
  // `system:serviceaccount:NAMESPACE:NAME`, the header has no `typ`. Namespace and pod stand under `kubernetes.io`.
  kubernetes: {
    label: 'Kubernetes',
    claims: { user: 'sub' },
    types: [''],
    forPeople: false,
  },
};
