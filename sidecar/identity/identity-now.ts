// Who somebody is by the provider's answer to a refresh: the new ID token and the user endpoint, and what neither
// says anew as it was. Asks the user endpoint, and no other.
import type * as client from 'openid-client';
import { Fault } from '../fault.ts';
import type { Claims, ClaimNames } from './claims.ts';
import { toIdentity, type Granted } from './granted.ts';
import type { Identity } from './identity.ts';
import type { Provider } from './provider.ts';
import type { Ended } from './refresh-refusal.ts';
import { readUserinfo } from './userinfo.ts';

/**
 * Returns who it is by this answer to a refresh, whose ID token is sound; where the user endpoint is of no use, by
 * the ID token alone, and the rest as it was `before`; `ended` where it speaks of somebody else.
 */
export async function identityNow(
  provider: Provider,
  granted: Granted,
  before: Identity,
  nowMs: number,
): Promise<Identity | Ended> {
  const idToken = granted.claims();
  const ofToken = idToken && toIdentity(provider, idToken, nowMs);
  if (ofToken && 'refused' in ofToken) return { ended: ofToken.detail };
  const userinfo = await userinfoNow(provider.config(), granted.access_token, before.subject);
  // A new refresh token must not be lost because another endpoint is down, nor what the signed token says.
  const asSigned = idToken && ofToken ? saidAnew(before, ofToken, idToken, provider.names) : before;
  if (userinfo === undefined) return asSigned;
  if ('ended' in userinfo) return userinfo;
  if (idToken === undefined && userinfo.claims === undefined) return before;
  const claims: Claims = { ...userinfo.claims, ...idToken };
  const identity = toIdentity(provider, claims, nowMs);
  if ('refused' in identity) return asSigned;
  return idToken ? identity : saidAnew(before, identity, claims, provider.names);
}

// It speaks of somebody else, or of the person; whatever else it answers is its own trouble.
async function userinfoNow(
  config: client.Configuration,
  accessToken: string,
  subject: string,
): Promise<{ claims: Claims | undefined } | Ended | undefined> {
  try {
    const userinfo = await readUserinfo(config, accessToken, subject);
    if (!('refused' in userinfo)) return userinfo;
    if (userinfo.isOfAnother) return { ended: `the user endpoint: ${userinfo.detail}` };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
  }
  return undefined;
}

// Where one of the two speaks alone. What it never says (many a provider's groups stand in the ID token alone)
// stays as it was; what it says counts, an empty list too.
function saidAnew(before: Identity, now: Identity, claims: Claims, names: ClaimNames): Identity {
  const says = (claim: string) =>
    Object.hasOwn(claims, claim) || Object.hasOwn(claims, claim.split('.', 1)[0] ?? '');
  const saysGroups = says(names.groups) || now.groupsIncomplete === true;
  const { team, groups, groupsIncomplete } = saysGroups ? now : before;
  const teamNow = says(names.team) ? now.team : team;
  const { team: _team, groupsIncomplete: _incomplete, ...kept } = before;
  return {
    ...kept,
    ...(says(names.user) && { user: now.user }),
    ...(now.name !== undefined && { name: now.name }),
    ...(now.email !== undefined && { email: now.email }),
    groups,
    ...(groupsIncomplete && { groupsIncomplete }),
    ...(teamNow !== undefined && { team: teamNow }),
    ...(says(names.roles) && { roles: now.roles }),
    ...(says(names.type) && { type: now.type }),
  };
}
