// Asks the provider again who somebody is, by the refresh token of a session (OpenID Connect Core 1.0, section
// 12). Says what came of it; when to ask, and that nobody else asks at once, is the session's affair.
import * as client from 'openid-client';
import { Fault } from '../fault.ts';
import type { Claims, ClaimNames } from './claims.ts';
import { toBegun, toIdentity, type Granted } from './granted.ts';
import type { Identity } from './identity.ts';
import type { Provider } from './provider.ts';
import type { Refresh, Refreshed } from './begun.ts';
import { clockOff, refusalOf, type SignInRefusal } from './sign-in-refusal.ts';
import { tokenErrorIn, type TokenError } from './token-error.ts';
import { readUserinfo } from './userinfo.ts';

type Session = Parameters<Refresh>[0];

/** Returns the provider that proved this identity: the same name, where it has one, and the same issuer. */
export function providerOf(
  providers: readonly Provider[],
  { issuer, provider }: Pick<Identity, 'issuer' | 'provider'>,
): Provider | undefined {
  return providers.find(
    (one) => one.issuer === issuer && (provider === undefined || one.name === provider),
  );
}

/** Returns what refreshes sessions of these providers; one whose provider is gone has ended. */
export function createRefresh(providers: readonly Provider[], now: () => number): Refresh {
  return async (session) => {
    const provider = providerOf(providers, session.identity);
    if (provider === undefined) return { ended: 'its provider is no longer configured' };
    return refresh(provider, session, now());
  };
}

/**
 * Returns the session with what the provider says now; `ended` when it refuses the refresh token, or speaks of
 * somebody else; undefined when there is nothing to refresh with. Throws Fault ERR_PROVIDER when it can't be
 * had, or refuses us as a client: that says nothing of the person.
 */
export async function refresh(
  provider: Provider,
  session: Session,
  nowMs: number,
): Promise<Refreshed | undefined> {
  const { refreshToken } = session.tokens;
  if (refreshToken === undefined) return undefined;
  const answer = await askAgain(provider, refreshToken);
  if ('ended' in answer) return answer;
  const { granted } = answer;
  const idToken = granted.claims();
  const wrong = idToken && wrongWith(idToken, session, nowMs);
  if (wrong !== undefined) return wrong;
  const identity = await identityNow(provider, provider.config(), granted, session, nowMs);
  if ('ended' in identity) return identity;
  return toBegun(provider, identity, granted, idToken, session);
}

// Section 12.2: the same issuer, which the library compares, and the same subject.
function wrongWith(
  idToken: client.IDToken,
  { identity }: Session,
  nowMs: number,
): { ended: string } | undefined {
  if (idToken.sub !== identity.subject) return { ended: 'the new ID token is of somebody else' };
  const early = clockOff(idToken.iat, nowMs);
  if (early) throw new Fault('ERR_PROVIDER', early.detail);
  return undefined;
}

async function askAgain(
  provider: Provider,
  refreshToken: string,
): Promise<{ granted: Granted } | { ended: string }> {
  try {
    const granted = await client.refreshTokenGrant(provider.patientConfig(), refreshToken);
    await provider.noteAnswer(undefined);
    return { granted };
  } catch (error) {
    const sent = [provider.clientSecret?.reveal() ?? '', refreshToken];
    const told = await tokenErrorIn(error, sent);
    if (told !== undefined) return refusedBy(provider, told);
    return toEnd(refusalOf(error, { told, sent }));
  }
}

// What only the person can mend, at the provider's own page (RFC 6749 section 5.2; OpenID Connect Core 1.0,
// section 3.1.2.6, whose codes Entra ID sends here, too).
const OF_THE_PERSON: ReadonlySet<string> = new Set([
  'invalid_grant',
  'access_denied',
  'account_selection_required',
  'consent_required',
  'interaction_required',
  'login_required',
]);

async function refusedBy(provider: Provider, told: TokenError): Promise<{ ended: string }> {
  const said = [told.error, told.description].filter((text) => text !== undefined).join(': ');
  if (OF_THE_PERSON.has(told.error)) return { ended: said };
  await provider.noteAnswer(told);
  throw new Fault('ERR_PROVIDER', `the provider refused to refresh a session: ${said}`);
}

// An ID token that is not sound ends the session; clocks, and answers that are none, are not the person's doing.
function toEnd({ refused, detail }: SignInRefusal): { ended: string } {
  const isToken = refused.startsWith('id-token-') && !/-expired$|-not-yet-valid$/.test(refused);
  if (isToken) return { ended: `the new ID token is refused (${refused}): ${detail}` };
  throw new Fault('ERR_PROVIDER', `a session can't be refreshed: ${detail}`);
}

async function identityNow(
  provider: Provider,
  config: client.Configuration,
  granted: Granted,
  { identity: before }: Session,
  nowMs: number,
): Promise<Identity | { ended: string }> {
  const userinfo = await userinfoNow(config, granted.access_token, before.subject);
  // The refresh token may be a new one: it must not be lost because another endpoint is down.
  if (userinfo === 'unavailable') return before;
  if ('refused' in userinfo) return { ended: `the user endpoint: ${userinfo.detail}` };
  const idToken = granted.claims();
  if (idToken === undefined && userinfo.claims === undefined) return before;
  const claims: Claims = { ...userinfo.claims, ...idToken };
  const identity = toIdentity(provider, claims, nowMs);
  if ('refused' in identity) return { ended: identity.detail };
  return idToken ? identity : saidAnew(before, identity, claims, provider.names);
}

async function userinfoNow(config: client.Configuration, accessToken: string, subject: string) {
  try {
    return await readUserinfo(config, accessToken, subject);
  } catch (error) {
    if (error instanceof Fault) return 'unavailable' as const;
    throw error;
  }
}

// Without a new ID token only the user endpoint speaks. What it never says (many a provider's groups stand in
// the ID token alone) stays as it was; what it says counts, an empty list too.
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
