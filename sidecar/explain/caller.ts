// Who is asked about: a caller named by hand, or the claims of a token, read as this installation reads them. Nothing
// is verified here: whoever explains is not let in.
import {
  DEFAULT_CLAIM_NAMES,
  identityFromClaims,
  type ClaimNames,
  type Claims,
} from '../identity/claims.ts';
import { MAX_ACTOR_DEPTH, type Actor, type Identity, type UserType } from '../identity/identity.ts';
import type { Found } from '../policy/decide.ts';

/** What may be named of a caller; undefined: not said. */
export type Named = {
  readonly user?: string | undefined;
  readonly team?: string | undefined;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  readonly type?: UserType | undefined;
  readonly idp?: string | undefined;
  /** How many act on the user's behalf. */
  readonly actors?: number | undefined;
};

/** Who vouches for callers here, and how its claims are read. */
export type Voucher = {
  /** For `idp:`. */
  readonly name: string;
  /** As in `iss`. */
  readonly issuer: string;
  readonly names: ClaimNames;
  /** `session` for a provider that people sign in at, `bearer` for an issuer of tokens. */
  readonly method: Identity['method'];
  /** Whether the issuer knows people at all; default yes. */
  readonly forPeople?: boolean | undefined;
};

const NEVER_MS = Number.MAX_SAFE_INTEGER;

/** Returns a caller as named; what is not said is not there, and the type is what the actors make it. */
export function namedCaller(named: Named): Identity {
  const { user = 'somebody', team, roles, scopes, type, idp, actors = 0 } = named;
  const actor = chain(Math.min(actors, MAX_ACTOR_DEPTH));
  return {
    issuer: 'named by hand',
    ...(idp !== undefined && { provider: idp }),
    subject: user,
    user,
    groups: [],
    ...(team !== undefined && { team }),
    roles,
    scopes,
    type: type ?? (actors > 0 ? 'agent' : 'human'),
    ...(actor && { actor }),
    method: scopes.length > 0 || actors > 0 ? 'bearer' : 'session',
    expiresAtMs: NEVER_MS,
  };
}

function chain(length: number): Actor | undefined {
  if (length === 0) return undefined;
  const actor = chain(length - 1);
  return { subject: `actor ${length}`, ...(actor && { actor }) };
}

/** Returns what these claims prove, or a sentence that says why it can't be told whose they are. Never throws. */
export function claimedCaller(
  claims: Claims,
  vouchers: readonly Voucher[],
  idp: string | undefined,
): Found | { readonly problem: string } {
  const issuer = typeof claims['iss'] === 'string' ? claims['iss'] : 'unknown';
  const voucher = voucherOf(issuer, vouchers, idp);
  if (idp !== undefined && voucher === undefined && vouchers.length > 0) {
    const names = vouchers.map(({ name }) => name).join(', ');
    return { problem: `--idp ${idp} is no name of a provider or issuer; there are ${names}` };
  }
  const provider = voucher?.name ?? idp;
  const read = identityFromClaims(claims, {
    issuer,
    ...(provider !== undefined && { provider }),
    method: voucher?.method ?? 'bearer',
    names: voucher?.names ?? DEFAULT_CLAIM_NAMES,
    expiresAtMs: NEVER_MS,
    ...(voucher?.forPeople !== undefined && { forPeople: voucher.forPeople }),
  });
  return 'refused' in read ? read : { identity: read };
}

// Who has both, a sign-in and audiences, is asked about as an issuer of tokens: claims are a token's.
function voucherOf(
  issuer: string,
  vouchers: readonly Voucher[],
  idp: string | undefined,
): Voucher | undefined {
  const fitting = vouchers.filter((one) =>
    idp === undefined ? one.issuer === issuer : one.name === idp,
  );
  return fitting.find(({ method }) => method === 'bearer') ?? fitting[0];
}
