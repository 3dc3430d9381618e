// What a provider's token endpoint gives for a code and for a refresh token, and what else is asked of a
// provider later: signing out there, its keys. Keeps nothing; sessions are in sessions/sessions.ts.
import * as client from 'openid-client';
import { Fault } from '../fault.ts';
import { isAllowedUrl } from './bounded-fetch.ts';
import { toBegun, toIdentity, type Granted } from './granted.ts';
import type { Provider } from './provider.ts';
import type { Begun } from './begun.ts';
import type { SignInRefusal } from './sign-in-refusal.ts';
import { clockOff, refusalOf } from './sign-in-refusal.ts';
import { tokenErrorIn } from './token-error.ts';
import { readUserinfo } from './userinfo.ts';

export type Exchange = {
  /** The callback as it came, with its query; without it, it is the redirect URI. */
  readonly callback: URL;
  readonly state: string;
  readonly nonce: string;
  /** PKCE's. */
  readonly verifier: string;
  /** Before the provider is asked. */
  readonly nowMs: number;
};

/** Returns what a session begins with, or why the sign-in is refused. Throws Fault ERR_PROVIDER. */
export async function exchangeCode(
  provider: Provider,
  exchange: Exchange,
): Promise<Begun | SignInRefusal> {
  const config = provider.config();
  const answer = await askForTokens(provider, config, exchange);
  if ('refused' in answer) return answer;
  const { granted } = answer;
  const idToken = granted.claims();
  if (!idToken) return { refused: 'code-refused', detail: 'the provider sent no ID token' };
  const wrong = clockOff(idToken.iat, exchange.nowMs);
  if (wrong) return wrong;
  const userinfo = await readUserinfo(config, granted.access_token, idToken.sub);
  if ('refused' in userinfo) return { refused: userinfo.refused, detail: userinfo.detail };
  const identity = toIdentity(provider, { ...userinfo.claims, ...idToken }, exchange.nowMs);
  if ('refused' in identity) return identity;
  return { ...toBegun(provider, identity, granted, idToken), askedAtMs: exchange.nowMs };
}

async function askForTokens(
  provider: Provider,
  config: client.Configuration,
  { callback, state, nonce, verifier }: Exchange,
): Promise<{ granted: Granted } | SignInRefusal> {
  try {
    const granted = await client.authorizationCodeGrant(config, callback, {
      expectedState: state,
      expectedNonce: nonce,
      pkceCodeVerifier: verifier,
      idTokenExpected: true,
    });
    await provider.noteAnswer(undefined);
    return { granted };
  } catch (error) {
    const code = callback.searchParams.get('code') ?? '';
    const sent = [provider.clientSecret?.reveal() ?? '', code, verifier];
    const told = await tokenErrorIn(error, sent);
    if (told !== undefined) await provider.noteAnswer(told);
    return refusalOf(error, { told, sent, redirectUri: `${callback.origin}${callback.pathname}` });
  }
}

/**
 * Returns where the browser signs out at the provider (OpenID Connect RP-Initiated Logout 1.0, section 2) and
 * comes back from to `returnTo`, an absolute URL that is registered there. Undefined where signing out is
 * local, the provider announces no such endpoint, or it has not answered yet: signing out here goes on.
 */
export function signOutUrl(
  provider: Provider,
  { idToken, returnTo }: { idToken?: string | undefined; returnTo: string },
): URL | undefined {
  if (provider.signOut === 'local') return undefined;
  const config = configOf(provider);
  const endpoint = config?.serverMetadata().end_session_endpoint;
  if (config === undefined || endpoint === undefined) return undefined;
  if (!URL.canParse(endpoint) || !isAllowedUrl(new URL(endpoint))) return undefined;
  return client.buildEndSessionUrl(config, {
    ...(idToken !== undefined && { id_token_hint: idToken }),
    client_id: provider.clientId,
    post_logout_redirect_uri: returnTo,
  });
}

function configOf(provider: Provider): client.Configuration | undefined {
  try {
    return provider.config();
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}
