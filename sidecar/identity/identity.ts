// Who is calling. One type, whatever proved it: a session cookie or a bearer token.

/** What kind of caller this is. An agent acts on somebody's behalf (RFC 8693 `act`) or says so in a claim. */
export type UserType = 'human' | 'service' | 'agent';

export const USER_TYPES: readonly UserType[] = ['human', 'service', 'agent'];

/** Who acts, on behalf of the subject: RFC 8693 section 4.1, nested from the latest actor to the first. */
export type Actor = {
  readonly subject: string;
  readonly issuer?: string;
  readonly actor?: Actor;
};

/** A verified caller. What is unknown is absent, never a placeholder word. */
export type Identity = {
  /** The issuer's URL exactly as in `iss`. */
  readonly issuer: string;
  /** `sub`; unique within the issuer. */
  readonly subject: string;
  /** The name that people search by: `user.id`, `Remote-User`, `--user`. */
  readonly user: string;
  readonly name?: string;
  readonly email?: string;
  readonly groups: readonly string[];
  /** The provider named more groups than it sent (Entra ID's `_claim_names`): absence proves nothing. */
  readonly groupsIncomplete?: true;
  readonly team?: string;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  readonly type: UserType;
  readonly actor?: Actor;
  readonly method: 'session' | 'bearer';
  /** When the proof ends, in milliseconds since the epoch. */
  readonly expiresAtMs: number;
  /** First 16 hex digits of the SHA-256 of the session id; only with method `session`. */
  readonly sessionHash?: string;
};

/** Longest value of a claim that is carried further, in UTF-16 code units; what is longer is left out (see claims.ts). */
export const MAX_CLAIM_CHARS = 256;
/** Most groups, and most roles, of one identity. */
export const MAX_LIST_ITEMS = 200;
/** Deepest chain of actors that is kept. */
export const MAX_ACTOR_DEPTH = 4;
