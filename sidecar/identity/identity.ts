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

/** Most actors in a chain; a longer one is refused, never cut: a cut chain would say less than there was. */
export const MAX_ACTOR_DEPTH = 4;

/** A verified caller. What is unknown is absent, never a placeholder word. */
export type Identity = {
  /** The issuer's URL exactly as in `iss`. */
  readonly issuer: string;
  /** What the configuration calls that issuer, for `idp:` in requirements. */
  readonly provider?: string;
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
type Acting = Pick<Identity, 'issuer' | 'user' | 'actor'>;

/** Returns how many act on the user's behalf, one through the other; 0 where the user acts. */
export function actorDepth({ actor }: Pick<Identity, 'actor'>): number {
  return actorsOf(actor).length;
}

/**
 * Returns who acts and on whose behalf, for people: `deploy-agent on behalf of alice`, of a chain
 * `robot for deploy-agent on behalf of alice`; the user alone where nobody acts for them. An actor of
 * another issuer has it in brackets, and a name that could be read as more than one stands in quotes.
 */
export function actorWords({ issuer, user, actor }: Acting): string {
  const names = actorsOf(actor).map((one) => {
    const isForeign = one.issuer !== undefined && one.issuer !== issuer;
    return quoted(one.subject) + (isForeign ? ` (${one.issuer})` : '');
  });
  return names.length === 0 ? user : `${names.join(' for ')} on behalf of ${quoted(user)}`;
}

// The latest first.
function actorsOf(actor: Actor | undefined): Actor[] {
  const actors: Actor[] = [];
  for (let at = actor; at !== undefined; at = at.actor) actors.push(at);
  return actors;
}

function quoted(name: string): string {
  return /[\s"()]/.test(name) ? JSON.stringify(name) : name;
}
