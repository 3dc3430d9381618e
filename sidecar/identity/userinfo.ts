// What the user endpoint says of somebody (OpenID Connect Core 1.0, section 5.3), by an access token that the
// provider has just given. Never of somebody else than the ID token is about.
import * as client from 'openid-client';
import type { Claims } from './claims.ts';
import { type SignInRefusal, userinfoRefusalOf } from './sign-in-refusal.ts';

export type UserinfoRefusal = SignInRefusal & {
  /** Whether it speaks of somebody else, and not in some unusable way. */
  readonly isOfAnother: boolean;
};

/** Returns the claims, none where the provider has no such endpoint, or why not. Throws Fault ERR_PROVIDER. */
export async function readUserinfo(
  config: client.Configuration,
  accessToken: string,
  subject: string,
): Promise<{ claims: Claims | undefined } | UserinfoRefusal> {
  if (config.serverMetadata().userinfo_endpoint === undefined) return { claims: undefined };
  try {
    return { claims: await client.fetchUserInfo(config, accessToken, subject) };
  } catch (error) {
    // One that is no header's value is quoted by whoever refuses it, and trimmed before.
    const refusal = userinfoRefusalOf(error, [accessToken, accessToken.trim()]);
    return { ...refusal, isOfAnother: isOfAnother(error) };
  }
}

// The library compares one attribute of this answer: `sub`.
function isOfAnother(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED';
}
