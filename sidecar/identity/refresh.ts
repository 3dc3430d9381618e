// Asks the provider again who somebody is, by the refresh token of a session (OpenID Connect Core 1.0, section
// 12). Says what came of it; when to ask, and that nobody else asks at once, is the session's affair.
import * as client from 'openid-client';
import { Fault } from '../fault.ts';
import { toBegun, type Granted } from './granted.ts';
import type { Identity } from './identity.ts';
import { identityNow } from './identity-now.ts';
import type { Provider } from './provider.ts';
import type { Begun, Refresh, Refreshed } from './begun.ts';
import { endedBy, refusedPerson, type Ended } from './refresh-refusal.ts';
import { clockOff } from './sign-in-refusal.ts';
import { tokenErrorIn, type TokenError } from './token-error.ts';
import { noteTokens, type TokensGiven } from './tokens-given.ts';

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

/**
 * Returns what refreshes sessions of these providers. One whose provider is gone throws Fault ERR_PROVIDER: it may
 * be back in a moment, and until then its sessions are refused anyway.
 */
export function createRefresh(providers: readonly Provider[], now: () => number): Refresh {
  return async (session) => {
    const provider = providerOf(providers, session.identity);
    if (provider === undefined) {
      throw new Fault('ERR_PROVIDER', "the session's provider is no longer configured");
    }
    return refresh(provider, session, now());
  };
}

/**
 * Returns the session with what the provider says now; `ended` when it refuses the refresh token, or speaks of
 * somebody else; `unchecked` when it gave a new refresh token and the rest failed; undefined when there is
 * nothing to refresh with. Throws Fault ERR_PROVIDER when it can't be had, or refuses us as a client: that says
 * nothing of the person.
 */
export async function refresh(
  provider: Provider,
  session: Session,
  nowMs: number,
): Promise<Refreshed | undefined> {
  const { refreshToken } = session.tokens;
  if (refreshToken === undefined) return undefined;
  const config = provider.patientConfig();
  const asking: Asking = { provider, config, given: noteTokens(config), refreshToken };
  try {
    return await confirmed(asking, session, nowMs);
  } catch (error) {
    const next = asking.given()?.refreshToken;
    if (next === undefined || next === refreshToken) throw error;
    // The old one is spent: this one must not be lost, whatever else went wrong.
    return { unchecked: toFault(error), tokens: { refreshToken: next } };
  }
}

/** One refresh. */
type Asking = {
  readonly provider: Provider;
  readonly config: client.Configuration;
  /** What the token endpoint gave, unchecked. */
  readonly given: () => TokensGiven | undefined;
  readonly refreshToken: string;
};

async function confirmed(asking: Asking, session: Session, nowMs: number): Promise<Begun | Ended> {
  const { provider } = asking;
  const answer = await askAgain(asking);
  if ('ended' in answer) return answer;
  const { granted } = answer;
  const idToken = granted.claims();
  const wrong = idToken && wrongWith(idToken, session, nowMs);
  if (wrong !== undefined) return wrong;
  const identity = await identityNow(provider, granted, session.identity, nowMs);
  if ('ended' in identity) return identity;
  return toBegun(provider, identity, granted, idToken, session);
}

// Section 12.2: the same issuer, which the library compares, and the same subject.
function wrongWith(
  idToken: client.IDToken,
  { identity }: Session,
  nowMs: number,
): Ended | undefined {
  if (idToken.sub !== identity.subject) return { ended: 'the new ID token is of somebody else' };
  const early = clockOff(idToken.iat, nowMs);
  if (early) throw new Fault('ERR_PROVIDER', early.detail);
  return undefined;
}

async function askAgain(asking: Asking): Promise<{ granted: Granted } | Ended> {
  const { provider, config, given, refreshToken } = asking;
  try {
    const granted = await client.refreshTokenGrant(config, refreshToken);
    await provider.noteAnswer(undefined);
    return { granted };
  } catch (error) {
    const sent = [provider.clientSecret?.reveal() ?? '', refreshToken];
    const gave = given();
    const told = gave ? undefined : await tokenErrorIn(error, sent);
    if (told !== undefined) return refusedBy(provider, told);
    return endedBy(error, gave?.idToken, [...sent, ...Object.values(gave ?? {})]);
  }
}

async function refusedBy(provider: Provider, told: TokenError): Promise<Ended> {
  const { isOf, said } = refusedPerson(told);
  if (isOf) return { ended: said };
  await provider.noteAnswer(told);
  throw new Fault('ERR_PROVIDER', `the provider refused to refresh a session: ${said}`);
}

function toFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  return new Fault('ERR_PROVIDER', "a session can't be refreshed", { cause: error });
}
